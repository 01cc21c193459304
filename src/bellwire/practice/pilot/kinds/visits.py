"""Visits that customers book, move and call off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from bellwire.clock import on_the_wall, system_clock
from bellwire.events import Customer
from bellwire.flows import Flow
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, equal
from bellwire.practice.roles import Appointed, Bookings, Calendar, Fieldwork, Sent, Texts, Visit
from bellwire.practice.simulator import Simulator, Webhook

_NAME = "Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class VisitRecord(Record):
    customer: Customer
    clock: time | None = time(10)
    """When it begins, by the customer's clock; None: in a few hours."""
    zone: str = "America/Chicago"
    reason: str = ""
    """Why it is called off, if it is."""
    overtaken: bool = False
    """It is called off while the flow waits for something about it."""
    asked_at: datetime = field(default_factory=system_clock)
    """From when days are counted."""

    def visit(self, *, later: int = 0) -> Visit:
        """Each is so many days ahead as its position says, and one: what waits for the one before is done by then."""
        now = self.asked_at
        if self.clock is None:
            start = now.replace(minute=0, second=0, microsecond=0) + (3 + later) * _HOUR
        else:
            day = (now + timedelta(days=self.position + 2 + later)).astimezone(ZoneInfo(self.zone)).date()
            start = on_the_wall(day, self.clock, ZoneInfo(self.zone))
        return Visit(start, self.customer, zone=self.zone)


@dataclass(frozen=True)
class Held:
    """What calendars and senders of messages hold at one time."""

    appointments: Mapping[str, Appointed]
    texts: frozenset[Sent]
    clocks: frozenset[str]

    @classmethod
    def by(cls, vendors: Vendors) -> "Held":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        calendars, senders = vendors.all_as(Calendar), vendors.all_as(Texts)  # type: ignore[type-abstract]
        return cls(
            {each.id: each for calendar in calendars for each in calendar.appointments()},
            frozenset(text for sender in senders for text in sender.texts()),
            frozenset(clock.id for orders in _looked_through(vendors) for clock in orders.clocked()),
        )


class Visits(Kind[VisitRecord]):
    """Those that are made or moved."""

    event_types: ClassVar[Sequence[str]] = ("booking.created", "booking.changed")
    on_sandbox: ClassVar[Sequence[str]] = (
        "The bookings are made up, with telephone numbers and addresses that nobody has. What was made there stays"
        " there.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Bookings) else "it isn't a booking page that can be practised"

    def records(self, first: int) -> list[VisitRecord]:
        return records(first)

    def happen(self, vendors: Vendors, record: VisitRecord) -> Happened:
        page, event_type = vendors.source, vendors.event_type
        assert isinstance(page, Bookings)
        booking = page.book(visit=record.visit())
        for orders in () if record.overtaken else _looked_through(vendors):
            # As another flow opened it.
            orders.take_on(record.customer, record.visit().service, reference=booking, start=record.visit().start)
        if event_type == "booking.changed":
            booking = page.move(booking, start=record.visit(later=1).start)
        if event_type == "booking.cancelled":
            page.call_off(booking, record.reason)

        def called_off() -> list[tuple[str, Webhook]]:
            page.call_off(booking, "Ill")
            return [(vendors.connection, webhook) for webhook in page.webhooks(booking, "booking.cancelled")]

        return Happened(
            booking,
            # What else is sent beside it, if anything, comes first.
            lambda: page.webhooks(booking, event_type)[-1],
            called_off if record.overtaken else None,
        )

    def state(self, vendors: Vendors) -> Held:
        return Held.by(vendors)

    def checks(
        self, record: VisitRecord, happened: Happened, vendors: Vendors, wanted: Wanted, before: Held
    ) -> Iterator[Check]:
        after = Held.by(vendors)
        if wanted.of("calendar.put_appointment"):
            later = int(vendors.event_type == "booking.changed")
            new = [each.start for known, each in after.appointments.items() if known not in before.appointments]
            yield equal(
                "In the calendar", _time(record.visit(later=later).start), " and ".join(map(_time, new)) or "nothing"
            )
        if wanted.of("field_service.start_timesheet") and not record.overtaken:
            clocks = [
                _time(clock.start)
                for orders in _looked_through(vendors)
                for clock in orders.clocked()
                if clock.id not in before.clocks
            ]
            later = int(vendors.event_type == "booking.changed")
            begins = _time(record.visit(later=later).start)
            yield equal("The clock was started", begins, " and ".join(clocks) or "never")
        if wanted.of("sms.send_sms"):
            to = {text.reference for text in after.texts - before.texts}
            yield equal("Text messages go to", record.customer.phone, ", ".join(sorted(to)) or "nobody")


class CalledOff(Visits):
    event_types: ClassVar[Sequence[str]] = ("booking.cancelled",)

    def records(self, first: int) -> list[VisitRecord]:
        """Of one that was never made there's nothing to be undone that could go wrong."""
        return [replace(record, in_trouble=False, overtaken=False) for record in records(first)]


def _looked_through(vendors: Vendors) -> list[Fieldwork]:
    """Those in which the flow looks for the booking's work order."""
    return vendors.doing(Fieldwork, "find_job")  # type: ignore[type-abstract]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def records(first: int) -> list[VisitRecord]:
    """Ten of them, numbered from `first` on."""
    robin = Customer(name="Robin Hill", email="robin@example.com", phone="+15125550123")

    def by(name: str, phone: str) -> Customer:
        return Customer(name=name, email=f"{name.partition(' ')[0].lower()}@example.com", phone=phone)

    told: list[VisitRecord] = [
        VisitRecord(1, "", "an ordinary visit", customer=robin),
        VisitRecord(2, "", "early in the morning", customer=by("Ada Moss", "+15125550177"), clock=time(7)),
        VisitRecord(3, "", "late in the evening", customer=by("Ben Okafor", "+15125550178"), clock=time(22, 30)),
        VisitRecord(4, "", "in a few hours", customer=by("Dilnoza Karimova", "+998901234567"), clock=None),
        VisitRecord(5, "", "a customer without a telephone", customer=by("Emre Yıldız", "")),
        VisitRecord(6, "", "a number without its country", customer=by("Fatou Ndiaye", "(512) 555-0179")),
        VisitRecord(
            7,
            "",
            "a long name, in several scripts",
            customer=Customer(name=_NAME, email="zoe@example.com", phone="+15125550188"),
        ),
        VisitRecord(
            8,
            "",
            "a customer at the other end of the world",
            customer=by("Gus Larsen", "+6421555012"),
            zone="Pacific/Auckland",
        ),
        VisitRecord(
            9, "", "the same webhook three times", copies=3, in_trouble=True, customer=by("Hana Sato", "+15125550180")
        ),
        VisitRecord(
            10,
            "",
            "called off before anything that waits is due",
            overtaken=True,
            reason="Ill",
            customer=by("Iris Noon", "+15125550181"),
        ),
    ]
    return [replace(record, name=f"visit {first + record.position - 1}") for record in told]
