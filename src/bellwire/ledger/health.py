"""Connections that are out of order: one row for each, until it works again."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp, unstamp


class Trouble(StrEnum):
    DOWN = "down"
    """Its vendor doesn't answer, or fails."""
    SIGNED_OUT = "signed-out"
    """Its vendor no longer takes the credentials, or there are none."""


@dataclass(frozen=True)
class HealthRow:
    connection: str
    state: Trouble
    reason: str
    """A sentence for the owner."""
    failures: int
    """How often it was tried in vain since it is out of order."""
    since: datetime
    probe_at: datetime | None
    """When it is tried again."""


def set_out(rows: Rows, row: HealthRow) -> None:
    """Keep that a connection is out of order, or still is."""
    rows.run(
        "INSERT INTO health (connection, state, reason, failures, since, probe_at)"
        " VALUES (:connection, :state, :reason, :failures, :since, :probe_at)"
        " ON CONFLICT (connection) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
        " failures = excluded.failures, since = excluded.since, probe_at = excluded.probe_at",
        {
            "connection": row.connection,
            "state": row.state.value,
            "reason": row.reason,
            "failures": row.failures,
            "since": stamp(row.since),
            "probe_at": None if row.probe_at is None else stamp(row.probe_at),
        },
    )


def begin_probe(rows: Rows, known: HealthRow, until: datetime) -> bool:
    """Be the one that tries, of all that have it as `known`; the others wait until then. False when another is."""
    return bool(
        rows.run(
            "UPDATE health SET probe_at = :until WHERE connection = :connection AND COALESCE(probe_at, 0) <= :known",
            {
                "connection": known.connection,
                "known": 0 if known.probe_at is None else stamp(known.probe_at),
                "until": stamp(until),
            },
        )
    )


def set_well(rows: Rows, connection: str) -> None:
    rows.run("DELETE FROM health WHERE connection = :connection", {"connection": connection})


def out_of_order(rows: Rows) -> list[HealthRow]:
    """The longest first."""
    found = rows.all("SELECT connection, state, reason, failures, since, probe_at FROM health ORDER BY since")
    return [HealthRow(row[0], Trouble(row[1]), row[2], row[3], unstamp(row[4]), maybe(row[5])) for row in found]
