"""How the ledger stands at this moment, at a cost that doesn't grow with history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import RunState, stamp
from bellwire.ledger.runs import TOOK

_OPEN = (RunState.RUNNING, RunState.WAITING, RunState.HELD)
_MOST = 50_000
"""Runs that are looked at in one go."""
_WATCHED = 100
"""Runs under way whose attempts are looked at: where there are more, something else changes each moment, too."""


@dataclass(frozen=True)
class Pulse:
    deliveries: int
    """All that were ever taken in; repeats don't count."""
    events: int
    """All that were ever recorded; repeats don't count."""
    unread: int
    """Deliveries that are still to be read."""
    unfinished: Mapping[str, int]
    """Runs, by state."""
    exceptions: Mapping[str, int]
    """Open ones, by flow; the empty one has deliveries that couldn't be read."""
    oldest: timedelta
    """For how long the delivery or the run has waited that waits longest although its time has come."""


@dataclass(frozen=True)
class Ended:
    """Runs that came to their end, and the attempts of theirs that failed."""

    runs: Sequence[tuple[str, str, timedelta]]
    """Flow, state, and how long it took from the arrival of the webhook."""
    failures: Sequence[tuple[str, str, str, int]]
    """Flow, action, outcome and count."""
    last: int
    """The newest run that was looked at."""
    unfinished: Sequence[int]
    """Those that were looked at and go on."""


def pulse(rows: Rows, now: datetime) -> Pulse:
    counts = rows.one(
        "SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'received'),"
        " (SELECT received_at FROM deliveries WHERE state = 'received' ORDER BY id LIMIT 1),"
        " (SELECT MIN(due_at) FROM runs WHERE state = 'waiting')"
    )
    assert counts is not None
    unread, arrived, due = counts
    states = {
        state.value: rows.one(f"SELECT COUNT(*) FROM runs WHERE state = '{state.value}'") or (0,)  # noqa: S608
        for state in _OPEN
    }
    stuck = rows.all("SELECT flow, COUNT(*) FROM exceptions WHERE state = 'open' GROUP BY flow")
    since = min([stamp(now), *(time for time in (arrived, due) if time is not None)])
    return Pulse(
        deliveries=rows.count_all("deliveries"),
        events=rows.count_all("events"),
        unread=unread,
        unfinished={state: count for state, (count,) in states.items()},
        exceptions=dict(stuck),
        oldest=timedelta(microseconds=stamp(now) - since),
    )


def mark(rows: Rows) -> tuple[object, ...]:
    """Another one whenever something has changed that a page shows."""
    return _everywhere(rows), _tried(rows), _of_desk(rows)


def _everywhere(rows: Rows) -> object:
    return rows.one(
        "SELECT (SELECT MAX(id) FROM deliveries), (SELECT MAX(id) FROM events), (SELECT MAX(id) FROM runs),"
        " (SELECT MAX(id) FROM audit), (SELECT MAX(id) FROM exceptions), (SELECT MAX(id) FROM asks),"
        " (SELECT MAX(id) FROM alerts),"
        " (SELECT COUNT(*) FROM exceptions WHERE state = 'open'), (SELECT COUNT(*) FROM asks WHERE state = 'open'),"
        " (SELECT COUNT(*) FROM deliveries WHERE state = 'received'),"
        " (SELECT COUNT(*) FROM runs WHERE state = 'running'), (SELECT COUNT(*) FROM runs WHERE state = 'held')"
    )


def _tried(rows: Rows) -> object:
    """Further attempts: of runs under way by what they have, of those that wait by when they go on, as whichever was
    tried in vain waits for another time than before."""
    going_on = rows.one(
        "SELECT COUNT(*), COUNT(finished_at) FROM attempts WHERE run IN"
        " (SELECT id FROM runs WHERE state = 'running' ORDER BY id DESC LIMIT :watched)",
        {"watched": _WATCHED},
    )
    # A sum of the times themselves would be too large for a number of SQLite's.
    waiting = rows.one("SELECT COUNT(*), SUM(due_at % 4294967296) FROM runs WHERE state = 'waiting'")
    held = rows.one("SELECT COUNT(*), SUM(failures) FROM health")
    return going_on, waiting, held


def _of_desk(rows: Rows) -> object:
    return rows.one(
        "SELECT (SELECT MAX(id) FROM errands), (SELECT MAX(at) FROM checks), COUNT(*), SUM(done + failed), COUNT("
        "CASE stopped WHEN '' THEN 1 END) FROM errands WHERE done_at IS NULL"
    )


def newest_run(rows: Rows) -> int:
    """Its number; 0 when there is none."""
    return int((rows.one("SELECT MAX(id) FROM runs") or (0,))[0] or 0)


def ended(rows: Rows, after: int, unfinished: Sequence[int]) -> Ended:
    """Of the runs behind number `after`, and of those that were `unfinished`, those that have come to their end."""
    found = rows.all(
        f"SELECT id, flow, state, {TOOK} FROM runs WHERE id IN"  # noqa: S608
        f" {rows.numbers('ids')}"
        f" UNION ALL SELECT * FROM (SELECT id, flow, state, {TOOK} FROM runs WHERE id > :after"
        " ORDER BY id LIMIT :most) AS later",
        {"ids": orjson.dumps(list(unfinished)).decode(), "after": after, "most": _MOST},
    )
    over = [row for row in found if row[3] is not None]
    failures = rows.all(
        "SELECT r.flow, a.action, a.outcome, COUNT(*) FROM"  # noqa: S608
        f" {rows.numbers('ids')} i JOIN runs r ON r.id = i.value"
        " JOIN attempts a ON a.run = r.id WHERE a.outcome IN ('failed', 'unknown') GROUP BY 1, 2, 3",
        {"ids": orjson.dumps([row[0] for row in over]).decode()},
    )
    return Ended(
        runs=[(flow, state, timedelta(microseconds=max(0, took))) for _, flow, state, took in over],
        failures=[(row[0], row[1], row[2], row[3]) for row in failures],
        last=max([after, *(row[0] for row in found)]),
        unfinished=[row[0] for row in found if row[3] is None],
    )
