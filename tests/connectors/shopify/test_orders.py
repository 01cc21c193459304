import copy
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.connectors.shopify.orders import order
from bellwire.events import Customer, Order
from bellwire.events.orders import PaymentState
from bellwire.money import Money
from bellwire.practice import CATALOGUE, Sale, SaleLine
from bellwire.practice.shopify import Shopify
from tests.samples import usd
from tests.shared import needs_shared, payload

Body = dict[str, Any]

_CENTS = st.integers(0, 5000).map(lambda cents: Decimal(cents) / 100)
_NAMES = st.sampled_from(("Robin Hill", "李 小龙", "Ægir Þórsson 🫖", "", "M"))


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    count = draw(st.sampled_from((1, 1, 2, 3, 7, 60, 250)))
    pattern = draw(
        st.lists(
            st.tuples(
                st.sampled_from([good.sku for good in CATALOGUE]), st.integers(1, 40), st.just(Decimal(0)) | _CENTS
            ),
            min_size=1,
            max_size=5,
        )
    )
    lines = [SaleLine(*pattern[number % len(pattern)]) for number in range(count)]
    return Sale(
        str(draw(st.integers(1, 10**6))),
        lines,
        customer=Customer(
            id=draw(st.sampled_from(("", "7"))),
            name=draw(_NAMES),
            email=draw(st.sampled_from(("", "robin@example.com"))),
            phone=draw(st.sampled_from(("", "+15125550123"))),
        ),
        currency=draw(st.sampled_from(("USD", "EUR", "JPY", "KWD"))),
        tax_rate=draw(st.sampled_from((Decimal(0), Decimal("0.0825"), Decimal("0.19"), Decimal("0.2")))),
        taxes_included=draw(st.booleans()),
        shipping=draw(st.sampled_from((Decimal(0), Decimal("6.00")))),
        order_discount=draw(st.just(Decimal(0)) | _CENTS),
        tip=draw(st.just(Decimal(0)) | _CENTS),
        gift_card=draw(st.just(Decimal(0)) | _CENTS),
        note=draw(st.sampled_from(("", "Bitte klingeln 🔔"))),
    )


@given(sales(), st.booleans())
@settings(max_examples=150)
def test_the_total_is_the_shops_and_the_parts_add_up_to_it(sale: Sale, paid: bool) -> None:
    shop = Shopify()
    order_id = shop.place(sale)
    if paid:
        shop.pay(order_id)
    found = order(shop.orders[order_id])
    assert found.total == shop.total(order_id) == found.computed_total
    assert not found.adjustment
    assert found.tip == Money.of(sale.tip, sale.currency).rounded()
    assert len(found.lines) == len(sale.lines)
    assert [(line.sku, line.quantity) for line in found.lines] == [(line.sku, line.quantity) for line in sale.lines]
    assert sum((tax.amount.amount for tax in found.taxes), Decimal()) == found.tax_total.amount
    assert found.discount_total.amount == sum((entry.amount.amount for entry in found.discounts), Decimal())
    assert found.payment is (PaymentState.PAID if paid else PaymentState.PENDING)


@given(sales())
@settings(max_examples=150)
def test_what_gift_cards_paid_is_told_or_known_to_be_unknown(sale: Sale) -> None:
    shop = Shopify()
    order_id = shop.place(sale)
    assert order(shop.orders[order_id]).gift_cards == Money.zero(sale.currency)
    shop.pay(order_id)
    found, left = order(shop.orders[order_id]), Money.of(sale.gift_card, sale.currency).rounded()
    if not (left and found.total):
        assert found.gift_cards == Money.zero(sale.currency)
    elif left >= found.total:
        assert found.gift_cards == found.total
    else:
        assert found.gift_cards is None
    read = order(shop.orders[order_id] | {"transactions": shop.payments[order_id]})
    assert read.gift_cards == min(left, found.total)


