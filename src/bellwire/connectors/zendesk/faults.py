"""How Zendesk says no: in several shapes, of which none can be relied on.

https://developer.zendesk.com/api-reference/introduction/requests/#response-format
"""

from collections.abc import Iterator
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, VendorError

_CLOSED = "closed"


def explain(answer: Answer) -> VendorError | None:
    """Zendesk's own reading of an answer; None for successes and for what the HTTP status already says."""
    if answer.ok or answer.status in (401, 429) or answer.status >= 500:
        return None
    kind, words = _said(answer)
    detail = f"{answer.method} {answer.path}: {answer.status} {kind} {words}"[:400]
    match answer.status:
        case 403:
            return Refused(
                "The user or the OAuth client that Bellwire signs in with isn't allowed to do this in Zendesk.",
                cause="not-allowed",
                detail=detail,
                remedy="Give the user of the OAuth client the role of an agent (for the poll: of an admin), and the "
                "client the scopes that `bellwire check` lists.",
            )
        case 404 if kind != "InvalidEndpoint":
            return Refused(
                "Zendesk has no such ticket: it was deleted, or the number is of another account.",
                cause="unknown-ticket",
                detail=detail,
                remedy="See which field the flow takes the ticket's id from.",
            )
        case 409:
            # By somebody else, or by ourselves, whose request HTTP repeated when its answer was lost.
            return OutcomeUnknown("The ticket was changed in the same moment.", cause="conflict", detail=detail)
        case 422 if _CLOSED in words.lower():
            return Refused(
                "The ticket is closed for good, and takes no more comments.",
                cause="ticket-closed",
                detail=detail,
                remedy="Let the flow open a new ticket instead, or dismiss it.",
            )
    return Refused(
        f"Zendesk refused it: {words or kind or answer.status}",
        cause=f"refused-{(kind or str(answer.status)).lower()}",
        detail=detail,
    )


def _said(answer: Answer) -> tuple[str, str]:
    """The kind of error, and all that is said about it."""
    try:
        body = answer.json()
    except VendorError:
        return "", answer.text[:200]
    if not isinstance(body, dict):
        return "", answer.text[:200]
    error = body.get("error", "")
    if isinstance(error, dict):
        return str(error.get("title", "")), str(error.get("message", ""))
    words = [str(body.get("description") or body.get("message") or ""), *_descriptions(body.get("details"))]
    return str(error), " · ".join(dict.fromkeys(word for word in words if word))


def _descriptions(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _descriptions(each)
    elif isinstance(value, dict):
        if isinstance(value.get("description"), str):
            yield value["description"]
        else:
            for each in value.values():
                yield from _descriptions(each)
