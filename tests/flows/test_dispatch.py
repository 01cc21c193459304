"""The dispatch: what follows from a booking, from its change and its end, and from work that is done."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellwire.business import BusinessCalendar
from bellwire.capabilities import OPERATIONS, Given
from bellwire.capabilities.accounting import CreateWorkInvoice, Invoice, SendInvoice, SentInvoice
from bellwire.capabilities.calendar import PutAppointment
from bellwire.capabilities.field_service import (
    AddJobNote,
    FieldClient,
    FindOrCreateClient,
    FoundJob,
    OpenJob,
    StartTimesheet,
    Timesheet,
)
from bellwire.capabilities.sms import SendSms
from bellwire.connectors.kit import Connection
from bellwire.errors import Transient
from bellwire.events import Address, Answer, Booking, Customer, Delivery, Environment, Event, Job, WorkedTime
from bellwire.flows import SKIPPED, Flow, Scope, bundled, check_flow, parse_flow, scope_for
from bellwire.ledger import RunRow, RunState, runs
from tests.connecting import connection
from tests.engine.office import Office
from tests.engine.test_waiting import Clock, Place
from tests.flows.templates import usual
from tests.flows.writing import PATH
from tests.samples import NOW, usd

FLOWS = {
    name: parse_flow(bundled(name), PATH.with_stem(name))
    for name in (
        "booking_created",
        "booking_changed",
        "booking_replaced",
        "booking_cancelled",
        "job_completed",
        "timesheet_started",
        "timesheet_moved",
    )
}
CREATED, CHANGED, REPLACED, CANCELLED, DONE, STARTED, MOVED = FLOWS.values()
CLOCKS = [STARTED, MOVED]
BUSINESS = BusinessCalendar(zone="America/New_York")
DAY = timedelta(days=1)
CLIENT = FieldClient(id="c1", property_id="p1", name="Robin Hill", created=False)
FOUND = FoundJob(id="j1", number="7", url="https://field.example/7")
WORKED = WorkedTime(id="w1", person="Kim Lee", start=NOW, duration=timedelta(minutes=80), note="Valve")
SHEET = Timesheet(entries=(WORKED,), minutes=80)


def booking(**changes: Any) -> Booking:
    values: dict[str, Any] = {
        "id": "E1/I1",
        "service": "Boiler service",
        "start": NOW + 5 * DAY,
        "end": NOW + 5 * DAY + timedelta(hours=1),
        "zone": "America/Chicago",
        "customer": Customer(name="Robin Hill", email="robin@example.com", phone="+1 512-555-0123"),
        "address": Address(line1="1 Main St", city="Austin", postcode="78701", country="US"),
        "staff": ("kim@example.com",),
        "answers": (Answer(question="Which boiler?", answer="The old one"),),
        "change_url": "https://booking.example/change",
        "updated_at": NOW,
    }
    return Booking(**(values | changes))


def job(**changes: Any) -> Job:
    client = Customer(id="c1", name="Robin Hill", email="robin@example.com")
    values: dict[str, Any] = {"id": "j1", "number": "7", "title": "Boiler service", "client": client}
    return Job(**({**values, "completed": True, "updated_at": NOW} | changes))


def event(data: Any, kind: str, *, time: datetime = NOW) -> Event:
    return Event(
        type=kind,
        connection=kind.partition(".")[0],
        environment=Environment.SANDBOX,
        business_key=f"{kind}/1",
        subject="thing/1",
        time=time,
        data=data,
    )


def told(
    flow: Flow, data: Any, *, time: datetime = NOW, business: BusinessCalendar = BUSINESS, **results: Any
) -> Scope:
    """What expressions see, with the results of a day on which all goes well."""
    usual = {
        "client": CLIENT,
        "job": FOUND,
        "timesheet": SHEET,
        "invoice": Invoice(id="i1", number="7", total=usd("126.67"), customer_id="c9"),
        "sent": SentInvoice(invoice_id="i1", to="robin@example.com"),
    }
    known = {name: result for name, result in usual.items() if name in flow.actions}
    return scope_for(event(data, flow.event_type, time=time), known | results, business=business)


def wanted(flow: Flow, data: Any, **results: Any) -> list[str]:
    names = told(flow, data, **results)
    return [action.name for action in flow.actions.values() if action.wanted(names)]


def given(flow: Flow, name: str, names: Scope) -> Given:
    """What an action is given, as its operation takes it."""
    (operation,) = OPERATIONS[flow.actions[name].operation_name]
    return operation.given.model_validate(flow.actions[name].inputs(names))


def reminds_at(flow: Flow, data: Booking, **changes: Any) -> datetime | None:
    """When the reminder goes out; None: none does."""
    names, reminder = told(flow, data, **changes), flow.actions["reminder"]
    return reminder.due(names, NOW) if reminder.wanted(names) else None


def from_vendor(vendor: str, event_type: str, settings: dict[str, Any]) -> Any:
    """The data of an event as the vendor's own message tells it."""
    account: Connection = connection(vendor, settings=settings)
    triggers = account.connector.triggers
    assert triggers is not None and triggers.sample is not None
    headers, body = triggers.sample(event_type, account)
    found = triggers.normalise(Delivery(vendor, {k.lower(): v for k, v in headers.items()}, body, NOW), account)
    return next(each.data for each in found.events if each.type == event_type)