@given(sales(), st.data())
def test_units_given_back_stay_in_the_order_and_units_taken_off_leave_it(sale: Sale, data: st.DataObject) -> None:
    shop = Shopify()
    order_id = shop.place(sale)
    lines = [line for line in shop.orders[order_id]["line_items"] if line["product_id"]]
    kept = {line["id"]: line["quantity"] for line in lines}
    for money in data.draw(st.sampled_from(((False,), (True,), (False, True), (True, False)))):
        line = data.draw(st.sampled_from(lines))
        left = kept[line["id"]] - sum(
            entry["quantity"]
            for refund in shop.orders[order_id]["refunds"]
            if refund["transactions"]
            for entry in refund["refund_line_items"]
            if entry["line_item_id"] == line["id"]
        )
        units = data.draw(st.integers(0, left))
        shop.refund(order_id, {str(line["id"]): units}, money=money)
        if not money:
            kept[line["id"]] -= units
    found = order(shop.orders[order_id])
    assert found.computed_total == found.total == shop.total(order_id)
    assert [line.quantity for line in found.lines] == list(kept.values())
    paid_back = [entry["transactions"] for entry in shop.orders[order_id]["refunds"] if entry["transactions"]]
    assert found.refunded.amount == sum((Decimal(entry[0]["amount"]) for entry in paid_back), Decimal())
    # What is left over is rounding: less than a unit for each amount that was shared out.
    assert abs(found.adjustment.minor) <= 4
    taxes = sum((tax.amount.minor for tax in found.taxes), 0)
    assert abs(taxes - found.tax_total.minor) <= 4


def test_an_order_that_was_called_off_before_payment_owes_nothing() -> None:
    shop = Shopify()
    order_id = shop.place(Sale("1", [SaleLine("TEA-100", 2)], shipping=Decimal(0)))
    shop.cancel(order_id)
    found = order(shop.orders[order_id])
    assert (found.total, found.ships, found.payment) == (usd("0"), False, PaymentState.VOIDED)
    assert found.cancelled_at is not None


@needs_shared
def test_the_official_example() -> None:
    """It was paid, and two of its three lines were given back for money."""
    found = order(orjson.loads(payload("shopify", "resource_order.json")))
    assert (found.id, found.number, str(found.total), str(found.refunded)) == (
        "450789469",
        "1001",
        "598.94 USD",
        "209.00 USD",
    )
    assert found.computed_total == found.total
    assert not found.adjustment
    assert [line.quantity for line in found.lines] == [1, 1, 1]
    assert [(entry.code, str(entry.amount)) for entry in found.discounts] == [("TENOFF", "10.00 USD")]
    assert [(tax.name, tax.rate, str(tax.amount)) for tax in found.taxes] == [
        ("State Tax", Decimal("0.06"), "11.94 USD")
    ]
    assert found.payment is PaymentState.PARTLY_REFUNDED
    assert found.paid_at == found.created_at
    assert found.customer == Customer(
        id="207119551", name="Bob Norman", email="bob.norman@mail.example.com", phone="+557734881234"
    )
    assert found.shipping is not None
    assert (found.shipping.region, found.shipping.country, found.shipping.postcode) == ("KY", "US", "40202")
    assert found.fulfilments[0].tracking_number == "1Z1234512345123456"
    assert found.payment_method == "bogus"


def paid_body(**changes: Any) -> Body:
    shop = Shopify()
    order_id = shop.place(Sale("1001", [SaleLine("TEA-100", 2), SaleLine("CLASS-01")], tip=Decimal(3)))
    shop.pay(order_id)
    return copy.deepcopy(shop.orders[order_id]) | changes


@pytest.mark.parametrize(
    ("changes", "adjustment"),
    [
        ({"total_price": "60.00", "total_price_set": None}, None),
        ({"original_total_duties_set": {"shop_money": {"amount": "5.00", "currency_code": "USD"}}}, "0.00"),
        ({"line_items": []}, None),
        ({"shipping_lines": []}, "6.00"),
        ({"shipping_lines": None, "discount_applications": None, "refunds": None, "fulfillments": None}, "6.00"),
        ({"tax_lines": [], "total_tax": "0.00", "total_tax_set": None}, None),
    ],
)
def test_whatever_is_left_over_is_the_adjustment(changes: Body, adjustment: str | None) -> None:
    found = order(paid_body(**changes))
    assert found.computed_total == found.total
    assert adjustment in (None, str(found.adjustment.amount))


def test_a_removed_shipping_line_is_left_out() -> None:
    body = paid_body()
    body["shipping_lines"].append(copy.deepcopy(body["shipping_lines"][0]) | {"is_removed": True})
    found = order(body)
    assert len(found.shipping_lines) == 1
    assert not found.adjustment


