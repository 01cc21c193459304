"""From an order to the lines of an invoice or a receipt. Pure: no call is made here.

Xero gets amounts without tax (`Exclusive`) and each line's tax beside it, also where the shop's prices include it: then
every tax is what the shop said, and the total is the order's by construction. Whatever rounding leaves over is a line
of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from bellwire.connectors.xero.api import Record, cents, number
from bellwire.connectors.xero.ledger import Item, gift_card_code
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.errors import Refused
from bellwire.events import Fee, Line, Order, ShippingLine, Tax
from bellwire.money import Money

_ZERO = Decimal(0)
_HALF_A_CENT = Decimal("0.005")
_DESCRIPTION = 4000


@dataclass(frozen=True)
class Entry:
    """One line: booked on the item of a `sku`, or else on an `account`. `amount` is before `discount`; both are without
    tax."""

    text: str
    amount: Decimal
    sku: str = ""
    account: str = ""
    quantity: int = 1
    discount: Decimal = _ZERO
    taxes: str = ""
    """What the shop calls the taxes on it; empty when there is none."""
    tax: Decimal = _ZERO

    @property
    def net(self) -> Decimal:
        return self.amount - self.discount


@dataclass(frozen=True)
class Sheet:
    """All that makes up a document's total: for each of `entries`, its amount − discount + tax."""

    entries: tuple[Entry, ...]
    total: Decimal


def sheet(order: Order, settings: XeroSettings, spent: Money | None = None) -> Sheet:
    """Everything of `order` that has an amount. `spent`: what gift cards paid, to be taken off, so that the total is
    what came in as money. Raises Refused when there is nothing to book, or a line that nothing can be found for."""
    entries = [_goods(line, order, settings) for line in order.lines if line.quantity or line.total]
    entries += [_shipping(line, order, settings) for line in order.shipping_lines if line.price or line.total]
    entries += [_fee(fee, order, settings) for fee in order.fees if fee.total]
    if order.tip:
        entries.append(Entry("Tip", cents(order.tip.amount), account=settings.tip_account))
    spent = spent or Money.zero(order.currency)
    tax, owed, gift_cards = (cents(each.amount) for each in (order.tax_total, order.total - spent, spent))
    if settings.tax_account:
        entries = [replace(entry, taxes="", tax=_ZERO) for entry in entries] + _tax_lines(order, settings)
    else:
        entries = with_tax(entries, tax, order.taxes)
    if gift_cards:
        entries.append(Entry("Gift card used", -gift_cards, account=gift_card_code(settings)))
    left = owed - sum((entry.net + entry.tax for entry in entries), _ZERO)
    if left:
        entries.append(Entry("Adjustment and rounding", left, account=settings.adjustment_account))
    if not entries:
        raise Refused(
            f"Order {order.number} has nothing to book: all of its lines were taken off.",
            cause="empty-order",
            remedy="Dismiss it, or book it by hand.",
        )
    return Sheet(tuple(entries), owed)


def document_lines(
    made_up: Sheet, items: Mapping[str, Item], tax_types: Mapping[str, str], settings: XeroSettings, *, discounts: bool
) -> list[Record]:
    """The `LineItems` array. `tax_types` are Xero's for the names in the settings; `discounts`: whether the document
    has fields for them."""
    return [
        sales_line(
            entry if discounts else replace(entry, amount=entry.net, discount=_ZERO),
            items,
            tax_types[tax_rate(entry.taxes, settings)],
            settings,
        )
        for entry in made_up.entries
    ]


def tax_rate(taxes: str, settings: XeroSettings) -> str:
    """The name of the rate for what the shop calls the taxes on a line."""
    return settings.tax_rates.get(taxes, settings.tax_rate) if taxes else settings.exempt_tax_rate


def _goods(line: Line, order: Order, settings: XeroSettings) -> Entry:
    sku = account = ""
    if line.gift_card:
        account = gift_card_code(settings)
    elif line.sku:
        sku = line.sku
    elif settings.fallback_account:
        account = settings.fallback_account
    else:
        raise Refused(
            f"'{line.name}' in order {order.number} has no SKU, so Xero can't tell which item it is.",
            cause="no-sku",
            remedy="Give it a SKU in the shop, or set `fallback_account` for the connection, then send it again.",
        )
    return _entry(Entry(line.name, _ZERO, sku, account, line.quantity), line, order, settings)


