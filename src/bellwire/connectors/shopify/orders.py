"""Shopify's orders and refunds, in the REST shape that webhooks carry, as canonical data.

https://shopify.dev/docs/api/admin-rest/latest/resources/order

Amounts are taken in the shop's own currency. `total_price` and `line_items` tell of the order as it was before anything
was taken off, `current_…` of what is left. Units that were given back for money stay in the order (their money is in
`refunded`); units that were taken off without money, by an edit or a cancellation before payment, leave it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bellwire.clock import parse_time
from bellwire.events import (
    Address,
    Customer,
    Discount,
    Fulfilment,
    Line,
    Order,
    Refund,
    RefundLine,
    ShippingLine,
    Tax,
)
from bellwire.events.orders import PaymentState
from bellwire.money import Money, total

Body = Mapping[str, Any]

_PAYMENT = {
    "pending": PaymentState.PENDING,
    "authorized": PaymentState.PENDING,
    "partially_paid": PaymentState.PARTIAL,
    "paid": PaymentState.PAID,
    "partially_refunded": PaymentState.PARTLY_REFUNDED,
    "refunded": PaymentState.REFUNDED,
    "voided": PaymentState.VOIDED,
    # An authorisation that nobody captured in time.
    "expired": PaymentState.VOIDED,
}
_WAS_PAID = {PaymentState.PAID, PaymentState.PARTLY_REFUNDED, PaymentState.REFUNDED}
_RESTOCKED = {"return", "cancel", "legacy_restock"}
_GIFT_CARD = "gift_card"


def order(body: Body) -> Order:
    """An order from the body of an `orders/…` webhook. `transactions`, which webhooks lack, are used where they are.

    Raises KeyError, TypeError or ValueError when it isn't an order.
    """
    currency: str = body["currency"]
    included = bool(body.get("taxes_included"))
    refunds = tuple(refund(entry, body) for entry in body.get("refunds") or ())
    kept = _units_given_back(body.get("refunds") or ())
    tips, goods = _apart(body["line_items"], lambda entry: _is_tip(entry, body, currency))
    lines = tuple(_line(entry, _wanted(entry, kept), currency) for entry in goods)
    shipping_lines = tuple(
        _shipping_line(entry, currency) for entry in body.get("shipping_lines") or () if not entry.get("is_removed")
    )
    taxes = _taxes_by_name(lines, shipping_lines) or _taxes(body, currency)
    whole = all(_wanted(entry, kept) == entry["quantity"] for entry in body["line_items"])
    owed, tax_total = _amounts(body, currency, included=included, whole=whole)
    tip = total((_price(entry, currency) * _wanted(entry, kept) for entry in tips), currency)
    if not tips:
        tip = _amount(body, "total_tip_received", currency)
    parts = total((part.total for part in (*lines, *shipping_lines)), currency) + tip
    payment = _PAYMENT[body.get("financial_status") or "pending"]
    return Order(
        id=str(body["id"]),
        number=_text(body, "name").removeprefix("#") or str(body["order_number"]),
        created_at=parse_time(body["created_at"]),
        updated_at=parse_time(body["updated_at"]),
        paid_at=parse_time(body.get("processed_at") or body["created_at"]) if payment in _WAS_PAID else None,
        cancelled_at=parse_time(body["cancelled_at"]) if body.get("cancelled_at") else None,
        payment=payment,
        status=_text(body, "financial_status"),
        test=bool(body.get("test")),
        currency=currency,
        taxes_included=included,
        customer=_customer(body),
        billing=_address(body.get("billing_address")),
        shipping=_address(body.get("shipping_address")),
        lines=lines,
        shipping_lines=shipping_lines,
        discounts=_discounts(body, goods, currency),
        taxes=taxes,
        tax_total=tax_total,
        tip=tip,
        adjustment=owed - parts if included else owed - parts - tax_total,
        total=owed,
        gift_cards=_gift_cards(body, owed, payment),
        refunded=total((entry.amount for entry in refunds), currency),
        presentment_total=_presentment_total(body, owed),
        refunds=refunds,
        fulfilments=tuple(_fulfilment(entry) for entry in body.get("fulfillments") or ()),
        note=_text(body, "note"),
        tags=tags(body),
        source=_text(body, "source_name"),
        payment_method=", ".join(body.get("payment_gateway_names") or ()),
    )


def refund(body: Body, order: Body | None = None) -> Refund:
    """A refund from a `refunds/create` webhook, or from the order that it belongs to. Raises as `order` does."""
    currency = order["currency"] if order else _currency_of(body)
    included = order.get("taxes_included") if order else None
    return Refund(
        id=str(body["id"]),
        order_id=str(body.get("order_id") or (order or {})["id"]),
        order_number=_text(order or {}, "name").removeprefix("#"),
        created_at=parse_time(body.get("created_at") or body["processed_at"]),
        amount=total(
            (_in_shop_currency(entry, body, order, currency) for entry in _gave_money(body)), currency
        ).rounded(),
        reason=_text(body, "note"),
        lines=tuple(_refund_line(entry, currency, included) for entry in body.get("refund_line_items") or ()),
    )


def tags(body: Body) -> tuple[str, ...]:
    """Of an order or a product: Shopify sends them as one text, separated by commas."""
    return tuple(tag.strip() for tag in _text(body, "tags").split(",") if tag.strip())


# Amounts of the whole order


def _amounts(body: Body, currency: str, *, included: bool, whole: bool) -> tuple[Money, Money]:
    """What is owed, and the tax in it or on it."""
    if whole:
        return _amount(body, "total_price", currency), _amount(body, "total_tax", currency)
    owed = _amount(body, "current_total_price", currency)
    tax = _amount(body, "current_total_tax", currency)
    for entry in _refund_lines_for_money(body.get("refunds") or ()):
        line_tax = _amount(entry, "total_tax", currency)
        owed += _amount(entry, "subtotal", currency) + (Money.zero(currency) if included else line_tax)
        tax += line_tax
    return owed, tax


def _gift_cards(body: Body, owed: Money, payment: PaymentState) -> Money:
    """Webhooks name the ways of paying, but give no amounts: theirs can be told when there was no other way."""
    if body.get("payment_gateway_names") == [_GIFT_CARD] and payment in _WAS_PAID:
        return owed
    paid = (
        _amount(entry, "amount", owed.currency)
        for entry in body.get("transactions") or ()
        if entry["gateway"] == _GIFT_CARD and entry["kind"] in ("sale", "capture") and entry["status"] == "success"
    )
    return total(paid, owed.currency)


def _presentment_total(body: Body, owed: Money) -> Money | None:
    for field in ("total_price_set", "current_total_price_set"):
        both = body.get(field) or {}
        seen = both.get("presentment_money")
        if seen and seen["currency_code"] != owed.currency and Decimal(both["shop_money"]["amount"]) == owed.amount:
            return _money(seen)
    return None


def _discounts(body: Body, entries: Sequence[Body], currency: str) -> tuple[Discount, ...]:
    applications = body.get("discount_applications") or ()
    amounts = dict.fromkeys(range(len(applications)), Money.zero(currency))
    for entry in (*entries, *(body.get("shipping_lines") or ())):
        for allocation in entry.get("discount_allocations") or ():
            amounts[allocation["discount_application_index"]] += _amount(allocation, "amount", currency)
    return tuple(
        Discount(
            code=_text(application, "code"),
            name=_text(application, "title") or _text(application, "description"),
            amount=amounts[index],
        )
        for index, application in enumerate(applications)
    )


# Lines


def _apart(entries: Iterable[Body], test: Callable[[Body], bool]) -> tuple[list[Body], list[Body]]:
    """Those that pass and those that don't."""
    passed: list[Body] = []
    failed: list[Body] = []
    for entry in entries:
        (passed if test(entry) else failed).append(entry)
    return passed, failed


