"""Shopify's orders, in the REST shape that webhooks carry, as canonical data.

https://shopify.dev/docs/api/admin-rest/latest/resources/order

Amounts are taken in the shop's own currency. `total_price` and `line_items` tell of the order as it was before anything
was taken off, `current_…` of what is left. Units that were given back for money stay in the order (their money is in
`refunded`); units that were taken off without money, by an edit or a cancellation before payment, leave it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain

from bellwire.clock import parse_time
from bellwire.connectors.shopify.fields import Body, amount_of, money_of, price_of, text_of
from bellwire.connectors.shopify.refunds import parts_for_money, refund, refund_lines_for_money
from bellwire.events import (
    Address,
    Customer,
    Discount,
    Fulfilment,
    Line,
    Order,
    OrderPayment,
    ShippingLine,
    Tax,
)
from bellwire.events.orders import PaymentState
from bellwire.money import Money, total

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
_NOTHING_PAID = {PaymentState.PENDING, PaymentState.VOIDED}
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
    lines = tuple(line_of(entry, _wanted(entry, kept), currency) for entry in goods)
    shipping_lines = tuple(
        _shipping_line(entry, currency) for entry in body.get("shipping_lines") or () if not entry.get("is_removed")
    )
    taxes = _taxes_by_name(lines, shipping_lines) or _taxes(body, currency)
    whole = all(_wanted(entry, kept) == entry["quantity"] for entry in body["line_items"])
    whole = whole and not any(entry.get("is_removed") for entry in body.get("shipping_lines") or ())
    owed, tax_total = _amounts(body, currency, included=included, whole=whole)
    tip = total((price_of(entry, currency) * _wanted(entry, kept) for entry in tips), currency)
    if not tips:
        tip = amount_of(body, "total_tip_received", currency)
    parts = total((line.total for line in lines), currency) + tip
    parts += total((line.total for line in shipping_lines), currency)
    payment = _PAYMENT[body.get("financial_status") or "pending"]
    return Order(
        id=str(body["id"]),
        number=text_of(body, "name").removeprefix("#") or str(body["order_number"]),
        created_at=parse_time(body["created_at"]),
        updated_at=parse_time(body["updated_at"]),
        paid_at=_paid_at(body) if payment in _WAS_PAID else None,
        cancelled_at=parse_time(body["cancelled_at"]) if body.get("cancelled_at") else None,
        payment=payment,
        status=text_of(body, "financial_status"),
        test=bool(body.get("test")),
        currency=currency,
        taxes_included=included,
        customer=customer_of(body),
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
        note=text_of(body, "note"),
        tags=tags(body),
        source=text_of(body, "source_name"),
        payment_method=", ".join(body.get("payment_gateway_names") or ()),
        payments=payments(body) if body.get("transactions") is not None else None,
    )


def payments(body: Body) -> tuple[OrderPayment, ...]:
    """From an order's transactions. The gateway's authorisation is what it knows the payment by; its receipt, which
    says the same in words of its own, is no promise.

    https://shopify.dev/docs/api/admin-graphql/latest/objects/OrderTransaction
    """
    return tuple(
        OrderPayment(
            gateway=text_of(entry, "gateway"),
            gift_card=entry["gateway"] == _GIFT_CARD,
            payment_id=text_of(entry, "authorization"),
            reference=text_of(entry, "payment_id"),
            amount=amount_of(entry, "amount", body["currency"]),
            paid_at=parse_time(entry["processed_at"]) if entry.get("processed_at") else None,
        )
        for entry in body["transactions"]
        if _pays(entry)
    )


def sent_at(body: Body) -> datetime | None:
    """When the last parcel of an order that is sent as a whole left; None while it isn't."""
    if body.get("fulfillment_status") != "fulfilled":
        return None
    told = [entry["created_at"] for entry in body.get("fulfillments") or () if entry.get("created_at")]
    return max(map(parse_time, told), default=parse_time(body["updated_at"]))


def _paid_at(body: Body) -> datetime:
    """The last payment's time, where transactions tell it; else the order's own, which is that of its first payment."""
    paid = (entry for entry in body.get("transactions") or () if _pays(entry) and entry.get("processed_at"))
    placed = parse_time(body.get("processed_at") or body["created_at"])
    return max((parse_time(entry["processed_at"]) for entry in paid), default=placed)


def tags(body: Body) -> tuple[str, ...]:
    """Of an order or a product: Shopify sends them as one text, separated by commas."""
    return tuple(tag.strip() for tag in text_of(body, "tags").split(",") if tag.strip())


# Amounts of the whole order


def _amounts(body: Body, currency: str, *, included: bool, whole: bool) -> tuple[Money, Money]:
    """What is owed, and the tax in it or on it."""
    if whole:
        return amount_of(body, "total_price", currency), amount_of(body, "total_tax", currency)
    owed = amount_of(body, "current_total_price", currency)
    tax = amount_of(body, "current_total_tax", currency)
    for net, line_tax in parts_for_money(body.get("refunds") or (), currency):
        owed += net + (Money.zero(currency) if included else line_tax)
        tax += line_tax
    return owed, tax


def _gift_cards(body: Body, owed: Money, payment: PaymentState) -> Money | None:
    """Webhooks name the ways of paying, but give no amounts: theirs can be told when there was no other way."""
    ways = body.get("payment_gateway_names") or ()
    if _GIFT_CARD not in ways or payment in _NOTHING_PAID:
        return Money.zero(owed.currency)
    if set(ways) == {_GIFT_CARD} and payment in _WAS_PAID:
        return owed
    if body.get("transactions") is None:
        return None
    paid = (
        amount_of(entry, "amount", owed.currency)
        for entry in body["transactions"]
        if entry["gateway"] == _GIFT_CARD and _pays(entry)
    )
    return total(paid, owed.currency)


