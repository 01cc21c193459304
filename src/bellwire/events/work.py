"""Work that is planned, under way or done."""

from datetime import date, datetime, timedelta

from bellwire.events.base import Fact
from bellwire.events.orders import Address, Customer
from bellwire.money import Money


class WorkedTime(Fact):
    id: str
    person: str
    """A name, else the vendor's id."""
    start: datetime
    duration: timedelta | None = None
    """None: it goes on."""
    note: str = ""


class Job(Fact):
    """A work order at a customer's."""

    id: str
    number: str = ""
    title: str = ""
    status: str = ""
    """The vendor's own word."""
    reference: str = ""
    client: Customer = Customer()
    address: Address | None = None
    start: datetime | None = None
    end: datetime | None = None
    total: Money | None = None
    completed: bool = False
    updated_at: datetime


class Task(Fact):
    """One thing to do in a project."""

    id: str
    name: str = ""
    project_id: str = ""
    reference: str = ""
    assignee: str = ""
    due: date | None = None
    completed: bool = False
    deleted: bool = False
    updated_at: datetime
