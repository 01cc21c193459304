"""From an order to the lines of an invoice or sales receipt. Pure: no call is made here.

QuickBooks gets amounts without tax and the tax beside them (`TaxExcluded`), also where the shop's prices include it:
then every tax is what the shop said, and the total is the order's by construction. Whatever rounding leaves over is a
line of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from bellwire.connectors.quickbooks.api import Record, cents, number
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.errors import Refused
from bellwire.events import Fee, Line, Order, ShippingLine, Tax
from bellwire.money import Money

_ZERO = Decimal(0)
_HALF_A_CENT = Decimal("0.005")
_DESCRIPTION = 4000


@dataclass(frozen=True)
class Wanted:
    """The item a line is booked on: by the shop's SKU, or by the name or id in one of the settings."""

    sku: str = ""
    setting: str = ""


GIFT_CARDS = Wanted(setting="gift_card_item")
"""What gift cards are booked on when they are sold and when they are spent."""


@dataclass(frozen=True)
class Entry:
    """One line, before QuickBooks' ids are known. `amount` is before `discount`; both are without tax."""

    item: Wanted
    text: str
    amount: Decimal
    quantity: int = 1
    discount: Decimal = _ZERO
    tax: str = ""
    """What the shop calls the taxes on it; empty when there is none."""


@dataclass(frozen=True)
class Sheet:
    """All that makes up a document's total: sum of `entries` − their discounts + `tax`."""

    entries: tuple[Entry, ...]
    tax: Decimal
    """QuickBooks' own sales tax; zero when tax is booked as a line."""
    total: Decimal
    gift_cards: Decimal = _ZERO
    """What gift cards paid, where one of the entries takes it off."""

    @property
    def discount(self) -> Decimal:
        return sum((entry.discount for entry in self.entries), _ZERO)


def sheet(order: Order, settings: QuickBooksSettings, spent: Money | None = None) -> Sheet:
    """Everything of `order` that has an amount. `spent`: what gift cards paid, to be taken off, so that the total is
    what came in as money. Raises Refused when there is nothing to book, or a line that no item can be found for."""
    entries = [_goods(line, order, settings) for line in order.lines if line.quantity or line.total]
    entries += [_shipping(line, order, settings) for line in order.shipping_lines if line.price or line.total]
    entries += [_fee(fee, order, settings) for fee in order.fees if fee.total]
    if order.tip:
        entries.append(Entry(Wanted(setting="tip_item"), "Tip", cents(order.tip.amount)))
    spent = spent or Money.zero(order.currency)
    tax, owed, gift_cards = (cents(each.amount) for each in (order.tax_total, order.total - spent, spent))
    if settings.tax_item:
        entries = [*map(_untaxed, entries), *_tax_lines(order)]
        tax = _ZERO
    elif tax and not any(entry.tax for entry in entries):
        entries = [_taxed(entry, order.taxes) for entry in entries]
    if gift_cards:
        entries.append(Entry(GIFT_CARDS, "Gift card used", -gift_cards))
    left = owed - tax - sum((entry.amount - entry.discount for entry in entries), _ZERO)
    if left:
        entries.append(Entry(Wanted(setting="adjustment_item"), "Adjustment and rounding", left))
    if not entries:
        raise Refused(
            f"Order {order.number} has nothing to book: all of its lines were taken off.",
            cause="empty-order",
            remedy="Dismiss it, or book it by hand.",
        )
    return Sheet(tuple(entries), tax, owed, gift_cards)


def document_lines(
    made_up: Sheet, items: dict[Wanted, str], tax_codes: dict[str, str], settings: QuickBooksSettings
) -> list[Record]:
    """The `Line` array. `items` are QuickBooks' ids, `tax_codes` those of the names in the settings."""
    lines = [
        sales_line(entry, items[entry.item], tax_codes[tax_code(entry.tax, settings)]) for entry in made_up.entries
    ]
    if made_up.discount:
        lines.append(
            {
                "Amount": number(made_up.discount),
                "DetailType": "DiscountLineDetail",
                "DiscountLineDetail": {"PercentBased": False},
            }
        )
    return lines


