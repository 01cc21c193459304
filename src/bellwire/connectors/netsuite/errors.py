"""NetSuite's refusals in words that an owner understands.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545141500.html
"""

from typing import Any

import orjson

from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, Refused, SignedOut, Transient, VendorError

_PACED = {"CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED"}
_CHANGED = {"RCRD_HAS_BEEN_CHANGED", "RECORD_HAS_BEEN_CHANGED"}
_DENIED = {"INSUFFICIENT_PERMISSION", "INSUFFICIENT_PERMISSIONS"}


def explain(answer: Answer) -> VendorError | None:
    """By the first `o:errorCode`; the token endpoint says `error`."""
    if answer.ok:
        return None
    code, message = _said(answer)
    detail = f"{answer.method} {answer.path}: {answer.status} {code}: {message}"[:300]
    if answer.path.endswith("/oauth2/v1/token") and code:
        return SignedOut(
            "NetSuite doesn't accept the certificate that the connection signs in with.",
            detail=detail,
            remedy="It may have be at its end, or be gone with a refresh of the sandbox. Upload another in NetSuite "
            "› Setup › Integration › OAuth 2.0 Client Credentials (M2M) Setup; set its certificate_id and private_key.",
        )
    if code in _PACED or answer.status == 429:
        return Transient("NetSuite has as many requests as it takes at once.", cause=PACED, detail=detail)
    if code in _CHANGED:
        return Transient("Somebody changed the same record in NetSuite just now.", cause="changed", detail=detail)
    if code in _DENIED or answer.status == 403:
        return Refused(
            "The role that Bellwire has in NetSuite isn't allowed to do this.",
            cause="no-permission",
            detail=detail,
            remedy="Add the permission to the role (Setup › Users/Roles › Manage Roles): REST Web Services, Log in "
            "using OAuth 2.0 Access Tokens, SuiteAnalytics Workbook, Items, Vendors, Purchase Order (Full) and Item "
            "Receipt (View); then retry.",
        )
    if code == "NONEXISTENT_ID" or answer.status == 404:
        return Refused("NetSuite has no such record.", cause="no-such-record", detail=detail)
    if answer.status == 400 and message:
        return Refused(f"NetSuite refused it: {message.rstrip('.')}.", cause=code or "refused", detail=detail)
    return None


def _said(answer: Answer) -> tuple[str, str]:
    """Code and message, empty where there are none."""
    try:
        body: Any = orjson.loads(answer.body)
        first: dict[str, str] = next(iter(body.get("o:errorDetails") or ()), {})
        return first.get("o:errorCode") or body.get("error", ""), first.get("detail", "")
    except (ValueError, AttributeError):
        return "", ""
