"""Runs, events and deliveries that fit what somebody looks for, a page at a time, newest first.

No page reads the whole history: each goes along an index, looks at so many rows at the most, and says where the next
one goes on, even if it has found little by then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import groupby
from typing import Generic, TypeVar

from bellwire.events import amounts_in, term
from bellwire.ledger import deliveries, events, runs, terms
from bellwire.ledger.database import Rows
from bellwire.ledger.rows import DeliveryRow, DeliveryState, EventRow, RunRow, RunState

T = TypeVar("T", RunRow, EventRow, DeliveryRow)

LOOKED_AT = 5_000
"""Rows, for one page."""
_AT_ONCE = 250
_MOST_TERMS = 20
_NEWEST = 2**63 - 1


@dataclass(frozen=True)
class Wanted:
    """What is empty or None makes no difference. `since` is the first moment, `until` the first one behind."""

    text: str = ""
    """What `terms_of` gives, or how it begins; or an amount, as people write it."""
    flow: str = ""
    connection: str = ""
    type: str = ""
    state: RunState | DeliveryState | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        return self == Wanted()

    def holds(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Found(Generic[T]):
    items: Sequence[T]
    next: int | None
    """What the next page comes `before`; None when there is none."""


def find_runs(rows: Rows, wanted: Wanted, *, before: int | None, limit: int) -> Found[RunRow]:
    """`before`: a run, those behind which are looked at. Those of a flow, or with a text, come in the order of their
    events: a run that was started again stands beside the first one."""
    last = runs.find(rows, before) if before is not None else None
    if before is not None and last is None:
        return Found([], None)
    if wanted.text:
        looked: Iterator[RunRow] = _runs_with(rows, wanted.text, last)
    elif wanted.state in _OPEN:
        looked = _in_portions(lambda end: runs.open_before(rows, wanted.state or "", end, _AT_ONCE), before)
    elif wanted.flow:
        looked = _runs_of_flow(rows, wanted, last)
    else:
        newest = runs.last_before(rows, wanted.until) if wanted.until else _NEWEST - 1
        end = min(newest + 1, before or _NEWEST)
        looked = _in_portions(lambda end: runs.before(rows, end, _AT_ONCE), end)

    def fits(run: RunRow) -> bool:
        return wanted.flow in ("", run.flow) and wanted.state in (None, run.state) and wanted.holds(run.created_at)

    return _page(looked, fits, lambda run: not run.nonce and _too_old(wanted, run.created_at), limit)


def find_events(rows: Rows, wanted: Wanted, *, before: int | None, limit: int) -> Found[EventRow]:
    """`before`: an event, those behind which are looked at."""
    newest = events.last_before(rows, wanted.until) if wanted.until else _NEWEST - 1
    end = min(newest + 1, before or _NEWEST)
    looked: Iterator[EventRow]
    if wanted.text:
        numbers = events_with(rows, wanted.text, before=end)
        looked = (event for number in numbers if (event := events.find(rows, number)) is not None)
    else:
        looked = _in_portions(lambda end: events.before(rows, end, _AT_ONCE), end)

    def fits(event: EventRow) -> bool:
        named = wanted.connection in ("", event.connection) and wanted.type in ("", event.type)
        return named and wanted.holds(event.recorded_at)

    return _page(looked, fits, lambda event: _too_old(wanted, event.recorded_at), limit)


def find_deliveries(rows: Rows, wanted: Wanted, *, before: int | None, limit: int) -> Found[DeliveryRow]:
    """`before`: a delivery, those behind which are looked at."""
    newest = deliveries.last_before(rows, wanted.until) if wanted.until else _NEWEST - 1
    end = min(newest + 1, before or _NEWEST)
    looked = _in_portions(lambda end: deliveries.before(rows, end, _AT_ONCE), end)

    def fits(delivery: DeliveryRow) -> bool:
        named = wanted.connection in ("", delivery.connection) and wanted.state in (None, delivery.state)
        return named and wanted.holds(delivery.received_at)

    return _page(looked, fits, lambda delivery: _too_old(wanted, delivery.received_at), limit)


def events_with(rows: Rows, text: str, *, before: int = _NEWEST, whole: bool = False) -> Iterator[int]:
    """The events that a text leads to, newest first. `whole`: only where it is a term as it stands."""
    meant = term(text)
    if not meant:
        return iter(())
    found = [] if whole else [*terms.beginning_with(rows, meant, limit=_MOST_TERMS), *amounts_in(text)]
    each = [_events_of(rows, one, before) for one in dict.fromkeys([meant, *found])]
    return (number for number, _ in groupby(merge(*each, reverse=True)))


_OPEN = (RunState.RUNNING, RunState.WAITING, RunState.HELD, RunState.DEAD)
"""States of which there are never many: they have indexes of their own."""


def _events_of(rows: Rows, one: str, before: int) -> Iterator[int]:
    while portion := terms.events_of(rows, one, before=before, limit=_AT_ONCE):
        yield from portion
        before = portion[-1]


def _runs_with(rows: Rows, text: str, last: RunRow | None) -> Iterator[RunRow]:
    for number in events_with(rows, text, before=last.event + 1 if last else _NEWEST):
        for run in reversed(runs.of_event(rows, number)):
            if last is None or (run.event, run.id) < (last.event, last.id):
                yield run


def _runs_of_flow(rows: Rows, wanted: Wanted, last: RunRow | None) -> Iterator[RunRow]:
    newest = events.last_before(rows, wanted.until) if wanted.until else _NEWEST
    event, nonce = (last.event, last.nonce) if last and last.event <= newest else (newest, None)
    while portion := runs.of_flow_before(rows, wanted.flow, event, nonce, _AT_ONCE):
        yield from portion
        event, nonce = portion[-1].event, portion[-1].nonce


def _in_portions(read: Callable[[int], list[T]], before: int | None) -> Iterator[T]:
    before = before or _NEWEST
    while portion := read(before):
        yield from portion
        before = portion[-1].id


def _page(looked: Iterable[T], fits: Callable[[T], bool], over: Callable[[T], bool], limit: int) -> Found[T]:
    items: list[T] = []
    last: T | None = None
    for count, row in enumerate(looked):
        if over(row):
            break
        if last is not None and (len(items) == limit or count == LOOKED_AT):
            return Found(items, last.id)
        if fits(row):
            items.append(row)
        last = row
    return Found(items, None)


def _too_old(wanted: Wanted, at: datetime) -> bool:
    return wanted.since is not None and at < wanted.since
