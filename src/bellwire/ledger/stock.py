"""The newest count of each item that is watched, by the place where it is; and what vendors call items."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp


@dataclass(frozen=True)
class Shelf:
    """Where an item is, as one connection counts it."""

    environment: str
    connection: str
    location: str
    sku: str


@dataclass(frozen=True)
class Level:
    available: int
    counted_at: datetime
    """By the clock of whoever counted."""
    noted_at: datetime
    """By ours, when we heard of it."""
    low: bool
    crossings: int
    """How often it has become low."""


_ONE = "environment = :environment AND connection = :connection AND location = :location AND sku = :sku"


def level(rows: Rows, shelf: Shelf) -> Level | None:
    """None when it hasn't been counted yet."""
    row = rows.one(
        f"SELECT available, counted_at, noted_at, low, crossings FROM stock_levels WHERE {_ONE}",  # noqa: S608
        vars(shelf),
    )
    return Level(row[0], unstamp(row[1]), unstamp(row[2]), bool(row[3]), row[4]) if row else None


def put(rows: Rows, shelf: Shelf, before: Level | None, after: Level) -> bool:
    """Have `after` take the place of `before`. False when that isn't there any more: somebody else counted."""
    values = {**vars(shelf), **_values(after)}
    if before is None:
        changed = rows.run(
            "INSERT INTO stock_levels"
            " (environment, connection, location, sku, available, counted_at, noted_at, low, crossings) VALUES"
            " (:environment, :connection, :location, :sku, :available, :counted_at, :noted_at, :low, :crossings)"
            " ON CONFLICT DO NOTHING",
            values,
        )
    else:
        changed = rows.run(
            "UPDATE stock_levels SET available = :available, counted_at = :counted_at, noted_at = :noted_at,"  # noqa: S608
            f" low = :low, crossings = :crossings WHERE {_ONE} AND available = :was_available"
            " AND counted_at = :was_counted_at AND noted_at = :was_noted_at AND low = :was_low"
            " AND crossings = :was_crossings",
            values | {f"was_{name}": value for name, value in _values(before).items()},
        )
    return bool(changed)


def left_of(rows: Rows, environment: str, sku: str) -> list[int]:
    """The newest counts of an item, at every place."""
    found = rows.all(
        "SELECT available FROM stock_levels WHERE environment = :environment AND sku = :sku",
        {"environment": environment, "sku": sku},
    )
    return [row[0] for row in found]


def learn(rows: Rows, connection: str, item: str, sku: str) -> None:
    """Keep which SKU has what a connection's events of stock call `item`."""
    rows.run(
        "INSERT INTO stock_items (connection, item, sku) VALUES (:connection, :item, :sku)"
        " ON CONFLICT (connection, item) DO UPDATE SET sku = excluded.sku WHERE stock_items.sku <> excluded.sku",
        {"connection": connection, "item": item, "sku": sku},
    )


def sku_of(rows: Rows, connection: str, item: str) -> str:
    """Empty when it isn't known."""
    row = rows.one(
        "SELECT sku FROM stock_items WHERE connection = :connection AND item = :item",
        {"connection": connection, "item": item},
    )
    return row[0] if row else ""


def _values(level: Level) -> dict[str, int]:
    return {
        "available": level.available,
        "counted_at": stamp(level.counted_at),
        "noted_at": stamp(level.noted_at),
        "low": int(level.low),
        "crossings": level.crossings,
    }