def _units_given_back(refunds: Iterable[Body]) -> Counter[str]:
    """By line: how many units went back for money. They aren't in `current_quantity` any more."""
    units: Counter[str] = Counter()
    for entry in _refund_lines_for_money(refunds):
        units[str(entry["line_item_id"])] += entry["quantity"]
    return units


def _wanted(entry: Body, given_back: Counter[str]) -> int:
    ordered: int = entry["quantity"]
    current = entry.get("current_quantity")
    return ordered if current is None else min(ordered, current + given_back[str(entry["id"])])


def _is_tip(entry: Body, body: Body, currency: str) -> bool:
    """Shopify puts a tip among the lines. Webhooks mark it; GraphQL doesn't, but nothing else looks like it."""
    if entry.get("tip_payment_gateway") or entry.get("tip_payment_method"):
        return True
    of_a_product = entry.get("product_id") or entry.get("variant_id") or entry.get("sku")
    if of_a_product or entry.get("requires_shipping") or entry.get("taxable"):
        return False
    tip = _amount(body, "total_tip_received", currency)
    return bool(tip) and (entry.get("title") == "Tip" or _price(entry, currency) * entry["quantity"] == tip)


def _line(entry: Body, wanted: int, currency: str) -> Line:
    price, share = _price(entry, currency), _share(wanted, entry["quantity"])
    discount = total((share(amount) for amount in _allocations(entry, currency)), currency)
    return Line(
        id=str(entry["id"]),
        sku=_text(entry, "sku"),
        name=_text(entry, "name") or _text(entry, "title"),
        quantity=wanted,
        unit_price=price,
        discount=discount,
        total=price * wanted - discount,
        taxes=tuple(tax.model_copy(update={"amount": share(tax.amount)}) for tax in _taxes(entry, currency)),
        product_id=_text(entry, "product_id"),
        variant_id=_text(entry, "variant_id"),
        ships=bool(entry.get("requires_shipping", True)),
        gift_card=bool(entry.get("gift_card")),
        weight_grams=entry.get("grams") or 0,
    )


