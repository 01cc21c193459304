"""What the vendor of each connection said when it was last tried."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp


@dataclass(frozen=True)
class CheckRow:
    connection: str
    findings: str
    """As JSON."""
    at: datetime


def put(rows: Rows, row: CheckRow) -> None:
    """In the place of what was said before."""
    rows.run(
        "INSERT INTO checks (connection, findings, at) VALUES (:connection, :findings, :at)"
        " ON CONFLICT (connection) DO UPDATE SET findings = excluded.findings, at = excluded.at",
        {"connection": row.connection, "findings": row.findings, "at": stamp(row.at)},
    )


def find(rows: Rows, connection: str) -> CheckRow | None:
    row = rows.one("SELECT connection, findings, at FROM checks WHERE connection = :name", {"name": connection})
    return CheckRow(row[0], row[1], unstamp(row[2])) if row else None


def forget(rows: Rows, before: datetime) -> None:
    """What was said before that."""
    rows.run("DELETE FROM checks WHERE at < :before", {"before": stamp(before)})
