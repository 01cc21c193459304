"""How HubSpot says no. All fields of an error are optional there.

https://developers.hubspot.com/docs/api-reference/error-handling
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, Refused, Transient, VendorError

UNKNOWN = "unknown-record"
DUPLICATE = "duplicate"

_PAUSES = {"SECONDLY": timedelta(seconds=1), "DAILY": timedelta(hours=1)}
_PAUSE = timedelta(seconds=10)
"""What to wait after a 429 that doesn't say for how long, by the limit that was met."""
_LOCKED = timedelta(seconds=2)
_MOVING = timedelta(minutes=5)
"""HubSpot moves the account to another data centre (477)."""


def explain(answer: Answer) -> VendorError | None:
    """HubSpot's own reading of an answer; None where HTTP has said it all."""
    if answer.ok or answer.status == 401 or answer.status >= 500:
        return None
    body = _object(answer)
    words = " · ".join(dict.fromkeys(_messages(body)))
    detail = f"{answer.method} {answer.path}: {answer.status} {words or answer.text[:300]}"
    match answer.status:
        case 429:
            pause = answer.retry_after or _PAUSES.get(str(body.get("policyName")), _PAUSE)
            return Transient("HubSpot asked to slow down.", cause=PACED, detail=detail, retry_after=pause)
        case 423 | 477:
            pause = answer.retry_after or (_LOCKED if answer.status == 423 else _MOVING)
            said = "HubSpot is busy with this account." if answer.status == 423 else "HubSpot is moving this account."
            return Transient(said, detail=detail, retry_after=pause)
        case 403:
            return _forbidden(body, detail)
        case 404:
            return Refused(
                "HubSpot has no such record.",
                cause=UNKNOWN,
                detail=detail,
                remedy="It may have been deleted or merged there: look for it, and correct what refers to it.",
            )
        case 409:
            return Refused("HubSpot already has such a record.", cause=DUPLICATE, detail=detail)
        case 400 if words:
            return _invalid(body, words, detail)
        case _:
            return None


def _forbidden(body: dict[str, Any], detail: str) -> Refused:
    scopes = sorted({scope for each in _contexts(body) for scope in each.get("requiredGranularScopes", ())})
    missing = f": {', '.join(scopes)}" if scopes else ""
    return Refused(
        f"The sign-in isn't allowed to do this in HubSpot{missing}.",
        cause="missing-scopes",
        detail=detail,
        remedy="Give the key or app the scopes that `bellwire check` names; an app has to be installed again then.",
    )


def _invalid(body: dict[str, Any], words: str, detail: str) -> Refused:
    codes = {str(each.get("code")) for each in body.get("errors") or ()}
    if "INVALID_EMAIL" in codes:
        return Refused(
            "HubSpot doesn't take this e-mail address.",
            cause="invalid-email",
            detail=detail,
            remedy="Correct it where it comes from, then send it again.",
        )
    names = sorted({name for each in _contexts(body) for name in each.get("propertyName", ())})
    about = f":{','.join(names)}" if names else ""
    return Refused(
        f"HubSpot refused it: {words}",
        cause=f"invalid{about}",
        detail=detail,
        remedy="HubSpot may have a rule for this property (Settings › Properties): meet it, or change it there.",
    )


def _messages(body: dict[str, Any]) -> Iterator[str]:
    details = [str(each["message"]) for each in body.get("errors") or () if each.get("message")]
    yield from details or ([str(body["message"])] if body.get("message") else ())


def _contexts(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in (body, *(body.get("errors") or ())):
        yield each.get("context") or {}


def _object(answer: Answer) -> dict[str, Any]:
    try:
        body = answer.json()
    except VendorError:
        return {}
    return body if isinstance(body, dict) else {}