REAL = [
    (CREATED, "calendly", "booking.created", {}),
    (CHANGED, "calendly", "booking.changed", {}),
    (REPLACED, "calendly", "booking.changed", {}),
    (CANCELLED, "calendly", "booking.cancelled", {}),
    (STARTED, "calendly", "booking.created", {}),
    (MOVED, "calendly", "booking.changed", {}),
    (CREATED, "form", "booking.created", {"zone": "America/Chicago"}),
    (DONE, "jobber", "job.completed", {"account_id": "MQ==", "currency": "USD"}),
]


@pytest.mark.parametrize(("flow", "vendor", "kind", "settings"), REAL, ids=[f"{each[0].id}-{each[1]}" for each in REAL])
def test_every_input_is_valid_for_its_operation(flow: Flow, vendor: str, kind: str, settings: dict[str, Any]) -> None:
    names = told(flow, from_vendor(vendor, kind, settings))
    for action in flow.actions.values():
        if action.wanted(names):
            given(flow, action.name, names)


@pytest.mark.parametrize("flow", [CREATED, CHANGED, CANCELLED], ids=lambda flow: flow.id)
def test_inputs_are_valid_for_a_booking_that_says_next_to_nothing(flow: Flow) -> None:
    bare = Booking(id="1", service="Visit", start=NOW, end=NOW + DAY, customer=Customer(), updated_at=NOW)
    names = told(flow, bare, client=SKIPPED, job=SKIPPED)
    done = [action.name for action in flow.actions.values() if action.wanted(names)]
    for name in done:
        given(flow, name, names)
    assert (
        done
        == {
            "booking_created": ["appointment", "call"],
            "booking_changed": ["appointment", "dispatcher"],
            "booking_cancelled": ["removed", "dispatcher"],
        }[flow.id]
    )


def test_every_condition_says_why_something_is_left_out() -> None:
    for flow in FLOWS.values():
        for action in flow.actions.values():
            assert action.condition is True or action.otherwise != "Its condition wasn't met.", (flow.id, action.name)


# A booking is made


def test_an_ordinary_booking_has_everything_done() -> None:
    assert wanted(CREATED, booking()) == ["appointment", "confirmation", "reminder", "client", "job"]


def test_the_appointment_is_known_by_the_booking_and_says_who_and_where() -> None:
    put = given(CREATED, "appointment", told(CREATED, booking()))
    assert isinstance(put, PutAppointment)
    assert (put.reference, put.title, put.zone) == ("E1/I1", "Boiler service: Robin Hill", "America/New_York")
    assert put.location == "1 Main St, Austin"
    assert "+1 512-555-0123" in put.notes and "Which boiler? The old one" in put.notes
    assert (put.start, put.end) == (booking().start, booking().end)


