"""How Calendly says no: `{"title": …, "message": …, "details": [{"parameter": …, "message": …}]}`.

https://developer.calendly.com/api-docs/ZG9jOjE2OTU3MjIy-api-conventions
"""

from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, Refused, Transient, VendorError


def explain(answer: Answer) -> VendorError | None:
    """Calendly's own reading of an answer; None for successes and for what the HTTP status already says."""
    if answer.ok or answer.status == 401 or answer.status >= 500:
        return None
    title, words = _said(answer)
    detail = f"{answer.method} {answer.path}: {answer.status} {title} {words}"[:400]
    match answer.status:
        case 429:
            wait = answer.headers.get("X-RateLimit-Reset", "")
            pause = timedelta(seconds=int(wait)) if wait.isdecimal() else answer.retry_after
            return Transient("Calendly asked to slow down.", cause=PACED, detail=detail, retry_after=pause)
        case 403:
            return Refused(
                f"Calendly doesn't let this sign-in do that: {words or title}",
                cause="not-allowed",
                detail=detail,
                remedy="It may need an owner's or admin's sign-in (else set `whose` of the connection to user), a paid "
                "plan, or a scope that `bellwire check` lists.",
            )
        case 404:
            return Refused(
                "Calendly has no such booking: it was deleted, or it is of another account.",
                cause="unknown-booking",
                detail=detail,
                remedy="See which field the flow takes the booking's id from.",
            )
    return Refused(
        f"Calendly refused it: {words or title}",
        cause=f"refused-{title.lower().replace(' ', '-') or answer.status}",
        detail=detail,
    )


def _said(answer: Answer) -> tuple[str, str]:
    try:
        body: Any = answer.json()
        details = "; ".join(f"{each['parameter']} {each['message']}" for each in body.get("details") or ())
        return str(body["title"]), f"{body['message']} {details}".strip()
    except (VendorError, KeyError, TypeError, AttributeError):
        return "", answer.text[:200]
