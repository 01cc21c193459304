"""Every order that a shop can send gives an invoice and a sales receipt of its total."""

from decimal import ROUND_HALF_UP, Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings

from bellwire.capabilities.accounting import CreateInvoice, CreateSalesReceipt
from bellwire.connectors import find_connector
from bellwire.events import Order
from bellwire.practice import Practice
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import call, connection
from tests.strategies import orders

pytestmark = pytest.mark.asyncio(loop_scope="module")

_numbers = count(1)
_quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SETTINGS = {"multicurrency": True}


def two_decimals(order: Order) -> Decimal:
    """What QuickBooks can keep of the total: the third decimal of a dinar is lost."""
    return order.total.amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


async def booked_total(practice: Practice, order: Order, action: str, **changes: object) -> Decimal:
    """Book `order` under a number of its own; gives the total that the practice books have."""
    company = practice.simulators["quickbooks"]
    assert isinstance(company, QuickBooks)
    order = order.model_copy(update={"number": str(next(_numbers))})
    books = connection("quickbooks", practice, settings={**company.settings, **SETTINGS, **changes})
    given_order = CreateInvoice(order=order) if action == "create_invoice" else CreateSalesReceipt(order=order)
    try:
        key = f"{next(_numbers):032x}"
        result = await find_connector("quickbooks").actions[f"accounting.{action}"](call(books, key=key), given_order)
    finally:
        await books.api.close()
    (booked,) = [each for each in company.booked() if each.id == result.model_dump()["id"]]
    assert booked.reference == order.number
    assert booked.total.currency == order.currency
    return booked.total.amount


@_quick
@given(order=orders())
async def test_every_order_gives_an_invoice_of_its_total(practice: Practice, order: Order) -> None:
    assert await booked_total(practice, order, "create_invoice") == two_decimals(order)


@_quick
@given(order=orders())
async def test_every_order_gives_a_sales_receipt_of_its_total(practice: Practice, order: Order) -> None:
    assert await booked_total(practice, order, "create_sales_receipt") == two_decimals(order)


@_quick
@given(order=orders(max_lines=6))
async def test_the_total_stays_the_same_however_discounts_and_taxes_are_shown(practice: Practice, order: Order) -> None:
    changes = {"show_discounts": False, "tax_item": "Sales tax"}
    assert await booked_total(practice, order, "create_invoice", **changes) == two_decimals(order)
