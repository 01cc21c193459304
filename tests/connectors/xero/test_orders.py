"""Every order that a shop can send gives an invoice of its total, and a receipt of the money that came in."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from bellwire.capabilities.accounting import CreateInvoice, CreateSalesReceipt
from bellwire.connectors import find_connector
from bellwire.events import Order
from bellwire.practice import Practice
from bellwire.practice.xero import Xero
from tests.connecting import call, connection
from tests.strategies import orders

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = count(1)
_quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cents(value: Any) -> Decimal:
    """What Xero can keep of it: the third decimal of a dinar is lost."""
    return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


async def book(practice: Practice, order: Order, action: str, **changes: object) -> Any:
    """Book `order` under a number of its own; gives the document as the practice books have it."""
    company = practice.simulators["xero"]
    assert isinstance(company, Xero)
    order = order.model_copy(update={"number": str(next(_numbers))})
    books = connection("xero", practice, settings={**company.settings, "multicurrency": True, **changes})
    wanted = CreateInvoice(order=order) if action == "create_invoice" else CreateSalesReceipt(order=order)
    try:
        key = f"{next(_numbers):032x}"
        result = await find_connector("xero").actions[f"accounting.{action}"](call(books, key=key), wanted)
    finally:
        await books.api.close()
    collection = "Invoices" if action == "create_invoice" else "BankTransactions"
    return company.books.records[collection][result.model_dump()["id"]]


@_quick
@given(order=orders())
async def test_every_order_gives_an_invoice_of_its_total(practice: Practice, order: Order) -> None:
    made = await book(practice, order, "create_invoice")
    assert (cents(made["Total"]), made["CurrencyCode"]) == (cents(order.total.amount), order.currency)


@_quick
@given(order=orders(currencies=("USD",)))
async def test_every_order_gives_a_receipt_of_the_money_that_came_in(practice: Practice, order: Order) -> None:
    assume(order.paid_in_money)
    made = await book(practice, order, "create_sales_receipt")
    assert cents(made["Total"]) == cents(order.paid_in_money.amount)


@_quick
@given(order=orders(max_lines=6))
async def test_the_total_stays_the_same_however_discounts_and_taxes_are_shown(practice: Practice, order: Order) -> None:
    made = await book(practice, order, "create_invoice", show_discounts=False, tax_account="820")
    assert (cents(made["Total"]), made["TotalTax"]) == (cents(order.total.amount), 0.0)
