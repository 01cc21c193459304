"""Orders as Shopify works them out and sends them: its REST shape, with every amount in both currencies."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from typing import Any

from bellwire.money import digits
from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.roles import Sale

Body = dict[str, Any]

GOODS: dict[str, tuple[int, Good]] = {good.sku: (index, good) for index, good in enumerate(CATALOGUE)}
FIRST_PRODUCT, FIRST_VARIANT, FIRST_ITEM = 501, 601, 701


class Till:
    """Rounds and writes amounts of one currency."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self._step = Decimal(1).scaleb(-digits(currency))

    def round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self._step, ROUND_HALF_UP)

    def spread(self, amount: Decimal, over: Sequence[Decimal]) -> list[Decimal]:
        """`amount` in proportion to `over`, so that the parts add up exactly."""
        whole = sum(over, Decimal()) or Decimal(1)
        sums = [self.round(amount * part / whole) for part in accumulate(over)]
        return [after - before for before, after in zip([Decimal(), *sums], sums, strict=False)]

    def both(self, amount: Decimal) -> Body:
        money = {"amount": str(self.round(amount)), "currency_code": self.currency}
        return {"shop_money": money, "presentment_money": money}

    def fields(self, **amounts: Decimal) -> Body:
        """Each as `name` and `name_set`."""
        texts = {name: str(self.round(amount)) for name, amount in amounts.items()}
        return texts | {f"{name}_set": self.both(amount) for name, amount in amounts.items()}


def new_order(sale: Sale, order_id: int, now: str) -> Body:
    """The order of a sale, unpaid."""
    till = Till(sale.currency)
    lines = _lines(sale, order_id, till)
    ships = any(line["requires_shipping"] for line in lines)
    shipping_lines = [_shipping_line(sale, order_id, till)] if ships else []
    tax = sum((Decimal(entry["price"]) for line in lines for entry in line["tax_lines"]), Decimal())
    gross = sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal())
    discounts = sum((Decimal(entry["amount"]) for line in lines for entry in line["discount_allocations"]), Decimal())
    shipping = sum((Decimal(entry["price"]) for entry in shipping_lines), Decimal())
    tip = till.round(sale.tip)
    owed = gross - discounts + shipping + tip + (Decimal() if sale.taxes_included else tax)
    address = _address(sale)
    if tip:
        lines.append(_tip_line(order_id, tip, till))
    sums = {
        "subtotal_price": gross - discounts,
        "total_discounts": discounts,
        "total_line_items_price": gross,
        "total_price": owed,
        "total_tax": tax,
    }
    return {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "name": f"#{sale.number}",
        "order_number": int(sale.number) if sale.number.isdecimal() else order_id,
        "test": False,
        "created_at": now,
        "processed_at": now,
        "updated_at": now,
        "cancelled_at": None,
        "closed_at": None,
        "currency": sale.currency,
        "presentment_currency": sale.currency,
        "financial_status": "pending",
        "fulfillment_status": None,
        "taxes_included": sale.taxes_included,
        "email": sale.customer.email or None,
        "contact_email": sale.customer.email or None,
        "phone": sale.customer.phone or None,
        "customer": _customer(sale),
        "billing_address": address,
        "shipping_address": address if ships else None,
        "line_items": lines,
        "shipping_lines": shipping_lines,
        "tax_lines": [_tax_line(sale, tax, till)] if tax else [],
        "discount_applications": _applications(sale),
        "discount_codes": [{"code": "TEATIME", "amount": str(sale.order_discount), "type": "fixed_amount"}]
        if sale.order_discount
        else [],
        **till.fields(**sums),
        **till.fields(
            **{f"current_{name}": amount for name, amount in sums.items() if name != "total_line_items_price"}
        ),
        "total_shipping_price_set": till.both(shipping),
        "total_tip_received": str(tip),
        "total_outstanding": str(till.round(owed)),
        "current_total_duties_set": None,
        "original_total_duties_set": None,
        "payment_gateway_names": [],
        "refunds": [],
        "fulfillments": [],
        "note": sale.note or None,
        "note_attributes": [],
        "tags": "",
        "source_name": "web",
    }