def _pays(transaction: Body) -> bool:
    return transaction["kind"] in ("sale", "capture") and transaction["status"] == "success"


def _presentment_total(body: Body, owed: Money) -> Money | None:
    for field in ("total_price_set", "current_total_price_set"):
        both = body.get(field) or {}
        seen = both.get("presentment_money")
        if seen and seen["currency_code"] != owed.currency and Decimal(both["shop_money"]["amount"]) == owed.amount:
            return money_of(seen)
    return None


def _discounts(body: Body, entries: Sequence[Body], currency: str) -> tuple[Discount, ...]:
    applications = body.get("discount_applications") or ()
    amounts: defaultdict[int, Money] = defaultdict(lambda: Money.zero(currency))
    for entry in (*entries, *(body.get("shipping_lines") or ())):
        for allocation in entry.get("discount_allocations") or ():
            amounts[allocation["discount_application_index"]] += amount_of(allocation, "amount", currency)
    return tuple(
        Discount(
            code=text_of(application, "code"),
            name=text_of(application, "title") or text_of(application, "description"),
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
    for entry in refund_lines_for_money(refunds):
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
    tip = amount_of(body, "total_tip_received", currency)
    return bool(tip) and (entry.get("title") == "Tip" or price_of(entry, currency) * entry["quantity"] == tip)


def line_of(entry: Body, wanted: int, currency: str) -> Line:
    """So many units of a line, with their part of its discounts and taxes."""
    price, share = price_of(entry, currency), _share(wanted, entry["quantity"])
    discount = total((share(amount) for amount in _allocations(entry, currency)), currency)
    return Line(
        id=str(entry["id"]),
        sku=text_of(entry, "sku"),
        name=text_of(entry, "name") or text_of(entry, "title"),
        quantity=wanted,
        unit_price=price,
        discount=discount,
        total=price * wanted - discount,
        taxes=tuple(tax.model_copy(update={"amount": share(tax.amount)}) for tax in _taxes(entry, currency)),
        product_id=text_of(entry, "product_id"),
        variant_id=text_of(entry, "variant_id"),
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
    price = price_of(entry, currency)
    discount = total(_allocations(entry, currency), currency)
    return ShippingLine(
        name=text_of(entry, "title"),
        price=price,
        discount=discount,
        total=price - discount,
        taxes=_taxes(entry, currency),
    )


def _allocations(entry: Body, currency: str) -> Iterator[Money]:
    return (amount_of(allocation, "amount", currency) for allocation in entry.get("discount_allocations") or ())


def _taxes(entry: Body, currency: str) -> tuple[Tax, ...]:
    return tuple(
        Tax(
            name=tax["title"],
            rate=None if tax.get("rate") is None else Decimal(str(tax["rate"])),
            amount=price_of(tax, currency),
        )
        for tax in entry.get("tax_lines") or ()
    )


def _taxes_by_name(lines: Sequence[Line], shipping_lines: Sequence[ShippingLine]) -> tuple[Tax, ...]:
    sums: dict[tuple[str, Decimal | None], Tax] = {}
    every = [*(line.taxes for line in lines), *(line.taxes for line in shipping_lines)]
    for tax in chain.from_iterable(every):
        before = sums.get((tax.name, tax.rate))
        added = tax.model_copy(update={"amount": before.amount + tax.amount}) if before else tax
        sums[tax.name, tax.rate] = added
    return tuple(sums.values())


# People and parcels


def customer_of(body: Body) -> Customer | None:
    """Whoever ordered, as far as Shopify tells: a guest, or a shop without leave to see customers, has no record."""
    record, billing = body.get("customer") or {}, body.get("billing_address") or body.get("shipping_address") or {}
    home = record.get("default_address") or {}
    found = Customer(
        id=text_of(record, "id"),
        name=_full_name(record) or text_of(billing, "name") or _full_name(billing),
        email=text_of(body, "email") or text_of(body, "contact_email") or text_of(record, "email"),
        phone=text_of(body, "phone") or text_of(record, "phone") or text_of(billing, "phone"),
        company=text_of(billing, "company") or text_of(home, "company"),
    )
    return found if found != Customer() else None


def _full_name(person: Body) -> str:
    return f"{text_of(person, 'first_name')} {text_of(person, 'last_name')}".strip()


def _address(entry: Body | None) -> Address | None:
    if not entry:
        return None
    return Address(
        name=text_of(entry, "name") or _full_name(entry),
        company=text_of(entry, "company"),
        line1=text_of(entry, "address1"),
        line2=text_of(entry, "address2"),
        city=text_of(entry, "city"),
        region=text_of(entry, "province_code") or text_of(entry, "province"),
        postcode=text_of(entry, "zip"),
        country=text_of(entry, "country_code"),
        phone=text_of(entry, "phone"),
    )


def _fulfilment(entry: Body) -> Fulfilment:
    return Fulfilment(
        id=str(entry["id"]),
        status=text_of(entry, "status"),
        carrier=text_of(entry, "tracking_company"),
        tracking_number=text_of(entry, "tracking_number"),
        tracking_url=text_of(entry, "tracking_url"),
    )
