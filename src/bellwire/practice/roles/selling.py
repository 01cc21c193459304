"""A shop: what it sells, what comes back, what it shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from bellwire.events import Condition, Customer
from bellwire.money import Money
from bellwire.practice.catalogue import GOODS
from bellwire.practice.simulator import Webhook


@dataclass(frozen=True)
class SaleLine:
    """Of the practice catalogue, by SKU; price before tax unless the sale's prices include it."""

    sku: str
    quantity: int = 1
    discount: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        """What it comes to after its own discount."""
        return GOODS[self.sku].price * self.quantity - self.discount


@dataclass(frozen=True)
class Sale:
    """An order that a practice customer places. The shop works out totals, taxes and roundings itself."""

    number: str
    lines: Sequence[SaleLine]
    customer: Customer = field(
        default_factory=lambda: Customer(id="7", name="Robin Hill", email="robin@example.com", phone="+15125550123")
    )
    currency: str = "USD"
    tax_rate: Decimal = Decimal("0.0825")
    taxes_included: bool = False
    shipping: Decimal = Decimal("6.00")
    """Zero (and nothing that ships): no shipping line and no shipping address."""
    order_discount: Decimal = Decimal(0)
    """Spread over the lines, as the shop does it."""
    tip: Decimal = Decimal(0)
    gift_card: Decimal = Decimal(0)
    """How much a gift card has left: it pays first, where the shop has gift cards."""
    note: str = ""
    ago: timedelta = timedelta()
    """How long it is since it was placed."""


@runtime_checkable
class Shop(Protocol):
    """A simulated storefront."""

    def number_from(self, first: int) -> None:
        """Give what is new ids from `first` on, as a shop does that has been open for long."""

    def place(self, sale: Sale) -> str:
        """Take the order, unpaid; gives the shop's id of it."""

    def pay(self, order_id: str, gateway: str = ..., payment_id: str = "") -> None:
        """At a gateway as the shop names it, which knows the payment as `payment_id`; else at the shop's own for
        tests."""

    def edit(self, order_id: str, note: str) -> None:
        """Change something about it, which makes a later state."""

    def webhook(self, order_id: str, event_type: str) -> Webhook:
        """What the shop would send now for a canonical event type (`order.paid`, `order.updated` …): the state as it
        is now, correctly signed, with a delivery id of its own."""

    def total(self, order_id: str) -> Money: ...

    def fulfilled(self) -> list[str]:
        """The ids of the orders that were marked as sent."""


@runtime_checkable
class Returns(Protocol):
    """A simulated storefront to which customers send things back."""

    def line_of(self, order_id: str, sku: str) -> str:
        """The id of an order's line."""

    def number_of(self, return_id: str) -> str:
        """What people call a return."""

    def announce(self, order_id: str, units: Mapping[str, int]) -> str:
        """`units` of an order (line id → how many) are to come back, and the shop agrees; gives the return's id."""

    def receive(
        self,
        return_id: str,
        condition: Condition = Condition.SELLABLE,
        units: Mapping[str, int] | None = None,
    ) -> None:
        """`units` of a return (line id → how many; None: all that nobody has looked at yet) are in a condition."""

    def return_webhook(self, return_id: str, event_type: str) -> Webhook:
        """What the shop would send now for `return.created` or `return.received`."""


@dataclass(frozen=True)
class Shown:
    """A product as a simulated shop shows it, with the flags that were put on it."""

    skus: frozenset[str]
    flags: frozenset[str]


@runtime_checkable
class Window(Protocol):
    """What a simulated shop shows of its products."""

    def shown(self) -> list[Shown]:
        """All products."""

    def rename(self, sku: str, new: str) -> None:
        """Somebody gives an item another SKU."""

    def flag(self, sku: str, flags: Collection[str]) -> None:
        """Somebody sees to it that the item's product has these flags, and no others."""