def test_the_message_says_the_time_on_the_customers_clock() -> None:
    said = given(CREATED, "confirmation", told(CREATED, booking()))
    assert said == SendSms(
        to="+15125550123",
        text="Boiler service is booked for Sunday, 29 November, 03:30. To change it: https://booking.example/change",
    )
    unknown = given(CREATED, "confirmation", told(CREATED, booking(zone="", change_url="")))
    assert isinstance(unknown, SendSms)
    assert unknown.text == "Boiler service is booked for Sunday, 29 November, 04:30."


@pytest.mark.parametrize("phone", ["", "(512) 555-0123", "call me"])
def test_whom_no_message_can_reach_a_person_calls(phone: str) -> None:
    customer = Customer(name="Robin Hill", email="robin@example.com", phone=phone)
    assert wanted(CREATED, booking(customer=customer)) == ["appointment", "call", "client", "job"]
    text = CREATED.actions["call"].inputs(told(CREATED, booking(customer=customer)))["text"]
    assert f"(phone: {phone or 'none'})" in text and "Boiler service on Sunday, 29 November, 04:30" in text
    assert "+ and the country's code" in CREATED.actions["confirmation"].otherwise


@pytest.mark.parametrize(
    ("zone", "start", "remind"),
    [
        # The clocks change in the night between: Berlin 29 March and 25 October 2026, Chicago 8 March and 1 November,
        # Auckland 27 September, Lord Howe (by half an hour) 4 October.
        ("Europe/Berlin", "2026-03-29T10:00", "2026-03-28T10:00"),
        ("Europe/Berlin", "2026-10-25T10:00", "2026-10-24T10:00"),
        ("America/Chicago", "2026-03-08T15:30", "2026-03-07T15:30"),
        ("America/Chicago", "2026-11-01T15:30", "2026-10-31T15:30"),
        ("Pacific/Auckland", "2026-09-27T09:00", "2026-09-26T09:00"),
        ("Australia/Lord_Howe", "2026-10-04T12:00", "2026-10-03T12:00"),
        # In the night nobody is woken: it comes in the morning, still before the visit.
        ("Europe/Berlin", "2026-03-29T07:00", "2026-03-28T08:00"),
        ("Europe/Berlin", "2026-03-29T21:00", "2026-03-29T08:00"),
        ("Asia/Kathmandu", "2026-06-02T23:30", "2026-06-02T08:00"),
    ],
)
@pytest.mark.parametrize("flow", [CREATED, CHANGED], ids=lambda flow: flow.id)
def test_the_reminder_comes_a_day_before_on_the_customers_clock(flow: Flow, zone: str, start: str, remind: str) -> None:
    wall = ZoneInfo(zone)
    begins = datetime.fromisoformat(start).replace(tzinfo=wall).astimezone(UTC)
    data = booking(zone=zone, start=begins, end=begins + timedelta(hours=1))
    at = reminds_at(flow, data, time=begins - 7 * DAY)
    assert at is not None and at.astimezone(wall).isoformat()[:16] == remind
    assert at < begins


def test_where_the_customers_zone_is_not_known_it_is_the_business_own() -> None:
    begins = datetime(2026, 11, 1, 15, tzinfo=UTC)  # The day on which New York's clocks went back.
    data = booking(zone="", start=begins, end=begins + timedelta(hours=1))
    assert reminds_at(CREATED, data, time=begins - 7 * DAY) == begins - timedelta(hours=25)


@pytest.mark.parametrize("flow", [CREATED, CHANGED], ids=lambda flow: flow.id)
def test_who_books_less_than_a_day_ahead_is_not_reminded(flow: Flow) -> None:
    data = booking(start=NOW + DAY, end=NOW + 2 * DAY)
    assert reminds_at(flow, data, time=NOW - timedelta(seconds=1)) is not None
    assert reminds_at(flow, data, time=NOW) is None
    assert "less than a day ahead" in flow.actions["reminder"].otherwise


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, Address(line1="1 Main St", city="Austin", postcode="78701", country="US")),
        ({"address": None, "location": "2 Side St, Austin"}, Address(line1="2 Side St, Austin")),
        ({"address": None, "location": "https://meet.example/1"}, None),
        ({"address": None}, None),
    ],
)
def test_the_place_of_work_is_the_address_else_what_the_booking_says(
    changes: dict[str, Any], where: Address | None
) -> None:
    client = given(CREATED, "client", told(CREATED, booking(**changes)))
    assert isinstance(client, FindOrCreateClient) and client.address == where


