"""What Google's refusals mean to us, in which words, and what is told of its announcements."""

from datetime import timedelta

import orjson
import pytest

from bellwire.capabilities.calendar import ListBusy
from bellwire.connectors.google_calendar.actions import list_busy, sign_in
from bellwire.connectors.google_calendar.errors import explain
from bellwire.connectors.kit import Answer
from bellwire.errors import PACED, OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.google_calendar import GoogleCalendar
from tests import faults
from tests.connecting import call
from tests.connectors.google_calendar.conftest import Connect
from tests.samples import NOW

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("errors")]


def told(status: int, reason: str, message: str = "Said so.", path: str = "/calendar/v3/x") -> VendorError | None:
    error = {"errors": [{"domain": "global", "reason": reason, "message": message}], "code": status, "message": message}
    return explain(Answer(status, {}, orjson.dumps({"error": error}), "POST", path))


@pytest.mark.parametrize(
    ("status", "reason", "kind", "cause"),
    [
        (403, "rateLimitExceeded", Transient, PACED),
        (403, "userRateLimitExceeded", Transient, PACED),
        (429, "rateLimitExceeded", Transient, PACED),
        (403, "quotaExceeded", Transient, "quota"),
        (403, "calendarLimitsExceeded", Transient, "quota"),
        (403, "insufficientPermissions", Refused, "scopes"),
        (403, "requiredAccessLevel", Refused, "no-access"),
        (403, "forbiddenForNonOrganizer", Refused, "not-ours"),
        (403, "accessNotConfigured", Refused, "api-off"),
        (400, "timeRangeEmpty", Refused, "time-range"),
        (400, "invalid", Refused, "invalid"),
        (401, "push.webhookUrlUnauthorized", Refused, "address"),
        (404, "notFound", Refused, "not-found"),
        (409, "duplicate", Refused, "duplicate"),
        (410, "fullSyncRequired", Refused, "gone"),
    ],
)
async def test_each_reason_has_its_class(status: int, reason: str, kind: type[VendorError], cause: str) -> None:
    error = told(status, reason)
    assert type(error) is kind and error.cause == cause
    assert reason in error.detail
    if cause in ("scopes", "no-access", "not-ours", "api-off", "address"):
        assert error.remedy


async def test_a_quota_for_a_day_waits_an_hour() -> None:
    error = told(403, "quotaExceeded")
    assert isinstance(error, Transient) and error.retry_after == timedelta(hours=1)


async def test_what_has_no_words_of_its_own_is_left_to_the_status() -> None:
    assert told(401, "authError") is None
    assert told(503, "backendError") is None
    assert explain(Answer(502, {}, b"<html>", "GET", "/")) is None


@faults.each_of_a_read
async def test_reading_that_fails_is_known_to_have_done_nothing(
    connect: Connect, google: GoogleCalendar, kind: FaultKind, error: type[VendorError]
) -> None:
    google.faults.add(Fault(kind=kind, times=3))
    with pytest.raises(error):
        a_day = ListBusy(start=NOW, end=NOW + timedelta(days=1))
        await list_busy(call(connect(credentials={"access_token": "old"})), a_day)


async def test_writing_that_fails_is_unknown(connect: Connect, google: GoogleCalendar) -> None:
    google.faults.add(Fault(kind=FaultKind.FAILED))
    with pytest.raises(OutcomeUnknown):
        await connect().api.post("calendars/primary/events", {})


async def test_a_sign_in_that_ended_says_what_a_weekly_one_means(connect: Connect, google: GoogleCalendar) -> None:
    google.expire()
    with pytest.raises(SignedOut, match="revoked, or it ended") as caught:
        await sign_in(call(connect(credentials={**google.credentials, "refresh_token": "revoked"})))
    assert "publish it" in caught.value.remedy
