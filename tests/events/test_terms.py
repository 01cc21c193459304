"""What an event is looked for by."""

import pytest

from bellwire.events import Customer, FreeForm, Lead, Refund, amounts_in, term, terms_of
from tests.samples import NOW, order, usd


def test_an_order_is_found_by_its_number_its_customer_and_its_total() -> None:
    sold = order(
        number="#1001", customer=Customer(name="Robin van  Hill", email="Robin@Example.com"), total=usd("24.40")
    )

    assert set(terms_of(sold)) == {"1001", "robin van hill", "van hill", "hill", "robin@example.com", "24.40"}


def test_an_order_without_a_customer_has_the_rest() -> None:
    assert terms_of(order(number="7", customer=None, total=usd("5.00"))) == ["7", "5.00"]


def test_what_is_about_an_order_is_found_by_its_number() -> None:
    refund = Refund(id="r1", order_id="o1", order_number="1001", amount=usd("3.10"), created_at=NOW)

    assert terms_of(refund) == ["1001", "3.10"]


def test_somebody_who_asks_is_found_by_name_and_address() -> None:
    lead = Lead(id="l1", name="Ada Meyer", email="ada@example.com", created_at=NOW)

    assert set(terms_of(lead)) == {"ada meyer", "meyer", "ada@example.com"}


def test_data_of_any_form_has_terms_only_of_what_can_be_one() -> None:
    data = FreeForm.model_validate(
        {"number": 12, "customer": {"name": "x"}, "email": ["a"], "total": "7", "name": None}
    )

    assert terms_of(data) == ["12"]


def test_terms_are_bounded_and_plain() -> None:
    assert term("  # 1001\n") == "1001"
    assert term("Ä\x00B") == "ä b"
    assert len(term("x" * 500)) == 100


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("$24.40", ["24.40"]),
        ("24.4", ["24.40"]),
        ("24,40 €", ["24.40"]),
        ("24", ["24.00", "24"]),
        ("1,234.50", ["1234.50"]),
        ("USD 1.234,5", ["1234.50"]),
        ("1,234", ["1234.00", "1234"]),
        ("1001a", []),
        ("robin", []),
    ],
)
def test_an_amount_is_understood_as_people_write_it(typed: str, meant: list[str]) -> None:
    assert amounts_in(typed) == meant
