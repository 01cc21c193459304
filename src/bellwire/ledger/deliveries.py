"""Deliveries: accepting them, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from bellwire.events import Delivery, Environment
from bellwire.ledger.database import Rows
from bellwire.ledger.jobs import Kind
from bellwire.ledger.rows import DeliveryRow, DeliveryState, delivery_row, stamp, unstamp

_COLUMNS = "id, connection, environment, delivery_id, received_at, state, reason, copies"
_TURN = "(SELECT COUNT(*) FROM exceptions WHERE exceptions.delivery = deliveries.id)"
"""How often it was tried in vain: what tells its job from those of earlier times."""
_DELIVERY = (
    "d.id, d.connection, p.headers, p.body, d.received_at, p.url FROM deliveries d JOIN payloads p ON p.delivery = d.id"
)


@dataclass(frozen=True)
class Accepted:
    id: int
    duplicate: bool
    """It had arrived before; the id is that of the first."""


def accept(rows: Rows, delivery: Delivery, delivery_id: str, environment: Environment) -> Accepted:
    """Keep a delivery, or count one more copy of it."""
    new = rows.insert(
        "INSERT INTO deliveries (connection, environment, delivery_id, received_at, state)"
        " VALUES (:connection, :environment, :delivery_id, :at, 'received') ON CONFLICT DO NOTHING",
        {
            "connection": delivery.connection,
            "environment": environment.value,
            "delivery_id": delivery_id,
            "at": stamp(delivery.received_at),
        },
    )
    if new is None:
        names = {"connection": delivery.connection, "delivery_id": delivery_id}
        row = rows.one(
            "UPDATE deliveries SET copies = copies + 1 WHERE connection = :connection AND delivery_id = :delivery_id"
            " RETURNING id",
            names,
        )
        assert row is not None
        return Accepted(row[0], True)
    rows.run(
        "INSERT INTO payloads (delivery, headers, url, body) VALUES (:id, :headers, :url, :body)",
        {
            "id": new,
            "headers": orjson.dumps(dict(delivery.headers)).decode(),
            "url": delivery.url,
            "body": delivery.body,
        },
    )
    rows.enqueue(Kind.READ, [(new, 0)])
    return Accepted(new, False)


def settle(rows: Rows, delivery: int, state: DeliveryState, reason: str = "") -> bool:
    """Say what a received delivery turned out to be. False when that is said already."""
    return bool(
        rows.run(
            "UPDATE deliveries SET state = :state, reason = :reason WHERE id = :id AND state = 'received'",
            {"id": delivery, "state": state.value, "reason": reason},
        )
    )


def explain(rows: Rows, delivery: int, reason: str) -> None:
    """Say more about a delivery that is settled."""
    rows.run("UPDATE deliveries SET reason = :reason WHERE id = :id", {"id": delivery, "reason": reason})


def reopen(rows: Rows, delivery: int) -> bool:
    """Have a dead delivery normalised once more. False when it isn't dead."""
    opened = rows.run(
        "UPDATE deliveries SET state = 'received', reason = '' WHERE id = :id AND state = 'dead'", {"id": delivery}
    )
    if opened:
        row = rows.one(f"SELECT {_TURN} FROM deliveries WHERE id = :id", {"id": delivery})  # noqa: S608
        rows.enqueue(Kind.READ, [(delivery, row[0] if row else 0)])
    return bool(opened)


def sweep(rows: Rows) -> None:
    """Where there is a queue: enqueue what is to be normalised and isn't in it."""
    if not rows.queued:
        return
    lost = rows.all(
        f"SELECT id, {_TURN} FROM deliveries WHERE state = 'received'"  # noqa: S608
        f" AND NOT EXISTS ({rows.job_for(Kind.READ, 'deliveries.id', _TURN)}) ORDER BY id"
    )
    rows.enqueue(Kind.READ, [(row[0], row[1]) for row in lost])


def dismiss(rows: Rows, delivery: int, reason: str) -> bool:
    """Skip a dead delivery for good. False when it isn't dead."""
    return bool(
        rows.run(
            "UPDATE deliveries SET state = 'skipped', reason = :reason WHERE id = :id AND state = 'dead'",
            {"id": delivery, "reason": reason},
        )
    )