def test_shipping_that_was_taken_off_before_payment_isnt_owed() -> None:
    body = paid_body()
    body["shipping_lines"][0]["is_removed"] = True
    left = Decimal(body["total_price"]) - Decimal(body["shipping_lines"][0]["price"])
    body["current_total_price_set"]["shop_money"]["amount"] = str(left)
    found = order(body)
    assert (found.total.amount, found.shipping_lines) == (left, ())
    assert not found.adjustment


def test_shipping_that_was_given_back_for_money_stays_owed() -> None:
    shop = Shopify()
    order_id = shop.place(Sale("1", [SaleLine("TEA-100", 2)]))
    shop.refund(order_id, {str(shop.orders[order_id]["line_items"][0]["id"]): 1}, money=False)
    shop.pay(order_id)
    owed = shop.total(order_id)
    shop.refund_shipping(order_id)
    found = order(shop.orders[order_id])
    assert (found.total, found.refunded) == (owed, usd("6.00"))
    assert not found.adjustment


def test_a_discount_on_shipping_is_taken_off_there() -> None:
    body = paid_body(total_price_set=None, total_price="48.46")
    body["discount_applications"] = [{"type": "automatic", "title": "Free shipping", "target_type": "shipping_line"}]
    body["shipping_lines"][0]["discount_allocations"] = [
        {"amount": "6.00", "amount_set": None, "discount_application_index": 0}
    ]
    found = order(body)
    assert (found.shipping_lines[0].discount, found.shipping_lines[0].total) == (usd("6.00"), usd("0.00"))
    assert [(entry.name, entry.amount) for entry in found.discounts] == [("Free shipping", usd("6.00"))]
    assert found.computed_total == found.total
    assert not found.adjustment


def test_taxes_of_shipping_count() -> None:
    body = paid_body()
    body["shipping_lines"][0]["tax_lines"] = [{"title": "Sales tax", "rate": 0.0825, "price": "0.50"}]
    found = order(body | {"total_tax": "3.96", "total_tax_set": None})
    assert [str(tax.amount) for tax in found.taxes] == ["3.96 USD"]


def test_a_tip_is_known_by_its_mark_or_by_its_looks() -> None:
    marked = paid_body()
    plain = paid_body()
    for field in ("tip_payment_gateway", "tip_payment_method"):
        del plain["line_items"][-1][field]
    abroad = copy.deepcopy(plain)
    abroad["line_items"][-1] |= {"title": "Trinkgeld", "name": "Trinkgeld"}
    only_summed = copy.deepcopy(plain)
    del only_summed["line_items"][-1]
    found = [order(body) for body in (marked, plain, abroad, only_summed)]
    assert [entry.tip for entry in found] == [usd("3.00")] * 4
    assert [len(entry.lines) for entry in found] == [2] * 4
    assert not any(entry.adjustment for entry in found)


def test_what_looks_like_a_tip_but_is_a_product_stays_a_line() -> None:
    body = paid_body()
    body["line_items"][-1] = body["line_items"][-1] | {
        "sku": "TIP",
        "tip_payment_gateway": None,
        "tip_payment_method": "",
    }
    assert len(order(body).lines) == 3


def test_a_gift_card_that_is_sold_is_a_line_that_doesnt_ship() -> None:
    body = paid_body()
    body["line_items"][1] |= {"gift_card": True}
    line = order(body).lines[1]
    assert (line.gift_card, line.ships) == (True, False)


@pytest.mark.parametrize(
    ("gateways", "transactions", "gift_cards"),
    [
        (["gift_card"], None, usd("54.46")),
        (["bogus"], None, usd("0")),
        ([], None, usd("0")),
        (["gift_card", "bogus"], None, None),
        (["gift_card", "bogus"], [], usd("0")),
        (["gift_card", "bogus"], [("sale", "success", "10.00"), ("sale", "failure", "99.00")], usd("10.00")),
        (["gift_card", "bogus"], [("authorization", "success", "10.00"), ("capture", "success", "7.00")], usd("7.00")),
    ],
)
def test_what_gift_cards_paid(
    gateways: list[str], transactions: list[tuple[str, str, str]] | None, gift_cards: Money | None
) -> None:
    body = paid_body(payment_gateway_names=gateways)
    if transactions is not None:
        body["transactions"] = [
            {"kind": kind, "status": status, "gateway": "gift_card", "amount": amount}
            for kind, status, amount in transactions
        ]
    found = order(body)
    assert found.gift_cards == gift_cards
    assert found.computed_total == found.total