def tax_code(tax: str, settings: QuickBooksSettings) -> str:
    """The name of the code for what the shop calls the taxes on a line."""
    return settings.tax_codes.get(tax, settings.tax_code) if tax else settings.exempt_tax_code


def _goods(line: Line, order: Order, settings: QuickBooksSettings) -> Entry:
    if line.gift_card:
        item = GIFT_CARDS
    elif line.sku:
        item = Wanted(sku=line.sku)
    elif settings.fallback_item:
        item = Wanted(setting="fallback_item")
    else:
        raise Refused(
            f"'{line.name}' in order {order.number} has no SKU, so QuickBooks can't tell which item it is.",
            cause="no-sku",
            remedy="Give it a SKU in the shop, or set `fallback_item` for the connection, then send it again.",
        )
    return _entry(item, line.name, line.quantity, line, order, settings)


def _shipping(line: ShippingLine, order: Order, settings: QuickBooksSettings) -> Entry:
    return _entry(Wanted(setting="shipping_item"), f"Shipping: {line.name}", 1, line, order, settings)


def _fee(fee: Fee, order: Order, settings: QuickBooksSettings) -> Entry:
    item = Wanted(setting="fee_item" if settings.fee_item else "adjustment_item")
    return _entry(item, fee.name, 1, fee, order, settings)


def _entry(
    item: Wanted, text: str, quantity: int, line: Line | ShippingLine | Fee, order: Order, settings: QuickBooksSettings
) -> Entry:
    net, discount = line.total.amount, _ZERO if isinstance(line, Fee) else line.discount.amount
    if order.taxes_included:
        without = net - sum((tax.amount.amount for tax in line.taxes), _ZERO)
        # The discount was given on the price with tax: it has the same share of tax in it as what is left.
        discount = discount * without / net if net else discount
        net = without
    net, discount = cents(net), cents(discount) if settings.show_discounts else _ZERO
    tax = " + ".join(dict.fromkeys(tax.name for tax in line.taxes if tax.amount))
    return Entry(item, text, net + discount, quantity, discount, tax)


def _tax_lines(order: Order) -> list[Entry]:
    """One line for each of the shop's taxes, or one for all where it doesn't name them."""
    taxes = order.taxes or (Tax(name="Sales tax", amount=order.tax_total),)
    return [Entry(Wanted(setting="tax_item"), tax.name, cents(tax.amount.amount)) for tax in taxes if tax.amount]


def _untaxed(entry: Entry) -> Entry:
    return Entry(entry.item, entry.text, entry.amount, entry.quantity, entry.discount)


def _taxed(entry: Entry, taxes: Sequence[Tax]) -> Entry:
    name = " + ".join(tax.name for tax in taxes) or "Tax"
    return Entry(entry.item, entry.text, entry.amount, entry.quantity, entry.discount, name)


def sales_line(entry: Entry, item: str, code: str) -> Record:
    """One of the `Line` array, but for its discount. `item` and `code` are QuickBooks' ids."""
    quantity, price, text = _priced(entry)
    return {
        "Amount": number(entry.amount),
        "DetailType": "SalesItemLineDetail",
        "Description": text[:_DESCRIPTION],
        "SalesItemLineDetail": {
            "ItemRef": {"value": item},
            "Qty": quantity,
            "UnitPrice": number(price),
            "TaxCodeRef": {"value": code},
        },
    }


def _priced(entry: Entry) -> tuple[int, Decimal, str]:
    """Quantity and unit price that multiply to the amount, which QuickBooks checks to the cent.

    It keeps seven decimals of a unit price. Where they don't do, the line becomes one piece.
    """
    if entry.quantity:
        price = (entry.amount / entry.quantity).quantize(Decimal("0.0000001"), ROUND_HALF_UP)
        if abs(price * entry.quantity - entry.amount) < _HALF_A_CENT:
            return entry.quantity, price.normalize(), entry.text
    return 1, entry.amount, f"{entry.quantity} × {entry.text}"
