"""Bookings, appointments, and the work that is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from bellwire.events import Customer
from bellwire.practice.simulator import Webhook


@dataclass(frozen=True)
class Visit:
    """What a practice customer books: an hour from `start` on."""

    start: datetime
    """UTC."""
    customer: Customer = field(
        default_factory=lambda: Customer(name="Robin Hill", email="robin@example.com", phone="+15125550123")
    )
    service: str = "Boiler service"
    """`Boiler service` or `First visit`: what the practice business does."""
    zone: str = "America/Chicago"
    """Of the customer."""


@runtime_checkable
class Bookings(Protocol):
    """A simulated page on which customers book. Bookings are named as their connector names them; `at` is when the
    customer does it (None: now)."""

    def book(self, *, visit: Visit | None = None, at: datetime | None = None) -> str:
        """A customer books (None: whatever it may be); gives the booking."""

    def move(self, booking: str, *, start: datetime | None = None, at: datetime | None = None) -> str:
        """They take another time; gives the booking, which is another one where the vendor makes a new one of it."""

    def call_off(self, booking: str, reason: str = "", *, at: datetime | None = None) -> None: ...

    def webhooks(self, booking: str, event_type: str) -> list[Webhook]:
        """All that is sent when `booking.created`, `booking.changed` or `booking.cancelled` has happened to it: the
        state as it is now."""


@dataclass(frozen=True)
class Appointed:
    """An appointment that a flow has put into a simulated calendar. `reference` is what the flow calls it; times are in
    UTC."""

    id: str
    reference: str
    title: str
    start: datetime
    end: datetime


@runtime_checkable
class Calendar(Protocol):
    def appointments(self) -> list[Appointed]:
        """Those that weren't cancelled."""


@dataclass(frozen=True)
class WorkOrder:
    """In a simulated field service. `number` is what people call it, `reference` what a flow opened it for."""

    id: str
    number: str
    reference: str
    notes: Sequence[str]
    closed: bool


@dataclass(frozen=True)
class Clocked:
    """Somebody's time on a simulated work order, whether they entered it or their clock was started for them.
    `reference` is the work order's, `person` an e-mail address, `start` is in UTC."""

    id: str
    reference: str
    person: str
    start: datetime


@runtime_checkable
class Fieldwork(Protocol):
    """A simulated field service."""

    def work_orders(self) -> list[WorkOrder]: ...

    def clocked(self) -> list[Clocked]: ...

    def take_on(self, customer: Customer, title: str, *, reference: str = "", start: datetime | None = None) -> str:
        """The office opens a work order by hand, with a visit if it has a start; gives its id."""

    def work(self, job_id: str, start: datetime, minutes: int | None) -> None:
        """Somebody works on it for so long: who is on the clock stops it after that, else it is entered by hand. None:
        a clock of somebody else still runs."""

    def complete(self, job_id: str, *, at: datetime | None = None) -> None:
        """The technician says that it is done; `at` is when (None: now)."""

    def job_webhook(self, job_id: str) -> Webhook:
        """What is sent when something about it has changed."""

    def listed_job(self, job_id: str) -> Webhook:
        """What is told of it as it is now, in a delivery: where webhooks say only that something has changed, what the
        list says then."""
