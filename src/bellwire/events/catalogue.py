"""Products and stock as a shop or a till knows them."""

from datetime import datetime

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