def _shipping(line: ShippingLine, order: Order, settings: XeroSettings) -> Entry:
    named = Entry(f"Shipping: {line.name}", _ZERO, account=settings.shipping_account)
    return _entry(named, line, order, settings)


def _fee(fee: Fee, order: Order, settings: XeroSettings) -> Entry:
    account = settings.fee_account or settings.adjustment_account
    return _entry(Entry(fee.name, _ZERO, account=account), fee, order, settings)


def _entry(named: Entry, line: Line | ShippingLine | Fee, order: Order, settings: XeroSettings) -> Entry:
    """`named` with its amounts."""
    tax = sum((each.amount.amount for each in line.taxes), _ZERO)
    net, discount = line.total.amount, _ZERO if isinstance(line, Fee) else line.discount.amount
    if order.taxes_included:
        # The discount was given on the price with tax: it has the same share of tax in it as what is left.
        discount = discount * (net - tax) / net if net else discount
        net -= tax
    net, discount = cents(net), cents(discount) if settings.show_discounts else _ZERO
    taxes = " + ".join(dict.fromkeys(each.name for each in line.taxes if each.amount))
    return replace(named, amount=net + discount, discount=discount, taxes=taxes, tax=cents(tax) if taxes else _ZERO)


def with_tax(entries: list[Entry], tax: Decimal, taxes: Sequence[Tax]) -> list[Entry]:
    """So that the entries' taxes come to all of it: a rest goes to the one with the most tax, and where no line says
    which has, each has its share."""
    if not entries or tax == sum((entry.tax for entry in entries), _ZERO):
        return entries
    taxed = [entry for entry in entries if entry.taxes]
    if not taxed:
        return _shared(entries, tax, " + ".join(each.name for each in taxes) or "Tax")
    most = max(taxed, key=lambda entry: entry.tax)
    rest = tax - sum((entry.tax for entry in entries), _ZERO)
    at = next(index for index, entry in enumerate(entries) if entry is most)
    return [*entries[:at], replace(most, tax=most.tax + rest), *entries[at + 1 :]]


def _shared(entries: list[Entry], tax: Decimal, taxes: str) -> list[Entry]:
    whole = sum((abs(entry.net) for entry in entries), _ZERO)
    shared, passed, given = [], _ZERO, _ZERO
    for entry in entries:
        passed += abs(entry.net)
        share = (cents(tax * passed / whole) if whole else tax) - given
        given += share
        shared.append(replace(entry, taxes=taxes, tax=share))
    return shared


def _tax_lines(order: Order, settings: XeroSettings) -> list[Entry]:
    """One line for each of the shop's taxes, or one for all where it doesn't name them."""
    taxes = order.taxes or (Tax(name="Sales tax", amount=order.tax_total),)
    lines = (Entry(tax.name, cents(tax.amount.amount), account=settings.tax_account) for tax in taxes)
    return [line for line in lines if line.amount]


def sales_line(entry: Entry, items: Mapping[str, Item], tax_type: str, settings: XeroSettings) -> Record:
    """One of the `LineItems` array."""
    quantity, price, text = _priced(entry)
    line: Record = {
        "Description": text[:_DESCRIPTION] or "-",
        "Quantity": quantity,
        "UnitAmount": number(price),
        "LineAmount": number(entry.net),
        "AccountCode": entry.account,
        "TaxType": tax_type,
        "TaxAmount": number(entry.tax),
    }
    if entry.discount:
        line["DiscountAmount"] = number(entry.discount)
    if entry.sku:
        item = items[entry.sku]
        line |= {"ItemCode": item.code, "AccountCode": item.account or settings.sales_account}
    return line


def _priced(entry: Entry) -> tuple[int, Decimal, str]:
    """Quantity and unit price that multiply to the amount, which Xero checks to the cent.

    It keeps four decimals of a unit price when it is asked to. Where they don't do, the line becomes one piece.
    """
    if entry.quantity:
        price = (entry.amount / entry.quantity).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        if abs(price * entry.quantity - entry.amount) < _HALF_A_CENT:
            return entry.quantity, price.normalize(), entry.text
    return 1, entry.amount, f"{entry.quantity} × {entry.text}"
