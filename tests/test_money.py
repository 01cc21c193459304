"""Money: exact, and never of two currencies at once."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bellwire.money import Money, digits, total

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
MINOR = st.integers(-(10**14), 10**14)
AMOUNTS = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6)


@st.composite
def monies(draw: st.DrawFn, currency: str = "") -> Money:
    return Money.of(draw(AMOUNTS), currency or draw(CURRENCIES))


class Holder(BaseModel):
    price: Money


@given(MINOR, CURRENCIES)
def test_minor_units_come_back_as_they_were(units: int, currency: str) -> None:
    money = Money.from_minor(units, currency)
    assert money.minor == units
    assert money.rounded() == money


@pytest.mark.parametrize(("currency", "places"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLP", 0), ("XYZ", 2)])
def test_each_currency_has_its_own_decimals(currency: str, places: int) -> None:
    assert digits(currency) == places
    assert str(Money.from_minor(1, currency).amount) == ("1" if places == 0 else f"0.{'1':0>{places}}")


@given(monies())
def test_rounding_is_half_up_to_the_minor_unit(money: Money) -> None:
    unit = Decimal(1).scaleb(-digits(money.currency))
    rounded = money.rounded().amount
    assert rounded == money.amount.quantize(unit, ROUND_HALF_UP)
    assert abs(rounded - money.amount) <= unit / 2
    assert money.minor == rounded / unit


@pytest.mark.parametrize(
    ("amount", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("0.0049", "0.00")]
)
def test_halves_go_away_from_zero(amount: str, rounded: str) -> None:
    assert Money.of(amount, "USD").rounded().amount == Decimal(rounded)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_arithmetic_is_exact(a: Decimal, b: Decimal, c: Decimal) -> None:
    x, y, z = (Money.of(amount, "USD") for amount in (a, b, c))
    assert (x + y).amount == a + b
    assert x + y == y + x
    assert (x + y) + z == x + (y + z)
    assert (x + y) - y == x
    assert x - x == Money.zero("USD") and not (x - x)
    assert -x + x == Money.zero("USD")
    assert x * 3 == x + x + x
    assert total([x, y, z], "USD") == x + y + z
    for money in (x + y, x - y, -x, x * 3, x * Decimal("0.5"), total([x, y], "USD")):
        assert type(money.amount) is Decimal


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    assert Money.of("0.1", "USD") + Money.of("0.2", "USD") == Money.of("0.3", "USD")


def test_no_money_is_a_total_too() -> None:
    assert total([], "JPY") == Money.zero("JPY")


@given(AMOUNTS, AMOUNTS)
def test_order_is_that_of_the_amounts(a: Decimal, b: Decimal) -> None:
    x, y = Money.of(a, "USD"), Money.of(b, "USD")
    assert (x < y, x <= y, x > y, x >= y, x == y) == (a < b, a <= b, a > b, a >= b, a == b)
    assert (hash(x) == hash(y)) >= (a == b)


def test_equal_amounts_are_equal_however_they_are_written() -> None:
    assert Money.of("1.0", "USD") == Money.of("1.000", "USD") == Money.of(1, "USD")
    assert len({Money.of("1.0", "USD"), Money.of("1.00", "USD")}) == 1
    assert Money.of(1, "USD") != Money.of(1, "EUR") and Money.of(1, "USD") != Decimal(1)


@pytest.mark.parametrize("use", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_two_currencies_dont_mix(use: str) -> None:
    with pytest.raises(ValueError, match="different currencies"):
        getattr(Money.of(1, "USD"), use)(Money.of(1, "EUR"))


def test_nor_in_a_total() -> None:
    with pytest.raises(ValueError, match="isn't in USD"):
        total([Money.of(1, "USD"), Money.of(1, "EUR")], "USD")


@pytest.mark.parametrize(
    "amount", [1.5, 0.0, float("nan"), "NaN", "Infinity", "-inf", Decimal("NaN"), "", "one", None, []]
)
def test_what_isnt_an_exact_number_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Money.of(amount, "USD")
    with pytest.raises(ValidationError):
        Money(amount=amount, currency="USD")


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "US1", "USD "])
def test_what_isnt_a_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValidationError):
        Money.of(1, currency)


def test_a_float_in_json_is_refused_and_a_text_is_not() -> None:
    with pytest.raises(ValidationError, match="float"):
        Holder.model_validate_json('{"price": {"amount": 1.5, "currency": "USD"}}')
    assert Holder.model_validate_json('{"price": {"amount": "1.5", "currency": "USD"}}').price == Money.of("1.5", "USD")


def test_a_factor_is_never_a_float() -> None:
    with pytest.raises(TypeError):
        Money.of(1, "USD") * 0.5  # type: ignore[operator]


@given(monies())
def test_it_survives_json_to_the_last_digit(money: Money) -> None:
    again = Holder.model_validate_json(Holder(price=money).model_dump_json()).price
    assert again == money and str(again.amount) == str(money.amount)
    assert Holder.model_validate(Holder(price=money).model_dump(mode="json")).price == money
    assert Holder.model_validate(Holder(price=money).model_dump()).price == money


@given(monies())
def test_what_was_computed_behaves_as_what_was_read(money: Money) -> None:
    computed, read = money + Money.zero(money.currency), Money(amount=money.amount, currency=money.currency)
    assert computed == read and computed.model_dump() == read.model_dump()
    assert computed.model_copy(update={"amount": Decimal(7)}).amount == 7
    assert (computed.model_fields_set, Money.zero("USD").model_fields_set) == ({"amount", "currency"},) * 2


def test_it_cant_be_changed() -> None:
    with pytest.raises(ValidationError):
        Money.of(1, "USD").amount = Decimal(2)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money.of("1234567.891", "USD"), "1,234,567.89 USD"),
        (Money.of(-5, "JPY"), "-5 JPY"),
        (Money.of("1.5", "KWD"), "1.500 KWD"),
        (Money.zero("USD") * -1, "0.00 USD"),
        (Money.of("-0.001", "USD"), "0.00 USD"),
    ],
)
def test_as_people_read_it(money: Money, text: str) -> None:
    assert str(money) == text