def payments(order: Body, gift_card: Decimal, now: str, gateway: str, payment_id: str) -> list[Body]:
    """The transactions that pay the order: by `gift_card` as far as it goes, the rest at the gateway, which knows it
    as `payment_id`."""
    owed = Decimal(order["total_price"])
    by_gift_card = min(Till(order["currency"]).round(gift_card), owed)
    parts = [("gift_card", by_gift_card, None), (gateway, owed - by_gift_card, payment_id or None)]
    return [
        {
            "id": order["id"] + 960 + number,
            "order_id": order["id"],
            "kind": "sale",
            "status": "success",
            "gateway": gateway,
            "authorization": authorization,
            "payment_id": f"{order['name']}.{number + 1}",
            "amount": str(amount),
            "currency": order["currency"],
            "processed_at": now,
        }
        for number, (gateway, amount, authorization) in enumerate(parts)
        if amount
    ]


def new_refund(
    order: Body, refund_id: int, units: Mapping[str, int], now: str, *, money: bool, shipping: bool = False
) -> Body:
    """A refund of `units` (line id → how many), and of all `shipping`: it gives money back, or only takes them off."""
    till = Till(order["currency"])
    lines = [
        _refund_line(line, units[str(line["id"])], till) for line in order["line_items"] if str(line["id"]) in units
    ]
    entry: Body = {
        "id": refund_id,
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund_id}",
        "order_id": order["id"],
        "created_at": now,
        "processed_at": now,
        "note": None,
        "restock": True,
        "return": None,
        "duties": [],
        "order_adjustments": [],
        "refund_shipping_lines": [
            {
                "id": refund_id + 10 + number,
                "shipping_line": line,
                "subtotal_amount_set": line["price_set"],
                "tax_amount_set": till.both(Decimal()),
            }
            for number, line in enumerate(order["shipping_lines"] if shipping else ())
        ],
        "total_duties_set": till.both(Decimal()),
        "refund_line_items": lines,
        "transactions": [],
    }
    if money:
        transaction = {
            "id": refund_id + 1,
            "order_id": order["id"],
            "kind": "refund",
            "status": "success",
            "gateway": "bogus",
            "authorization": None,
            "payment_id": f"{order['name']}.{refund_id}",
            "amount": str(refund_value(order, entry)),
            "currency": order["currency"],
            "processed_at": now,
        }
        entry["transactions"] = [transaction]
    return entry


def refund_value(order: Body, refund: Body) -> Decimal:
    """What the refund's goods and shipping are worth, with tax."""
    parts = ("subtotal",) if order["taxes_included"] else ("subtotal", "total_tax")
    amounts = [line[f"{part}_set"]["shop_money"]["amount"] for line in refund["refund_line_items"] for part in parts]
    # Practice doesn't tax shipping.
    amounts += [line["subtotal_amount_set"]["shop_money"]["amount"] for line in refund["refund_shipping_lines"]]
    return sum(map(Decimal, amounts), Decimal())


def _lines(sale: Sale, order_id: int, till: Till) -> list[Body]:
    goods = [GOODS[line.sku] for line in sale.lines]
    prices = [till.round(good.price) for _, good in goods]
    gross = [price * line.quantity for price, line in zip(prices, sale.lines, strict=True)]
    own = [min(till.round(line.discount), amount) for line, amount in zip(sale.lines, gross, strict=True)]
    net = [amount - discount for amount, discount in zip(gross, own, strict=True)]
    order_discount = min(till.round(sale.order_discount), sum(net, Decimal()))
    shares = till.spread(order_discount, net)
    return [
        _line(
            sale, order_id + 1 + number, goods[number], line.quantity, prices[number], own[number], shares[number], till
        )
        for number, line in enumerate(sale.lines)
    ]


def _line(
    sale: Sale,
    line_id: int,
    what: tuple[int, Good],
    quantity: int,
    price: Decimal,
    own: Decimal,
    share: Decimal,
    till: Till,
) -> Body:
    index, good = what
    net = price * quantity - own - share
    tax = net * sale.tax_rate / (1 + sale.tax_rate) if sale.taxes_included else net * sale.tax_rate
    given = [(0, own)] if any(line.discount for line in sale.lines) else []
    given += [(len(given), share)] if sale.order_discount else []
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "product_id": FIRST_PRODUCT + index,
        "variant_id": FIRST_VARIANT + index,
        "product_exists": True,
        "sku": good.sku,
        "title": good.name,
        "name": good.name,
        "variant_title": None,
        "quantity": quantity,
        "current_quantity": quantity,
        "fulfillable_quantity": quantity,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": good.weight_grams,
        "requires_shipping": good.ships,
        "taxable": True,
        "properties": [],
        "duties": [],
        **till.fields(price=price, total_discount=Decimal()),
        "discount_allocations": [
            till.fields(amount=amount) | {"discount_application_index": number} for number, amount in given if amount
        ],
        "tax_lines": [_tax_line(sale, tax, till)] if till.round(tax) else [],
    }