@pytest.mark.parametrize(
    ("status", "gift_cards"),
    [("pending", usd("0")), ("voided", usd("0")), ("partially_paid", None), ("refunded", usd("54.46"))],
)
def test_a_gift_card_has_paid_as_much_as_the_state_of_the_payment_says(status: str, gift_cards: Money | None) -> None:
    found = order(paid_body(payment_gateway_names=["gift_card"], financial_status=status))
    assert found.gift_cards == gift_cards


def test_amounts_are_the_shops_when_the_customer_saw_another_currency() -> None:
    body = paid_body()
    for both in (entry["price_set"] for entry in (*body["line_items"], *body["shipping_lines"])):
        both["presentment_money"] = {"amount": "1", "currency_code": "EUR"}
    body["total_price_set"]["presentment_money"] = {"amount": "48.27", "currency_code": "EUR"}
    found = order(body)
    assert (found.total, found.presentment_total) == (usd("54.46"), Money.of("48.27", "EUR"))
    assert found.computed_total == found.total


def test_a_guest_without_anything_has_no_customer() -> None:
    nobody = {"email": None, "contact_email": None, "phone": None, "customer": None}
    found = order(paid_body(billing_address=None, shipping_address=None, **nobody))
    assert (found.customer, found.billing, found.shipping, found.email) == (None, None, None, "")


def test_a_guest_with_an_address_has_a_name() -> None:
    found = order(paid_body(customer=None, email="g@example.com"))
    assert found.customer == Customer(name="Robin Hill", email="g@example.com", phone="+15125550123")


def test_digital_and_free_orders() -> None:
    shop = Shopify()
    order_id = shop.place(Sale("1", [SaleLine("CLASS-01", 1, Decimal(25))], shipping=Decimal(0)))
    found = order(shop.orders[order_id])
    assert (found.ships, found.shipping, found.shipping_lines, found.total) == (False, None, (), usd("0"))


@pytest.mark.parametrize(
    ("word", "state", "paid"),
    [
        ("pending", PaymentState.PENDING, False),
        (None, PaymentState.PENDING, False),
        ("authorized", PaymentState.PENDING, False),
        ("partially_paid", PaymentState.PARTIAL, False),
        ("paid", PaymentState.PAID, True),
        ("partially_refunded", PaymentState.PARTLY_REFUNDED, True),
        ("refunded", PaymentState.REFUNDED, True),
        ("voided", PaymentState.VOIDED, False),
        ("expired", PaymentState.VOIDED, False),
    ],
)
def test_the_states_of_payment(word: str | None, state: PaymentState, paid: bool) -> None:
    found = order(paid_body(financial_status=word))
    assert (found.payment, found.paid_at is not None, found.status) == (state, paid, word or "")


@pytest.mark.parametrize(("name", "number"), [("#1001", "1001"), ("EN1001-A", "EN1001-A"), (None, "77")])
def test_an_orders_number_is_what_people_call_it(name: str | None, number: str) -> None:
    assert order(paid_body(name=name, order_number=77)).number == number


def test_tags_and_note() -> None:
    found = order(paid_body(tags="León, vip", note=None))
    assert (found.tags, found.note) == (("León", "vip"), "")


def test_failed_refund_transactions_move_no_money() -> None:
    moved = [
        ("refund", "success", "1.00"),
        ("refund", "pending", "2.00"),
        ("refund", "failure", "4.00"),
        ("void", "success", "8"),
    ]
    entry = {
        "id": 1,
        "created_at": "2026-08-14T10:00:00-04:00",
        "transactions": [{"kind": kind, "status": status, "amount": amount} for kind, status, amount in moved],
    }
    found = order(paid_body(refunds=[entry]))
    assert found.refunded == usd("3.00")
    assert found.refunds[0].order_number == "1001"


def test_it_survives_the_ledger() -> None:
    found = order(paid_body())
    assert Order.model_validate_json(found.model_dump_json()) == found
