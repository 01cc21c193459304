"""Orders, and what belongs to them.

Every amount of an order is in its `currency` (the shop's own). The identity that all normalisers keep, to the cent:

    total = sum(line.total) + sum(shipping.total) + sum(fee.total) + tip + adjustment      prices include tax
    total = the same + tax_total                                                           prices exclude tax

`adjustment` is whatever a shop's own rounding or manual changes leave over; it is usually zero.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from bellwire.events.base import Fact
from bellwire.money import Money, total


class Address(Fact):
    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    """State or province: the code where the shop gives one, e.g. `TX`."""
    postcode: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2, e.g. `US`."""
    phone: str = ""


class Customer(Fact):
    id: str = ""
    """The shop's id; empty for a guest."""
    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""


class Tax(Fact):
    name: str
    """As the shop names it, e.g. `CA State Tax`."""
    rate: Decimal | None = None
    """A fraction: 0.0825 is 8.25 %."""
    amount: Money


class Discount(Fact):
    """One reduction, for show. Lines and shipping lines carry their share of it in `discount`."""

    code: str = ""
    name: str = ""
    amount: Money


class Line(Fact):
    id: str
    """The shop's id of this line."""
    sku: str = ""
    name: str
    quantity: int = Field(ge=0)
    """How many are still wanted: units removed or refunded before payment are taken off."""
    unit_price: Money
    """Before discount."""
    discount: Money
    """This line's share of all discounts, of the line and of the order; zero or positive."""
    total: Money
    """quantity × unit price − discount, as the shop rounds it; with tax if the order's prices include tax."""
    taxes: tuple[Tax, ...] = ()
    product_id: str = ""
    variant_id: str = ""
    ships: bool = True
    """False for a service, a download or a gift card."""
    gift_card: bool = False
    """A gift card that is sold: money owed to its bearer rather than income."""
    weight_grams: int = 0
    """Of one unit."""


class ShippingLine(Fact):
    name: str
    price: Money
    """Before discount."""
    discount: Money
    total: Money
    """price − discount; with tax if the order's prices include tax."""
    taxes: tuple[Tax, ...] = ()


class Fee(Fact):
    """What is charged beside goods and shipping, such as gift wrap; negative: a reduction that the shop names so."""

    name: str
    total: Money
    """With tax if the order's prices include tax."""
    taxes: tuple[Tax, ...] = ()


class RefundLine(Fact):
    line_id: str
    sku: str = ""
    quantity: int
    amount: Money
    """Without tax."""
    restock: bool = False


class Refund(Fact):
    id: str
    order_id: str
    order_number: str = ""
    created_at: datetime
    amount: Money
    """Money that really moved (or that the shop recorded as given back); zero for a refund that only took lines off."""
    reason: str = ""
    lines: tuple[RefundLine, ...] = ()


class Fulfilment(Fact):
    id: str
    status: str = ""
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


class PaymentState(StrEnum):
    PENDING = "pending"
    PARTIAL = "partial"
    PAID = "paid"
    PARTLY_REFUNDED = "partly refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    VOIDED = "voided"


class OrderPayment(Fact):
    """A payment that took money for an order."""

    gateway: str = ""
    """Who took it, as the shop names it."""
    gift_card: bool = False
    """Paid by a gift card of the shop: nothing that a processor could give back."""
    payment_id: str = ""
    """What the processor calls it, as the shop was told: what `payments.refund` takes. Empty where no processor took
    part, as with a bank transfer, or where the shop doesn't say."""
    reference: str = ""
    """What the shop told the processor that it is for."""
    amount: Money
    paid_at: datetime | None = None


class Order(Fact):
    """A sale as the shop knows it."""

    id: str
    """The shop's id."""
    number: str
    """What people call it, e.g. `1001`, without `#`."""
    created_at: datetime
    updated_at: datetime
    """Which state of the order this is: a later one replaces an earlier one."""
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    payment: PaymentState
    status: str = ""
    """The shop's own word."""
    test: bool = False
    """An order of the shop's test mode: no goods move."""
    currency: str
    taxes_included: bool
    """Whether prices and line totals contain their tax."""
    customer: Customer | None = None
    billing: Address | None = None
    shipping: Address | None = None
    lines: tuple[Line, ...]
    shipping_lines: tuple[ShippingLine, ...] = ()
    fees: tuple[Fee, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    """All taxes of lines, shipping and fees, added up by name."""
    tax_total: Money
    tip: Money
    adjustment: Money
    total: Money
    """What the customer owes after discounts, with tax."""
    gift_cards: Money | None
    """The part of `total` that gift cards paid: zero when none was used; None when one was used and the shop's message
    doesn't say for how much, so that the order has to be read from the shop."""
    refunded: Money
    """What was given back up to `updated_at`, with tax. It is not taken off `total`."""
    presentment_total: Money | None = None
    """`total` in the currency that the customer saw, where it differs from the shop's."""
    refunds: tuple[Refund, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    note: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    """The sales channel, as the shop names it."""
    payment_method: str = ""
    payments: tuple[OrderPayment, ...] | None = None
    """What took the money, as it was paid, whatever was given back since; None where the shop's message doesn't tell,
    so that the order has to be read from the shop."""

    @property
    def email(self) -> str:
        """Where to write to the customer; empty when the shop doesn't know."""
        return self.customer.email if self.customer else ""

    @property
    def ships(self) -> bool:
        """Whether anything in it has to be sent."""
        return any(line.ships and line.quantity for line in self.lines)

    @property
    def paid_by_gift_card(self) -> Money:
        """`gift_cards`; asking for it fails (ValueError) while that isn't known."""
        if self.gift_cards is None:
            raise ValueError("the shop's message doesn't say how much of the order gift cards paid")
        return self.gift_cards

    @property
    def paid_in_money(self) -> Money:
        """The rest of `total`; asking for it fails (ValueError) while `gift_cards` isn't known."""
        return self.total - self.paid_by_gift_card

    @property
    def payment_ids(self) -> tuple[str, ...]:
        """What processors call the payments that took money for it: what `payments.refund` takes."""
        return tuple(each.payment_id for each in self.payments or () if each.payment_id and not each.gift_card)

    @property
    def refunded_lines(self) -> tuple[RefundLine, ...]:
        """Of all its refunds that the shop knows of."""
        return tuple(line for refund in self.refunds for line in refund.lines)

    @property
    def lines_total(self) -> Money:
        return total((line.total for line in self.lines), self.currency)

    @property
    def shipping_total(self) -> Money:
        return total((line.total for line in self.shipping_lines), self.currency)

    @property
    def fees_total(self) -> Money:
        return total((fee.total for fee in self.fees), self.currency)

    @property
    def discount_total(self) -> Money:
        return total((d.discount for d in self.lines), self.currency) + total(
            (d.discount for d in self.shipping_lines), self.currency
        )

    @property
    def weight_grams(self) -> int:
        return sum(line.weight_grams * line.quantity for line in self.lines if line.ships)

    @property
    def computed_total(self) -> Money:
        """The right-hand side of the identity above; equals `total`."""
        parts = self.lines_total + self.shipping_total + self.fees_total + self.tip + self.adjustment
        return parts if self.taxes_included else parts + self.tax_total
