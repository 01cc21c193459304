"""Credits and invoices for work, as the tests of every vendor of accounting ask for them."""

import dataclasses
from decimal import Decimal
from itertools import count
from typing import Any

from bellwire.capabilities.accounting import (
    CreateCreditMemo,
    CreateInvoice,
    CreateWorkInvoice,
    CreditLine,
    Invoice,
    RecordPayment,
    SendInvoice,
    SentInvoice,
    WorkLine,
)
from bellwire.connectors.kit import Call
from bellwire.events import Customer
from tests.samples import order, usd

_serial = count(1)
ROBIN = Customer(name="Robin Hill", email="robin@example.com")
LABOUR = WorkLine(name="Repair of the boiler", quantity=Decimal("1.5"), unit_price=usd("60.00"), taxable=False)
PARTS = WorkLine(name="Valve", unit_price=usd("40.00"))
TEA = CreditLine(sku="TEA-100", name="Green tea, 100 g", amount=usd("8.50"), tax=usd("0.70"))


def fresh(at: Call) -> Call:
    """Another effect at the same connection."""
    return dataclasses.replace(at, key=f"{next(_serial):032x}", again=False)


async def sold(at: Call, *, paid: bool = True, **changes: Any) -> Invoice:
    """The invoice of an order of 24.40."""
    actions = at.connection.connector.actions
    wanted = CreateInvoice(order=order(**{"number": f"A{next(_serial)}", **changes}))
    made = await actions["accounting.create_invoice"](fresh(at), wanted)
    assert isinstance(made, Invoice)
    if paid:
        payment = RecordPayment(invoice_id=made.id, customer_id=made.customer_id, amount=made.total)
        await actions["accounting.record_payment"](fresh(at), payment)
    return made


async def give_back(at: Call, invoice: Invoice, **changes: Any) -> Any:
    values = {"invoice_number": invoice.number, "lines": (TEA,), "reference": f"R-{next(_serial)}", **changes}
    return await at.connection.connector.actions["accounting.create_credit_memo"](at, CreateCreditMemo(**values))


async def bill(at: Call, **changes: Any) -> Invoice:
    values = {"customer": ROBIN, "lines": (LABOUR, PARTS), "reference": f"B-{next(_serial)}", **changes}
    made = await at.connection.connector.actions["accounting.create_work_invoice"](at, CreateWorkInvoice(**values))
    assert isinstance(made, Invoice)
    return made


async def send(at: Call, invoice_id: str, to: str = "") -> SentInvoice:
    wanted = SendInvoice(invoice_id=invoice_id, to=to)
    sent = await at.connection.connector.actions["accounting.send_invoice"](at, wanted)
    assert isinstance(sent, SentInvoice)
    return sent
