"""How far each list of a vendor has been read: one row for each poll of a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp, unstamp

_COLUMNS = "connection, name, since, cursor, begun_at, due_at, failures, reason, failing_since"


@dataclass(frozen=True)
class PollRow:
    connection: str
    name: str
    since: datetime
    """All that changed before is known."""
    cursor: str
    """Where the next page begins; empty: at `since`."""
    begun_at: datetime | None
    """When the listing that goes on began; None: none does."""
    due_at: datetime
    failures: int = 0
    """How often it was tried in vain, one time after the other."""
    reason: str = ""
    """Why; a sentence for the owner."""
    failing_since: datetime | None = None


def everything(rows: Rows) -> list[PollRow]:
    found = rows.all(f"SELECT {_COLUMNS} FROM polls ORDER BY due_at, connection, name")  # noqa: S608
    return [
        PollRow(row[0], row[1], unstamp(row[2]), row[3], maybe(row[4]), unstamp(row[5]), row[6], row[7], maybe(row[8]))
        for row in found
    ]


def begin(rows: Rows, connection: str, name: str, since: datetime, due_at: datetime) -> None:
    """From now on it is polled, unless it is already."""
    rows.run(
        "INSERT INTO polls (connection, name, since, due_at) VALUES (:connection, :name, :since, :due_at)"
        " ON CONFLICT (connection, name) DO NOTHING",
        {"connection": connection, "name": name, "since": stamp(since), "due_at": stamp(due_at)},
    )


def keep(rows: Rows, row: PollRow, known_due: datetime) -> None:
    """How far it is now. When it is due again was said by who woke it meanwhile, if that isn't `known_due` any more."""
    rows.run(
        "UPDATE polls SET since = :since, cursor = :cursor, begun_at = :begun_at, failures = :failures,"
        " reason = :reason, failing_since = :failing_since,"
        " due_at = CASE WHEN due_at = :known THEN :due_at ELSE due_at END"
        " WHERE connection = :connection AND name = :name",
        {
            "connection": row.connection,
            "name": row.name,
            "since": stamp(row.since),
            "cursor": row.cursor,
            "begun_at": None if row.begun_at is None else stamp(row.begun_at),
            "due_at": stamp(row.due_at),
            "known": stamp(known_due),
            "failures": row.failures,
            "reason": row.reason,
            "failing_since": None if row.failing_since is None else stamp(row.failing_since),
        },
    )


def wake(rows: Rows, connection: str, names: Sequence[str], now: datetime) -> None:
    """Have them polled now: something has changed there."""
    for name in names:
        rows.run(
            "UPDATE polls SET due_at = :now WHERE connection = :connection AND name = :name",
            {"connection": connection, "name": name, "now": stamp(now)},
        )
