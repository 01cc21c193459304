"""One run, from the webhook's arrival to its end: what the page shows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest
from typing import Any

import orjson

from bellwire.desk.arrivals import shown_payload
from bellwire.desk.words import money
from bellwire.ledger import (
    AttemptRow,
    DeliveryRow,
    EventRow,
    ExceptionRow,
    ExceptionState,
    Outcome,
    Rows,
    RunRow,
    RunState,
    deliveries,
    edits,
    events,
    exceptions,
    exchanges,
    runs,
    versions,
)
from bellwire.ledger.edits import Edit
from bellwire.money import Money

_SCALE = 1000


@dataclass(frozen=True)
class History:
    """All that the ledger knows of a run. `delivery` is None when its event came from no webhook, `headers` when
    they have been purged, `source` when the flow's text wasn't kept."""

    run: RunRow
    event: EventRow
    delivery: DeliveryRow | None
    headers: Mapping[str, str] | None
    attempts: Sequence[AttemptRow]
    exceptions: Sequence[ExceptionRow]
    siblings: Sequence[RunRow]
    """The event's other runs."""
    source: str | None
    edits: Sequence[Edit]
    exchanges: Mapping[tuple[str, int, int], bytes] = field(default_factory=dict)
    """What vendors were asked, packed: by action, item and number of the attempt."""

    @property
    def open_exceptions(self) -> list[ExceptionRow]:
        return [row for row in self.exceptions if row.state is ExceptionState.OPEN]


def history(rows: Rows, number: int) -> History | None:
    """None when there is no such run."""
    run = runs.find(rows, number)
    event = events.find(rows, run.event) if run else None
    if run is None or event is None:
        return None
    return History(
        run=run,
        event=event,
        delivery=deliveries.find(rows, event.delivery) if event.delivery is not None else None,
        headers=shown_payload(rows, event.delivery)[0] if event.delivery is not None else None,
        attempts=runs.attempts(rows, number),
        exceptions=exceptions.of_run(rows, number),
        siblings=[other for other in runs.of_event(rows, event.id) if other.id != number],
        source=versions.source_of(rows, run.flow, run.flow_hash),
        edits=edits.of_run(rows, number),
        exchanges=exchanges.of_run(rows, number),
    )


@dataclass(frozen=True)
class Try:
    """An attempt. `waited` is what passed until the next one began; `x` and `width` are its bar, of 1000."""

    row: AttemptRow
    waited: timedelta | None
    x: int
    width: int

    @property
    def took(self) -> timedelta | None:
        return self.row.finished_at - self.row.started_at if self.row.finished_at else None


@dataclass(frozen=True)
class Step:
    """One action, or one item of its `for_each` (`item` counts from 1; 0 where there is only one)."""

    action: str
    item: int
    tries: Sequence[Try]
    state: str
    """`done`, `skipped`, `by hand`, `waiting`, `stuck`, `running` or `to come`."""
    facts: Sequence[tuple[str, str]]
    """What it brought: name and text."""
    link: str
    """Where people can see it; empty when the vendor doesn't say."""

    @property
    def last(self) -> AttemptRow | None:
        return self.tries[-1].row if self.tries else None


def ends_at(run: RunRow, now: datetime) -> datetime:
    """Where the time axis ends: at the run's end, or now."""
    return max(run.finished_at or now, run.received_at + timedelta(milliseconds=1))


def steps(found: History, names: Sequence[str], now: datetime) -> list[Step]:
    """The actions `names` in their order, then any others that were tried."""
    parts: dict[str, dict[int, list[AttemptRow]]] = {name: {} for name in names}
    for row in found.attempts:
        parts.setdefault(row.action, {}).setdefault(row.item, []).append(row)
    result = []
    for name, items in parts.items():
        for item, tries in sorted(items.items()) or [(0, [])]:
            result.append(_step(found, name, item + 1 if len(items) > 1 else 0, tries, now))
    return result


def _step(found: History, name: str, item: int, tries: Sequence[AttemptRow], now: datetime) -> Step:
    waits = [later.started_at - row.finished_at if row.finished_at else None for row, later in pairwise(tries)]
    placed = [
        Try(row, wait, *_place(found.run, row, now)) for row, wait in zip_longest(tries, waits) if row is not None
    ]
    result = orjson.loads((tries[-1].result if tries else None) or "{}")
    return Step(name, item, placed, _state(found, tries), facts(result), _link(result))


def _state(found: History, tries: Sequence[AttemptRow]) -> str:
    if not tries:
        return "to come"
    last = tries[-1]
    if last.outcome.settled:
        return last.outcome.value
    if any((row.action, row.item) == (last.action, last.item) for row in found.open_exceptions):
        return "stuck"
    if last.next_at is not None or found.run.state in (RunState.WAITING, RunState.HELD):
        return "waiting"
    return "running" if last.outcome is Outcome.STARTED and found.run.state is RunState.RUNNING else "stuck"


def _place(run: RunRow, row: AttemptRow, now: datetime) -> tuple[int, int]:
    """A bar on the axis: at least wide enough to be seen."""
    begin, end = run.received_at, ends_at(run, now)
    x = round((row.started_at - begin) / (end - begin) * _SCALE)
    width = round(((row.finished_at or now) - row.started_at) / (end - begin) * _SCALE)
    width = max(8, min(width, _SCALE))
    return max(0, min(x, _SCALE - width)), width


def facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of an action's result that say something to people; ids are for the developer."""
    told = {name: _text(value) for name, value in result.items() if not name.endswith("url")}
    return [
        (name.replace("_", " ").capitalize(), text)
        for name, text in told.items()
        if text and name != "id" and not name.endswith("_id")
    ]


def link_of(row: AttemptRow) -> str:
    """Where people can see what an attempt has made; empty when the vendor doesn't say, or nothing was made."""
    return _link(orjson.loads(row.result or "{}")) if row.outcome in (Outcome.DONE, Outcome.BY_HAND) else ""


def _link(result: Mapping[str, Any]) -> str:
    """The first web address in it. Anything else (`javascript:`) is no link."""
    found = [str(value) for name, value in result.items() if name.endswith("url")]
    return next((address for address in found if address.startswith(("https://", "http://"))), "")


def _text(value: Any) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return "yes" if value else "no"
        case {"amount": amount, "currency": str(currency)}:
            return money(Money.of(amount, currency))
        case {"sku": str(sku), "change": int(change)}:
            return f"{sku} {'−' if change < 0 else '+'}{abs(change)}"
        case {"number": str(number), "total": dict(total), "lines": list()}:
            return f"{number}, {_text(total)}"  # An order: the shop shows the rest better.
        case dict():
            return ", ".join(text for item in value.values() if (text := _text(item)))
        case list():
            return "; ".join(text for item in value if (text := _text(item)))
        case _:
            return str(value)
