"""How Asana says no: `errors`, each with a message.

https://developers.asana.com/docs/errors
"""

from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import Refused, VendorError

EXPIRED = "expired-page"
UNKNOWN = "unknown-record"


def explain(answer: Answer) -> VendorError | None:
    """Asana's own reading of an answer; None where HTTP has said it all."""
    if answer.ok or answer.status in (401, 429) or answer.status >= 500:
        return None
    words = " · ".join(_messages(answer))
    detail = f"{answer.method} {answer.path}: {answer.status} {words or answer.text[:300]}"
    match answer.status:
        case 402:
            return Refused(
                "Asana has this only in paid plans.",
                cause="paid-plan",
                detail=detail,
                remedy="Change the plan there, or leave this step out of the flow.",
            )
        case 403:
            return Refused(
                "The sign-in isn't allowed to do this in Asana.",
                cause="no-access",
                detail=detail,
                remedy="Let whoever signed in join the project or team there; an app also needs the scopes that "
                "`bellwire check` names.",
            )
        case 404:
            return Refused(
                "Asana has no such project or task, or hides it from the sign-in.",
                cause=UNKNOWN,
                detail=detail,
                remedy="Look for it there: it may have been deleted, or be private.",
            )
        case 400 if words:
            return _invalid(words, detail)
        case _:
            return None


def _invalid(words: str, detail: str) -> Refused:
    said = words.lower()
    if "offset" in said or "pagination token" in said:
        return Refused("Asana has forgotten where the list went on.", cause=EXPIRED, detail=detail)
    if "handshake" in said or "target" in said:
        return Refused(
            "Asana can't reach the address that its webhooks go to.",
            cause="address-unreachable",
            detail=detail,
            remedy="Bellwire has to run, with its `public_url` reachable from outside; then do it again.",
        )
    if "assignee" in said:
        return Refused(
            "Asana knows nobody in the workspace whom the task could be assigned to.",
            cause="unknown-assignee",
            detail=detail,
            remedy="Invite them there, or let the flow name another e-mail address.",
        )
    return Refused(f"Asana refused it: {words}", cause="invalid", detail=detail)


def _messages(answer: Answer) -> list[str]:
    try:
        body: Any = answer.json()
    except VendorError:
        return []
    errors = body.get("errors") if isinstance(body, dict) else None
    return [str(each["message"]) for each in errors or () if isinstance(each, dict) and each.get("message")]