def waiting(rows: Rows, *, after: int, limit: int) -> list[tuple[int, Delivery]]:
    """The oldest deliveries with ids above `after` that are still to be normalised, with their payloads."""
    found = rows.all(
        f"SELECT {_DELIVERY} WHERE d.state = 'received' AND d.id > :after ORDER BY d.id LIMIT :limit",
        {"after": after, "limit": limit},
    )
    return [(row[0], _delivery(row)) for row in found]


def received(rows: Rows, ids: Sequence[int]) -> dict[int, Delivery]:
    """Those of them that are still to be normalised."""
    found = rows.all(
        f"SELECT {_DELIVERY} WHERE d.state = 'received' AND d.id IN {rows.numbers('ids')}",
        {"ids": orjson.dumps(list(ids)).decode()},
    )
    return {row[0]: _delivery(row) for row in found}


def _delivery(row: tuple[Any, ...]) -> Delivery:
    return Delivery(row[1], orjson.loads(row[2]), row[3], unstamp(row[4]), row[5])


def find(rows: Rows, delivery: int) -> DeliveryRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM deliveries WHERE id = :id", {"id": delivery})  # noqa: S608
    return delivery_row(row) if row else None


def newest(rows: Rows, *, limit: int, connection: str = "") -> list[DeliveryRow]:
    found = rows.all(
        f"SELECT {_COLUMNS} FROM deliveries WHERE (:connection = '' OR connection = :connection)"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        {"limit": limit, "connection": connection},
    )
    return [delivery_row(row) for row in found]


def newest_webhook(rows: Rows, connection: str) -> DeliveryRow | None:
    """The last one that the vendor sent by itself."""
    row = rows.one(
        f"SELECT {_COLUMNS} FROM deliveries WHERE connection = :connection"  # noqa: S608
        " AND delivery_id NOT LIKE 'bellwire-polled/%' ORDER BY id DESC LIMIT 1",
        {"connection": connection},
    )
    return delivery_row(row) if row else None


def some(rows: Rows, numbers: Sequence[int]) -> list[DeliveryRow]:
    """Those with these numbers, in the same order."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM deliveries WHERE id IN {rows.numbers('numbers')}",  # noqa: S608
        {"numbers": orjson.dumps(numbers).decode()},
    )
    by_number = {row[0]: delivery_row(row) for row in found}
    return [by_number[number] for number in numbers]


def last_before(rows: Rows, at: datetime) -> int:
    """The newest delivery that arrived before a moment; 0 when there is none."""
    row = rows.one(
        "SELECT id FROM deliveries WHERE received_at < :at ORDER BY received_at DESC, id DESC LIMIT 1",
        {"at": stamp(at)},
    )
    return row[0] if row else 0


def payload(rows: Rows, delivery: int) -> tuple[dict[str, str], bytes] | None:
    """Headers and body as they arrived; None when they have been purged."""
    row = rows.one("SELECT headers, body FROM payloads WHERE delivery = :id", {"id": delivery})
    return (orjson.loads(row[0]), row[1]) if row else None


def count_refusals(rows: Rows, day: date, counts: Mapping[tuple[str, str], int]) -> None:
    """Add `counts`, by connection and reason, to the day's refusals."""
    for (connection, reason), count in counts.items():
        rows.run(
            "INSERT INTO refusals (day, connection, reason, count) VALUES (:day, :connection, :reason, :count)"
            " ON CONFLICT (day, connection, reason) DO UPDATE SET count = refusals.count + excluded.count",
            {"day": day.isoformat(), "connection": connection, "reason": reason, "count": count},
        )


def refusals(rows: Rows, since: datetime) -> list[tuple[str, str, int]]:
    """Connection, reason and count of what was refused on the day of `since` and later."""
    found = rows.all(
        "SELECT connection, reason, SUM(count) FROM refusals WHERE day >= :day AND day <> ''"
        " GROUP BY connection, reason ORDER BY 3 DESC",
        {"day": since.date().isoformat()},
    )
    return [(row[0], row[1], row[2]) for row in found]


def probe(rows: Rows) -> None:
    """A write that means nothing: it commits only if the ledger can be written. It turns a bit over each time: a row
    that stays as it is would be left alone, and nothing would be written."""
    rows.run(
        "INSERT INTO refusals (day, connection, reason, count) VALUES ('', '', 'probe', 0)"
        " ON CONFLICT (day, connection, reason) DO UPDATE SET count = 1 - refusals.count"
    )
