"""Customers to be: who asks, what is planned for them, what they sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from bellwire.events import Fact, Signer
from bellwire.practice.simulator import Webhook


@dataclass(frozen=True)
class Known:
    """A person in a simulated CRM."""

    id: str
    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Hoped:
    """A sale that may come, in a simulated CRM. `reference` is what people know it by."""

    id: str
    reference: str
    contact_id: str


@dataclass(frozen=True)
class Planned:
    """Something to do about a person, in a simulated CRM."""

    id: str
    contact_id: str
    subject: str
    due: datetime
    """UTC."""


@runtime_checkable
class Crm(Protocol):
    def enter(self, name: str, email: str) -> str:
        """Somebody adds a person by hand; gives the contact's id."""

    def people(self) -> list[Known]: ...

    def hoped(self) -> list[Hoped]:
        """All deals."""

    def planned(self) -> list[Planned]: ...


@dataclass(frozen=True)
class Checklist:
    """A task with steps, in a simulated project tool. References are what people know it and its project by."""

    reference: str
    project: str
    due: date | None
    steps: Sequence[str]


@dataclass(frozen=True)
class Begun:
    """A project in a simulated tool for projects."""

    id: str
    reference: str
    """What people know it by; empty where it has none."""
    name: str
    due: date | None


@runtime_checkable
class Projects(Protocol):
    def begun(self) -> list[Begun]: ...

    def checklists(self) -> list[Checklist]:
        """All tasks that are no steps themselves."""


@runtime_checkable
class Signing(Protocol):
    """A simulated service for signatures."""

    def send_out(self, title: str, reference: str, signers: Sequence[Signer]) -> str:
        """A contract goes to those who are to sign it; gives its id."""

    def sign(self, contract_id: str) -> datetime:
        """Everybody does; gives when (UTC)."""

    def decline(self, contract_id: str, reason: str) -> None:
        """The first of them does."""

    def webhook(self, contract_id: str, *, retries: int = 0) -> Webhook:
        """What is sent when everybody has signed, or one has declined; `retries`: how often it was sent before."""


@runtime_checkable
class Teller(Protocol):
    """A simulated sender of the business's own, such as its website."""

    def tell(self, event_type: str, fact: Fact) -> Webhook:
        """What it would send now to say so, correctly signed, for a canonical event type; what it has no word for is
        left out. Raises ValueError when it can't say it at all."""
