"""Canonical events: one row for each fact."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from bellwire.events import Event, terms_of
from bellwire.ledger import terms
from bellwire.ledger.database import Rows
from bellwire.ledger.rows import EventRow, event_row, stamp

COLUMNS = "id, delivery, connection, environment, type, subject, business_key, time, version, recorded_at, reason, copies, data"  # noqa: E501  # fmt: skip


def record(rows: Rows, event: Event, data: str, *, delivery: int | None, now: datetime) -> int | None:
    """Keep a fact; None when it is known already, which counts one more copy."""
    new = rows.insert(
        "INSERT INTO events"
        " (delivery, connection, environment, type, subject, business_key, time, version, recorded_at, data) VALUES"
        " (:delivery, :connection, :environment, :type, :subject, :business_key, :time, :version, :now, :data)"
        " ON CONFLICT DO NOTHING",
        {
            "delivery": delivery,
            "connection": event.connection,
            "environment": event.environment.value,
            "type": event.type,
            "subject": event.subject,
            "business_key": event.business_key,
            "time": stamp(event.time),
            "version": None if event.version is None else stamp(event.version),
            "now": stamp(now),
            "data": data,
        },
    )
    if new is None:
        rows.run(
            "UPDATE events SET copies = copies + 1 WHERE connection = :connection AND business_key = :business_key",
            {"connection": event.connection, "business_key": event.business_key},
        )
    else:
        terms.put(rows, new, terms_of(event.data))
    return new


def known(rows: Rows, connection: str, business_keys: Iterable[str]) -> set[str]:
    """Which of these facts are there."""
    return {
        key
        for key in business_keys
        if rows.one(
            "SELECT 1 FROM events WHERE connection = :connection AND business_key = :key",
            {"connection": connection, "key": key},
        )
    }


def advance(rows: Rows, event: Event) -> bool:
    """Move a subject on to the state that `event` shows. False when a later one is known already."""
    assert event.version is not None
    return bool(
        rows.run(
            "INSERT INTO subjects (connection, type, subject, version) VALUES (:connection, :type, :subject, :version)"
            " ON CONFLICT (connection, type, subject) DO UPDATE SET version = excluded.version"
            " WHERE excluded.version >= subjects.version",
            {
                "connection": event.connection,
                "type": event.type,
                "subject": event.subject,
                "version": stamp(event.version),
            },
        )
    )


def skip(rows: Rows, event: int, reason: str) -> None:
    """Say why an event starts no run."""
    rows.run("UPDATE events SET reason = :reason WHERE id = :id", {"id": event, "reason": reason})


def find(rows: Rows, event: int) -> EventRow | None:
    row = rows.one(f"SELECT {COLUMNS} FROM events WHERE id = :id", {"id": event})  # noqa: S608
    return event_row(row) if row else None


def of_delivery(rows: Rows, delivery: int) -> list[EventRow]:
    found = rows.all(f"SELECT {COLUMNS} FROM events WHERE delivery = :id ORDER BY id", {"id": delivery})  # noqa: S608
    return [event_row(row) for row in found]


def some(rows: Rows, numbers: Sequence[int]) -> list[EventRow]:
    """Those with these numbers, in the same order."""
    found = rows.all(
        f"SELECT {COLUMNS} FROM events WHERE id IN {rows.numbers('numbers')}",  # noqa: S608
        {"numbers": orjson.dumps(numbers).decode()},
    )
    by_number = {row[0]: event_row(row) for row in found}
    return [by_number[number] for number in numbers]


def last_before(rows: Rows, at: datetime) -> int:
    """The newest event that was recorded before a moment; 0 when there is none."""
    row = rows.one(
        "SELECT id FROM events WHERE recorded_at < :at ORDER BY recorded_at DESC, id DESC LIMIT 1", {"at": stamp(at)}
    )
    return row[0] if row else 0


def newest(rows: Rows, *, limit: int, connection: str = "", type_: str = "", subject: str = "") -> list[EventRow]:
    """At the same cost however long the history is, and however rare what is asked for."""
    if subject:
        which = f"connection IN ({_CONNECTIONS}) AND subject = :subject"
        which += " AND (:connection = '' OR connection = :connection) AND (:type = '' OR type = :type)"
        return _newest(rows, which, limit, connection, type_, subject)
    if not (connection or type_):
        return _newest(rows, "TRUE", limit)
    found = [
        event
        for each in kinds(rows, connection, type_)
        for event in _newest(rows, "connection = :connection AND type = :type", limit, *each)
    ]
    return sorted(found, key=lambda event: event.id, reverse=True)[:limit]


def _newest(
    rows: Rows, which: str, limit: int, connection: str = "", type_: str = "", subject: str = ""
) -> list[EventRow]:
    found = rows.all(
        f"SELECT {COLUMNS} FROM events WHERE {which} ORDER BY id DESC LIMIT :limit",  # noqa: S608
        {"limit": limit, "connection": connection, "type": type_, "subject": subject},
    )
    return [event_row(row) for row in found]


def kinds(rows: Rows, connection: str = "", type_: str = "") -> list[tuple[str, str]]:
    """The connections and types that there are events of: all, or those of this connection, or type."""
    connections = [connection] if connection else [row[0] for row in rows.all(_CONNECTIONS)]
    if type_:
        return [(each, type_) for each in connections]
    return [(each, row[0]) for each in connections for row in rows.all(_TYPES, {"connection": each})]


_CONNECTIONS = """
WITH RECURSIVE known (name) AS (
 SELECT MIN(connection) FROM events
 UNION ALL SELECT (SELECT MIN(connection) FROM events WHERE connection > known.name) FROM known WHERE name IS NOT NULL
) SELECT name FROM known WHERE name IS NOT NULL"""
"""All there are, from one to the next by the index of subjects, which begins with them."""
_TYPES = """
WITH RECURSIVE known (name) AS (
 SELECT MIN(type) FROM events WHERE connection = :connection
 UNION ALL SELECT (SELECT MIN(type) FROM events WHERE connection = :connection AND type > known.name)
 FROM known WHERE name IS NOT NULL
) SELECT name FROM known WHERE name IS NOT NULL"""
"""Of one connection, likewise."""
