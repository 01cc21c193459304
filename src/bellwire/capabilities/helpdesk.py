"""Helpdesk: what customers ask, and what they are answered."""

from enum import StrEnum

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.people import TicketStatus


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class CreateTicket(Given):
    subject: str = Field(min_length=1, max_length=150)
    text: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    """Whom it is for: the customer."""
    name: str = ""
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by, e.g. `return 77`; it is found again by it."""
    public: bool = False
    """Whether the customer sees the text, and gets it by e-mail; else it is a note for the team."""
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()


class HelpTicket(Result):
    id: str
    url: str = ""


class CommentTicket(Given):
    ticket_id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    public: bool = False
    """Whether the customer sees it, and gets it by e-mail."""
    status: TicketStatus | None = None
    """What it is set to at the same time; None: it stays."""


class ReadTicket(Given):
    ticket_id: str = Field(min_length=1)


class TicketComment(Result):
    author: str
    text: str
    public: bool


class FoundTicket(Result):
    id: str
    subject: str
    status: TicketStatus
    reference: str = ""
    comments: tuple[TicketComment, ...]
    """Oldest first, the question itself among them."""


CREATE_TICKET = Operation("helpdesk", "create_ticket", CreateTicket, HelpTicket, Effect.RECORD, "Open a ticket")
COMMENT = Operation(
    "helpdesk", "comment", CommentTicket, HelpTicket, Effect.RECORD, "Answer on the ticket, or add a note to it"
)
READ_TICKET = Operation("helpdesk", "read_ticket", ReadTicket, FoundTicket, Effect.NOTHING, "Read the ticket")

OPERATIONS = (CREATE_TICKET, COMMENT, READ_TICKET)
