"""What can be asked of the books at all."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from bellwire.capabilities.accounting import CreateCreditMemo, CreateWorkInvoice, CreditLine, WorkLine
from bellwire.events import Customer
from bellwire.money import Money
from tests.samples import usd


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"invoice_id": "7"}, "either invoice_number or invoice_id"),
        ({"invoice_number": ""}, "either invoice_number or invoice_id"),
        ({"lines": ()}, "lines or shipping are needed"),
        ({"lines": (CreditLine(name="Fee", amount=usd("-1")),)}, "can't be given back"),
        ({"lines": (CreditLine(name="Fee", amount=usd("5"), tax=usd("-1")),)}, "with -1.00 USD tax can't be given"),
        ({"shipping": Money.of("1", "EUR")}, "isn't in USD"),
    ],
)
def test_what_is_no_credit_is_refused_before_anybody_is_asked(changes: dict[str, Any], sentence: str) -> None:
    tea = (CreditLine(sku="TEA-100", name="Tea", amount=usd("8.50")),)
    with pytest.raises(ValidationError, match=sentence):
        CreateCreditMemo(**{"invoice_number": "1001", "lines": tea, "reference": "R-1", **changes})


def test_a_credit_comes_to_all_of_its_amounts_and_taxes() -> None:
    tea = CreditLine(sku="TEA-100", name="Tea", amount=usd("8.50"), tax=usd("0.70"))
    fee = CreditLine(name="Restocking", amount=usd("-1.00"))
    back = CreateCreditMemo(
        invoice_number="1001",
        lines=(tea, fee),
        shipping=usd("6.00"),
        shipping_tax=usd("0.50"),
        tax=usd("0.01"),
        reference="R-1",
    )
    assert (back.tax_total, back.total) == (usd("1.21"), usd("14.71"))


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((), "at least 1 item"),
        (
            (WorkLine(name="A", unit_price=usd("1")), WorkLine(name="B", unit_price=Money.of("1", "EUR"))),
            "isn't in USD",
        ),
    ],
)
def test_work_has_lines_in_one_currency(lines: Any, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        CreateWorkInvoice(customer=Customer(name="Robin Hill"), lines=lines, reference="B-1")


@pytest.mark.parametrize("quantity", ["0", "-1", "0.00001"])
def test_work_has_a_quantity_that_the_books_can_keep(quantity: str) -> None:
    with pytest.raises(ValidationError, match="quantity"):
        WorkLine(name="Labour", quantity=Decimal(quantity), unit_price=usd("60"))
