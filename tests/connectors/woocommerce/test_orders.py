from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.connectors.woocommerce.manifest import ShopSettings
from bellwire.connectors.woocommerce.orders import read_order
from bellwire.events import Customer, Order
from bellwire.events.orders import PaymentState
from bellwire.money import Money, digits
from bellwire.practice import CATALOGUE, Sale, SaleLine
from bellwire.practice.woocommerce import WooCommerce
from tests.connectors.woocommerce.deliveries import SHOP, arrived, line, normalise, order_body, order_in

SETTINGS = ShopSettings.model_validate(SHOP)


def read(**changes: Any) -> Order:
    order = read_order(order_body(**changes), SETTINGS)
    assert order.computed_total == order.total
    return order


names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30)
cents = st.decimals(0, 60, places=2)
sales = st.builds(
    Sale,
    number=st.integers(1, 99999).map(str),
    lines=st.lists(
        st.builds(SaleLine, st.sampled_from([good.sku for good in CATALOGUE]), st.integers(1, 12), cents),
        min_size=1,
        max_size=12,
    ),
    customer=st.builds(Customer, id=st.sampled_from(["", "7"]), name=names, email=st.just(""), phone=st.just("")),
    currency=st.sampled_from(["USD", "EUR", "JPY", "KWD"]),
    tax_rate=st.sampled_from([Decimal(rate) for rate in ("0", "0.0825", "0.07", "0.19", "0.2", "0.25")]),
    taxes_included=st.booleans(),
    shipping=cents,
    order_discount=cents,
    tip=cents,
    note=names,
)


@settings(max_examples=150)
@given(sales, st.booleans())
def test_every_order_of_a_shop_adds_up_to_its_total(sale: Sale, at_subtotal: bool) -> None:
    practice = WooCommerce(round_at_subtotal=at_subtotal)
    order_id = practice.place(sale)
    practice.pay(order_id)
    order = order_in(normalise(arrived(practice.webhook(order_id, "order.paid"))))
    cent = Decimal(1).scaleb(-digits(sale.currency))
    assert order.total == practice.total(order_id)
    assert order.computed_total == order.total
    assert order.tip == Money.of(sale.tip, sale.currency).rounded()
    assert [line.quantity for line in order.lines] == [line.quantity for line in sale.lines]
    assert abs(order.adjustment.amount) <= (cent * len(sale.lines) if at_subtotal else 0)
    assert order.customer is not None
    assert (order.customer.name, order.note) == (sale.customer.name, sale.note)
    for read_line in order.lines:
        assert read_line.discount.amount >= 0
        rebuilt = read_line.unit_price * read_line.quantity - read_line.discount
        assert rebuilt.rounded() == read_line.total


@pytest.mark.parametrize("taxes_included", [True, False])
@pytest.mark.parametrize("at_subtotal", [True, False])
def test_an_order_of_250_lines_adds_up(taxes_included: bool, at_subtotal: bool) -> None:
    practice = WooCommerce(round_at_subtotal=at_subtotal)
    lines = [SaleLine(CATALOGUE[i % len(CATALOGUE)].sku, i % 7 + 1) for i in range(250)]
    sale = Sale("1", lines, taxes_included=taxes_included, order_discount=Decimal("33.33"), tip=Decimal(5))
    order = order_in(normalise(arrived(practice.webhook(practice.place(sale), "order.created"))))
    assert len(order.lines) == 250
    assert order.computed_total == order.total
    assert bool(order.adjustment) is (at_subtotal and taxes_included)  # net prices come out in whole cents anyway


def test_inclusive_prices_are_shown_without_tax_like_the_shop_shows_them() -> None:
    order = read(prices_include_tax=True)
    assert not order.taxes_included
    assert str(order.lines[0].total) == "17.00 USD"


def test_coupons_come_off_their_lines() -> None:
    order = read(
        line_items=[line(quantity=3, subtotal="10.00", total="9.00")],
        coupon_lines=[{"code": "welcome", "discount": "1.00", "discount_tax": "0.08"}],
        total="16.40",
    )
    assert str(order.lines[0].discount) == "1.00 USD"
    assert order.lines[0].unit_price.amount == Decimal("3.333333")
    assert (order.discounts[0].code, str(order.discounts[0].amount)) == ("welcome", "1.00 USD")
    assert str(order.discount_total) == "1.00 USD"


def test_a_price_that_somebody_raised_is_no_negative_discount() -> None:
    order = read(line_items=[line(subtotal="10.00", total="17.00")])
    assert (str(order.lines[0].discount), str(order.lines[0].unit_price)) == ("0.00 USD", "8.50 USD")


