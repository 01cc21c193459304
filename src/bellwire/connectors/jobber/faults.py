"""What Jobber's answers mean. Errors come in three layers: the HTTP status, `errors`, and `userErrors` of a mutation.

https://developer.getjobber.com/docs/using_jobbers_api/api_queries_and_mutations
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, OutcomeUnknown, Refused, SignedOut, Transient, VendorError

EXPIRED = "expired-page"
UNKNOWN = "unknown-record"

_FORBIDDEN = {"FORBIDDEN", "UNAUTHORIZED", "ACCESS_DENIED"}
_RESTORED = 500
"""Points that come back in a second, unless an answer says otherwise."""


def explain(answer: Answer) -> VendorError | None:
    """Jobber's own errors; None for successes and for what the HTTP status already says."""
    detail = f"{answer.status} {answer.text[:300]}"
    if answer.status == 403:
        return _not_allowed(detail)
    if not answer.ok:
        return None
    said = answer.json()
    if "data" not in said and "errors" not in said:
        return None
    if errors := said.get("errors"):
        return _by_code(errors[0], said, answer, detail)
    return next(_by_user_error(said.get("data") or {}), None)


def pause(said: Mapping[str, Any]) -> timedelta:
    """How long it takes until the same query has its points again; zero when they are there."""
    cost = (said.get("extensions") or {}).get("cost") or {}
    bucket = cost.get("throttleStatus")
    if not bucket:
        return timedelta()
    lacking = (cost.get("requestedQueryCost") or 0) - (bucket.get("currentlyAvailable") or 0)
    return timedelta(seconds=max(0.0, lacking / (bucket.get("restoreRate") or _RESTORED)))


def _by_code(error: Mapping[str, Any], said: Mapping[str, Any], answer: Answer, detail: str) -> VendorError:
    code, message = str((error.get("extensions") or {}).get("code") or ""), str(error.get("message") or "")
    words = message.lower()
    if code == "THROTTLED":
        return Transient(
            "Jobber asked to slow down.", cause=PACED, detail=detail, retry_after=pause(said) or timedelta(seconds=1)
        )
    if "disconnected this app" in words:
        return SignedOut(
            "Somebody has disconnected the app in Jobber.",
            cause="disconnected",
            detail=detail,
            remedy="Connect it again, as an administrator of the account.",
        )
    if code == "UNAUTHENTICATED":
        return SignedOut("Jobber no longer accepts the sign-in.", detail=detail, remedy="Connect the app again.")
    if code in _FORBIDDEN or "permission" in words or "scope" in words:
        return _not_allowed(detail)
    if code == "INTERNAL_SERVER_ERROR" or "temporarily unavailable" in words or "timeout" in words:
        if answer.writes:
            sentence = "Jobber failed and didn't say whether it did what was asked."
            return OutcomeUnknown(sentence, cause="vendor-failed", detail=detail)
        return Transient("Jobber has trouble at the moment.", cause="vendor-failed", detail=detail)
    if "cursor" in words:
        return Refused("Jobber has forgotten where the list went on.", cause=EXPIRED, detail=detail)
    if code in ("NOT_FOUND", "RECORD_NOT_FOUND") or "not found" in words:
        return Refused(
            "Jobber has no such record.",
            cause=UNKNOWN,
            detail=detail,
            remedy="It may have been deleted there: look for it, and correct what refers to it.",
        )
    return Refused(
        "Jobber doesn't understand what it was asked.",
        cause=f"refused-{code.lower().replace('_', '-')}" if code else "refused",
        detail=detail,
        remedy="Update Bellwire: this version of Jobber's API may have ended.",
    )


def _not_allowed(detail: str) -> Refused:
    return Refused(
        "The app isn't allowed to do this in Jobber.",
        cause="no-access",
        detail=detail,
        remedy="Tick the scopes that `bellwire check` names in Jobber's Developer Center, and connect the app again.",
    )


def _by_user_error(data: Mapping[str, Any]) -> Iterator[Refused]:
    for field, payload in data.items():
        problems = payload.get("userErrors") if isinstance(payload, Mapping) else None
        if problems:
            words = "; ".join(str(problem["message"]) for problem in problems)
            about = ".".join(str(step) for step in problems[0].get("path") or ()) or field
            yield Refused(f"Jobber refused it: {words}", cause=f"invalid:{about}", detail=f"{field}: {problems}")
