"""What is asked of Google, and what comes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellwire.capabilities.calendar import (
    Appointment,
    BusyTimes,
    CancelAppointment,
    CancelledAppointment,
    ListBusy,
    PutAppointment,
)
from bellwire.connectors.google_calendar.actions import cancel_appointment, list_busy, put_appointment, sign_in
from bellwire.connectors.google_calendar.api import event_id
from bellwire.errors import Refused
from bellwire.practice.google_calendar import Calendar, GoogleCalendar
from tests.connecting import call
from tests.connectors.google_calendar.conftest import OWNER, Connect
from tests.connectors.google_calendar.described import described
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZURICH = ZoneInfo("Europe/Zurich")
AT_TEN = datetime(2026, 11, 30, 10, tzinfo=ZURICH)


def visit(**changes: Any) -> PutAppointment:
    values = {"reference": "order-1001", "title": "Visit", "start": AT_TEN, "end": AT_TEN + timedelta(hours=1)}
    return PutAppointment(**{**values, "zone": "Europe/Zurich", **changes})


async def put(connect: Connect, given: PutAppointment) -> Appointment:
    made = await put_appointment(call(connect()), given)
    assert isinstance(made, Appointment)
    return made


async def cancel(connect: Connect, reference: str = "order-1001", calendar: str = "") -> str:
    done = await cancel_appointment(call(connect()), CancelAppointment(reference=reference, calendar=calendar))
    assert isinstance(done, CancelledAppointment)
    return done.id


async def busy(connect: Connect, start: datetime, end: datetime, **more: str) -> list[tuple[datetime, datetime]]:
    found = await list_busy(call(connect()), ListBusy(start=start, end=end, **more))
    assert isinstance(found, BusyTimes)
    return [(each.start, each.end) for each in found.busy]


async def test_the_id_of_an_event_comes_of_the_reference() -> None:
    assert event_id("order-1001") == "a2m97t0g16tlga7rtedjjiih56ioh2t4iccmkd1td71ombflkg90"


async def test_an_appointment_is_made(connect: Connect, calendar: Calendar) -> None:
    made = await put(connect, visit(location="Hill 7", notes="Ring twice", remind_minutes=30))
    (event,) = calendar.events.values()
    assert made == Appointment(
        id=event_id("order-1001"),
        start=datetime(2026, 11, 30, 9, tzinfo=UTC),
        end=datetime(2026, 11, 30, 10, tzinfo=UTC),
        url=event["htmlLink"],
    )
    assert (event["summary"], event["location"], event["description"]) == ("Visit", "Hill 7", "Ring twice")
    assert event["start"] == {"dateTime": "2026-11-30T10:00:00+01:00", "timeZone": "Europe/Zurich"}
    assert event["reminders"] == {"useDefault": False, "overrides": [{"method": "popup", "minutes": 30}]}


async def test_the_same_reference_changes_the_appointment_and_leaves_what_people_added(
    connect: Connect, calendar: Calendar
) -> None:
    first = await put(connect, visit(location="Hill 7"))
    calendar.events[first.id]["attendees"] = [{"email": "robin@example.com"}]
    calendar.events[first.id]["start"] = {"date": "2026-11-30"}
    moved = await put(connect, visit(start=AT_TEN + timedelta(days=1), end=AT_TEN + timedelta(days=1, hours=2)))
    (event,) = calendar.events.values()
    assert (moved.id, moved.start) == (first.id, datetime(2026, 12, 1, 9, tzinfo=UTC))
    assert (event["attendees"], event["location"]) == ([{"email": "robin@example.com"}], "")


async def test_a_cancelled_appointment_comes_back_with_the_same_reference(connect: Connect, calendar: Calendar) -> None:
    made = await put(connect, visit())
    assert await cancel(connect) == made.id
    assert calendar.events[made.id]["status"] == "cancelled"
    assert (await put(connect, visit())).id == made.id
    assert calendar.events[made.id]["status"] == "confirmed"


async def test_cancelling_twice_is_cancelling_once_and_without_an_appointment_nothing(connect: Connect) -> None:
    made = await put(connect, visit())
    assert [await cancel(connect), await cancel(connect)] == [made.id, made.id]
    assert await cancel(connect, "another") == ""


async def test_cancelling_in_a_calendar_that_is_not_there_is_refused(connect: Connect) -> None:
    with pytest.raises(Refused, match="no such calendar") as caught:
        await cancel(connect, calendar="nobody@tea.example")
    assert "share the calendar" in caught.value.remedy


@pytest.mark.parametrize(
    ("start", "utc", "told"),
    [
        (datetime(2026, 10, 24, 10, tzinfo=ZURICH), datetime(2026, 10, 24, 8, tzinfo=UTC), "2026-10-24T10:00:00+02:00"),
        (datetime(2026, 10, 26, 10, tzinfo=ZURICH), datetime(2026, 10, 26, 9, tzinfo=UTC), "2026-10-26T10:00:00+01:00"),
        # The hour that comes twice: the first time, and the second.
        (
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            "2026-10-25T02:30:00+02:00",
        ),
        (
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            "2026-10-25T02:30:00+01:00",
        ),
        # Given in another zone than people see it in.
        (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), "2026-03-29T03:00:00+02:00"),
    ],
)
async def test_changing_the_clocks_moves_no_appointment(
    connect: Connect, calendar: Calendar, start: datetime, utc: datetime, told: str
) -> None:
    made = await put(connect, visit(start=start, end=start + timedelta(minutes=30)))
    assert calendar.events[made.id]["start"]["dateTime"] == told
    assert made.start == utc
    assert await busy(connect, utc - timedelta(hours=2), utc + timedelta(hours=2)) == [(made.start, made.end)]


async def test_busy_times_are_joined_and_cut_at_the_edges(connect: Connect, google: GoogleCalendar) -> None:
    nine = datetime(2026, 11, 30, 9, tzinfo=UTC)
    for start, end in ((8, 12), (9, 10), (9.5, 11), (12, 12.5), (14, 18), (14.2, 14.5), (20, 21)):
        google.add("Visit", nine + timedelta(hours=start - 9), nine + timedelta(hours=end - 9))
    found = await busy(connect, nine, nine + timedelta(hours=6))
    assert found == [(nine, nine + timedelta(hours=3.5)), (nine + timedelta(hours=5), nine + timedelta(hours=6))]


async def test_who_cannot_be_seen_is_not_taken_for_free(connect: Connect) -> None:
    with pytest.raises(Refused, match="no such calendar"):
        await busy(connect, NOW, NOW + timedelta(days=1), calendar="nobody@tea.example")


@pytest.mark.proves("access")
async def test_signing_in_tells_the_calendar_and_what_is_allowed(connect: Connect, google: GoogleCalendar) -> None:
    account = await sign_in(call(connect()))
    assert (account.name, account.warnings) == ("Hill Tea, visits", ())
    assert account.detail == f"calendar {OWNER}, time zone Europe/Zurich"
    assert set(account.scopes or ()) == set(connect().manifest.scopes)
    google.scopes, google.calendars[OWNER].role = "https://www.googleapis.com/auth/calendar.readonly", "reader"
    account = await sign_in(call(connect()))
    assert account.scopes == ("https://www.googleapis.com/auth/calendar.readonly",)
    assert "shared as 'reader'" in account.warnings[0]


@needs_shared
@pytest.mark.proves("spec", "version")
async def test_all_that_is_asked_and_answered_is_as_google_describes_it(
    connect: Connect, google: GoogleCalendar
) -> None:
    await put(connect, visit())
    await put(connect, visit(title="Second visit", remind_minutes=5))
    await busy(connect, NOW, NOW + timedelta(days=30))
    await cancel(connect)
    await cancel(connect)
    await sign_in(call(connect()))
    described_calls = [each for each in google.received if each.path != "/tokeninfo"]
    assert [f"{each.method} {each.status}" for each in described_calls] == [
        "POST 200", "POST 409", "PATCH 200", "POST 200", "DELETE 204", "DELETE 410", "GET 200",
    ]  # fmt: skip
    for each in described_calls:
        if each.method == "PATCH":  # its way to say that a field is to be empty
            del each.body["start"]["date"], each.body["end"]["date"]
        assert described().problems(each) == []
        assert each.path.startswith("/calendar/v3/")