def test_tips_are_known_by_name_and_other_fees_keep_theirs() -> None:
    def fee(name: str, total: str) -> dict[str, Any]:
        return {"id": 1, "name": name, "total": total, "total_tax": "0.00", "taxes": []}

    order = read(fee_lines=[fee(" tip ", "3.00"), fee("Packing", "2.50"), fee("Loyalty", "-4.00")], total="25.90")
    assert [(entry.name, str(entry.total)) for entry in order.fees] == [
        ("Packing", "2.50 USD"),
        ("Loyalty", "-4.00 USD"),
    ]
    assert (str(order.tip), str(order.adjustment)) == ("3.00 USD", "0.00 USD")


def test_a_fee_has_its_own_tax() -> None:
    taxes = [{"id": 1, "total": "0.41", "subtotal": ""}]
    wrap = {"id": 1, "name": "Gift &amp; wrap", "total": "5.00", "total_tax": "0.41", "taxes": taxes}
    order = read(fee_lines=[wrap], total="29.81", total_tax="1.81")
    (fee,) = order.fees
    assert (fee.name, [str(tax.amount) for tax in fee.taxes]) == ("Gift & wrap", ["0.41 USD"])
    assert order.computed_total == order.total
    assert not order.adjustment


def test_what_the_shop_rounds_otherwise_is_the_adjustment() -> None:
    assert str(read(total="24.39").adjustment) == "-0.01 USD"


def test_taxes_carry_name_rate_and_the_shops_amount() -> None:
    order = read()
    (tax,) = order.taxes
    assert (tax.name, tax.rate, str(tax.amount)) == ("Sales tax", Decimal("0.0825"), "1.40 USD")
    assert [(t.name, str(t.amount)) for t in order.lines[0].taxes] == [("Sales tax", "1.40 USD")]


def test_two_rates_of_one_name_are_added_up_without_a_rate() -> None:
    rates: list[dict[str, Any]] = [
        {"rate_id": i, "label": "VAT", "rate_percent": p, "tax_total": "0.70", "shipping_tax_total": "0.00"}
        for i, p in ((1, 19), (2, 7))
    ]
    (tax,) = read(tax_lines=rates).taxes
    assert (tax.rate, str(tax.amount)) == (None, "1.40 USD")


def test_a_guest_who_left_nothing_is_no_customer_and_an_empty_address_none() -> None:
    order = read(customer_id=0, billing={"first_name": "", "email": None}, shipping={"country": "US", "state": "TX"})
    assert (order.customer, order.billing, order.shipping, order.email) == (None, None, None, "")


def test_a_deleted_product_leaves_its_line() -> None:
    order = read(line_items=[line(sku=None, product_id=0)])
    assert (order.lines[0].sku, order.lines[0].product_id) == ("", "")


@pytest.mark.parametrize(
    ("changes", "ships"),
    [
        ({}, True),
        ({"line_items": [line(sku="CLASS-01")]}, False),
        ({"line_items": [line(sku="CLASS-01"), line()]}, True),
        ({"needs_processing": False}, False),  # all of it is for download
        ({"needs_processing": True}, True),
    ],
)
def test_what_is_for_download_or_named_digital_isnt_sent(changes: dict[str, Any], ships: bool) -> None:
    assert read(**changes).ships is ships


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, PaymentState.PAID),
        ({"status": "pending", "date_paid_gmt": None}, PaymentState.PENDING),
        ({"status": "processing", "date_paid_gmt": None}, PaymentState.PENDING),
        ({"status": "failed"}, PaymentState.FAILED),
        ({"status": "cancelled", "date_paid_gmt": None}, PaymentState.VOIDED),
        ({"status": "cancelled"}, PaymentState.PAID),
        ({"status": "refunded"}, PaymentState.REFUNDED),
        ({"refunds": [{"id": 1, "reason": "", "total": "-5.00"}]}, PaymentState.PARTLY_REFUNDED),
        ({"refunds": [{"id": 1, "reason": "", "total": "-24.40"}]}, PaymentState.REFUNDED),
    ],
)
def test_the_state_of_payment_is_read_from_status_payment_and_refunds(
    changes: dict[str, Any], state: PaymentState
) -> None:
    assert read(**changes).payment is state


def test_the_payment_that_took_the_money_is_told_with_its_id() -> None:
    practice = WooCommerce()
    order_id = practice.place(Sale("1001", [SaleLine("TEA-100", 2)]))
    assert read_order(practice.orders[int(order_id)], SETTINGS).payments == ()
    practice.pay(order_id, "card-gateway", "pay_7")
    found = order_in(normalise(arrived(practice.webhook(order_id, "order.paid"))))
    (payment,) = found.payments or ()
    assert (payment.gateway, payment.payment_id, payment.gift_card) == ("card-gateway", "pay_7", False)
    assert (payment.amount, payment.paid_at) == (found.total, found.paid_at)


def test_an_order_that_cost_nothing_had_no_payment() -> None:
    practice = WooCommerce()
    order_id = practice.place(Sale("1001", [SaleLine("TEA-100")], order_discount=Decimal(999), shipping=Decimal(0)))
    practice.pay(order_id)
    assert read_order(practice.orders[int(order_id)], SETTINGS).payments == ()
