"""What customers send back."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from bellwire.events.base import Fact
from bellwire.events.orders import Customer
from bellwire.money import Money


class Condition(StrEnum):
    UNKNOWN = "unknown"
    """Nobody has looked at it yet, or has said."""
    SELLABLE = "sellable"
    """As good as new: it can go back into stock."""
    DAMAGED = "damaged"
    """Back, but not to be sold again as it is: broken, used, incomplete."""
    MISSING = "missing"
    """Announced, and didn't come."""


class ReturnLine(Fact):
    """Units of one line of an order that come back, all in one condition."""

    line_id: str = ""
    """The order's; empty where the source doesn't know it."""
    sku: str = ""
    name: str = ""
    quantity: int = Field(ge=1)
    reason: str = ""
    """Why, as the source words it, e.g. `size-too-small`."""
    note: str = ""
    """What the customer wrote about it."""
    condition: Condition = Condition.UNKNOWN
    """`sellable`: as good as new; `damaged`: not to be sold again as it is; `missing`: announced, and didn't come;
    `unknown`: nobody has looked at it, or said."""
    amount: Money | None = None
    """What was paid for these units: after all discounts, without tax. None where the source doesn't say."""
    tax: Money | None = None
    """The tax that was paid on top of it."""


class Return(Fact):
    """Goods of an order that come back, or are to."""

    id: str
    number: str = ""
    """What people call it."""
    status: str = ""
    """The source's own word, e.g. `requested` before the shop has agreed to it."""
    order_id: str = ""
    """What `storefront.read_order` takes; empty where the source knows the order's number alone."""
    order_number: str = ""
    customer: Customer | None = None
    lines: tuple[ReturnLine, ...] = Field(min_length=1)
    """What was announced; of `return.received`, what became of it, in one line for each condition."""
    returned_before: tuple[ReturnLine, ...] = ()
    """What had come back of the order by other returns when this one was received, where the source tells it."""
    currency: str = ""
    """Of its amounts; empty where it has none."""
    fees: Money | None = None
    """What the shop keeps for restocking and for the way back; None where the source doesn't say."""
    refund_shipping: bool | None = None
    """Whether the shipping that the customer paid is to be given back; None: that is for the shop's rules to say."""
    payment_id: str = ""
    """The processor's id of the payment, as `payments.refund` takes it, where the source tells it and there was one
    alone, beside gift cards. `payments` of the order has all."""
    received_at: datetime | None = None
    """When the last of it was looked at."""
    notes: str = ""
    updated_at: datetime
