"""Planning: what follows from what is known, worked out without asking anybody."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events import Condition
from bellwire.money import Money


class RefundShipping(StrEnum):
    """When the shipping that was paid is given back."""

    NEVER = "never"
    IF_ALL = "if_all"
    """With the return by which all of the order has come back."""
    ALWAYS = "always"
    """With the first return of an order of which nothing was given back yet."""


def _rate(value: Any) -> Any:
    return {"full": 100, "none": 0}.get(value, value) if isinstance(value, str) else value


Percent = Annotated[Decimal, Field(ge=0, le=100)]
Rate = Annotated[Percent, BeforeValidator(_rate)]
"""How much of the price is given back: `full`, `none`, or a percentage such as 50."""


class PaidTax(Given):
    amount: Money


class PaidLine(Given):
    """A line of an order fits as it is: its other fields are left alone."""

    id: str = ""
    sku: str = ""
    name: str = ""
    quantity: int = Field(ge=0)
    total: Money
    """For all of its units, after all discounts; with tax if `taxes_included`."""
    taxes: tuple[PaidTax, ...] = ()
    ships: bool = True
    """What doesn't ship has no stock, and isn't waited for when all has to come back."""
    gift_card: bool = False


class PaidShipping(Given):
    """A shipping line of an order fits as it is."""

    total: Money
    """After discount; with tax if `taxes_included`."""
    taxes: tuple[PaidTax, ...] = ()


class ReturnedLine(Given):
    """Units of a line that came back, all in one condition. A line of a return fits as it is."""

    line_id: str = ""
    """The order's; without it, the line is found by its SKU."""
    sku: str = ""
    quantity: int = Field(ge=1)
    condition: Condition = Condition.UNKNOWN
    """Unknown is paid like sellable, and goes nowhere until somebody has looked."""


class EarlierLine(Given):
    """Units that came back before. A line of a refund of the order fits as it is."""

    line_id: str = ""
    sku: str = ""
    quantity: int = Field(ge=0)


class PlanRefund(Given):
    """All amounts are in the currency of `paid`."""

    lines: tuple[PaidLine, ...] = Field(min_length=1)
    shipping_lines: tuple[PaidShipping, ...] = ()
    taxes_included: bool
    """Whether the totals of lines and shipping contain their tax."""
    returned: tuple[ReturnedLine, ...] = Field(min_length=1)
    returned_before: tuple[EarlierLine, ...] = ()
    """By earlier returns of the order: so that the parts of a line add up to the line, to the cent."""
    paid: Money
    refunded: Money | None = None
    """What was given back already; None: nothing."""
    refund_shipping: RefundShipping = RefundShipping.NEVER
    damaged: Rate
    """How much of the price is given back for damaged goods: `full`, `none`, or a percentage."""
    missing: Rate = Decimal(0)
    """The same for goods that didn't come."""
    restocking_percent: Percent = Decimal(0)
    """Kept of the price, without tax, of what isn't damaged and did come."""
    fees: Money | None = None
    """What is kept, where the shop has fixed it for this return; it goes before `restocking_percent`."""


class StockPart(Result):
    """Fits the lines of `stock.adjust`."""

    sku: str
    quantity: int
    name: str = ""


class CreditPart(Result):
    """Fits the lines of `accounting.create_credit_memo`."""

    sku: str = ""
    name: str
    quantity: int = 1
    amount: Money
    """Of the whole quantity, without tax; negative for what is kept."""
    tax: Money
    gift_card: bool = False


class RefundCredit(Result):
    """What the books have to take off for `amount`: its parts come to it, to the cent. What is held back is taken off
    all of them alike, prices and taxes."""

    lines: tuple[CreditPart, ...]
    """The goods for which something is given back, and, where there is one, the fee."""
    shipping: Money
    """Without tax."""
    shipping_tax: Money


