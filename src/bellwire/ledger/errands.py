"""Work in bulk on exceptions: who asked for what, how far it is, and what is still to be done of it.

A portion is marked as dealt with in the transaction that deals with it. So a step is done once, whoever does it and
whenever they die.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp, unstamp

_COLUMNS = "id, what, given, who, asked_at, total, done, failed, stopped, done_at"
MOST_REASONS = 1_000
"""Exceptions that couldn't be dealt with and whose reason is kept, of one errand; all are counted."""


class ErrandState(StrEnum):
    GOING_ON = "going on"
    DONE = "done"
    STOPPED = "stopped"
    """Until somebody has it go on."""


@dataclass(frozen=True)
class ErrandRow:
    id: int
    what: str
    """What is done to each, such as `retry`."""
    given: str
    """What else was said of it, as JSON; empty once it is done."""
    who: str
    asked_at: datetime
    total: int
    done: int
    failed: int
    stopped: str
    """Why it doesn't go on; empty: it does, or it is done."""
    done_at: datetime | None

    @property
    def state(self) -> ErrandState:
        if self.done_at is not None:
            return ErrandState.DONE
        return ErrandState.STOPPED if self.stopped else ErrandState.GOING_ON


def plan(rows: Rows, what: str, given: str, who: str, exceptions: Sequence[int], now: datetime) -> int:
    """Keep that this is to be done to these exceptions. Gives the errand's number."""
    numbers = sorted(set(exceptions))
    new = rows.insert(
        "INSERT INTO errands (what, given, who, asked_at, total, done_at)"
        " VALUES (:what, :given, :who, :now, :total, :done_at)",
        {
            "what": what,
            "given": given,
            "who": who,
            "now": stamp(now),
            "total": len(numbers),
            "done_at": None if numbers else stamp(now),
        },
    )
    assert new is not None
    rows.run(
        f"INSERT INTO errand_steps (errand, exception) SELECT :errand, value FROM {rows.numbers('numbers')} AS steps",  # noqa: S608
        {"errand": new, "numbers": _list(numbers)},
    )
    return new


def find(rows: Rows, errand: int) -> ErrandRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM errands WHERE id = :id", {"id": errand})  # noqa: S608
    return _row(row) if row else None


def unfinished(rows: Rows) -> list[ErrandRow]:
    """Those that go on and those that are stopped, the oldest first."""
    return [_row(row) for row in rows.all(f"SELECT {_COLUMNS} FROM errands WHERE done_at IS NULL ORDER BY id")]  # noqa: S608


def portion(rows: Rows, errand: int, limit: int) -> list[int]:
    """The next exceptions that are to be dealt with, at least `limit` if there are so many. What is decided about one
    holds for its run: so with each come all of the same run, and what is left has nothing to do with them."""
    values: dict[str, Any] = {"errand": errand, "limit": limit}
    first = rows.all(
        "SELECT exception FROM errand_steps WHERE errand = :errand AND why IS NULL ORDER BY exception LIMIT :limit",
        values,
    )
    numbers = {row[0] for row in first}
    of_same_runs = rows.all(
        "SELECT exception FROM errand_steps WHERE errand = :errand AND why IS NULL AND exception IN"  # noqa: S608
        " (SELECT id FROM exceptions WHERE run IN"
        f" (SELECT run FROM exceptions WHERE id IN {rows.numbers('numbers')}))",
        {"errand": errand, "numbers": _list(sorted(numbers))},
    )
    return sorted(numbers.union(row[0] for row in of_same_runs))


def take(rows: Rows, errand: int, exceptions: Sequence[int]) -> list[int]:
    """Be the one that deals with these: gives those that nobody has dealt with meanwhile; none when the errand doesn't
    go on. Tell `forward` what came of them, in the same transaction."""
    row = find(rows, errand)
    if row is None or row.state is not ErrandState.GOING_ON:
        return []
    which = f"errand = :errand AND why IS NULL AND exception IN {rows.numbers('numbers')}"
    values = {"errand": errand, "numbers": _list(exceptions)}
    found = rows.all(f"SELECT exception FROM errand_steps WHERE {which} ORDER BY exception", values)  # noqa: S608
    rows.run(f"DELETE FROM errand_steps WHERE {which}", values)  # noqa: S608
    return [row[0] for row in found]


def forward(rows: Rows, errand: int, done: int, refused: Sequence[tuple[int, str]], now: datetime) -> None:
    """Of those that were taken, so many were dealt with, and these in vain, and why."""
    before = find(rows, errand)
    assert before is not None
    for number, why in refused[: max(0, MOST_REASONS - before.failed)]:
        rows.run(
            "INSERT INTO errand_steps (errand, exception, why) VALUES (:errand, :exception, :why)",
            {"errand": errand, "exception": number, "why": why},
        )
    over = not portion(rows, errand, 1)
    rows.run(
        "UPDATE errands SET done = done + :done, failed = failed + :failed, done_at = :done_at, given = :given"
        " WHERE id = :errand",
        {
            "errand": errand,
            "done": done,
            "failed": len(refused),
            "done_at": stamp(now) if over else None,
            "given": "" if over else before.given,
        },
    )


def refused(rows: Rows, errand: int) -> list[tuple[int, str]]:
    """The exceptions that couldn't be dealt with, and why."""
    found = rows.all(
        "SELECT exception, why FROM errand_steps WHERE errand = :errand AND why IS NOT NULL ORDER BY exception",
        {"errand": errand},
    )
    return [(number, why) for number, why in found]


def stop(rows: Rows, errand: int, why: str) -> None:
    """It doesn't go on by itself any more."""
    rows.run("UPDATE errands SET stopped = :why WHERE id = :id AND done_at IS NULL", {"id": errand, "why": why})


def go_on(rows: Rows, errand: int) -> bool:
    """Have one that was stopped go on. False when it wasn't."""
    return bool(
        rows.run("UPDATE errands SET stopped = '' WHERE id = :id AND done_at IS NULL AND stopped <> ''", {"id": errand})
    )


def forget(rows: Rows, before: datetime, limit: int) -> int:
    """Take out at most `limit` of those that were asked for before that, and don't go on; gives how many."""
    found = rows.all(
        "SELECT id FROM errands WHERE asked_at < :before AND (done_at IS NOT NULL OR stopped <> '') LIMIT :limit",
        {"before": stamp(before), "limit": limit},
    )
    values = {"ids": _list([row[0] for row in found])}
    rows.run(f"DELETE FROM errand_steps WHERE errand IN {rows.numbers('ids')}", values)  # noqa: S608
    return rows.run(f"DELETE FROM errands WHERE id IN {rows.numbers('ids')}", values)  # noqa: S608


def _row(row: tuple[Any, ...]) -> ErrandRow:
    number, what, given, who, asked_at, total, done, failed, stopped, done_at = row
    return ErrandRow(number, what, given, who, unstamp(asked_at), total, done, failed, stopped, maybe(done_at))


def _list(numbers: Sequence[int]) -> str:
    return orjson.dumps(list(numbers)).decode()
