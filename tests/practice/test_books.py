"""What simulated books hold of sales that a person booked long ago."""

from decimal import Decimal

import pytest

from bellwire.capabilities.accounting import CreateCreditMemo, CreditLine
from bellwire.events import Customer
from bellwire.practice import Books, Credited, Sale, SaleLine, practising
from bellwire.practice.driving import in_role
from tests.samples import usd

ADA = Customer(name="Ada Moss")


@pytest.mark.parametrize("vendor", ["quickbooks", "xero"])
async def test_a_sale_of_the_past_is_an_invoice_that_is_paid_and_can_be_taken_off_again(vendor: str) -> None:
    async with practising(vendor) as practised:
        books = in_role(practised.simulator, Books)  # type: ignore[type-abstract]
        lines = [SaleLine("POT-1L"), SaleLine("TEA-100", 2, discount=Decimal("1.00")), SaleLine("TEA-500-NEW")]
        for number in ("1001", "1002"):
            booked = books.book(Sale(number, lines, customer=ADA), usd("104.29"))
            assert (books.booked()[-1].id, books.booked()[-1].reference) == (booked, number)
        assert [(each.total, each.paid) for each in books.booked()] == [(usd("104.29"), True)] * 2
        tea = CreditLine(sku="TEA-100", name="Green tea, 100 g", amount=usd("8.00"), tax=usd("0.66"))
        given = CreateCreditMemo(invoice_number="1002", lines=(tea,), reference="R-1")
        made = await practised.do("accounting.create_credit_memo", given)
        assert books.credits() == [
            Credited(made.model_dump()["id"], "R-1", "1002", usd("8.66"), paid_out=True, left=usd("0.00"))
        ]
