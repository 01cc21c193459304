"""Google's refusals in words that an owner understands.

https://developers.google.com/workspace/calendar/api/guides/errors
"""

from datetime import timedelta
from typing import Any

import orjson

from bellwire.connectors.google_calendar.api import DUPLICATE, GONE, MISSING, NO_SUCH_CHANNEL
from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, Refused, SignedOut, Transient, VendorError

_PACED = {"rateLimitExceeded", "userRateLimitExceeded"}
_USED_UP = {"quotaExceeded", "dailyLimitExceeded", "calendarLimitsExceeded"}
_HOUR = timedelta(hours=1)


def explain(answer: Answer) -> VendorError | None:
    """By the first error's `reason`; those of the token endpoint have none."""
    if answer.ok:
        return None
    reason, message = _said(answer)
    detail = f"{answer.method} {answer.path}: {answer.status} {reason}: {message}"[:300]
    if reason in _PACED:
        return Transient("Google asked to slow down.", cause=PACED, detail=detail, retry_after=answer.retry_after)
    if reason in _USED_UP:
        return Transient(
            "Google takes nothing more for now: what it allows in a day is used up.",
            cause="quota",
            detail=detail,
            retry_after=answer.retry_after or _HOUR,
        )
    if reason == "invalid_grant":
        return SignedOut(
            "Google no longer accepts the sign-in: it was revoked, or it ended.",
            detail=detail,
            remedy="Give your consent in the browser again. If that is needed every week, Google still counts your app "
            "as being tested: publish it (console.cloud.google.com › Google Auth Platform › Audience).",
        )
    if refused := _REFUSED.get(reason):
        cause, sentence, remedy = refused
        return Refused(sentence, cause=cause, detail=detail, remedy=remedy)
    if answer.status == 404 and answer.path.endswith("channels/stop"):
        return Refused("Google knows no such channel.", cause=NO_SUCH_CHANNEL, detail=detail)
    if answer.status == 404:
        return Refused("Google has no such appointment.", cause=MISSING, detail=detail)
    if answer.status == 409:
        return Refused("There is such an appointment already.", cause=DUPLICATE, detail=detail)
    if answer.status == 410:
        return Refused("It is gone already.", cause=GONE, detail=detail)
    if answer.status in (400, 403) and message:
        return Refused(f"Google refused it: {message.rstrip('.')}.", cause=reason or "refused", detail=detail)
    return None


def no_such_calendar(detail: str) -> Refused:
    return Refused(
        "Google shows no such calendar.",
        cause="no-such-calendar",
        detail=detail,
        remedy="Correct the calendar's id (calendar.google.com › the calendar's settings › Integrate calendar), or "
        "share the calendar with the account that signs in; then retry.",
    )


_REFUSED = {
    "insufficientPermissions": (
        "scopes",
        "Google's sign-in doesn't allow this.",
        "Give your consent again, and leave all boxes ticked; then retry.",
    ),
    "requiredAccessLevel": (
        "no-access",
        "The calendar can be read but not changed.",
        "Share it with the account that signs in, as 'Make changes to events'; then retry.",
    ),
    "forbidden": (
        "no-access",
        "Google doesn't let this account into the calendar.",
        "Share it with the account that signs in, as 'Make changes to events'; then retry.",
    ),
    "forbiddenForNonOrganizer": (
        "not-ours",
        "Only who organises the appointment can change it.",
        "Change it in the organiser's calendar, or by hand.",
    ),
    "accessNotConfigured": (
        "api-off",
        "The Google Calendar API isn't turned on for your project at Google.",
        "Turn it on: console.cloud.google.com › APIs & Services › Library › Google Calendar API; then retry.",
    ),
    "timeRangeEmpty": ("time-range", "The time ends before it begins.", "Correct it, then retry."),
    "push.webhookUrlNotHttps": (
        "address",
        "Google sends to addresses that begin with https:// only.",
        "Give Bellwire a public address with a certificate.",
    ),
    "push.webhookUrlUnauthorized": (
        "address",
        "Google doesn't send to this address.",
        "It needs a certificate that browsers accept.",
    ),
}
"""Reason → cause, sentence, remedy."""


def _said(answer: Answer) -> tuple[str, str]:
    """Reason and message, empty where there are none."""
    try:
        error: Any = orjson.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return "", ""
    if isinstance(error, str):
        return error, ""
    first: dict[str, str] = next(iter(error.get("errors") or ()), {})
    return first.get("reason", ""), first.get("message") or error.get("message", "")
