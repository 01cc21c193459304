"""The arithmetic of an order's lines, without a server."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given

from bellwire.connectors.xero.ledger import Item
from bellwire.connectors.xero.lines import Sheet, document_lines, sheet, tax_rate
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.errors import Refused
from bellwire.events import Fee, Order, Tax
from bellwire.money import Money
from tests.samples import line, order, usd
from tests.strategies import orders

SETTINGS = XeroSettings(
    tenant_id="c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
    base_currency="USD",
    deposit_account="090",
    gift_card_account="835",
)


def cents(value: Any) -> Decimal:
    """What Xero can keep of it: the third decimal of a dinar is lost."""
    return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def lines_of(made_up: Sheet, settings: XeroSettings = SETTINGS, *, discounts: bool = True) -> list[dict[str, Any]]:
    items = {entry.sku: Item(entry.sku) for entry in made_up.entries}
    types = {tax_rate(entry.taxes, settings): tax_rate(entry.taxes, settings) for entry in made_up.entries}
    return document_lines(made_up, items, types, settings, discounts=discounts)


@given(orders())
def test_amounts_less_discounts_plus_tax_come_to_the_total_and_the_tax_is_the_shops(drawn: Order) -> None:
    made_up = sheet(drawn, SETTINGS)
    whole = sum((entry.net + entry.tax for entry in made_up.entries), Decimal(0))
    assert whole == made_up.total == cents(drawn.total.amount)
    assert sum((entry.tax for entry in made_up.entries), Decimal(0)) == cents(drawn.tax_total.amount)


@given(orders())
def test_each_line_is_quantity_times_price_less_discount_to_the_cent(drawn: Order) -> None:
    for each in lines_of(sheet(drawn, SETTINGS)):
        product = Decimal(str(each["UnitAmount"])) * each["Quantity"] - Decimal(str(each.get("DiscountAmount", 0)))
        assert cents(product) == cents(each["LineAmount"])


def test_a_price_that_does_not_divide_has_four_decimals_or_becomes_one_piece() -> None:
    three = line(quantity=3, unit_price=usd("3.3333"), total=usd("10.00"))
    first = lines_of(sheet(order(lines=(three,), total=usd("17.40")), SETTINGS))[0]
    assert (first["Quantity"], first["UnitAmount"]) == (3, 3.3333)
    many = line(quantity=3000, unit_price=usd("0.1111"), total=usd("333.34"), name="Straw")
    first = lines_of(sheet(order(lines=(many,), total=usd("340.74")), SETTINGS))[0]
    assert (first["Quantity"], first["Description"]) == (1, "3000 × Straw")


def test_a_receipt_has_no_discounts_only_reduced_prices() -> None:
    reduced = order(lines=(line(discount=usd("2.00"), total=usd("15.00")),), total=usd("22.40"))
    first = lines_of(sheet(reduced, SETTINGS), discounts=False)[0]
    assert (first["UnitAmount"], first["LineAmount"], "DiscountAmount" in first) == (7.5, 15.0, False)


def test_a_discount_on_prices_with_tax_is_booked_without_it_too() -> None:
    """12.00 less 6.00 with 20 % in it: 10.00 less 5.00, and 1.00 of tax."""
    tax = Tax(name="VAT", rate=Decimal("0.2"), amount=usd("1.00"))
    half = line(quantity=1, unit_price=usd("12.00"), discount=usd("6.00"), total=usd("6.00"), taxes=(tax,))
    inclusive = order(taxes_included=True, lines=(half,), shipping_lines=(), tax_total=usd("1.00"), total=usd("6.00"))
    (entry,) = sheet(inclusive, SETTINGS).entries
    assert (entry.amount, entry.discount, entry.tax) == (Decimal("10.00"), Decimal("5.00"), Decimal("1.00"))


def test_tax_that_no_line_carries_is_shared_among_them() -> None:
    made_up = sheet(order(lines=(line(taxes=()),)), SETTINGS)
    assert [(entry.taxes, entry.tax) for entry in made_up.entries] == [
        ("Sales tax", Decimal("1.03")),
        ("Sales tax", Decimal("0.37")),
    ]


def test_a_cent_of_tax_that_no_line_has_goes_to_the_one_with_the_most() -> None:
    entries = sheet(order(tax_total=usd("1.41"), total=usd("24.41")), SETTINGS).entries
    assert [entry.tax for entry in entries] == [Decimal("1.41"), Decimal(0)]


def test_tax_can_be_booked_as_a_line_for_each_tax() -> None:
    settings = SETTINGS.model_copy(update={"tax_account": "820"})
    made_up = sheet(order(), settings)
    assert (made_up.entries[-1].text, made_up.entries[-1].amount) == ("Sales tax", Decimal("1.40"))
    assert {each["TaxType"] for each in lines_of(made_up, settings)} == {"NONE"}


def test_a_tax_can_have_a_rate_of_its_own() -> None:
    settings = SETTINGS.model_copy(update={"tax_rates": {"GST + PST": "GST/PST BC"}})
    assert [tax_rate(name, settings) for name in ("GST + PST", "GST", "")] == ["GST/PST BC", "OUTPUT", "NONE"]


@pytest.mark.parametrize(("fee_account", "booked_on"), [("", "860"), ("270", "270")])
def test_a_fee_is_booked_by_its_name_with_its_tax(fee_account: str, booked_on: str) -> None:
    tax = Tax(name="Sales tax", rate=Decimal("0.0825"), amount=usd("0.41"))
    wrap = Fee(name="Gift wrap", total=usd("5.00"), taxes=(tax,))
    wrapped = order(fees=(wrap,), tax_total=usd("1.81"), total=usd("29.81"))
    entry = sheet(wrapped, SETTINGS.model_copy(update={"fee_account": fee_account})).entries[-1]
    assert (entry.text, entry.amount, entry.tax, entry.account) == (
        "Gift wrap",
        Decimal("5.00"),
        Decimal("0.41"),
        booked_on,
    )


def test_a_gift_card_that_is_sold_is_booked_as_one_whatever_its_sku() -> None:
    sold = order(lines=(line(gift_card=True, sku="GC-50", taxes=()), line(id="12")), total=usd("41.40"))
    assert [e.account or e.sku for e in sheet(sold, SETTINGS).entries] == ["835", "TEA-100", "260"]
    with pytest.raises(Refused, match="on which account of Xero gift cards are booked"):
        sheet(sold, SETTINGS.model_copy(update={"gift_card_account": ""}))


def test_a_line_without_a_sku_needs_an_account_for_such() -> None:
    with pytest.raises(Refused, match="'Green tea, 100 g' in order 1001 has no SKU") as refused:
        sheet(order(lines=(line(sku=""),)), SETTINGS)
    assert refused.value.cause == "no-sku"
    settings = SETTINGS.model_copy(update={"fallback_account": "200"})
    assert sheet(order(lines=(line(sku=""),)), settings).entries[0].account == "200"


def test_an_order_with_nothing_left_is_refused() -> None:
    nothing = {"lines": (line(quantity=0, total=usd("0"), taxes=()),), "shipping_lines": (), "taxes": ()}
    with pytest.raises(Refused, match="nothing to book"):
        sheet(order(**nothing, tax_total=usd("0"), total=usd("0")), SETTINGS)


def test_a_third_decimal_is_rounded_and_what_is_left_over_is_booked() -> None:
    def fils(amount: str) -> Money:
        return Money.of(amount, "KWD")

    goods = tuple(
        line(id=str(i), quantity=1, unit_price=fils("0.004"), discount=fils("0"), total=fils("0.004"), taxes=())
        for i in range(2)
    )
    zeros = {name: fils("0") for name in ("tax_total", "tip", "adjustment", "gift_cards", "refunded")}
    dinars = order(currency="KWD", lines=goods, shipping_lines=(), taxes=(), total=fils("0.008"), **zeros)
    made_up = sheet(dinars, SETTINGS)
    assert made_up.total == Decimal("0.01")
    assert made_up.entries[-1].account == "860"
