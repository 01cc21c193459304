"""Taking out what is no longer needed: webhooks as they arrived, what vendors were asked, the data of events, what
actions brought.

What stays is slim: the rows of deliveries and events that recognise a repeat, of subjects that recognise a late state,
and of runs and attempts, which the figures are counted from. What isn't finished isn't touched, however old it is: a
delivery that is still to be read or that a person is asked about; an event with a run that goes on, waits, is held or
is stuck. (How many were sold on a day goes after ten weeks: `sales.py`.)

Each step is small. It first looks (in a thread, so that what has to be fetched from the disk is there by then), then
takes out what it found in a transaction of its own, which looks at the states once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp

_READ = "('done', 'skipped')"
"""States of deliveries whose payload nobody needs any more."""
_UNFINISHED = (
    "EXISTS (SELECT 1 FROM runs r WHERE r.event = e.id AND r.state NOT IN ('done', 'skipped'))"
    " OR EXISTS (SELECT 1 FROM gathered g JOIN runs r ON r.id = g.run WHERE g.event = e.id"
    " AND r.state NOT IN ('done', 'skipped'))"
    " OR EXISTS (SELECT 1 FROM runs r JOIN exceptions x ON x.run = r.id WHERE r.event = e.id AND x.state = 'open')"
)

_RUN_OPEN = (
    "r.state NOT IN ('done', 'skipped') OR EXISTS (SELECT 1 FROM exceptions o WHERE o.run = r.id AND o.state = 'open')"
)


@dataclass(frozen=True)
class Found:
    """What a look at the next rows found."""

    old: Sequence[tuple[int, int]]
    """Ids of what can go, with its bytes."""
    after: int | None
    """Where the next look begins; None when this was the last."""


def old_payloads(rows: Rows, before: datetime, after: int, limit: int) -> Found:
    """Of the next `limit` deliveries with a payload, those that came `before` and are dealt with."""
    found = rows.all(
        f"SELECT d.id, d.received_at < :before, d.state IN {_READ}, length(p.body) + length(p.headers)"  # noqa: S608
        " FROM payloads p JOIN deliveries d ON d.id = p.delivery WHERE p.delivery > :after ORDER BY p.delivery"
        " LIMIT :limit",
        {"before": stamp(before), "after": after, "limit": limit},
    )
    return _found(found, limit)


def old_events(rows: Rows, before: datetime, after: int, limit: int) -> Found:
    """Of the next `limit` events, those that were recorded `before`, have their data, and are finished."""
    found = rows.all(
        f"SELECT e.id, e.recorded_at < :before, e.data <> '' AND NOT ({_UNFINISHED}), length(e.data)"  # noqa: S608
        " FROM events e WHERE e.id > :after ORDER BY e.id LIMIT :limit",
        {"before": stamp(before), "after": after, "limit": limit},
    )
    return _found(found, limit)


def old_exchanges(rows: Rows, before: datetime, after: int, limit: int) -> Found:
    """Of the next `limit` runs of which it is known what vendors were asked, those that began `before` and are
    finished."""
    found = rows.all(
        f"SELECT r.id, r.created_at < :before, NOT ({_RUN_OPEN}), x.bytes FROM"  # noqa: S608
        " (SELECT run, SUM(length(packed)) AS bytes FROM exchanges WHERE run > :after GROUP BY run ORDER BY run"
        " LIMIT :limit) x JOIN runs r ON r.id = x.run ORDER BY r.id",
        {"before": stamp(before), "after": after, "limit": limit},
    )
    return _found([(row[0], row[1], row[2], int(row[3])) for row in found], limit)


def remove_exchanges(rows: Rows, ids: Sequence[int]) -> int:
    """Take out what vendors were asked in these runs; gives of how many."""
    found = rows.all(
        f"SELECT r.id FROM runs r WHERE r.id IN {rows.numbers('ids')} AND NOT ({_RUN_OPEN})",  # noqa: S608
        {"ids": _list(ids)},
    )
    rows.run(
        f"DELETE FROM exchanges WHERE run IN {rows.numbers('ids')}",  # noqa: S608
        {"ids": _list([row[0] for row in found])},
    )
    return len(found)


def remove_payloads(rows: Rows, ids: Sequence[int]) -> int:
    """Take out the payloads of these deliveries; gives how many were."""
    return rows.run(
        "DELETE FROM payloads WHERE delivery IN (SELECT d.id FROM deliveries d"  # noqa: S608
        f" WHERE d.id IN {rows.numbers('ids')} AND d.state IN {_READ})",
        {"ids": _list(ids)},
    )


def empty_events(rows: Rows, ids: Sequence[int]) -> int:
    """Take out the data of these events and what they are looked for by, and of their runs what was tried, sent,
    brought and typed in; gives how many."""
    found = rows.all(
        f"SELECT e.id FROM events e WHERE e.id IN {rows.numbers('ids')} AND NOT ({_UNFINISHED})",  # noqa: S608
        {"ids": _list(ids)},
    )
    finished = {"ids": _list([row[0] for row in found])}
    of_runs = f"run IN (SELECT r.id FROM runs r WHERE r.event IN {rows.numbers('ids')})"  # noqa: S608
    rows.empty("attempts", of_runs, finished, result=None, detail="")
    rows.run(f"UPDATE exceptions SET detail = '' WHERE {of_runs}", finished)  # noqa: S608
    rows.run(f"UPDATE edits SET given = '' WHERE {of_runs}", finished)  # noqa: S608
    rows.run(f"UPDATE asks SET given = '', text = '' WHERE {of_runs}", finished)  # noqa: S608
    rows.run(f"DELETE FROM exchanges WHERE {of_runs}", finished)  # noqa: S608
    rows.run(f"DELETE FROM terms WHERE event IN {rows.numbers('ids')}", finished)  # noqa: S608
    rows.empty("events", f"id IN {rows.numbers('ids')}", finished, data="")
    return len(found)


@dataclass(frozen=True)
class PurgeRow:
    at: datetime
    payloads: int
    events: int
    size: int
    """Bytes of all that."""
    given_back: int
    """Bytes by which the ledger's files became smaller."""


def note(rows: Rows, done: PurgeRow) -> None:
    """What a purge took out."""
    rows.insert(
        "INSERT INTO purges (at, payloads, events, size, given_back)"
        " VALUES (:at, :payloads, :events, :size, :given_back)",
        vars(done) | {"at": stamp(done.at)},
    )


def last(rows: Rows) -> PurgeRow | None:
    row = rows.one("SELECT at, payloads, events, size, given_back FROM purges ORDER BY id DESC LIMIT 1")
    return PurgeRow(unstamp(row[0]), *row[1:]) if row else None


def _found(rows: Sequence[tuple[int, bool, bool, int]], limit: int) -> Found:
    """Of id, whether it is old, whether it can go, and bytes."""
    old = [(number, length) for number, is_old, can_go, length in rows if is_old and can_go]
    # They are numbered as they come: behind a portion in which none is old, none is.
    more = len(rows) == limit and any(is_old for _, is_old, _, _ in rows)
    return Found(old, rows[-1][0] if more else None)


def _list(ids: Sequence[int]) -> str:
    return orjson.dumps(list(ids)).decode()