def test_without_a_place_or_a_name_no_work_order_is_opened() -> None:
    nowhere = CLIENT.model_copy(update={"property_id": ""})
    assert "job" not in wanted(CREATED, booking(), client=nowhere)
    nobody = booking(customer=Customer(email="robin@example.com"))
    assert not {"client", "job"} & set(wanted(CREATED, nobody, client=SKIPPED))
    assert "Open the work order by hand" in CREATED.actions["job"].otherwise


def test_the_work_order_is_known_by_the_booking() -> None:
    opened = given(CREATED, "job", told(CREATED, booking(notes="Ring twice")))
    assert isinstance(opened, OpenJob)
    assert (opened.reference, opened.client_id, opened.property_id) == ("E1/I1", "c1", "p1")
    assert "The old one" in opened.instructions and "Ring twice" in opened.instructions


def test_nobody_waits_for_the_calendar_or_a_message() -> None:
    assert {name: set(action.needs) for name, action in CREATED.actions.items() if action.needs} == {"job": {"client"}}


# It is moved, or called off


def test_a_moved_booking_takes_the_place_of_the_one_before() -> None:
    moved = booking(id="E2/I2", replaces="E1/I1")
    names = told(CHANGED, moved)
    assert wanted(CHANGED, moved) == ["appointment", "told", "reminder", "client", "job", "note", "dispatcher"]
    assert wanted(REPLACED, moved) == ["removed"]
    assert REPLACED.actions["removed"].inputs(told(REPLACED, moved)) == {"reference": "E1/I1"}
    assert CHANGED.actions["appointment"].inputs(names)["reference"] == "E2/I2"
    assert CHANGED.actions["job"].inputs(names)["reference"] == "E1/I1"
    note, said = given(CHANGED, "note", names), CHANGED.actions["dispatcher"].inputs(names)["text"]
    assert isinstance(note, AddJobNote) and "moved it to Sunday, 29 November, 04:30 (booking E2/I2)" in note.text
    assert "Please move the visit of work order 7. https://field.example/7" in said


def test_a_booking_that_keeps_its_id_has_its_appointment_moved() -> None:
    names = told(CHANGED, booking())
    assert wanted(REPLACED, booking()) == []
    assert CHANGED.actions["appointment"].inputs(names)["reference"] == "E1/I1"
    assert CHANGED.actions["job"].inputs(names)["reference"] == "E1/I1"


@pytest.mark.parametrize("flow", [CHANGED, CANCELLED], ids=lambda flow: flow.id)
def test_where_no_work_order_is_found_a_person_is_asked_to_look(flow: Flow) -> None:
    assert "note" not in wanted(flow, booking(), job=FoundJob())
    text = flow.actions["dispatcher"].inputs(told(flow, booking(), job=FoundJob()))["text"]
    assert "No work order was found" in text and "No text message" not in text


@pytest.mark.parametrize("flow", [CHANGED, CANCELLED], ids=lambda flow: flow.id)
def test_the_dispatcher_hears_whom_no_message_reached(flow: Flow) -> None:
    data = booking(customer=Customer(name="Robin Hill", phone="512 555 0123"))
    assert "told" not in wanted(flow, data)
    assert "No text message could be sent" in flow.actions["dispatcher"].inputs(told(flow, data))["text"]


def test_a_booking_that_was_called_off_is_gone_everywhere() -> None:
    gone = booking(reason="Sold the house")
    names = told(CANCELLED, gone)
    assert wanted(CANCELLED, gone) == ["removed", "told", "client", "job", "note", "dispatcher"]
    assert CANCELLED.actions["removed"].inputs(names) == {"reference": "E1/I1"}
    assert CANCELLED.actions["note"].inputs(names)["text"] == "The customer called it off. They say: Sold the house."
    assert CANCELLED.actions["told"].inputs(names)["text"].startswith("Boiler service on Sunday, 29 November, 03:30")


