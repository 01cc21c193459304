"""Messages, mails and tickets."""

import re
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Sent:
    """A label, a message or a mail at its end. `reference` is the order's number, where it is known; `to` and `subject`
    are a mail's."""

    id: str
    reference: str
    text: str = ""
    to: str = ""
    subject: str = ""


def mentioned_order(text: str) -> str:
    """The number of the order that a text is about (`Order 1001 is paid`, `order #R-7`); empty when it names none."""
    found = re.search(r"\border\s+#?((?:[A-Z]+-?)?\d[\w-]*)", text, re.IGNORECASE)
    return found[1] if found else ""


@runtime_checkable
class Chat(Protocol):
    def messages(self) -> list[Sent]: ...


@runtime_checkable
class Mailbox(Protocol):
    def mails(self) -> list[Sent]:
        """One for each copy that arrived; `id` is the Message-ID."""


@runtime_checkable
class Texts(Protocol):
    """A simulated sender of text messages."""

    def texts(self) -> list["Sent"]:
        """All that were taken to be sent, oldest first; `reference` is the number they go to."""

    def opt_out(self, number: str) -> None:
        """Whoever has this number wants no more messages: those to it are refused."""

    def opt_in(self, number: str) -> None:
        """They want them after all."""


@dataclass(frozen=True)
class Ticket:
    """`email` is whom it is for; `reference` is what people know its matter by, e.g. `return 77`."""

    id: str
    reference: str
    subject: str
    email: str
    text: str
    """The first that was written of it."""


@runtime_checkable
class Helpdesk(Protocol):
    def opened(self) -> list[Ticket]:
        """All tickets, oldest first."""
