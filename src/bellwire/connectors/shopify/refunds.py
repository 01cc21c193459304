"""Shopify's refunds, in the REST shape, as canonical data.

https://shopify.dev/docs/api/admin-rest/latest/resources/refund
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from bellwire.clock import parse_time
from bellwire.connectors.shopify.fields import Body, amount_of, text_of
from bellwire.events import Refund, RefundLine
from bellwire.money import Money, total

_RESTOCKED = {"return", "cancel", "legacy_restock"}


def refund(body: Body, order: Body | None = None) -> Refund:
    """A refund from a `refunds/create` webhook, or from the order that it belongs to. Raises as `order` does."""
    currency = order["currency"] if order else _currency_of(body)
    included = order.get("taxes_included") if order else None
    return Refund(
        id=str(body["id"]),
        order_id=str(body.get("order_id") or (order or {})["id"]),
        order_number=text_of(order or {}, "name").removeprefix("#"),
        created_at=parse_time(body.get("created_at") or body["processed_at"]),
        amount=total(
            (_in_shop_currency(entry, body, order, currency) for entry in gave_money(body)), currency
        ).rounded(),
        reason=text_of(body, "note"),
        lines=tuple(_refund_line(entry, currency, included) for entry in body.get("refund_line_items") or ()),
    )


def gave_money(body: Body) -> list[Body]:
    """A refund record doesn't say that money moved: its transactions do. One that is on its way counts."""
    return [
        entry
        for entry in body.get("transactions") or ()
        if entry["kind"] == "refund" and entry["status"] in ("success", "pending")
    ]


def refund_lines_for_money(refunds: Iterable[Body]) -> Iterator[Body]:
    return (entry for body in refunds if gave_money(body) for entry in body.get("refund_line_items") or ())


def parts_for_money(refunds: Iterable[Body], currency: str) -> Iterator[tuple[Money, Money]]:
    """Price and tax of all goods and shipping that money was given back for."""
    for body in refunds:
        if gave_money(body):
            for line in body.get("refund_line_items") or ():
                yield amount_of(line, "subtotal", currency), amount_of(line, "total_tax", currency)
            for line in body.get("refund_shipping_lines") or ():
                yield amount_of(line, "subtotal_amount", currency), amount_of(line, "tax_amount", currency)


def _refund_line(entry: Body, currency: str, included: bool | None) -> RefundLine:
    subtotal, tax = amount_of(entry, "subtotal", currency), amount_of(entry, "total_tax", currency)
    line = entry.get("line_item") or {}
    contains_tax = _contains_tax(line, subtotal, tax) if included is None else included
    return RefundLine(
        line_id=str(entry["line_item_id"]),
        sku=text_of(line, "sku"),
        quantity=entry["quantity"],
        amount=subtotal - tax if contains_tax else subtotal,
        restock=text_of(entry, "restock_type") in _RESTOCKED,
    )


def _contains_tax(line: Body, subtotal: Money, tax: Money) -> bool:
    """`refunds/create` doesn't say whether the order's prices contain tax. They do where this tax is what its rate
    makes inside the price, to a few cents of rounding, rather than on top of it."""
    rate = sum((Decimal(str(entry.get("rate") or 0)) for entry in line.get("tax_lines") or ()), Decimal())
    inside, on_top = subtotal.amount * rate / (1 + rate), subtotal.amount * rate
    off = abs(tax.amount - inside)
    return off < abs(tax.amount - on_top) and off <= Money.from_minor(5, tax.currency).amount


def _in_shop_currency(entry: Body, body: Body, order: Body | None, currency: str) -> Money:
    """A transaction's amount is in the currency that the customer saw; the rate of its order turns it back.

    Raises ValueError where nothing tells the rate: no amount is better than a wrong one.
    """
    if entry.get("amount_set"):
        return amount_of(entry, "amount", currency)
    amount = Decimal(entry["amount"])
    if entry.get("currency", currency) != currency:
        pairs = [(order or {}).get("total_price_set"), *_sums(body)]
        rate = next((rate for pair in pairs if pair and (rate := _rate(pair))), None)
        if rate is None:
            raise ValueError(
                f"{amount} {entry['currency']} were given back, and nothing tells their rate to {currency}"
            )
        amount *= rate
    return Money(amount=amount, currency=currency)


def _sums(body: Body) -> Iterator[Body | None]:
    """What a refund is made up of, in both currencies: goods, shipping, and what was given back beyond them."""
    yield from (line.get("subtotal_set") for line in body.get("refund_line_items") or ())
    yield from (line.get("subtotal_amount_set") for line in body.get("refund_shipping_lines") or ())
    yield from (entry.get("amount_set") for entry in body.get("order_adjustments") or ())


def _rate(both: Body) -> Decimal | None:
    seen = Decimal(both["presentment_money"]["amount"])
    return Decimal(both["shop_money"]["amount"]) / seen if seen else None


def _currency_of(body: Body) -> str:
    """A refund's shop currency stands only in its sums."""
    for both in (body.get("total_duties_set"), *_sums(body)):
        if both:
            return str(both["shop_money"]["currency_code"])
    return str(body["transactions"][0]["currency"])