def test_of_a_booking_that_was_replaced_only_the_appointment_goes() -> None:
    assert wanted(CANCELLED, booking(replaced_by="E2/I2"), client=SKIPPED, job=SKIPPED) == ["removed"]


# The visit begins


@pytest.mark.parametrize("flow", CLOCKS, ids=lambda flow: flow.id)
def test_when_the_visit_begins_the_clock_of_who_it_is_with_is_started(flow: Flow) -> None:
    names = told(flow, booking())
    assert wanted(flow, booking()) == ["client", "job", "clock"]
    assert flow.actions["client"].due(names, NOW) == booking().start
    assert given(flow, "clock", names) == StartTimesheet(
        job_id="j1", starts=booking().start, assigned_to="kim@example.com"
    )


@pytest.mark.parametrize("flow", CLOCKS, ids=lambda flow: flow.id)
@pytest.mark.parametrize("changes", [{"staff": ()}, {"staff": ("Kim",)}, {"customer": Customer(email="r@example.com")}])
def test_where_nobody_is_known_whose_clock_it_is_nothing_is_done_and_nobody_is_asked(
    flow: Flow, changes: dict[str, Any]
) -> None:
    assert wanted(flow, booking(**changes), client=SKIPPED, job=SKIPPED) == []
    assert wanted(flow, booking(), job=FoundJob()) == ["client", "job"]
    assert "The technician starts the clock" in flow.actions["clock"].otherwise
    assert {action.connection for action in flow.actions.values()} == {"field"}


def test_the_work_order_of_a_moved_visit_is_that_of_the_booking_before() -> None:
    assert MOVED.actions["job"].inputs(told(MOVED, booking(id="E2", replaces="E1")))["reference"] == "E1"
    assert MOVED.actions["job"].inputs(told(MOVED, booking()))["reference"] == "E1/I1"


def test_the_only_technician_can_be_put_in_as_the_comments_show() -> None:
    option = "if: event.customer.name or event.customer.company"
    assert f"#   {option}" in STARTED.source
    wholly = "if: (event.customer.name or event.customer.company) and event.staff and '@' in event.staff[0]"
    text = STARTED.source.replace(wholly, option).replace('"{{ event.staff[0] }}"', "kim@example.com")
    changed = parse_flow(text, PATH.with_stem(STARTED.id))
    assert check_flow(changed, usual("dispatch")) == []
    clock = given(changed, "clock", told(changed, booking(staff=())))
    assert isinstance(clock, StartTimesheet) and clock.assigned_to == "kim@example.com"


# With the real engine


class Dispatch(Place):
    """The four flows of bookings, with toys behind their connections."""

    def office(self, name: str) -> Office:
        (found,) = [each for each in self.others if each.name == name]
        assert isinstance(found, Office)
        return found

    async def booked(self, data: Booking, kind: str, *, settle: bool = True) -> None:
        body = {"type": f"booking.{kind}", "booking": data.model_dump(mode="json")}
        await self.deliver(body=json.dumps(body).encode())
        if settle:
            await self.settled()

    async def waiting(self) -> list[RunRow]:
        return [run for run in await self.runs() if run.state is RunState.WAITING and run.held_for == runs.ITS_TIME]

    async def old_ones_gone(self) -> None:
        """So much time goes by that the appointments of bookings that were replaced are taken out."""
        self.pass_by(timedelta(minutes=2))

        async def none_waits() -> bool:
            return all(run.flow != REPLACED.id for run in await self.waiting())

        await self.until(none_waits)
        await self.settled()

    async def nothing_failed(self) -> bool:
        return not await self.exceptions()

    def texts(self) -> list[str]:
        return [message.text.partition(". To")[0] for message in self.office("sms").messages]


@asynccontextmanager
async def open_dispatch(url: str, *, clocks: bool = False) -> AsyncIterator[Dispatch]:
    left_out = {DONE.id} | (set() if clocks else {flow.id for flow in CLOCKS})
    texts = {name: bundled(name) for name in FLOWS if name not in left_out}
    others = tuple(Office(name) for name in ("calendar", "sms", "field", "chat"))
    place = Dispatch(url, Office("booking"), texts.pop("booking_created"), clock=Clock(), others=others, beside=texts)
    async with place.open():
        yield place


