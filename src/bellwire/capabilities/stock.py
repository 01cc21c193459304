"""Stock: what the till or the warehouse has."""

from enum import StrEnum

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result


class StockReason(StrEnum):
    """Why stock changes. A sale takes off, a return and a receipt add, a correction adds (or, negative, takes off)."""

    SALE = "sale"
    RETURN = "return"
    RECEIPT = "receipt"
    CORRECTION = "correction"


class StockLine(Given):
    """A line of an order fits as it is: its other fields are left alone."""

    sku: str
    quantity: int
    name: str = ""
    ships: bool = True
    """Lines that don't ship (services, downloads, gift cards) have no stock and are left out."""


class AdjustStock(Given):
    lines: tuple[StockLine, ...]
    reason: StockReason
    reference: str = ""
    """What people know the change by, e.g. the order's number."""
    location: str = ""
    """Empty: the connection's own."""


class StockChange(Result):
    sku: str
    change: int
    """Negative when it was taken off."""
    now: int | None = None
    """What the vendor counts afterwards, where it says so."""
    item_id: str = ""
    """What the vendor's events of stock call it, where they don't name the SKU."""


class StockChanges(Result):
    changes: tuple[StockChange, ...]
    location: str = ""
    """Where, as the vendor's events of stock say it."""


class CountStock(Given):
    skus: tuple[str, ...] = Field(min_length=1)
    location: str = ""


class StockCount(Result):
    sku: str
    available: int
    item_id: str = ""
    """What the vendor's events of stock call it, where they don't name the SKU."""


class StockCounts(Result):
    counts: tuple[StockCount, ...]
    location: str = ""
    """Where, as the vendor's events of stock say it."""


ADJUST = Operation("stock", "adjust", AdjustStock, StockChanges, Effect.GOODS, "Change the stock")
COUNT = Operation("stock", "count", CountStock, StockCounts, Effect.NOTHING, "Count the stock")

OPERATIONS = (ADJUST, COUNT)
