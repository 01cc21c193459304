"""Forms and amounts as Stripe has them."""

import pytest

from bellwire.connectors.stripe.api import fields, minor, money
from bellwire.money import Money


@pytest.mark.parametrize(
    ("units", "currency", "amount"),
    [(2440, "usd", "24.40"), (500, "jpy", "500"), (1500, "kwd", "1.500"), (500, "isk", "5"), (500, "mga", "500")],
)
def test_amounts_are_in_the_minor_units_that_stripe_means(units: int, currency: str, amount: str) -> None:
    assert money(units, currency) == Money.of(amount, currency.upper())
    assert minor(money(units, currency)) == units


def test_forms_have_brackets() -> None:
    given = {"amount": 500, "metadata": {"a b": "1&2"}, "types": ["x", "y"], "created": {"gte": 7}}
    assert list(fields(given)) == [
        ("amount", "500"), ("metadata[a b]", "1&2"), ("types[0]", "x"), ("types[1]", "y"), ("created[gte]", "7")
    ]  # fmt: skip
