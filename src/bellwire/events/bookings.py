"""What people arrange with each other: bookings, appointments, contracts."""

from datetime import datetime

from bellwire.events.base import Fact
from bellwire.events.orders import Address, Customer


class Answer(Fact):
    """What somebody filled in."""

    question: str
    answer: str


class Booking(Fact):
    id: str
    """The same when it is moved, where the vendor keeps it; else `replaces` names the one before."""
    service: str
    """What was booked, e.g. `Boiler service`."""
    start: datetime
    """UTC."""
    end: datetime
    zone: str = ""
    """The customer's time zone, an IANA name; empty where it isn't known."""
    customer: Customer
    address: Address | None = None
    """Where the work is to be done, if that was asked."""
    location: str = ""
    """As the vendor words it: an address, a phone number, a link."""
    staff: tuple[str, ...] = ()
    """Who it is with, by name or e-mail address."""
    answers: tuple[Answer, ...] = ()
    notes: str = ""
    replaces: str = ""
    """The id of the booking that this one was moved from."""
    replaced_by: str = ""
    """A cancelled booking that was moved: the id of the new one."""
    reason: str = ""
    """Why it was cancelled."""
    change_url: str = ""
    cancel_url: str = ""
    updated_at: datetime


class CalendarEntry(Fact):
    """An appointment in a calendar, as somebody left it."""

    id: str
    reference: str = ""
    """Of one that a flow made: what the flow called it."""
    title: str = ""
    start: datetime | None = None
    """UTC; None for whole days, and for what was cancelled where the calendar doesn't say any more."""
    end: datetime | None = None
    location: str = ""
    cancelled: bool = False
    updated_at: datetime


class Signer(Fact):
    name: str = ""
    email: str
    signed_at: datetime | None = None


class Contract(Fact):
    """A document that was sent to be signed."""

    id: str
    title: str = ""
    reference: str = ""
    """What the sender knows it by."""
    signers: tuple[Signer, ...] = ()
    reason: str = ""
    """Why it was declined or withdrawn."""
    updated_at: datetime