def soon(place: Dispatch, days: int, **changes: Any) -> Booking:
    """Booked now for noon, UTC, in so many days: no clock changes in this zone, and nobody sleeps."""
    start = place.clock().replace(hour=12, minute=0, second=0, microsecond=0) + days * DAY
    values = {"start": start, "end": start + timedelta(hours=1), "zone": "UTC", "updated_at": place.clock()}
    return booking(**(values | changes))


async def test_a_booking_is_dealt_with_and_its_reminder_waits(ledger_url: str) -> None:
    async with open_dispatch(ledger_url) as place:
        made = soon(place, 5)
        await place.booked(made, "created")
        (run,) = await place.waiting()
        assert run.due_at == made.start - DAY
        assert list(place.office("calendar").appointments) == list(place.office("field").jobs) == ["E1/I1"]
        assert place.texts() == [f"Boiler service is booked for {made.start:%A, %-d %B}, 12:00"]
        place.pass_by(made.start - DAY - place.clock())
        await place.until(lambda: len(place.texts()) == 2)
        assert place.texts()[1] == f"Boiler service: we come on {made.start:%A, %-d %B}, 12:00"
        await place.settled()
        assert await place.nothing_failed() and not place.office("chat").posts


@pytest.mark.parametrize("keeps_its_id", [True, False])
async def test_a_moved_bookings_reminder_is_the_new_one(ledger_url: str, keeps_its_id: bool) -> None:
    async with open_dispatch(ledger_url) as place:
        await place.booked(soon(place, 5), "created")
        new = {} if keeps_its_id else {"id": "E2/I2", "replaces": "E1/I1"}
        moved = soon(place, 9, **new)
        await place.booked(moved, "changed")
        await place.old_ones_gone()
        (run,) = await place.waiting()
        assert run.due_at == moved.start - DAY
        (put,) = place.office("calendar").appointments.values()
        assert (put.reference, put.start) == (moved.id, moved.start)
        assert [note.job_id for note in place.office("field").notes] == ["job of E1/I1"]
        place.pass_by(moved.start - DAY - place.clock())
        await place.until(lambda: len(place.texts()) == 3)
        await place.settled()
        assert [text for text in place.texts() if "we come on" in text] == [
            f"Boiler service: we come on {moved.start:%A, %-d %B}, 12:00"
        ]
        assert await place.nothing_failed() and not await place.waiting()


@pytest.mark.parametrize("keeps_its_id", [True, False])
async def test_a_booking_that_is_moved_twice_and_called_off_leaves_nothing_behind(
    ledger_url: str, keeps_its_id: bool
) -> None:
    async with open_dispatch(ledger_url) as place:
        await place.booked(soon(place, 5), "created")
        for number, days in ((2, 9), (3, 7)):
            new = {} if keeps_its_id else {"id": f"E{number}", "replaces": "E1/I1" if number == 2 else "E2"}
            last = soon(place, days, **new)
            await place.booked(last, "changed")
        await place.old_ones_gone()
        (run,) = await place.waiting()
        assert run.due_at == last.start - DAY
        await place.booked(soon(place, 7, id=last.id, replaces=last.replaces), "cancelled")
        assert not await place.waiting() and not place.office("calendar").appointments
        assert not [text for text in place.texts() if "we come on" in text]
        assert await place.nothing_failed()
        # A work order keeps the reference of the first booking: after a second new id, a person has to look for it.
        looked = [text for text in place.office("chat").posts if "No work order was found" in text]
        assert len(looked) == (0 if keeps_its_id else 2)


async def test_moves_that_are_told_in_the_wrong_order_leave_the_last_appointment_only(ledger_url: str) -> None:
    async with open_dispatch(ledger_url) as place:
        await place.booked(soon(place, 5), "created")
        first = soon(place, 9, id="E2", replaces="E1/I1")
        second = soon(place, 7, id="E3", replaces="E2", updated_at=place.clock() + timedelta(seconds=1))
        await place.booked(second, "changed")
        await place.booked(first, "changed")
        await place.old_ones_gone()
        assert list(place.office("calendar").appointments) == ["E3"]
        (run,) = await place.waiting()
        assert run.due_at == second.start - DAY and await place.nothing_failed()