class RefundPlan(Result):
    """amount = lines + tax + shipping − fee − held_back. None of them is negative."""

    amount: Money
    """To give back now; at most what is left of what was paid."""
    lines: Money
    """For the goods, without tax."""
    tax: Money
    """On goods and shipping."""
    shipping: Money
    """Without tax."""
    fee: Money
    """Kept for restocking."""
    held_back: Money
    """What would be due but is more than is left of what was paid; usually zero."""
    restock: tuple[StockPart, ...]
    """Sellable: back into stock."""
    damaged: tuple[StockPart, ...]
    """To where damaged goods are kept."""
    credit: RefundCredit
    """For the books."""
    complete: bool
    """Whether all of the order that ships has come back now."""
    reason: str
    """How it came about, in plain words, which a customer may read."""
    stock_note: str
    """What of the stock is for a person to do; usually empty."""


class LowItem(Given):
    """An item that may have to be ordered. Says when (`reorder_point` or `daily_usage`), and may say how much."""

    sku: str = Field(min_length=1)
    name: str = ""
    available: int
    """In stock now; negative where more was sold than there is."""
    on_order: int = Field(default=0, ge=0)
    """Ordered from the supplier, and not here yet."""
    reorder_point: int | None = Field(default=None, ge=0)
    """With so many or fewer, in stock and on order, more are ordered; None: what goes out in lead and safety time."""
    target: int | None = Field(default=None, ge=0)
    """Up to so many are ordered. None: by what goes out in lead and safety time on top of the reorder point; where that
    isn't known, twice the reorder point."""
    daily_usage: Annotated[Decimal, Field(ge=0, le=1_000_000)] | None = None
    """How many usually go out on a day."""


class Terms(Given):
    """Of the supplier of an item. What `purchasing.find_supplier` gives fits as it is."""

    sku: str
    supplier_id: str
    supplier_name: str = ""
    lead_days: int | None = Field(default=None, ge=0, le=3_650)
    minimum_quantity: int = Field(default=1, ge=0)
    pack_size: int = Field(default=1, ge=1)
    unit_price: Money | None = None


class PlanReorder(Given):
    items: tuple[LowItem, ...]
    """Of several with one SKU, the last counts: it is the newest."""
    terms: tuple[Terms, ...]
    """By SKU; what has none is told in `without_supplier`."""
    today: date
    lead_days: int = Field(default=14, ge=0, le=3_650)
    """Where the terms don't say."""
    safety_days: int = Field(default=0, ge=0, le=3_650)
    """Days for which stock is kept beyond the lead time."""


class ReorderLine(Result):
    """Fits the lines of `purchasing.create_purchase_order`, where it isn't zero."""

    sku: str
    name: str = ""
    quantity: int
    """A multiple of the pack, and at least the minimum; 0: nothing is needed."""
    unit_price: Money | None = None
    expected: date | None = None
    """When the order that it is in can be here, if it is ordered today; None: nothing is needed."""
    guidance: str
    """For the buyer, in plain words."""


class SupplierOrder(Result):
    supplier_id: str
    supplier_name: str
    lines: tuple[ReorderLine, ...]
    expected: date
    """When all of it can be here, if it is ordered today."""
    guidance: str
    """Of all lines: one a line of text."""


class ReorderPlan(Result):
    orders: tuple[SupplierOrder, ...]
    """One for each supplier of whom something is needed."""
    items: tuple[ReorderLine, ...]
    """All items that have a supplier, those with nothing to order too."""
    without_supplier: tuple[str, ...]
    """SKUs for which there are no terms."""


class ListWatched(Given):
    """Nothing to say."""


class WatchedPlace(Result):
    """What is counted together: of one place, and no more at once than is good when it fails."""

    skus: tuple[str, ...]
    location: str = ""
    """As `stock.count` takes it; empty: the stock connection's own place."""


class WatchedStock(Result):
    places: tuple[WatchedPlace, ...]
    """None where stock.csv names nothing."""


PLAN_REFUND = Operation(
    "planning", "plan_refund", PlanRefund, RefundPlan, Effect.NOTHING, "Work out what a return gives back"
)
PLAN_REORDER = Operation(
    "planning", "plan_reorder", PlanReorder, ReorderPlan, Effect.NOTHING, "Work out what to order from suppliers"
)

LIST_WATCHED = Operation(
    "planning", "list_watched", ListWatched, WatchedStock, Effect.NOTHING, "List the stock that has a reorder point"
)

OPERATIONS = (PLAN_REFUND, PLAN_REORDER, LIST_WATCHED)
