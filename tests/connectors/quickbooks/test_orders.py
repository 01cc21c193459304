"""Every order that a shop can send gives an invoice of its total, and a sales receipt of the money that came in."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bellwire.capabilities.accounting import CreateInvoice, CreateSalesReceipt
from bellwire.connectors import find_connector
from bellwire.events import Order
from bellwire.money import Money
from bellwire.practice import Practice
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import call, connection
from tests.strategies import orders

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = count(1)
_quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
SETTINGS = {"multicurrency": True}


def two_decimals(money: Money) -> Decimal:
    """What QuickBooks can keep of it: the third decimal of a dinar is lost."""
    return money.amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def company_of(practice: Practice) -> QuickBooks:
    company = practice.simulators["quickbooks"]
    assert isinstance(company, QuickBooks)
    return company


async def book(practice: Practice, order: Order, action: str, **changes: object) -> Any:
    """Book `order` under a number of its own; gives the document as the practice books have it."""
    company = company_of(practice)
    order = order.model_copy(update={"number": str(next(_numbers))})
    books = connection("quickbooks", practice, settings={**company.settings, **SETTINGS, **changes})
    given_order = CreateInvoice(order=order) if action == "create_invoice" else CreateSalesReceipt(order=order)
    try:
        key = f"{next(_numbers):032x}"
        result = await find_connector("quickbooks").actions[f"accounting.{action}"](call(books, key=key), given_order)
    finally:
        await books.api.close()
    record = company.books.records["Invoice" if action == "create_invoice" else "SalesReceipt"][
        result.model_dump()["id"]
    ]
    assert record["DocNumber"] == order.number
    assert record["CurrencyRef"]["value"] == order.currency
    return record


def total_of(record: Any) -> Decimal:
    return Decimal(str(record["TotalAmt"]))


def off_the_liability(company: QuickBooks, record: Any) -> Decimal:
    """What a document takes off what is owed to the bearers of gift cards."""
    taken_off = Decimal(0)
    for line in record["Line"]:
        if line["Amount"] < 0 and (detail := line.get("SalesItemLineDetail")):
            account = company.books.records["Item"][detail["ItemRef"]["value"]]["IncomeAccountRef"]["value"]
            if company.books.records["Account"][account]["Classification"] == "Liability":
                taken_off -= Decimal(str(line["Amount"]))
    return taken_off


@_quick
@given(order=orders())
async def test_every_order_gives_an_invoice_of_its_total(practice: Practice, order: Order) -> None:
    invoice = await book(practice, order, "create_invoice")
    assert total_of(invoice) == two_decimals(order.total)
    assert off_the_liability(company_of(practice), invoice) == 0, "the gift card settles a part of it later"


@_quick
@given(order=orders())
async def test_every_order_gives_a_sales_receipt_of_the_money_that_came_in(practice: Practice, order: Order) -> None:
    receipt = await book(practice, order, "create_sales_receipt")
    assert total_of(receipt) == two_decimals(order.paid_in_money)
    assert off_the_liability(company_of(practice), receipt) == two_decimals(order.paid_by_gift_card)


@_quick
@given(order=orders(max_lines=6))
async def test_the_total_stays_the_same_however_discounts_and_taxes_are_shown(practice: Practice, order: Order) -> None:
    changes = {"show_discounts": False, "tax_item": "Sales tax"}
    assert total_of(await book(practice, order, "create_invoice", **changes)) == two_decimals(order.total)
    assert total_of(await book(practice, order, "create_sales_receipt", **changes)) == two_decimals(order.paid_in_money)
