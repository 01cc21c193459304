"""Canonical events: one row for each fact."""

from collections.abc import Iterable
from datetime import datetime

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


def before(rows: Rows, event: int, limit: int) -> list[EventRow]:
    """The newest events with lower numbers."""
    found = rows.all(
        f"SELECT {COLUMNS} FROM events WHERE id < :event ORDER BY id DESC LIMIT :limit",  # noqa: S608
        {"event": event, "limit": limit},
    )
    return [event_row(row) for row in found]


def last_before(rows: Rows, at: datetime) -> int:
    """The newest event that was recorded before a moment; 0 when there is none."""
    row = rows.one(
        "SELECT id FROM events WHERE recorded_at < :at ORDER BY recorded_at DESC, id DESC LIMIT 1", {"at": stamp(at)}
    )
    return row[0] if row else 0


def newest(rows: Rows, *, limit: int, connection: str = "", type_: str = "", subject: str = "") -> list[EventRow]:
    """Those of a subject are found at the same cost however long the history is."""
    of_subject = f"AND subject = :subject AND connection IN ({_CONNECTIONS})" if subject else ""
    found = rows.all(
        f"SELECT {COLUMNS} FROM events WHERE (:connection = '' OR connection = :connection)"  # noqa: S608
        f" AND (:type = '' OR type = :type) {of_subject} ORDER BY id DESC LIMIT :limit",
        {"limit": limit, "connection": connection, "type": type_, "subject": subject},
    )
    return [event_row(row) for row in found]


def newest_of(rows: Rows, connection: str) -> EventRow | None:
    """The last one of a connection."""
    row = rows.one(
        f"SELECT {COLUMNS} FROM events WHERE connection = :connection ORDER BY id DESC LIMIT 1",  # noqa: S608
        {"connection": connection},
    )
    return event_row(row) if row else None


def newest_of_type(rows: Rows, connection: str, type_: str, *, limit: int) -> list[EventRow]:
    """Of one type of one connection, at the same cost however long the history is."""
    found = rows.all(
        f"SELECT {COLUMNS} FROM events WHERE connection = :connection AND type = :type"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        {"connection": connection, "type": type_, "limit": limit},
    )
    return [event_row(row) for row in found]


_CONNECTIONS = """
WITH RECURSIVE known (name) AS (
 SELECT MIN(connection) FROM events
 UNION ALL SELECT (SELECT MIN(connection) FROM events WHERE connection > known.name) FROM known WHERE name IS NOT NULL
) SELECT name FROM known WHERE name IS NOT NULL"""
"""All there are, from one to the next by the index of subjects, which begins with them."""
