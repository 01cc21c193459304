"""Runs, events and deliveries that fit what somebody looks for, a page at a time, newest first.

No page reads the whole history: each goes along an index, looks at so many rows at the most, and says where the next
one goes on, even if it has found little by then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import groupby, islice
from typing import Generic, TypeVar

import orjson

from bellwire.events import amounts_in, term
from bellwire.ledger import deliveries, events, runs, terms
from bellwire.ledger.database import Rows
from bellwire.ledger.rows import DeliveryRow, DeliveryState, EventRow, RunRow, RunState, stamp

T = TypeVar("T", RunRow, EventRow, DeliveryRow)

LOOKED_AT = 5_000
"""Rows, for one page."""
_AT_ONCE = 500
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
        looked = _runs_with(rows, wanted, last)
    elif wanted.state == RunState.SKIPPED:
        looked = _RUNS.down(rows, wanted, before or _NEWEST, "state = 'skipped'")
    elif wanted.state in _OPEN:
        # By the index of what is unfinished, and not by the numbers: most of them have come to their end.
        looked = _RUNS.down(rows, wanted, before or _NEWEST, f"{runs.UNFINISHED} AND state = :state", by="id + 0")
    elif wanted.flow:
        looked = _runs_of_flow(rows, wanted, last)
    else:
        newest = runs.last_before(rows, wanted.until) if wanted.until else _NEWEST - 1
        looked = _RUNS.down(rows, wanted, min(newest + 1, before or _NEWEST))
    return _page(looked, limit, lambda numbers: runs.some(rows, numbers))


def newest_runs(rows: Rows, wanted: Wanted, *, limit: int) -> list[RunRow]:
    """As many of them, through as much of the history as that takes."""
    found: list[RunRow] = []
    page = find_runs(rows, wanted, before=None, limit=limit)
    while True:
        found += page.items
        if page.next is None or len(found) == limit:
            return found
        page = find_runs(rows, wanted, before=page.next, limit=limit - len(found))


def find_events(rows: Rows, wanted: Wanted, *, before: int | None, limit: int) -> Found[EventRow]:
    """`before`: an event, those behind which are looked at."""
    newest = events.last_before(rows, wanted.until) if wanted.until else _NEWEST - 1
    end = min(newest + 1, before or _NEWEST)
    if wanted.text:
        looked = _events_with(rows, wanted, end)
    elif wanted.connection or wanted.type:
        looked = _events_of_kinds(rows, wanted, end)
    else:
        looked = _EVENTS.down(rows, wanted, end)
    return _page(looked, limit, lambda numbers: events.some(rows, numbers))


def find_deliveries(rows: Rows, wanted: Wanted, *, before: int | None, limit: int) -> Found[DeliveryRow]:
    """`before`: a delivery, those behind which are looked at."""
    newest = deliveries.last_before(rows, wanted.until) if wanted.until else _NEWEST - 1
    end = min(newest + 1, before or _NEWEST)
    if wanted.state == DeliveryState.RECEIVED:
        looked = _DELIVERIES.down(rows, wanted, end, "state = 'received'", by="id + 0")
    elif wanted.state in (DeliveryState.DEAD, DeliveryState.SKIPPED):
        looked = _DELIVERIES.down(rows, wanted, end, "state IN ('dead', 'skipped') AND state = :state")
    else:
        looked = _DELIVERIES.down(rows, wanted, end)
    return _page(looked, limit, lambda numbers: deliveries.some(rows, numbers))


def events_with(rows: Rows, text: str, *, before: int = _NEWEST, whole: bool = False) -> Iterator[int]:
    """The events that a text leads to, newest first. `whole`: only where it is a term as it stands."""
    meant = term(text)
    if not meant:
        return iter(())
    found = [] if whole else [*terms.beginning_with(rows, meant, limit=_MOST_TERMS), *amounts_in(text)]
    each = [_events_of(rows, one, before) for one in dict.fromkeys([meant, *found])]
    return (number for number, _ in groupby(merge(*each, reverse=True)))


_OPEN = (RunState.RUNNING, RunState.WAITING, RunState.HELD, RunState.DEAD)
"""States of which there are never many."""
_Seen = tuple[int, bool, bool]
"""The number of a row, whether it fits, and whether it is older than all that is wanted, as are those that follow."""


@dataclass(frozen=True)
class _Table:
    """How the rows of a table are looked at, before any is read as a whole: many may be looked at for each that fits.
    `named` holds the filters that aren't about time; `dated` are the rows whose time is in the order of the list."""

    name: str
    named: str
    at: str
    dated: str = "TRUE"

    def look(
        self, rows: Rows, wanted: Wanted, which: str, order: str, values: dict[str, object], most: int = _AT_ONCE
    ) -> list[_Seen]:
        found = rows.all(
            f"SELECT id, {self.named} AND {self.at} >= :since AND {self.at} < :until,"  # noqa: S608
            f" {self.dated} AND {self.at} < :since"
            f" FROM {self.name} WHERE {which} ORDER BY {order} LIMIT :most",
            {
                "flow": wanted.flow,
                "connection": wanted.connection,
                "type": wanted.type,
                "state": wanted.state.value if wanted.state else "",
                "since": stamp(wanted.since) if wanted.since else -_NEWEST,
                "until": stamp(wanted.until) if wanted.until else _NEWEST,
                "most": most,
                **values,
            },
        )
        return [(row[0], bool(row[1]), bool(row[2])) for row in found]

    def down(self, rows: Rows, wanted: Wanted, before: int, which: str = "TRUE", *, by: str = "id") -> Iterator[_Seen]:
        """By falling number."""
        while portion := self.look(rows, wanted, f"{which} AND {by} < :before", f"{by} DESC", {"before": before}):
            yield from portion
            before = portion[-1][0]


