"""Who might become a customer, and who asks for help."""

from datetime import date, datetime
from enum import StrEnum

from bellwire.events.base import Fact
from bellwire.events.bookings import Answer
from bellwire.events.orders import Address, Customer
from bellwire.money import Money


class Lead(Fact):
    """Somebody who asked for something."""

    id: str
    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    address: Address | None = None
    message: str = ""
    source: str = ""
    """Where they came from, e.g. `website`."""
    answers: tuple[Answer, ...] = ()
    created_at: datetime


class Contact(Fact):
    """A person, as the CRM has them."""

    id: str
    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    deleted: bool = False
    updated_at: datetime


class Deal(Fact):
    """A sale that may come."""

    id: str
    name: str = ""
    stage: str = ""
    """The CRM's own word."""
    amount: Money | None = None
    contact_id: str = ""
    closes_on: date | None = None
    deleted: bool = False
    updated_at: datetime


class TicketStatus(StrEnum):
    OPEN = "open"
    """New, or somebody of the team has something to do."""
    WAITING = "waiting"
    """For the customer, or for somebody else."""
    SOLVED = "solved"
    CLOSED = "closed"
    """For good."""


class Ticket(Fact):
    id: str
    subject: str = ""
    text: str = ""
    """What was written first."""
    status: TicketStatus
    priority: str = ""
    reference: str = ""
    requester: Customer = Customer()
    """Its `id` is the helpdesk's."""
    tags: tuple[str, ...] = ()
    updated_at: datetime


class Message(Fact):
    """What somebody wrote to us, by chat or by text message."""

    id: str
    text: str
    sender: str
    """A name, or a phone number in E.164."""
    sender_id: str = ""
    """The vendor's id of who wrote, where there is one."""
    channel: str = ""
    conversation: str = ""
    """What an answer belongs to, where the vendor has such a thing."""
    sent_at: datetime


class SmsReport(Fact):
    """What became of a text message."""

    id: str
    to: str
    delivered: bool
    reason: str = ""
    """Why it wasn't delivered."""
    updated_at: datetime
