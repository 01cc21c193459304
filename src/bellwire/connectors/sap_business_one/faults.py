"""What the Service Layer says when it refuses: `{"error": {"code", "message"}}`.

Version 2 has texts, version 1 numbers and a text in a language. Texts are in the user's language, so the code counts.
"""

import orjson

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, SignedOut, Transient, VendorError

NO_SUCH_RECORD = "no-such-record"
_SESSION_OVER = 301
_LOCKED = (-2038, -1102)
"""Somebody else was changing the same record."""
_NOT_THERE = -2028
_EXISTS = -2035
_NO_RIGHT = 205


def explain(answer: Answer) -> VendorError | None:
    """What fails without a code (a proxy, too many at once) goes by status."""
    if answer.ok:
        return None
    code, message = _told(answer.body)
    detail = f"{answer.method} {answer.path}: {answer.status} {code or ''} {message}"[:300]
    if code == _SESSION_OVER:
        return SignedOut("SAP Business One has ended the session.", detail=detail)
    if answer.status == 401:
        return SignedOut(
            "SAP Business One doesn't accept user and password for this company database.",
            detail=detail,
            remedy="Look whether the user is locked or without a licence, and whether the password expired; "
            "`bellwire secrets set NAME password` takes a new one. `company_db` in connections.toml may be wrong too.",
        )
    if answer.status == 412 or code in _LOCKED:
        return Transient("Somebody was changing the same record just then.", cause="conflict", detail=detail)
    if answer.status >= 500 or answer.status in (408, 429):
        return None
    if code == _NO_RIGHT or answer.status == 403:
        return Refused(
            "The user isn't authorised to do this in SAP Business One.",
            cause="missing-rights",
            detail=detail,
            remedy="Give Bellwire's user the authorisations that `bellwire check` names, then retry.",
        )
    if code == _NOT_THERE or answer.status == 404:
        return Refused(
            "SAP Business One has no such record.",
            cause=NO_SUCH_RECORD,
            detail=detail,
            remedy="Look whether the codes of supplier, items and warehouse are right, then retry.",
        )
    if code == _EXISTS:
        return Refused("SAP Business One has that record already.", cause="exists", detail=detail)
    said = message or f"status {answer.status}"
    return Refused(f"SAP Business One refused it: {said}.", cause=f"refused{code or answer.status}", detail=detail)


def _told(body: bytes) -> tuple[int, str]:
    """Code (0: none) and message in one line."""
    try:
        error = orjson.loads(body)["error"]
        message = error["message"]
        text = message["value"] if isinstance(message, dict) else str(message)
        return int(error["code"]), " ".join(text.split()).rstrip(". ")
    except (ValueError, LookupError, TypeError):
        return 0, ""
