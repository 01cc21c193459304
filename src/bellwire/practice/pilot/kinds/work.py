"""Work orders that are done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from bellwire.clock import system_clock
from bellwire.events import Customer
from bellwire.flows import Flow
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, equal
from bellwire.practice.roles import Books, Fieldwork
from bellwire.practice.simulator import Simulator

_NAME = "Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين"


@dataclass(frozen=True, kw_only=True)
class WorkRecord(Record):
    customer: Customer
    minutes: Sequence[int | None]
    """What each person entered; None: their clock still runs."""
    title: str = "Boiler service"


class Work(Kind[WorkRecord]):
    event_types: ClassVar[Sequence[str]] = ("job.completed",)
    on_sandbox: ClassVar[Sequence[str]] = (
        "The work orders are made up, so your field service doesn't know them: what the flow tells it isn't judged.",
        "Mails went to made-up addresses at example.com. What was made there stays there.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Fieldwork) else "it isn't a field service that can be practised"

    def records(self, first: int) -> list[WorkRecord]:
        return records()

    def happen(self, vendors: Vendors, record: WorkRecord) -> Happened:
        field, start = vendors.source, system_clock() - timedelta(hours=3)
        assert isinstance(field, Fieldwork)
        job_id = field.take_on(record.customer, record.title)
        for minutes in record.minutes:
            field.work(job_id, start, minutes)
        field.complete(job_id)
        return Happened(job_id, lambda: field.listed_job(job_id))

    def state(self, vendors: Vendors) -> int:
        """How many invoices were mailed."""
        return len(_mailed(vendors))

    def checks(
        self, record: WorkRecord, happened: Happened, vendors: Vendors, wanted: Wanted, before: int
    ) -> Iterator[Check]:
        if wanted.asks_for("accounting.send_invoice"):
            expected = [record.customer.email] * wanted.of("accounting.send_invoice")
            yield equal("Invoices mailed to", _listed(expected), _listed(_mailed(vendors)[before:]))
        if wanted.of("field_service.close_job"):
            field = vendors.source
            assert isinstance(field, Fieldwork)
            closed = any(order.closed for order in field.work_orders() if order.id == happened.id)
            yield equal("The work order", "closed", "closed" if closed else "open")


def _mailed(vendors: Vendors) -> list[str]:
    # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
    return [mail.text for books in vendors.all_as(Books) for mail in books.mailed()]  # type: ignore[type-abstract]


def _listed(addresses: Sequence[str]) -> str:
    return " and ".join(addresses) or "nobody"


def records() -> list[WorkRecord]:
    """Ten of them. Nothing of them is numbered: the field service does that."""

    def by(name: str) -> Customer:
        return Customer(name=name, email=f"{name.partition(' ')[0].lower()}@example.com", phone="+15125550123")

    return [
        WorkRecord(1, "work 1", "ordinary work", customer=by("Robin Hill"), minutes=[90]),
        WorkRecord(2, "work 2", "two people, and hours that don't divide", customer=by("Ada Moss"), minutes=[50, 30]),
        WorkRecord(3, "work 3", "nobody entered any time", customer=by("Ben Okafor"), minutes=[]),
        WorkRecord(
            4, "work 4", "a clock still runs, and people say yes", customer=by("Dilnoza Karimova"), minutes=[60, None]
        ),
        WorkRecord(
            5,
            "work 5",
            "a clock still runs, and people say no",
            customer=by("Emre Yildiz"),
            minutes=[20, None],
            yes=False,
        ),
        WorkRecord(
            6, "work 6", "a client without an e-mail address", customer=Customer(name="Fatou Ndiaye"), minutes=[45]
        ),
        WorkRecord(
            7,
            "work 7",
            "a long name, in several scripts",
            customer=Customer(name=_NAME, email="zoe@example.com"),
            minutes=[30],
        ),
        WorkRecord(8, "work 8", "a work order without a title", customer=by("Gus Larsen"), minutes=[15], title=""),
        WorkRecord(
            9,
            "work 9",
            "the same webhook three times",
            copies=3,
            in_trouble=True,
            customer=by("Hana Sato"),
            minutes=[120],
        ),
        WorkRecord(10, "work 10", "more than a day", customer=by("Iris Noon"), minutes=[1000, 700]),
    ]
