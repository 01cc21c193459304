"""The arithmetic of an order's lines, without a server."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given

from bellwire.connectors.quickbooks.lines import Sheet, document_lines, sheet, tax_code
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.errors import Refused
from bellwire.events import Fee, Order, Tax
from bellwire.money import Money
from tests.samples import line, order, usd
from tests.strategies import orders

SETTINGS = QuickBooksSettings(realm_id="1", home_currency="USD")


def lines_of(made_up: Sheet, settings: QuickBooksSettings = SETTINGS) -> list[dict[str, Any]]:
    items = {entry.item: "1" for entry in made_up.entries}
    codes = {tax_code(entry.tax, settings): tax_code(entry.tax, settings) for entry in made_up.entries}
    return document_lines(made_up, items, codes, settings)


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@given(orders())
def test_lines_less_discounts_plus_tax_come_to_the_total(drawn: Order) -> None:
    made_up = sheet(drawn, SETTINGS)
    amounts = sum((entry.amount for entry in made_up.entries), Decimal(0))
    assert amounts - made_up.discount + made_up.tax == made_up.total == cents(drawn.total.amount)


@given(orders())
def test_each_amount_is_quantity_times_unit_price_to_the_cent(drawn: Order) -> None:
    for each in lines_of(sheet(drawn, SETTINGS)):
        if detail := each.get("SalesItemLineDetail"):
            product = Decimal(str(detail["UnitPrice"])) * detail["Qty"]
            assert cents(product) == Decimal(str(each["Amount"]))


@given(orders(currencies=("USD",)))
def test_rounding_takes_up_no_more_than_the_shop_adjusted(drawn: Order) -> None:
    """In a currency of two decimals every part is booked as it is."""
    left = [entry.amount for entry in sheet(drawn, SETTINGS).entries if entry.text == "Adjustment and rounding"]
    assert sum(left, Decimal(0)) == drawn.adjustment.amount


def test_a_price_that_does_not_divide_has_seven_decimals() -> None:
    made_up = sheet(
        order(lines=(line(quantity=3, unit_price=usd("3.3333"), total=usd("10.00")),), total=usd("17.40")), SETTINGS
    )
    detail = lines_of(made_up)[0]["SalesItemLineDetail"]
    assert (detail["Qty"], detail["UnitPrice"]) == (3, 3.3333333)


def test_a_quantity_too_large_for_seven_decimals_becomes_one_piece() -> None:
    many = line(quantity=3_000_000, unit_price=usd("0.0001"), total=usd("333.34"), name="Straw")
    first = lines_of(sheet(order(lines=(many,), total=usd("340.74")), SETTINGS))[0]
    assert (first["SalesItemLineDetail"]["Qty"], first["Description"]) == (1, "3000000 × Straw")


def test_a_discount_is_a_line_of_its_own() -> None:
    reduced = order(lines=(line(discount=usd("2.00"), total=usd("15.00")),), total=usd("22.40"))
    first, *_, last = lines_of(sheet(reduced, SETTINGS))
    assert first["Amount"] == 17.0
    assert last == {"Amount": 2.0, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": False}}


def test_without_discount_lines_the_reduced_price_is_booked() -> None:
    settings = SETTINGS.model_copy(update={"show_discounts": False})
    reduced = order(lines=(line(discount=usd("2.00"), total=usd("15.00")),), total=usd("22.40"))
    lines = lines_of(sheet(reduced, settings), settings)
    assert lines[0]["Amount"] == 15.0
    assert lines[0]["SalesItemLineDetail"]["UnitPrice"] == 7.5
    assert all(each["DetailType"] == "SalesItemLineDetail" for each in lines)


def test_prices_with_tax_are_booked_without_it() -> None:
    tax = Tax(name="VAT", rate=Decimal("0.2"), amount=usd("4.00"))
    inclusive = order(
        taxes_included=True,
        lines=(line(quantity=2, unit_price=usd("12.00"), total=usd("24.00"), taxes=(tax,)),),
        shipping_lines=(),
        tax_total=usd("4.00"),
        total=usd("24.00"),
    )
    made_up = sheet(inclusive, SETTINGS)
    assert [(entry.amount, entry.tax) for entry in made_up.entries] == [(Decimal("20.00"), "VAT")]
    assert made_up.tax == Decimal("4.00")


def test_a_discount_on_prices_with_tax_is_booked_without_it_too() -> None:
    """12.00 less 6.00 with 20 % in it: 10.00 less 5.00, and 1.00 of tax."""
    tax = Tax(name="VAT", rate=Decimal("0.2"), amount=usd("1.00"))
    half = line(quantity=1, unit_price=usd("12.00"), discount=usd("6.00"), total=usd("6.00"), taxes=(tax,))
    inclusive = order(taxes_included=True, lines=(half,), shipping_lines=(), tax_total=usd("1.00"), total=usd("6.00"))
    made_up = sheet(inclusive, SETTINGS)
    assert [(entry.amount, entry.discount) for entry in made_up.entries] == [(Decimal("10.00"), Decimal("5.00"))]


@pytest.mark.parametrize(("fee_item", "setting"), [("", "adjustment_item"), ("Other income", "fee_item")])
def test_a_fee_is_booked_by_its_name_with_its_tax(fee_item: str, setting: str) -> None:
    tax = Tax(name="Sales tax", rate=Decimal("0.0825"), amount=usd("0.41"))
    wrap = Fee(name="Gift wrap", total=usd("5.00"), taxes=(tax,))
    wrapped = order(fees=(wrap,), tax_total=usd("1.81"), total=usd("29.81"))
    entry = sheet(wrapped, SETTINGS.model_copy(update={"fee_item": fee_item})).entries[-1]
    assert (entry.text, entry.amount, entry.tax, entry.item.setting) == (
        "Gift wrap",
        Decimal("5.00"),
        "Sales tax",
        setting,
    )


def test_a_gift_card_that_is_sold_is_booked_as_one_whatever_its_sku() -> None:
    sold = order(lines=(line(gift_card=True, sku="GC-50", taxes=()), line(id="12")), total=usd("41.40"))
    assert [e.item.setting or e.item.sku for e in sheet(sold, SETTINGS).entries] == [
        "gift_card_item",
        "TEA-100",
        "shipping_item",
    ]


def test_a_gift_card_that_is_used_leaves_the_total_alone() -> None:
    assert sheet(order(gift_cards=usd("20.00")), SETTINGS) == sheet(order(), SETTINGS)


@given(orders())
def test_less_what_gift_cards_paid_the_total_is_the_money_that_came_in(drawn: Order) -> None:
    made_up = sheet(drawn, SETTINGS, drawn.paid_by_gift_card)
    amounts = sum((entry.amount for entry in made_up.entries), Decimal(0))
    assert amounts - made_up.discount + made_up.tax == made_up.total == cents(drawn.paid_in_money.amount)
    assert made_up.total >= 0


def test_the_line_of_a_used_gift_card_has_no_tax_although_no_line_says_which_has() -> None:
    """Gift cards pay the tax too; they don't lower it."""
    made_up = sheet(order(lines=(line(taxes=()),)), SETTINGS, usd("20.00"))
    *goods, used = made_up.entries
    assert (used.item.setting, used.amount, used.tax) == ("gift_card_item", Decimal("-20.00"), "")
    assert {entry.tax for entry in goods} == {"Sales tax"}
    assert made_up.tax == Decimal("1.40")