def _share(wanted: int, ordered: int) -> Callable[[Money], Money]:
    """Discounts and taxes are of all units that were ordered; this takes the part of those that are wanted."""
    if wanted == ordered:
        return lambda amount: amount
    return lambda amount: (amount * (Decimal(wanted) / ordered)).rounded()


def _shipping_line(entry: Body, currency: str) -> ShippingLine:
    price = _price(entry, currency)
    discount = total(_allocations(entry, currency), currency)
    return ShippingLine(
        name=_text(entry, "title"),
        price=price,
        discount=discount,
        total=price - discount,
        taxes=_taxes(entry, currency),
    )


def _allocations(entry: Body, currency: str) -> Iterator[Money]:
    return (_amount(allocation, "amount", currency) for allocation in entry.get("discount_allocations") or ())


def _taxes(entry: Body, currency: str) -> tuple[Tax, ...]:
    return tuple(
        Tax(
            name=tax["title"],
            rate=None if tax.get("rate") is None else Decimal(str(tax["rate"])),
            amount=_price(tax, currency),
        )
        for tax in entry.get("tax_lines") or ()
    )


def _taxes_by_name(lines: Sequence[Line], shipping_lines: Sequence[ShippingLine]) -> tuple[Tax, ...]:
    sums: dict[tuple[str, Decimal | None], Tax] = {}
    for tax in (tax for part in (*lines, *shipping_lines) for tax in part.taxes):
        before = sums.get((tax.name, tax.rate))
        added = tax.model_copy(update={"amount": before.amount + tax.amount}) if before else tax
        sums[tax.name, tax.rate] = added
    return tuple(sums.values())


# Refunds


def _gave_money(body: Body) -> list[Body]:
    """A refund record doesn't say that money moved: its transactions do. One that is on its way counts."""
    return [
        entry
        for entry in body.get("transactions") or ()
        if entry["kind"] == "refund" and entry["status"] in ("success", "pending")
    ]


def _refund_lines_for_money(refunds: Iterable[Body]) -> Iterator[Body]:
    return (entry for body in refunds if _gave_money(body) for entry in body.get("refund_line_items") or ())


def _refund_line(entry: Body, currency: str, included: bool | None) -> RefundLine:
    subtotal, tax = _amount(entry, "subtotal", currency), _amount(entry, "total_tax", currency)
    line = entry.get("line_item") or {}
    contains_tax = _contains_tax(line, subtotal, tax) if included is None else included
    return RefundLine(
        line_id=str(entry["line_item_id"]),
        sku=_text(line, "sku"),
        quantity=entry["quantity"],
        amount=subtotal - tax if contains_tax else subtotal,
        restock=_text(entry, "restock_type") in _RESTOCKED,
    )