async def test_a_booking_that_is_made_and_moved_at_once_has_one_appointment(ledger_url: str) -> None:
    async with open_dispatch(ledger_url) as place:
        calendar = place.office("calendar")
        made, moved = soon(place, 5), soon(place, 9, id="E2", replaces="E1/I1")
        calendar.next["put_appointment"].append(Transient("The calendar is busy.", cause="busy"))
        await place.booked(made, "created", settle=False)
        await place.booked(moved, "changed")
        await place.old_ones_gone()
        assert list(calendar.appointments) == ["E2"] and await place.nothing_failed()


async def test_a_cancellation_that_comes_first_leaves_no_reminder(ledger_url: str) -> None:
    async with open_dispatch(ledger_url) as place:
        made = soon(place, 5)
        await place.booked(soon(place, 5), "cancelled")
        await place.booked(made, "created")
        assert not await place.waiting() and not place.office("calendar").appointments


async def test_the_clock_is_started_when_the_visit_begins(ledger_url: str) -> None:
    async with open_dispatch(ledger_url, clocks=True) as place:
        made, field = soon(place, 5), place.office("field")
        await place.booked(made, "created")
        place.pass_by(made.start - timedelta(minutes=1) - place.clock())
        await place.settled()
        assert not field.clocks
        place.pass_by(timedelta(minutes=1))
        await place.until(lambda: bool(field.clocks))
        await place.settled()
        assert [(each.job_id, each.starts) for each in field.clocks] == [("job of E1/I1", made.start)]
        assert await place.nothing_failed() and not await place.waiting()


@pytest.mark.parametrize("keeps_its_id", [True, False])
async def test_the_clock_of_a_moved_visit_is_started_at_its_new_time_only(ledger_url: str, keeps_its_id: bool) -> None:
    async with open_dispatch(ledger_url, clocks=True) as place:
        await place.booked(soon(place, 5), "created")
        moved = soon(place, 9, **({} if keeps_its_id else {"id": "E2/I2", "replaces": "E1/I1"}))
        await place.booked(moved, "changed")
        field = place.office("field")
        place.pass_by(moved.start - timedelta(minutes=1) - place.clock())
        await place.settled()
        assert not field.clocks
        place.pass_by(timedelta(minutes=1))
        await place.until(lambda: bool(field.clocks))
        await place.settled()
        assert [(each.job_id, each.starts) for each in field.clocks] == [("job of E1/I1", moved.start)]
        assert await place.nothing_failed() and not await place.waiting()


async def test_no_clock_is_started_of_a_visit_that_is_called_off(ledger_url: str) -> None:
    async with open_dispatch(ledger_url, clocks=True) as place:
        made = soon(place, 5)
        await place.booked(made, "created")
        await place.booked(soon(place, 5), "cancelled")
        assert not await place.waiting() and not place.office("field").clocks


# The work is done


def test_work_that_is_done_is_noted_invoiced_sent_and_closed() -> None:
    assert wanted(DONE, job()) == ["timesheet", "note", "invoice", "sent", "closed"]
    names = told(DONE, job())
    note, invoice = given(DONE, "note", names), given(DONE, "invoice", names)
    assert isinstance(note, AddJobNote) and isinstance(invoice, CreateWorkInvoice)
    assert note.text.startswith("Timesheet: 80 minutes") and "Kim Lee, 24 November, 04:30: 1:20:00, Valve" in note.text
    assert invoice.reference == "7" and invoice.customer.email == "robin@example.com"
    (line,) = invoice.lines
    assert (line.name, line.quantity, line.unit_price) == ("Boiler service", Decimal("1.33"), usd("95.00"))
    assert given(DONE, "sent", names) == SendInvoice(invoice_id="i1", to="robin@example.com")


