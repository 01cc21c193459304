"""DocuSign's refusals in words that an owner understands.

https://developers.docusign.com/docs/esign-rest-api/esign101/error-codes/
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, Refused, SignedOut, Transient, VendorError

_BURST, _HOURLY = "BURST_APIINVOCATION_LIMIT_EXCEEDED", "HOURLY_APIINVOCATION_LIMIT_EXCEEDED"
_BURST_ENDS = timedelta(seconds=30)


def explain(answer: Answer) -> VendorError | None:
    """By `errorCode`; the token endpoint says `error`."""
    if answer.ok:
        return None
    code, message = _said(answer)
    detail = f"{answer.method} {answer.path}: {answer.status} {code}: {message}"[:300]
    if code == "consent_required":
        return SignedOut(
            "Nobody has allowed your app to act for this user yet.",
            cause="consent",
            detail=detail,
            remedy="Sign in as that user and open, once, https://account.docusign.com/oauth/auth?response_type=code"
            "&scope=signature%20impersonation&client_id=INTEGRATION_KEY&redirect_uri=REDIRECT_URI with those of your "
            "app (a demo account: account-d.docusign.com), and allow it.",
        )
    if code in (_BURST, _HOURLY):
        return Transient("DocuSign asked to slow down.", cause=PACED, detail=detail, retry_after=_pause(answer, code))
    if refused := _REFUSED.get(code):
        cause, sentence, remedy = refused
        return Refused(sentence, cause=cause, detail=detail, remedy=remedy)
    if code and message and 400 <= answer.status < 500 and answer.status not in (401, 408, 425, 429):
        return Refused(f"DocuSign refused it: {message.rstrip('.')}.", cause=code, detail=detail)
    return None


_REFUSED = {
    "ENVELOPE_DOES_NOT_EXIST": ("no-such-contract", "DocuSign has no such contract in this account.", ""),
    "INVALID_ENVELOPE_ID": ("no-such-contract", "DocuSign has no such contract in this account.", ""),
    "TEMPLATE_ID_INVALID": (
        "unknown-template",
        "DocuSign has no such template in this account.",
        "Correct its id in the flow, or give its name; then retry.",
    ),
    "ENVELOPE_CANNOT_VOID_INVALID_STATE": (
        "not-open",
        "The contract can't be withdrawn any more: it isn't waiting to be signed.",
        "Look at it in DocuSign. One that everybody has signed can only be ended by agreement.",
    ),
    "ENVELOPE_IS_INCOMPLETE": (
        "incomplete",
        "The contract can't be sent: something that the template needs is missing.",
        "Look whether the template's role for who signs is called as the connection's `role` says, and whether it has "
        "a place to sign and a subject; then retry.",
    ),
    "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT": (
        "bad-address",
        "DocuSign doesn't take the signer's e-mail address.",
        "Correct it, then retry.",
    ),
    "USER_LACKS_PERMISSIONS": (
        "no-permission",
        "The user that contracts are sent as isn't allowed to do this.",
        "Give the user the permission in DocuSign (Settings › Users), then retry.",
    ),
    "ACCOUNT_LACKS_PERMISSIONS": (
        "no-permission",
        "Your DocuSign plan doesn't include this.",
        "Ask DocuSign to add it, or choose another plan.",
    ),
    "ENVELOPE_ALLOWANCE_EXCEEDED": (
        "allowance",
        "All contracts that your DocuSign plan includes are used up.",
        "Buy more, or wait until they are renewed; then retry.",
    ),
    "PARTNER_AUTHENTICATION_FAILED": (
        "wrong-environment",
        "DocuSign doesn't know the integration key here.",
        "A key of a demo account works in production only after its go-live (Apps and Keys).",
    ),
}
"""Error code → cause, sentence, remedy."""


def _pause(answer: Answer, code: str) -> timedelta:
    """The hour's end is told as seconds since 1970."""
    if code == _BURST:
        return _BURST_ENDS
    resets = answer.headers.get("X-RateLimit-Reset", "")
    ends = datetime.fromtimestamp(int(resets), UTC) if resets.isdecimal() else datetime.now(UTC) + timedelta(hours=1)
    return max(ends - datetime.now(UTC), timedelta())


def _said(answer: Answer) -> tuple[str, str]:
    """Code and message, empty where there are none."""
    try:
        body: Any = orjson.loads(answer.body)
        return body.get("errorCode") or body.get("error", ""), body.get("message", "")
    except (ValueError, AttributeError):
        return "", ""
