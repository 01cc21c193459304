"""What Bellwire makes of what it sees by the way: whoever watches is handed in, and asked in the engine's own
transactions, so that what it concludes is kept with what it saw, or not at all."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from bellwire.capabilities import Result
from bellwire.connectors.kit import Connection
from bellwire.engine.starting import Fact, Listeners, Started, start
from bellwire.events import Event
from bellwire.ledger import Rows, events


class Watcher(Protocol):
    """Both give events of the connection `bellwire`: what was seen has led to these. They may be asked twice about the
    same (when a transaction is run again), and change nothing but rows."""

    def heeds(self, seen: Event | Result) -> bool:
        """Whether there may be anything to `note` about an event, or to `conclude` from a result."""

    def note(self, rows: Rows, event: Event, since: datetime | None, now: datetime) -> Iterable[Event]:
        """An event that has just been recorded. `since`: what happened before is history, and leads to nothing."""

    def conclude(
        self, rows: Rows, connection: Connection, result: Result, began: datetime, now: datetime
    ) -> Iterable[Event]:
        """An action has been done, with this result. `began`: the first attempt that may have done it."""


def announce(
    rows: Rows,
    made: Iterable[Event],
    listeners: Listeners,
    now: datetime,
    *,
    holding: bool = False,
    job: int | None = None,
) -> list[Started]:
    """Record events of Bellwire's own, and begin the runs of the flows that listen. Returns those that the caller
    holds, if it is `holding` them."""
    started: list[Started] = []
    for event in made:
        number = events.record(rows, event, event.data.model_dump_json(), delivery=None, now=now)
        if number is not None:
            started += start(rows, Fact(number, event, now), listeners, None, now=now, holding=holding, job=job)
    return started
