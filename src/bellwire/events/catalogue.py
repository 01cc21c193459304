"""Products and stock as a shop or a till knows them."""

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from bellwire.events.base import Fact
from bellwire.money import Money


class Variant(Fact):
    """One thing that can be sold."""

    id: str
    sku: str = ""
    name: str = ""
    price: Money | None = None
    """None where the vendor doesn't say the currency."""
    barcode: str = ""
    stock: int | None = None
    """None when the shop doesn't count it."""
    item_id: str = ""
    """What `inventory.updated` calls it, where that names no SKU; empty: not so."""


class Product(Fact):
    id: str
    name: str
    status: str = ""
    """The shop's own word, e.g. `active`."""
    updated_at: datetime
    variants: tuple[Variant, ...] = ()
    tags: tuple[str, ...] = ()
    deleted: bool = False


class InventoryLevel(Fact):
    """How many of one item are at one place."""

    item_id: str
    sku: str = ""
    """Empty where the vendor sends ids only."""
    location_id: str = ""
    available: int | None
    """None when the shop doesn't count it there."""
    updated_at: datetime


class LowStock(Fact):
    """An item of which no more than its reorder point is left. As it is, it fits an item of `bellwire.plan_reorder`."""

    sku: str = Field(min_length=1)
    name: str = ""
    available: int
    """Negative where more was sold than there is."""
    reorder_point: int = Field(ge=0)
    target: int | None = Field(default=None, ge=0)
    """Up to so many are ordered; None where nobody has said."""
    daily_usage: Decimal | None = Field(default=None, ge=0)
    """How many usually go out on a day; None where that isn't known yet."""
    location: str = ""
    """Where they are, as `stock.adjust` takes it; empty: at the stock connection's own place, or there is one alone."""
    updated_at: datetime
    """When it was counted so."""


class SalesSpike(Fact):
    """An item that sells far above its usual rate."""

    sku: str = Field(min_length=1)
    name: str = ""
    sold: int = Field(gt=0)
    """In the last `hours`."""
    hours: int = Field(gt=0)
    usual: Decimal = Field(ge=0)
    """How many usually sell in so many hours."""
    available: int | None = None
    """What is left; None where it isn't counted."""
    location: str = ""
    """Where they sold, as `stock.adjust` takes it; empty: everywhere, or there is one place alone."""
    updated_at: datetime
    """When the last of them was sold."""