def test_while_a_clock_runs_a_person_is_asked_whether_the_hours_are_all() -> None:
    approval = DONE.actions["invoice"].approval
    assert approval is not None and not approval.needed(told(DONE, job()))
    going = WorkedTime(id="w2", person="Alex", start=NOW)
    names = told(DONE, job(), timesheet=Timesheet(entries=(WORKED, going), minutes=80))
    assert approval.needed(names)
    assert approval.text(names) == (
        "Somebody's clock still runs on work order 7. Invoice the 80 minutes that are entered?"
    )
    assert "Alex, 24 November, 04:30: still going on" in DONE.actions["note"].inputs(names)["text"]


def test_without_hours_nothing_is_invoiced_and_the_office_hears_of_it() -> None:
    empty: dict[str, Any] = {"timesheet": Timesheet(entries=(), minutes=0), "invoice": SKIPPED, "sent": SKIPPED}
    assert wanted(DONE, job(), **empty) == ["timesheet", "office", "closed"]
    assert DONE.actions["office"].inputs(told(DONE, job(), **empty))["text"].endswith("No invoice was made.")


def test_an_invoice_for_somebody_without_an_address_goes_by_post() -> None:
    data = job(client=Customer(name="Robin Hill"))
    assert wanted(DONE, data, sent=SKIPPED) == ["timesheet", "note", "invoice", "office", "closed"]
    text = DONE.actions["office"].inputs(told(DONE, data, sent=SKIPPED))["text"]
    assert text.endswith("Invoice 7 has to be sent by post.")


def test_the_work_order_is_closed_last() -> None:
    assert {"note", "sent"} <= DONE.actions["closed"].needs


DUE = "due: \"{{ meta.time | business_days(10) | date('yyyy-MM-dd', business.zone) }}\""
OPTIONS = [
    (CREATED, '      title: "{{ event.service }}:', 'calendar: "{{ event.staff[0] }}"'),
    (CREATED, '      title: "{{ event.service | truncate(200) }}"', 'assigned_to: "{{ event.staff[0] }}"'),
    (DONE, '      reference: "{{ event.number or event.id }}"', DUE),
]


@pytest.mark.parametrize(("flow", "before", "option"), OPTIONS, ids=[each[2].partition(":")[0] for each in OPTIONS])
def test_what_the_comments_offer_checks_clean_and_fits(flow: Flow, before: str, option: str) -> None:
    assert option in flow.source and flow.source.count(before) == 1
    changed = parse_flow(flow.source.replace(before, f"      {option}\n{before}"), PATH.with_stem(flow.id))
    assert check_flow(changed, usual("dispatch")) == []
    (name,) = [each.name for each in changed.actions.values() if set(each.given) - set(flow.actions[each.name].given)]
    given(changed, name, told(changed, booking() if flow is CREATED else job()))


def test_the_address_can_come_from_an_answer_as_the_comments_show() -> None:
    offered = next(line for line in CREATED.source.splitlines() if "address: {line1:" in line).strip("# ")
    begin, end = CREATED.source.index("      address:"), CREATED.source.index("  # The work order. To give")
    changed = parse_flow(CREATED.source[:begin] + f"      {offered}\n\n" + CREATED.source[end:], PATH)
    assert check_flow(changed, usual("dispatch")) == []
    asked = booking(address=None, answers=(Answer(question="Where?", answer="3 Oak St, Austin"),))
    client = given(changed, "client", told(changed, asked))
    assert isinstance(client, FindOrCreateClient) and client.address == Address(line1="3 Oak St, Austin")


def test_a_fixed_price_can_be_invoiced_as_the_comments_show() -> None:
    begin, end = DONE.source.index("          quantity:"), DONE.source.index("\n  # The books send it")
    text = DONE.source[:begin] + '          unit_price: "{{ event.total }}"\n' + DONE.source[end:]
    changed = parse_flow(text.replace("if: timesheet.minutes", "if: event.total"), PATH)
    assert check_flow(changed, usual("dispatch")) == []
    invoice = given(changed, "invoice", told(changed, job(total=usd("180.00"))))
    assert isinstance(invoice, CreateWorkInvoice) and invoice.lines[0].unit_price == usd("180.00")