def _contains_tax(line: Body, subtotal: Money, tax: Money) -> bool:
    """`refunds/create` doesn't say whether the order's prices contain tax: of the two ways to work out this tax from
    its rate, one comes nearer."""
    rate = sum((Decimal(str(entry.get("rate") or 0)) for entry in line.get("tax_lines") or ()), Decimal())
    inside, on_top = subtotal.amount * rate / (1 + rate), subtotal.amount * rate
    return abs(tax.amount - inside) < abs(tax.amount - on_top)


def _in_shop_currency(entry: Body, body: Body, order: Body | None, currency: str) -> Money:
    """A transaction's amount is in the currency that the customer saw; the rate of its order turns it back."""
    if entry.get("amount_set"):
        return _amount(entry, "amount", currency)
    amount = Decimal(entry["amount"])
    if entry.get("currency", currency) != currency:
        pairs = [(order or {}).get("total_price_set"), *(e.get("subtotal_set") for e in body["refund_line_items"])]
        amount *= next((rate for pair in pairs if pair and (rate := _rate(pair))), Decimal(1))
    return Money(amount=amount, currency=currency)


def _rate(both: Body) -> Decimal | None:
    seen = Decimal(both["presentment_money"]["amount"])
    return Decimal(both["shop_money"]["amount"]) / seen if seen else None


def _currency_of(body: Body) -> str:
    """A refund's shop currency stands only in its sums."""
    for both in (body.get("total_duties_set"), *(e.get("subtotal_set") for e in body.get("refund_line_items") or ())):
        if both:
            return str(both["shop_money"]["currency_code"])
    return str(body["transactions"][0]["currency"])


# People and parcels


def _customer(body: Body) -> Customer | None:
    """Whoever ordered, as far as Shopify tells: a guest, or a shop without leave to see customers, has no record."""
    record, billing = body.get("customer") or {}, body.get("billing_address") or body.get("shipping_address") or {}
    home = record.get("default_address") or {}
    found = Customer(
        id=_text(record, "id"),
        name=_full_name(record) or _text(billing, "name") or _full_name(billing),
        email=_text(body, "email") or _text(body, "contact_email") or _text(record, "email"),
        phone=_text(body, "phone") or _text(record, "phone") or _text(billing, "phone"),
        company=_text(billing, "company") or _text(home, "company"),
    )
    return found if found != Customer() else None


def _full_name(person: Body) -> str:
    return f"{_text(person, 'first_name')} {_text(person, 'last_name')}".strip()


def _address(entry: Body | None) -> Address | None:
    if not entry:
        return None
    return Address(
        name=_text(entry, "name") or _full_name(entry),
        company=_text(entry, "company"),
        line1=_text(entry, "address1"),
        line2=_text(entry, "address2"),
        city=_text(entry, "city"),
        region=_text(entry, "province_code") or _text(entry, "province"),
        postcode=_text(entry, "zip"),
        country=_text(entry, "country_code"),
        phone=_text(entry, "phone"),
    )


def _fulfilment(entry: Body) -> Fulfilment:
    return Fulfilment(
        id=str(entry["id"]),
        status=_text(entry, "status"),
        carrier=_text(entry, "tracking_company"),
        tracking_number=_text(entry, "tracking_number"),
        tracking_url=_text(entry, "tracking_url"),
    )


# Fields


def _text(body: Body, field: str) -> str:
    value = body.get(field)
    return "" if value is None else str(value)


def _amount(body: Body, field: str, currency: str) -> Money:
    """`field` in the shop's currency; zero when it isn't there."""
    both = body.get(f"{field}_set")
    if both:
        return _money(both["shop_money"])
    # Refunds have bare JSON numbers: their shortest text is the exact amount.
    return Money.of(str(body.get(field) or 0), currency)


def _price(entry: Body, currency: str) -> Money:
    return _amount(entry, "price", currency)


def _money(entry: Body) -> Money:
    return Money.of(entry["amount"], entry["currency_code"])
