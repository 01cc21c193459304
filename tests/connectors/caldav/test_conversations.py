"""What is said to a calendar server, and what becomes of it: the same in practice and at a real Radicale, which is set
to refuse whatever is written blindly."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from bellwire.capabilities.calendar import (
    Appointment,
    BusyTimes,
    CancelAppointment,
    CancelledAppointment,
    ListBusy,
    PutAppointment,
)
from bellwire.connectors.caldav import CONNECTOR
from bellwire.connectors.caldav import triggers as triggers_module
from bellwire.connectors.caldav.objects import reference_of, uid_of
from bellwire.connectors.kit import POLLED, Call, Page
from bellwire.errors import Refused, SignedOut
from bellwire.events import CalendarEntry, Delivery, Event
from tests.connectors.caldav.conftest import Server, vevent
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")
ITEM = uid_of("booking-7") + ".ics"
START = datetime(2026, 7, 1, 7, tzinfo=UTC)
VISIT = PutAppointment(
    reference="booking-7",
    title="Boiler, Robin Hill; back door",
    start=START,
    end=START + timedelta(hours=1),
    zone="Europe/Berlin",
    location="1 Main St",
    notes="Ring twice.\nDog!",
    remind_minutes=30,
)


async def put(at: Call, **changes: Any) -> Appointment:
    result = await CONNECTOR.actions["calendar.put_appointment"](at, VISIT.model_copy(update=changes))
    assert isinstance(result, Appointment)
    return result


async def cancel(at: Call, reference: str = "booking-7") -> CancelledAppointment:
    result = await CONNECTOR.actions["calendar.cancel_appointment"](at, CancelAppointment(reference=reference))
    assert isinstance(result, CancelledAppointment)
    return result


async def busy(at: Call, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    result = await CONNECTOR.actions["calendar.list_busy"](at, ListBusy(start=start, end=end))
    assert isinstance(result, BusyTimes)
    return [(each.start, each.end) for each in result.busy]


async def test_an_appointment_is_there_as_it_was_given(server: Server) -> None:
    made = await put(server.call())
    assert made == Appointment(id=uid_of("booking-7"), start=START, end=START + timedelta(hours=1))
    event = await server.event(ITEM)
    assert str(event["SUMMARY"]) == "Boiler, Robin Hill; back door"
    assert str(event["LOCATION"]) == "1 Main St"
    assert str(event["DESCRIPTION"]) == "Ring twice.\nDog!"
    assert event.decoded("dtstart").astimezone(UTC) == START
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert reference_of(event) == "booking-7"
    (alarm,) = event.walk("VALARM")
    assert alarm.decoded("trigger") == timedelta(minutes=-30)
    (zone,) = Calendar.from_ical(await server.text(ITEM)).walk("VTIMEZONE")
    assert all("RRULE" in part and "RDATE" not in part for part in zone.subcomponents)


async def test_the_same_again_writes_nothing(server: Server) -> None:
    await put(server.call())
    before = await server.text(ITEM)
    later = dataclasses.replace(server.call(again=True), clock=lambda: NOW + timedelta(hours=1))
    await put(later)
    assert await server.text(ITEM) == before


async def test_what_somebody_added_is_kept_when_it_is_moved(server: Server) -> None:
    await put(server.call())
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Mine\r\nTRIGGER:-P1D\r\nEND:VALARM"
    more = f"COLOR:red\r\nX-SOMEBODY:7\r\n{alarm}\r\nEND:VEVENT"
    await server.put(ITEM, (await server.text(ITEM)).replace("END:VEVENT", more).replace("Ring twice.", "Ring once."))
    moved = START + timedelta(days=1)
    await put(server.call(), start=moved, end=moved + timedelta(hours=2), notes="", remind_minutes=None)
    event = await server.event(ITEM)
    assert event.decoded("dtstart").astimezone(UTC) == moved
    assert (str(event["COLOR"]), str(event["X-SOMEBODY"]), event["SEQUENCE"]) == ("red", "7", 1)
    assert str(event["DESCRIPTION"]) == "Ring once.\nDog!"
    assert [alarm.decoded("trigger") for alarm in event.walk("VALARM")] == [timedelta(days=-1)], (
        "ours is gone, theirs isn't"
    )


async def test_many_at_once_make_one(server: Server) -> None:
    made = await asyncio.gather(*(put(server.call()) for _ in range(4)))
    assert len(set(made)) == 1
    assert await server.items() == [ITEM]


async def test_one_that_somebody_moved_to_another_name_is_found(server: Server) -> None:
    await put(server.call())
    text = await server.text(ITEM)
    await server.delete(ITEM)
    await server.put("moved.ics", text)
    await put(server.call(), title="Another title")
    assert await server.items() == ["moved.ics"]
    assert str((await server.event("moved.ics"))["SUMMARY"]) == "Another title"
    assert await cancel(server.call()) == CancelledAppointment(id=uid_of("booking-7"))
    assert str((await server.event("moved.ics"))["STATUS"]) == "CANCELLED"


async def test_an_appointment_is_called_off_and_made_again(server: Server) -> None:
    assert await cancel(server.call()) == CancelledAppointment()
    await put(server.call())
    for _ in range(2):
        assert await cancel(server.call()) == CancelledAppointment(id=uid_of("booking-7"))
    event = await server.event(ITEM)
    assert (str(event["STATUS"]), event["SEQUENCE"], str(event["LOCATION"])) == ("CANCELLED", 1, "1 Main St")
    assert await busy(server.call(), START - timedelta(days=1), START + timedelta(days=1)) == []
    await put(server.call())
    assert "STATUS" not in await server.event(ITEM)
    assert len(await busy(server.call(), START - timedelta(days=1), START + timedelta(days=1))) == 1


async def test_busy_times_are_joined_and_cut_off(server: Server) -> None:
    def at(hour: float) -> datetime:
        return datetime(2026, 7, 1, tzinfo=UTC) + timedelta(hours=hour)

    appointments = {
        "early": ["DTSTART:20260630T230000Z", "DTEND:20260701T010000Z"],
        "first": ["DTSTART;TZID=Europe/Berlin:20260701T090000", "DTEND;TZID=Europe/Berlin:20260701T100000"],
        "touching": ["DTSTART:20260701T080000Z", "DTEND:20260701T083000Z"],
        "inside": ["DTSTART:20260701T081000Z", "DTEND:20260701T082000Z"],
        "off": ["DTSTART:20260701T120000Z", "DTEND:20260701T130000Z", "STATUS:CANCELLED"],
        "free": ["DTSTART:20260701T120000Z", "DTEND:20260701T130000Z", "TRANSP:TRANSPARENT"],
        "local": ["DTSTART:20260701T160000", "DTEND:20260701T170000"],
        "late": ["DTSTART:20260702T000000Z", "DTEND:20260702T010000Z"],
    }
    for name, lines in appointments.items():
        await server.put(f"{name}.ics", vevent(name, "DTSTAMP:20260101T000000Z", *lines))
    found = await busy(server.call(zone="Europe/Berlin"), at(0), at(24))
    assert found == [(at(0), at(1)), (at(7), at(8.5)), (at(14), at(15))]


async def test_whole_days_are_those_of_the_settings(server: Server) -> None:
    lines = ("DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260702")
    await server.put("holiday.ics", vevent("holiday", *lines))
    day = datetime(2026, 7, 1, tzinfo=UTC)
    found = await busy(server.call(zone="Pacific/Auckland"), day - timedelta(days=2), day + timedelta(days=2))
    assert found == [(day - timedelta(hours=12), day + timedelta(hours=12))]


async def test_our_appointment_in_summer_is_where_it_was_put(server: Server) -> None:
    """A zone that is described by dates is an hour off from the second year on."""
    await put(server.call())
    assert await busy(server.call(), START, START + timedelta(hours=1)) == [(START, START + timedelta(hours=1))]
    for before in (START - timedelta(hours=1), START + timedelta(hours=1)):
        assert await busy(server.call(), before, before + timedelta(hours=1)) == []


@pytest.mark.parametrize("_server", ["radicale"], indirect=True)
async def test_each_repetition_counts(server: Server) -> None:
    """Practice knows none."""
    lines = ("DTSTAMP:20260101T000000Z", "DTSTART:20260701T080000Z", "DTEND:20260701T090000Z", "RRULE:FREQ=DAILY")
    await server.put("daily.ics", vevent("daily", *lines))
    first = datetime(2026, 7, 10, 8, tzinfo=UTC)
    found = await busy(server.call(), first - timedelta(hours=8), first + timedelta(days=1, hours=16))
    assert [start for start, _ in found] == [first, first + timedelta(days=1)]


@pytest.mark.proves("practice")
async def test_preconditions_are_kept_alike(server: Server) -> None:
    """What practice says and what the real one says is the same, status by status."""
    said: list[int] = []

    async def write(item: str, title: str, **conditions: str) -> str:
        lines = ("DTSTAMP:20260101T000000Z", "DTSTART:20260701T080000Z", "DTEND:20260701T090000Z", f"COMMENT:{title}")
        headers = {"Content-Type": "text/calendar", **{k.replace("_", "-"): v for k, v in conditions.items()}}
        body = vevent("one", *lines)
        async with server.session.put(server.url(item), data=body, headers=headers) as answer:
            said.append(answer.status)
            return answer.headers.get("etag", "")

    async def delete(etag: str) -> None:
        async with server.session.delete(server.url("one.ics"), headers={"If-Match": etag}) as answer:
            said.append(answer.status)

    first = await write("one.ics", "a", If_None_Match="*")
    await write("one.ics", "b", If_None_Match="*")
    await write("two.ics", "b", If_None_Match="*")
    second = await write("one.ics", "b", If_Match=first)
    await write("one.ics", "c", If_Match=first)
    assert await write("one.ics", "b", If_Match=second) == second != first
    await delete(first)
    await delete(second)
    await delete(second)
    await write("one.ics", "d", If_Match=second)
    assert said == [201, 412, 409, 204, 412, 204, 412, 200, 404, 412]


# What people change


async def changes(at: Call, since: datetime, cursor: str = "") -> tuple[list[Event], list[str], Page]:
    """All pages from a cursor: the events, the reasons of what gave none, and the last page."""
    triggers = CONNECTOR.triggers
    assert triggers is not None
    (poll,) = triggers.polls
    events: list[Event] = []
    reasons: list[str] = []
    while True:
        page = await poll.page(at, since, cursor)
        for record in page.records:
            delivery = Delivery("cal", {POLLED: poll.name}, record.body, NOW)
            found = triggers.normalise(delivery, at.connection)
            events += found.events
            reasons += [found.reason] if found.reason else []
        if not page.next_cursor:
            return events, reasons, page
        cursor = page.next_cursor


def mine(uid: str, changed: str = "20261124T080000Z", *lines: str) -> str:
    stamp = (f"DTSTAMP:{changed}", f"LAST-MODIFIED:{changed}")
    return vevent(uid, *stamp, "DTSTART:20261201T080000Z", "DTEND:20261201T090000Z", *lines)


@pytest.mark.proves("reconcile")
async def test_what_people_change_is_found_and_goes_on_after_a_restart(server: Server) -> None:
    await server.put("old.ics", mine("old", "20200101T000000Z"))
    await server.put("new.ics", mine("new"))
    since = datetime(2026, 11, 24, tzinfo=UTC)
    events, _, page = await changes(server.call(), since)
    assert [event.data for event in events] == [
        CalendarEntry(
            id="new",
            title="Mine",
            start=datetime(2026, 12, 1, 8, tzinfo=UTC),
            end=datetime(2026, 12, 1, 9, tzinfo=UTC),
            updated_at=datetime(2026, 11, 24, 8, tzinfo=UTC),
        )
    ]
    assert (events[0].type, events[0].subject) == ("appointment.updated", "appointment/new")
    await server.put("old.ics", mine("old", "20200101T000001Z", "LOCATION:Bern"))
    await server.delete("new.ics")
    events, _, last = await changes(server.call(), since, page.resume)
    told = {event.data.id: (event.data.location, event.data.cancelled) for event in events}
    assert told == {"old": ("Bern", False), "new": ("", True)}
    again, _, _ = await changes(server.call(), since, page.resume)
    assert [event.business_key for event in again] == [event.business_key for event in events], "each is one fact"
    assert (await changes(server.call(), since, last.resume))[0] == []


@pytest.mark.proves("reconcile")
async def test_what_we_wrote_is_no_news_until_somebody_changes_it(server: Server) -> None:
    _, _, page = await changes(server.call(), NOW)
    await put(server.call(), notes=' a;b,c\\d "e":\r\n\tü ☕\u2028\x0b  z\\n ', location="x" * 200)
    events, reasons, page = await changes(server.call(), NOW, page.resume)
    assert (events, len(reasons)) == ([], 1) and "Bellwire itself" in reasons[0]
    text = await server.text(ITEM)
    await server.put(ITEM, text.replace("Boiler\\, Robin Hill", "Boiler\\, later"))
    events, _, page = await changes(server.call(), NOW, page.resume)
    (event,) = events
    assert (event.data.reference, event.data.title) == ("booking-7", "Boiler, later; back door")
    await cancel(server.call())
    assert (await changes(server.call(), NOW, page.resume))[0] == []


@pytest.mark.proves("reconcile")
async def test_a_token_that_was_forgotten_begins_anew(server: Server) -> None:
    await server.put("old.ics", mine("old", "20200101T000000Z"))
    await server.put("new.ics", mine("new"))
    lost = '{"from": "http://radicale.org/ns/sync/' + "0" * 64 + '"}'
    events, _, page = await changes(server.call(), datetime(2026, 11, 24, tzinfo=UTC), lost)
    assert [event.data.id for event in events] == ["new"]
    assert (await changes(server.call(), NOW, page.resume))[0] == []


@pytest.mark.proves("reconcile", "paging")
async def test_many_changes_are_read_to_the_last_page_and_none_in_between_is_missed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers_module, "_BATCH", 5)
    for number in range(11):
        await server.put(f"n{number:03}.ics", mine(f"n{number:03}"))
    triggers = CONNECTOR.triggers
    assert triggers is not None
    (poll,) = triggers.polls
    since = datetime(2026, 11, 24, tzinfo=UTC)
    first = await poll.page(server.call(), since, "")
    assert len(first.records) == 5 and first.next_cursor and not first.resume
    await server.put("n000.ics", mine("n000", "20261124T090000Z"))
    rest, _, last = await changes(server.call(), since, first.next_cursor)
    assert [event.data.id for event in rest] == [f"n{number:03}" for number in range(5, 11)]
    missed, _, _ = await changes(server.call(), since, last.resume)
    assert [event.data.id for event in missed] == ["n000"]


async def test_what_isnt_an_appointment_is_left_out(server: Server) -> None:
    todo = mine("todo").replace("VEVENT", "VTODO").replace("DTEND", "DUE")
    _, _, page = await changes(server.call(), NOW)
    await server.put("todo.ics", todo)
    events, reasons, _ = await changes(server.call(), NOW, page.resume)
    assert events == [] and "isn't an appointment" in reasons[0]


# Signing in, and finding the calendar


@pytest.mark.proves("sign-in")
async def test_signing_in_names_the_calendar(server: Server) -> None:
    assert CONNECTOR.sign_in is not None
    account = await CONNECTOR.sign_in(server.call())
    assert (account.name, account.warnings) == (server.calendar, ())
    assert account.detail.endswith(f"/practice/{server.calendar}/")


@pytest.mark.proves("sign-in", "errors")
async def test_a_wrong_password_is_signed_out(server: Server) -> None:
    with pytest.raises(SignedOut, match="doesn't accept the sign-in") as caught:
        await put(server.call(credentials={"username": "practice", "password": "old"}))
    assert "app password" in caught.value.remedy


@pytest.mark.proves("errors")
async def test_a_calendar_that_isnt_there_is_said_with_those_that_are(server: Server) -> None:
    with pytest.raises(Refused, match="There is no calendar 'nowhere'") as caught:
        await put(server.call(), calendar="nowhere")
    assert f"'{server.calendar}'" in caught.value.remedy


@pytest.mark.proves("errors")
async def test_a_calendar_that_went_away_is_looked_for_again(server: Server) -> None:
    at = server.call()
    await put(at)
    found = at.connection.remembered[server.calendar]
    await server.delete("")
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: put(at),
        lambda: cancel(at),
        lambda: busy(at, START, START + timedelta(hours=1)),
        lambda: changes(at, NOW),
    ]
    for ask in asked:
        at.connection.remembered[server.calendar] = found
        with pytest.raises(Refused) as caught:
            await ask()
        assert caught.value.cause in ("missing", "conflict") and caught.value.remedy
        with pytest.raises(Refused, match="There is no calendar"):
            await ask()
