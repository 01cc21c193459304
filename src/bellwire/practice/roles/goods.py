"""Stock, and who supplies it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, runtime_checkable

from bellwire.clock import Clock
from bellwire.practice.simulator import Webhook


@runtime_checkable
class Till(Protocol):
    def stock(self) -> dict[str, int]:
        """SKU → how many are there."""


@runtime_checkable
class Warehouse(Protocol):
    """A simulated till or warehouse in which people move goods too."""

    def go_by(self, clock: Clock) -> None:
        """What happens from now on happens at the times of this clock."""

    def stock(self) -> dict[str, int]:
        """SKU → how many are there."""

    def move(self, sku: str, by: int) -> None:
        """So many come in or, if it is negative, go out."""

    def stock_webhook(self, sku: str) -> Webhook | None:
        """What is sent of an item's stock as it is now; None: nothing is, and a list tells of it."""


@dataclass(frozen=True)
class Supply:
    """On which terms an item is bought, as people see it in a simulated purchasing system."""

    supplier: str
    lead_days: int
    minimum: int
    pack: int
    price: Decimal
    """Of one."""


@dataclass(frozen=True)
class Ordered:
    """An order to a supplier, in a simulated purchasing system."""

    id: str
    """As its operations give it."""
    reference: str
    supplier: str
    units: Mapping[str, int]
    """SKU → how many."""
    expected: date | None
    total: Decimal


@runtime_checkable
class Purchasing(Protocol):
    """A simulated purchasing system."""

    def go_by(self, clock: Clock) -> None:
        """What happens from now on happens at the times of this clock."""

    def suppliers(self) -> list[str]:
        """The names of at least two."""

    def supply(self, sku: str) -> Supply | None:
        """None: nobody is known to supply the item."""

    def buy_from(self, sku: str, supplier: str) -> None:
        """Somebody enters who supplies an item; empty: nobody does any more."""

    def order(self, supplier: str, units: Mapping[str, int]) -> str:
        """Somebody orders so many (SKU → units) by hand; gives the order's id."""

    def ordered(self) -> list[Ordered]:
        """All orders to suppliers, drafts too."""

    def bring(self, order_id: str, most: int | None = None) -> Webhook | None:
        """The supplier brings what is still open of an order, or at most so many of each item. Gives what is sent of
        it; None: nothing is, and a list tells of it."""
