"""Orders: their sums, and what is read off them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from bellwire.events import Order, data_model
from bellwire.money import digits, total
from tests.samples import line, order, usd
from tests.strategies import orders

thorough = settings(max_examples=60)


@thorough
@given(orders(max_lines=20))
def test_the_parts_of_an_order_are_its_total_to_the_cent(given: Order) -> None:
    assert given.computed_total == given.total
    unit = Decimal(1).scaleb(-digits(given.currency))
    for each in given.lines:
        left_over = each.unit_price * each.quantity - each.discount - each.total
        assert abs(left_over.amount) <= unit
    taxes = [tax.amount for line in given.lines for tax in line.taxes]
    taxes += [tax.amount for shipping in given.shipping_lines for tax in shipping.taxes]
    taxes += [tax.amount for fee in given.fees for tax in fee.taxes]
    assert total(taxes, given.currency) == given.tax_total == total((t.amount for t in given.taxes), given.currency)


@thorough
@given(orders(max_lines=20))
def test_an_order_survives_json_without_losing_a_digit(given: Order) -> None:
    again = Order.model_validate_json(given.model_dump_json())
    assert again == given
    assert again.model_dump_json() == given.model_dump_json()
    assert Order.model_validate(given.model_dump()) == given


@thorough
@given(orders(max_lines=10))
def test_no_amount_is_written_as_a_float(given: Order) -> None:
    def floats(value: object) -> list[object]:
        if isinstance(value, dict):
            return [found for each in value.values() for found in floats(each)]
        if isinstance(value, list):
            return [found for each in value for found in floats(each)]
        return [value] if isinstance(value, float) else []

    assert floats(given.model_dump(mode="json")) == []


def test_a_total_that_doesnt_add_up_shows() -> None:
    assert order().computed_total == order().total == usd("24.40")
    assert order(total=usd("24.41")).computed_total != usd("24.41")
    assert order(taxes_included=True).computed_total == usd("23.00")


def test_an_order_ships_when_anything_in_it_does() -> None:
    digital, gone = line(ships=False), line(quantity=0)
    assert order().ships
    assert not order(lines=(digital, gone)).ships
    assert order(lines=(digital, line())).ships


def test_only_what_is_sent_weighs() -> None:
    assert order(lines=(line(quantity=3), line(ships=False))).weight_grams == 360


def test_a_guest_has_no_address_to_write_to() -> None:
    assert order(customer=None).email == ""
    assert order().email == "robin@example.com"


def test_discounts_of_lines_and_shipping_add_up() -> None:
    shipping = order().shipping_lines[0].model_copy(update={"discount": usd("1.00")})
    assert order(lines=(line(discount=usd("2.50")),), shipping_lines=(shipping,)).discount_total == usd("3.50")


@pytest.mark.parametrize("wrong", [{"totl": usd("1")}, {"total": None}, {"lines": None}, {"payment": "perhaps"}])
def test_what_doesnt_belong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate(order().model_dump() | wrong)


def test_a_negative_quantity_is_refused() -> None:
    with pytest.raises(ValidationError):
        line(quantity=-1)


def test_an_order_cant_be_changed() -> None:
    with pytest.raises(ValidationError):
        order().number = "7"  # type: ignore[misc]


def test_the_type_says_which_data() -> None:
    assert data_model("order.paid") is Order
