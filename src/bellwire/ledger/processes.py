"""Which processes are at work on a ledger: one row for each, which it renews as long as it lives."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp

_COLUMNS = "id, name, work, version, started_at, seen_at, carrying"
GONE_AFTER = timedelta(seconds=15)
"""One that hasn't been seen for so long isn't there any more."""


@dataclass(frozen=True)
class ProcessRow:
    id: int
    name: str
    """Its machine and number there."""
    work: str
    """What it does, in the words of its command: `up`, `up --no-engine`, `worker`."""
    version: str
    """Of Bellwire."""
    started_at: datetime
    seen_at: datetime
    carrying: int
    """How many runs it carries."""


def enter(rows: Rows, name: str, work: str, version: str, now: datetime) -> int:
    """Be there. Gives the process's number, and forgets those that are long gone."""
    rows.run("DELETE FROM processes WHERE seen_at < :long_ago", {"long_ago": stamp(now - timedelta(days=1))})
    number = rows.insert(
        "INSERT INTO processes (name, work, version, started_at, seen_at) VALUES (:name, :work, :version, :now, :now)",
        {"name": name, "work": work, "version": version, "now": stamp(now)},
    )
    assert number is not None
    return number


def stay(rows: Rows, process: int, carrying: int, now: datetime) -> None:
    """Still be there."""
    rows.run(
        "UPDATE processes SET seen_at = :now, carrying = :carrying WHERE id = :id",
        {"id": process, "carrying": carrying, "now": stamp(now)},
    )


def leave(rows: Rows, process: int) -> None:
    rows.run("DELETE FROM processes WHERE id = :id", {"id": process})


def alive(rows: Rows, now: datetime) -> list[ProcessRow]:
    """The oldest first."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM processes WHERE seen_at > :since ORDER BY id",  # noqa: S608
        {"since": stamp(now - GONE_AFTER)},
    )
    return [ProcessRow(row[0], row[1], row[2], row[3], unstamp(row[4]), unstamp(row[5]), row[6]) for row in found]
