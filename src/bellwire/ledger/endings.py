"""Runs that a later event may end, and the events that do: each known by its flow and what the two have in common.

That may be personal, such as an e-mail address, and these rows stay for good: what is kept of it is a digest.
"""

from datetime import datetime

from bellwire.ledger import runs
from bellwire.ledger.database import Rows
from bellwire.ledger.rows import digest, stamp


def open_to(rows: Rows, flow: str, key: str, event: int, run: int, time: datetime) -> None:
    """A run may be ended by a later event with this key. `event` began it, and happened at `time`."""
    _put(rows, flow, key, event, run, time)


def happened(rows: Rows, flow: str, key: str, event: int, time: datetime) -> None:
    """An event that ends the flow's runs with this key: also of one that came later and happened before."""
    _put(rows, flow, key, event, 0, time)


def already(rows: Rows, flow: str, key: str, event: int, time: datetime) -> int | None:
    """An event that ends a run which begins now by an `event` that happened at `time`; None: there is none."""
    row = rows.one(
        "SELECT event FROM endings WHERE flow = :flow AND key = :key AND run = 0 AND event <> :event AND time >= :time"
        " LIMIT 1",
        {"flow": flow, "key": digest(key), "event": event, "time": stamp(time)},
    )
    return row[0] if row else None


def end(rows: Rows, flow: str, key: str, event: int, time: datetime, now: datetime, reason: str) -> int:
    """Of the flow's runs with this key, those that began with something earlier: end what waits; what is going on ends
    as soon as it isn't. Gives how many."""
    found = rows.all(
        "SELECT run FROM endings WHERE flow = :flow AND key = :key AND run <> 0 AND time <= :time",
        {"flow": flow, "key": digest(key), "time": stamp(time)},
    )
    return sum(runs.end_early(rows, row[0], event, now, reason) for row in found)


def _put(rows: Rows, flow: str, key: str, event: int, run: int, time: datetime) -> None:
    rows.run(
        "INSERT INTO endings (flow, key, event, run, time) VALUES (:flow, :key, :event, :run, :time)"
        " ON CONFLICT DO NOTHING",
        {"flow": flow, "key": digest(key), "event": event, "run": run, "time": stamp(time)},
    )
