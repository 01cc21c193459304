"""The shop: its orders and products."""

import re
from datetime import date, datetime

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.orders import Order


class ReadOrder(Given):
    order_id: str


class FoundOrder(Result):
    order: Order
    """Its `gift_cards` and `payments` are known."""


class ListOrdersSince(Given):
    """One page of the orders that changed at `since` or later, oldest change first."""

    since: datetime
    cursor: str = ""
    """Empty for the first page; then `next_cursor` of the page before. It survives a restart."""
    limit: int = Field(default=100, ge=1, le=250)


class OrderPage(Result):
    orders: tuple[Order, ...]
    next_cursor: str = ""
    """Empty: this was the last page."""


class FlagProduct(Given):
    sku: str
    flag: str = Field(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")
    """E.g. `low-stock`."""
    day: date | None = None
    """A day that goes with it, such as when there is more: with it, the flag `eta` is `eta-2026-12-03`. A product has a
    flag once: a new day takes the place of the one before."""
    on: bool = True
    """False: the flag goes, whatever its day."""

    @property
    def tag(self) -> str:
        """As it stands at the product."""
        return self.flag if self.day is None else f"{self.flag}-{self.day.isoformat()}"

    def replaces(self, tag: str) -> bool:
        """Whether this flag takes the place of a tag of the product, or takes it away."""
        same = re.fullmatch(rf"{re.escape(self.flag)}(-\d{{4}}-\d\d-\d\d)?", tag) is not None
        return same and not (self.on and tag == self.tag)


class FlaggedProduct(Result):
    product_id: str
    flags: tuple[str, ...]
    """All flags the product has now."""


class MarkFulfilled(Given):
    order_id: str
    tracking_number: str = ""
    carrier: str = ""
    tracking_url: str = ""
    notify_customer: bool = False


class MarkedFulfilled(Result):
    id: str
    """The fulfilment's id at the shop; the order's where the shop keeps none."""


READ_ORDER = Operation(
    "storefront", "read_order", ReadOrder, FoundOrder, Effect.NOTHING, "Read the order from the shop"
)
LIST_ORDERS_SINCE = Operation(
    "storefront",
    "list_orders_since",
    ListOrdersSince,
    OrderPage,
    Effect.NOTHING,
    "List the orders changed since a time",
)
FLAG_PRODUCT = Operation(
    "storefront", "flag_product", FlagProduct, FlaggedProduct, Effect.RECORD, "Put a flag on a product, or take it off"
)
MARK_FULFILLED = Operation(
    "storefront", "mark_fulfilled", MarkFulfilled, MarkedFulfilled, Effect.RECORD,
    "Tell the shop that the order was sent",
)  # fmt: skip

OPERATIONS = (READ_ORDER, LIST_ORDERS_SINCE, FLAG_PRODUCT, MARK_FULFILLED)
