"""Which record of one system is which of another, where a person has said so."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp


@dataclass(frozen=True)
class Mapping:
    connection: str
    kind: str
    ours: str
    theirs: str


def put(rows: Rows, mapping: Mapping, now: datetime) -> None:
    """Set it, in place of what was said before."""
    rows.run(
        "INSERT INTO crosswalk (connection, kind, ours, theirs, set_at)"
        " VALUES (:connection, :kind, :ours, :theirs, :now) ON CONFLICT (connection, kind, ours)"
        " DO UPDATE SET theirs = excluded.theirs, set_at = excluded.set_at",
        {
            "connection": mapping.connection,
            "kind": mapping.kind,
            "ours": mapping.ours,
            "theirs": mapping.theirs,
            "now": stamp(now),
        },
    )


def remove(rows: Rows, connection: str, kind: str, ours: str) -> bool:
    """False when there was none."""
    return bool(
        rows.run(
            "DELETE FROM crosswalk WHERE connection = :connection AND kind = :kind AND ours = :ours",
            {"connection": connection, "kind": kind, "ours": ours},
        )
    )


def find(rows: Rows, connection: str, kind: str, ours: str) -> str | None:
    row = rows.one(
        "SELECT theirs FROM crosswalk WHERE connection = :connection AND kind = :kind AND ours = :ours",
        {"connection": connection, "kind": kind, "ours": ours},
    )
    return row[0] if row else None


def everything(rows: Rows) -> list[Mapping]:
    found = rows.all("SELECT connection, kind, ours, theirs FROM crosswalk ORDER BY connection, kind, ours")
    return [Mapping(*row) for row in found]
