"""Runs and exceptions written straight into a ledger."""

from collections.abc import Sequence
from datetime import datetime

from bellwire.events import Environment, Event
from bellwire.ledger import Rows, RunState, errands, events, exceptions, runs
from tests.samples import NOW, order


def begin(rows: Rows, number: str, *, flow: str = "cash", at: datetime = NOW, running: bool = False) -> int:
    """A run for the paid order with this number, held by nobody unless it is `running`."""
    sold = order(id=f"id-{number}", number=number)
    event = Event(
        type="order.paid",
        connection="shop",
        environment=Environment.SANDBOX,
        business_key=f"shop/order/{number}/paid",
        subject=f"order/id-{number}",
        time=at,
        version=at,
        data=sold,
    )
    recorded = events.record(rows, event, sold.model_dump_json(), delivery=None, now=at)
    assert recorded is not None
    state = RunState.RUNNING if running else RunState.WAITING
    run = runs.start(rows, recorded, flow, "hash", subject=event.subject, received_at=at, now=at, state=state)
    assert run is not None
    return run


def stuck(
    rows: Rows,
    run: int | None,
    *,
    cause: str = "x",
    connection: str = "books",
    flow: str = "cash",
    action: str = "invoice",
    at: datetime = NOW,
) -> int:
    """An exception of it (or of none)."""
    return exceptions.open_one(
        rows, run=run, flow=flow, action=action, connection=connection, cause=cause, sentence=f"{cause}!",
        remedy="", detail="", now=at,
    )  # fmt: skip


def dealt_with(rows: Rows, errand: int, numbers: Sequence[int], *refused: tuple[int, str]) -> None:
    """So far an errand has come; of these, those that are `refused` in vain."""
    taken = errands.take(rows, errand, numbers)
    assert taken == list(numbers)
    errands.forward(rows, errand, len(taken) - len(refused), refused, NOW)