def test_a_line_without_a_sku_goes_to_the_fallback_item() -> None:
    settings = SETTINGS.model_copy(update={"fallback_item": "Other goods"})
    assert sheet(order(lines=(line(sku=""),)), settings).entries[0].item.setting == "fallback_item"


def test_a_line_without_a_sku_is_refused_when_there_is_no_fallback_item() -> None:
    with pytest.raises(Refused, match="'Green tea, 100 g' in order 1001 has no SKU") as refused:
        sheet(order(lines=(line(sku=""),)), SETTINGS)
    assert refused.value.cause == "no-sku"


def test_lines_that_were_taken_off_are_left_out() -> None:
    removed = line(id="12", sku="GONE", quantity=0, total=usd("0"), taxes=())
    assert [e.item.sku for e in sheet(order(lines=(line(), removed)), SETTINGS).entries] == ["TEA-100", ""]


def test_an_order_with_nothing_left_is_refused() -> None:
    nothing = {"lines": (line(quantity=0, total=usd("0"), taxes=()),), "shipping_lines": (), "taxes": ()}
    with pytest.raises(Refused, match="nothing to book"):
        sheet(order(**nothing, tax_total=usd("0"), total=usd("0")), SETTINGS)


def test_an_order_of_free_goods_is_booked_at_zero() -> None:
    free = line(unit_price=usd("0"), total=usd("0"), taxes=())
    made_up = sheet(order(lines=(free,), shipping_lines=(), taxes=(), tax_total=usd("0"), total=usd("0")), SETTINGS)
    assert [(entry.quantity, entry.amount) for entry in made_up.entries] == [(2, Decimal("0.00"))]


def test_tax_that_no_line_carries_makes_all_lines_taxable() -> None:
    """QuickBooks drops a tax when no line is taxable."""
    made_up = sheet(order(lines=(line(taxes=()),)), SETTINGS)
    assert {entry.tax for entry in made_up.entries} == {"Sales tax"}


def test_tax_can_be_booked_as_a_line_for_each_tax() -> None:
    settings = SETTINGS.model_copy(update={"tax_item": "Sales tax"})
    made_up = sheet(order(), settings)
    assert made_up.tax == 0
    assert (made_up.entries[-1].text, made_up.entries[-1].amount) == ("Sales tax", Decimal("1.40"))
    assert {each["SalesItemLineDetail"]["TaxCodeRef"]["value"] for each in lines_of(made_up, settings)} == {"NON"}


def test_a_tax_can_have_a_code_of_its_own() -> None:
    settings = SETTINGS.model_copy(update={"tax_codes": {"GST + PST": "GST/PST BC"}})
    assert [tax_code(name, settings) for name in ("GST + PST", "GST", "")] == ["GST/PST BC", "TAX", "NON"]


def test_a_third_decimal_is_rounded_and_what_is_left_over_is_booked() -> None:
    def fils(amount: str) -> Money:
        return Money.of(amount, "KWD")

    dinars = order(
        currency="KWD",
        lines=tuple(
            line(id=str(i), quantity=1, unit_price=fils("0.004"), discount=fils("0"), total=fils("0.004"), taxes=())
            for i in range(2)
        ),
        shipping_lines=(),
        taxes=(),
        **{name: fils("0") for name in ("tax_total", "tip", "adjustment", "gift_cards", "refunded")},
        total=fils("0.008"),
    )
    made_up = sheet(dinars, SETTINGS)
    assert made_up.total == Decimal("0.01")
    assert made_up.entries[-1].item.setting == "adjustment_item"
