"""Sign-ins in the browser that are under way at a vendor: each good for one answer, to the session that began it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp

_COLUMNS = "state, connection, session, sealed"
PATIENCE = timedelta(minutes=10)
"""How long an owner may take."""


@dataclass(frozen=True)
class ConsentRow:
    state: str
    """A hash of it."""
    connection: str
    session: str
    """A hash of what the browser keeps."""
    sealed: str = field(repr=False)
    """What its answer is redeemed with, encrypted."""


def ask(rows: Rows, row: ConsentRow, now: datetime) -> None:
    """In the place of what this session began for this connection."""
    forget(rows, now)
    rows.run(
        "DELETE FROM consents WHERE connection = :connection AND session = :session",
        {"connection": row.connection, "session": row.session},
    )
    rows.run(
        f"INSERT INTO consents ({_COLUMNS}, asked_at) VALUES (:state, :connection, :session, :sealed, :now)",  # noqa: S608
        vars(row) | {"now": stamp(now)},
    )


def find(rows: Rows, connection: str, session: str, now: datetime) -> ConsentRow | None:
    """What this session began for this connection, if that isn't too long ago."""
    row = rows.one(
        f"SELECT {_COLUMNS} FROM consents"  # noqa: S608
        " WHERE connection = :connection AND session = :session AND asked_at > :since",
        {"connection": connection, "session": session, "since": stamp(now - PATIENCE)},
    )
    return ConsentRow(*row) if row else None


def take(rows: Rows, state: str, session: str, now: datetime) -> ConsentRow | None:
    """The same by its state, once: it is used up."""
    values = {"state": state, "session": session, "since": stamp(now - PATIENCE)}
    which = "state = :state AND session = :session AND asked_at > :since"
    row = rows.one(f"SELECT {_COLUMNS} FROM consents WHERE {which}", values)  # noqa: S608
    if row is None:
        return None
    rows.run(f"DELETE FROM consents WHERE {which}", values)  # noqa: S608
    return ConsentRow(*row)


def forget(rows: Rows, now: datetime) -> None:
    """Those that were begun too long ago."""
    rows.run("DELETE FROM consents WHERE asked_at <= :since", {"since": stamp(now - PATIENCE)})