def _tip_line(order_id: int, tip: Decimal, till: Till) -> Body:
    """A tip stands among the lines, and again in `total_tip_received`."""
    line_id = order_id + 900
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "product_id": None,
        "variant_id": None,
        "product_exists": False,
        "sku": None,
        "title": "Tip",
        "name": "Tip",
        "variant_title": None,
        "quantity": 1,
        "current_quantity": 1,
        "fulfillable_quantity": 0,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": 0,
        "requires_shipping": False,
        "taxable": False,
        "properties": [],
        "duties": [],
        **till.fields(price=tip, total_discount=Decimal()),
        "discount_allocations": [],
        "tax_lines": [],
        "tip_payment_gateway": "bogus",
        "tip_payment_method": "bogus",
    }


def _shipping_line(sale: Sale, order_id: int, till: Till) -> Body:
    title = "Standard" if sale.shipping else "Free shipping"
    return {
        "id": order_id + 950,
        "title": title,
        "code": title,
        "source": "shopify",
        "is_removed": False,
        **till.fields(price=sale.shipping, discounted_price=sale.shipping),
        "discount_allocations": [],
        "tax_lines": [],
    }


def _tax_line(sale: Sale, tax: Decimal, till: Till) -> Body:
    return {"title": "Sales tax", "rate": float(sale.tax_rate), "channel_liable": False, **till.fields(price=tax)}


def _applications(sale: Sale) -> list[Body]:
    shared: Body = {"target_type": "line_item", "value_type": "fixed_amount", "allocation_method": "across"}
    found: list[Body] = []
    if any(line.discount for line in sale.lines):
        value = str(sum((line.discount for line in sale.lines), Decimal()))
        found.append({"type": "manual", "title": "Reduced", "value": value, "target_selection": "explicit"} | shared)
    if sale.order_discount:
        value = str(sale.order_discount)
        found.append({"type": "discount_code", "code": "TEATIME", "value": value, "target_selection": "all"} | shared)
    return found


def _refund_line(line: Body, units: int, till: Till) -> Body:
    """The part of the line's price after discounts, and of its tax, that these units have."""
    part = Decimal(units) / line["quantity"]
    discount = sum((Decimal(entry["amount"]) for entry in line["discount_allocations"]), Decimal())
    subtotal = till.round((Decimal(line["price"]) * line["quantity"] - discount) * part)
    tax = till.round(sum((Decimal(entry["price"]) for entry in line["tax_lines"]), Decimal()) * part)
    return {
        "id": line["id"] + 100_000,
        "line_item_id": line["id"],
        "line_item": line,
        "quantity": units,
        "location_id": None,
        "restock_type": "return",
        # Bare numbers, as Shopify has them here.
        "subtotal": float(subtotal),
        "total_tax": float(tax),
        "subtotal_set": till.both(subtotal),
        "total_tax_set": till.both(tax),
    }


def _customer(sale: Sale) -> Body | None:
    """None for a guest."""
    who = sale.customer
    if not who.id:
        return None
    first, _, last = who.name.partition(" ")
    return {
        "id": who.id,
        "first_name": first,
        "last_name": last,
        "email": who.email or None,
        "phone": who.phone or None,
        "default_address": {"company": who.company or None},
    }


def _address(sale: Sale) -> Body:
    first, _, last = sale.customer.name.partition(" ")
    return {
        "name": sale.customer.name,
        "first_name": first,
        "last_name": last,
        "company": sale.customer.company or None,
        "address1": "1 Main St",
        "address2": None,
        "city": "Austin",
        "province": "Texas",
        "province_code": "TX",
        "country": "United States",
        "country_code": "US",
        "zip": "78701",
        "phone": sale.customer.phone or None,
    }
