"""While two webhook secrets of a connection are accepted: which of them deliveries are signed with."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import maybe, stamp


@dataclass(frozen=True)
class Signings:
    """When a delivery came last that was signed with the newest secret, and with an earlier one."""

    newest_at: datetime | None = None
    earlier_at: datetime | None = None


def note(rows: Rows, connection: str, at: datetime, *, newest: bool) -> None:
    column = "newest_at" if newest else "earlier_at"
    rows.run(
        f"INSERT INTO signings (connection, {column}) VALUES (:connection, :at)"  # noqa: S608
        f" ON CONFLICT (connection) DO UPDATE SET {column} = excluded.{column}",
        {"connection": connection, "at": stamp(at)},
    )


def begin(rows: Rows, connection: str) -> None:
    """There is another newest secret: nothing has been signed with it yet."""
    rows.run("DELETE FROM signings WHERE connection = :connection", {"connection": connection})


def find(rows: Rows, connection: str) -> Signings:
    row = rows.one(
        "SELECT newest_at, earlier_at FROM signings WHERE connection = :connection", {"connection": connection}
    )
    return Signings(maybe(row[0]), maybe(row[1])) if row else Signings()
