"""What Twilio's errors mean: `{"code": …, "message": …, "more_info": …, "status": …}`.

https://www.twilio.com/docs/api/errors
"""

from dataclasses import dataclass
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, VendorError


@dataclass(frozen=True)
class _Refusal:
    cause: str
    sentence: str
    remedy: str = ""


_TEST_ONLY = 20008
"""Not for test credentials, which may do little."""
_SENDER = _Refusal(
    "bad-sender",
    "Twilio can't send from the number in the settings.",
    "Set `sender` of the connection to a number of this account that sends text messages, or to a Messaging Service.",
)
_NUMBER = _Refusal("bad-number", "The number isn't one that a text message can be sent to.", "Correct it; then retry.")
_TOO_LONG = _Refusal("too-long", "The message is too long for Twilio.", "Shorten its text in the flow.")

_REFUSED = {
    21211: _NUMBER,
    21614: _NUMBER,
    21212: _SENDER,
    21603: _SENDER,
    21606: _SENDER,
    21408: _Refusal(
        "country-not-allowed",
        "The account isn't allowed to send to this country.",
        "Allow it: Twilio Console › Messaging › Settings › Geo permissions; then retry.",
    ),
    21608: _Refusal(
        "trial-account",
        "A trial account sends only to numbers that were verified.",
        "Verify the number in the Twilio Console, or upgrade the account; then retry.",
    ),
    21610: _Refusal(
        "opted-out",
        "The person has answered STOP and wants no more messages from this sender.",
        "Dismiss it. They can come back by writing START to the sender.",
    ),
    21605: _TOO_LONG,
    21617: _TOO_LONG,
    20404: _Refusal(
        "no-account",
        "Twilio doesn't know the account in the settings.",
        "Compare `account_sid` of the connection with the Twilio Console.",
    ),
}


def explain(answer: Answer) -> VendorError | None:
    """Twilio's refusals; None for successes and for what the HTTP status already says."""
    if answer.ok or answer.status in (401, 429) or answer.status >= 500:
        return None
    code, said = _error(answer)
    known = _REFUSED.get(code, _Refusal(f"refused-{code or answer.status}", f"Twilio refused it: {said}"))
    return Refused(
        known.sentence, cause=known.cause, detail=f"{answer.path}: {answer.status} {code} {said}", remedy=known.remedy
    )


def for_test_credentials(error: Refused) -> bool:
    """Whether it was refused only because the credentials are for testing."""
    return error.cause == f"refused-{_TEST_ONLY}"


_LOST = {
    "30003": "The phone is switched off or out of reach.",
    "30004": "The phone's owner or network has blocked it.",
    "30005": "There is no such number.",
    "30006": "It is a landline, or its network takes no text messages.",
    "30007": "The network took it for unwanted advertising.",
    "30008": "The network didn't say why.",
    "30034": "The sender isn't registered with the American networks (A2P 10DLC).",
}


def why_not_delivered(code: str) -> str:
    """In words: https://www.twilio.com/docs/api/errors"""
    return _LOST.get(code, f"Twilio's error {code}." if code else "Twilio didn't say why.")


def _error(answer: Answer) -> tuple[int, str]:
    try:
        body: Any = answer.json()
        return int(body["code"]), str(body["message"])
    except (VendorError, KeyError, TypeError, ValueError):
        return 0, answer.text[:300]
