"""What was sold on each day: how many, never to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bellwire.ledger.database import Rows

KEPT = timedelta(days=70)
"""For so long."""


@dataclass(frozen=True)
class Day:
    day: date
    sold: int
    largest: int
    """The most that one order took of it."""
    spiking: bool


def add(rows: Rows, environment: str, sku: str, day: date, quantity: int) -> None:
    """An order took so many."""
    rows.run(
        "INSERT INTO sales (environment, sku, day, sold, largest) VALUES (:environment, :sku, :day, :quantity,"
        " :quantity) ON CONFLICT (environment, sku, day) DO UPDATE SET sold = sales.sold + excluded.sold,"
        " largest = CASE WHEN excluded.largest > sales.largest THEN excluded.largest ELSE sales.largest END",
        {"environment": environment, "sku": sku, "day": day.isoformat(), "quantity": quantity},
    )


def since(rows: Rows, environment: str, sku: str, first: date) -> Sequence[Day]:
    """The days from `first` on at which some were sold, oldest first."""
    found = rows.all(
        "SELECT day, sold, largest, spiking FROM sales WHERE environment = :environment AND sku = :sku"
        " AND day >= :first ORDER BY day",
        {"environment": environment, "sku": sku, "first": first.isoformat()},
    )
    return [Day(date.fromisoformat(day), sold, largest, bool(spiking)) for day, sold, largest, spiking in found]


def mark(rows: Rows, environment: str, sku: str, day: date) -> None:
    """An order of that day shows a spike."""
    rows.run(
        "UPDATE sales SET spiking = 1 WHERE environment = :environment AND sku = :sku AND day = :day",
        {"environment": environment, "sku": sku, "day": day.isoformat()},
    )


def forget(rows: Rows, before: date, limit: int) -> int:
    """Take out at most `limit` of the days before that; gives how many."""
    return rows.run(
        "DELETE FROM sales WHERE (environment, sku, day) IN"
        " (SELECT environment, sku, day FROM sales WHERE day < :before LIMIT :limit)",
        {"before": before.isoformat(), "limit": limit},
    )
