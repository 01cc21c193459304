"""Windows that gather events: one run for all that come in one."""

from bellwire.ledger.database import Rows
from bellwire.ledger.events import COLUMNS
from bellwire.ledger.rows import EventRow, digest, event_row
from bellwire.ledger.runs import ITS_TIME


def join(rows: Rows, flow: str, key: str, event: int, most: int) -> int | None:
    """Add an event to the open window with this key; gives its run. None: there is none, or it is full."""
    row = rows.one("SELECT run FROM windows WHERE flow = :flow AND key = :key", {"flow": flow, "key": digest(key)})
    if row is None:
        return None
    run: int = row[0]
    # Changed, so that nobody begins with the run before this is committed.
    still_open = rows.run(
        "UPDATE runs SET due_at = due_at WHERE id = :run AND state = 'waiting' AND held_for = :time AND fence = 1",
        {"run": run, "time": ITS_TIME},
    )
    there = rows.one("SELECT COUNT(*) FROM gathered WHERE run = :run", {"run": run})
    if not still_open or (there and there[0] + 1 >= most):
        return None
    rows.run("INSERT INTO gathered (run, event) VALUES (:run, :event)", {"run": run, "event": event})
    return run


def open_one(rows: Rows, flow: str, key: str, run: int) -> None:
    """A run begins to gather events with this key."""
    rows.run(
        "INSERT INTO windows (flow, key, run) VALUES (:flow, :key, :run)"
        " ON CONFLICT (flow, key) DO UPDATE SET run = excluded.run",
        {"flow": flow, "key": digest(key), "run": run},
    )


def gathered(rows: Rows, run: int) -> list[EventRow]:
    """The events that came together with a run's own, oldest first."""
    found = rows.all(
        f"SELECT {COLUMNS} FROM events WHERE id IN (SELECT event FROM gathered WHERE run = :run) ORDER BY id",  # noqa: S608
        {"run": run},
    )
    return [event_row(row) for row in found]