_NAMED = "(:connection = '' OR connection = :connection)"
_STATE = "(:state = '' OR state = :state)"
_RUNS = _Table("runs", f"(:flow = '' OR flow = :flow) AND {_STATE}", "created_at", "nonce = ''")
_EVENTS = _Table("events", f"{_NAMED} AND (:type = '' OR type = :type)", "recorded_at")
_DELIVERIES = _Table("deliveries", f"{_NAMED} AND {_STATE}", "received_at")


def _events_of(rows: Rows, one: str, before: int) -> Iterator[int]:
    while portion := terms.events_of(rows, one, before=before, limit=_AT_ONCE):
        yield from portion
        before = portion[-1]


def _in_portions(numbers: Iterator[int]) -> Iterator[dict[str, object]]:
    while portion := list(islice(numbers, _AT_ONCE)):
        yield {"numbers": orjson.dumps(portion).decode()}


def _runs_with(rows: Rows, wanted: Wanted, last: RunRow | None) -> Iterator[_Seen]:
    if last:
        rest = {"event": last.event, "run": last.id}
        yield from _RUNS.look(rows, wanted, "event = :event AND id < :run", "id DESC", {**rest}, most=_NEWEST)
    for portion in _in_portions(events_with(rows, wanted.text, before=last.event if last else _NEWEST)):
        which = f"event IN {rows.numbers('numbers')}"
        yield from _RUNS.look(rows, wanted, which, "event DESC, id DESC", portion, most=_NEWEST)


def _runs_of_flow(rows: Rows, wanted: Wanted, last: RunRow | None) -> Iterator[_Seen]:
    newest = events.last_before(rows, wanted.until) if wanted.until else _NEWEST
    if last and last.event > newest:
        last = None
    while True:
        place: dict[str, object] = {"event": last.event, "nonce": last.nonce} if last else {"event": newest}
        behind = " AND (event < :event OR nonce < :nonce)" if last else ""
        which = f"flow = :flow AND event <= :event{behind}"
        portion = _RUNS.look(rows, wanted, which, "event DESC, nonce DESC", place)
        if not portion:
            return
        yield from portion
        last = runs.find(rows, portion[-1][0])


def _events_with(rows: Rows, wanted: Wanted, before: int) -> Iterator[_Seen]:
    for portion in _in_portions(events_with(rows, wanted.text, before=before)):
        yield from _EVENTS.look(rows, wanted, f"id IN {rows.numbers('numbers')}", "id DESC", portion)


def _events_of_kinds(rows: Rows, wanted: Wanted, before: int) -> Iterator[_Seen]:
    def each(connection: str, type_: str) -> Iterator[_Seen]:
        kind = replace(wanted, connection=connection, type=type_)
        return _EVENTS.down(rows, kind, before, "connection = :connection AND type = :type")

    return merge(*(each(*kind) for kind in events.kinds(rows, wanted.connection, wanted.type)), reverse=True)


def _page(looked: Iterable[_Seen], limit: int, read: Callable[[Sequence[int]], list[T]]) -> Found[T]:
    fitting: list[int] = []
    last: int | None = None
    for count, (number, fits, too_old) in enumerate(looked):
        if too_old:
            break
        if last is not None and (len(fitting) == limit or count == LOOKED_AT):
            return Found(read(fitting), last)
        if fits:
            fitting.append(number)
        last = number
    return Found(read(fitting), None)
