"""A ledger as it is after a year: most of it can be purged."""

from datetime import datetime, timedelta
from pathlib import Path

from bellwire.clock import system_clock
from bellwire.events import Delivery, Environment, Event, whole_subject
from bellwire.ledger import (
    AttemptRow,
    DeliveryState,
    ExceptionState,
    Outcome,
    Rows,
    RunState,
    audit,
    deliveries,
    edits,
    events,
    exceptions,
    open_ledger,
    runs,
)
from tests.samples import order

OLD = 120
"""Orders that are done: more than are purged in one go. For the first, a person had to change an input."""
STUCK, YOUNG, UNREADABLE = "stuck", "young", "unreadable"
"""An old order that still needs a person, one of yesterday, and an old delivery that nobody has dealt with."""
_AGE = timedelta(days=400)


async def fill(path: Path) -> None:
    """Write all that into a ledger that has its tables."""
    async with open_ledger(f"sqlite:///{path}") as ledger:
        await ledger.write(_fill)


def payloads(rows: Rows) -> set[str]:
    """The ids of the deliveries that are still there as they arrived."""
    return {row[0] for row in rows.all("SELECT delivery_id FROM deliveries d JOIN payloads p ON p.delivery = d.id")}


def details(rows: Rows) -> set[str]:
    """The numbers of the orders that still have their data."""
    return {row[0] for row in rows.all("SELECT business_key FROM events WHERE data <> ''")}


def _fill(rows: Rows) -> None:
    now = system_clock()
    for number in range(OLD):
        run = _order(rows, f"old-{number}", now - _AGE)
        if not number:
            _by_a_person(rows, run, now - _AGE)
        runs.leave(rows, run, 1, RunState.DONE, now=now - _AGE)
    stuck = _order(rows, STUCK, now - _AGE)
    _open(rows, now - _AGE, run=stuck)
    runs.leave(rows, stuck, 1, RunState.DEAD, now=now - _AGE)
    runs.leave(rows, _order(rows, YOUNG, now - timedelta(days=1)), 1, RunState.DONE, now=now)
    unreadable = _delivery(rows, UNREADABLE, now - _AGE, DeliveryState.DEAD)
    _open(rows, now - _AGE, delivery=unreadable)


def _delivery(rows: Rows, name: str, then: datetime, state: DeliveryState) -> int:
    arrived = Delivery("shop", {"x": "y"}, b"x" * 5_000, then)
    number = deliveries.accept(rows, arrived, name, Environment.SANDBOX).id
    deliveries.settle(rows, number, state)
    return number


def _order(rows: Rows, name: str, then: datetime) -> int:
    """Its run, which is going on."""
    sold = order(id=name, number=name)
    fact = Event(
        type="order.paid",
        connection="shop",
        environment=Environment.SANDBOX,
        business_key=name,
        subject=f"order/{name}",
        time=then,
        data=sold,
    )
    delivery = _delivery(rows, name, then, DeliveryState.DONE)
    event = events.record(rows, fact, sold.model_dump_json(), delivery=delivery, now=then)
    assert event is not None
    subject = whole_subject("shop", fact.subject)
    run = runs.start(rows, event, "cash", "hash", subject=subject, received_at=then, now=then, state=RunState.RUNNING)
    assert run is not None
    runs.checkpoint(rows, AttemptRow(run, "invoice", 0, 1, Outcome.DONE, then, then, result='{"id": "7"}'), 1)
    return run


def _by_a_person(rows: Rows, run: int, then: datetime) -> None:
    edits.put(rows, run, "label", 0, '{"weight": 3}', fields=["weight"], who="dana", now=then)
    mended = _open(rows, then, run=run)
    exceptions.close_of_run(rows, run, ExceptionState.RETRIED, then)
    audit.record(rows, "dana", "retry", f"exception {mended}", then)


def _open(rows: Rows, then: datetime, *, run: int | None = None, delivery: int | None = None) -> int:
    return exceptions.open_one(
        rows, run=run, delivery=delivery, connection="shop", cause="x", sentence="x!", remedy="",
        detail="What Robin wrote", now=then,
    )  # fmt: skip
