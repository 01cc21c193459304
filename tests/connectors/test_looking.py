"""Every connector that can find what a person did: it finds it, says what differs, and only reads."""

from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from typing import Any

import pytest

from bellwire.capabilities import Given, Result
from bellwire.capabilities.accounting import (
    CreateCreditMemo,
    CreateInvoice,
    CreateSalesReceipt,
    CreateWorkInvoice,
    CreditLine,
    FindOrCreateCustomer,
    RecordPayment,
    RedeemGiftCard,
    SendInvoice,
    WorkLine,
)
from bellwire.capabilities.crm import FindOrCreateContact
from bellwire.capabilities.field_service import FindOrCreateClient
from bellwire.capabilities.purchasing import CreatePurchaseOrder, PurchaseLine
from bellwire.capabilities.shipping import CreateLabel, UpsertOrder
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Action, Connection, Seen, only_looking
from bellwire.errors import Refused
from bellwire.events import Customer
from bellwire.practice import Practice
from tests.connecting import call, connection
from tests.purchases import supplier
from tests.samples import ADDRESS, line, order, usd

LOOKS = [
    pytest.param(each.name, action, id=f"{each.name}-{key}")
    for each in all_connectors()
    for key, action in each.actions.items()
    if action.look
]

DEARER = order(lines=(line(unit_price=usd("9.50"), total=usd("19.00")),), total=usd("26.40"))
ELSEWHERE = ADDRESS.model_copy(update={"line1": "9 Pier Rd", "postcode": "10001"})
CUSTOMER = Customer(name="Robin Hill", email="robin@example.com")
WORK = CreateWorkInvoice(customer=CUSTOMER, lines=(WorkLine(name="Labour", unit_price=usd("95")),), reference="J-7")
MOVED = order(shipping=ADDRESS.model_copy(update={"postcode": "10001"}))
ROBIN = FindOrCreateContact(name="Robin Hill", email="robin@example.com", company="Hill & Leaf")

Sent = tuple[Given, Given, str]
"""What is done, what Bellwire would have sent instead, and in what they differ; empty: they can't."""

SENT: dict[type[Given], Sent] = {
    CreateInvoice: (CreateInvoice(order=order()), CreateInvoice(order=DEARER), "total"),
    CreateSalesReceipt: (CreateSalesReceipt(order=order()), CreateSalesReceipt(order=DEARER), "total"),
    UpsertOrder: (UpsertOrder(order=order()), UpsertOrder(order=MOVED), "postcode"),
    CreateLabel: (CreateLabel(order=order()), CreateLabel(order=order(), service="another"), "service"),
    FindOrCreateContact: (ROBIN, ROBIN.model_copy(update={"company": "Acme"}), "company"),
    FindOrCreateCustomer: (FindOrCreateCustomer(customer=CUSTOMER), FindOrCreateCustomer(customer=CUSTOMER), ""),
    CreateWorkInvoice: (
        WORK,
        WORK.model_copy(update={"lines": (WorkLine(name="Labour", unit_price=usd("85")),)}),
        "total without tax",
    ),
    FindOrCreateClient: (
        FindOrCreateClient(customer=CUSTOMER, address=ADDRESS),
        FindOrCreateClient(customer=CUSTOMER, address=ELSEWHERE),
        "place of work",
    ),
}
"""By what an operation is given."""


async def _order_for(account: Connection) -> Sent:
    """Of a supplier of the vendor's own."""
    terms = await supplier(account, "TEA-100")

    def buy(quantity: int) -> Given:
        bought = PurchaseLine(sku="TEA-100", quantity=quantity)
        return CreatePurchaseOrder(supplier_id=terms.supplier_id, lines=(bought,), reference="R-1")

    return buy(24), buy(48), "TEA-100"


async def _payment_of(account: Connection) -> Sent:
    return *await _amounts(account, RecordPayment), "amount"


async def _redemption_of(account: Connection) -> Sent:
    return *await _amounts(account, RedeemGiftCard), "amount"


async def _amounts(account: Connection, kind: type[RecordPayment | RedeemGiftCard]) -> tuple[Given, Given]:
    invoice = await _invoice(account)
    known = {"invoice_id": invoice.id, "customer_id": invoice.customer_id}
    return kind(**known, amount=usd("9.40")), kind(**known, amount=usd("8.40"))


async def _credit_of(account: Connection) -> Sent:
    invoice = await _invoice(account)

    def give_back(amount: str) -> Given:
        line = CreditLine(sku="TEA-100", name="Green tea", amount=usd(amount))
        return CreateCreditMemo(invoice_id=invoice.id, lines=(line,), reference="R-1")

    return give_back("8.50"), give_back("7.50"), "total"


async def _mail_of(account: Connection) -> Sent:
    invoice = await _do(account, "accounting.create_work_invoice", WORK)
    other = SendInvoice(invoice_id=invoice.id, to="kim@example.com") if account.name == "quickbooks" else None
    mail = SendInvoice(invoice_id=invoice.id, to="robin@example.com")
    return mail, other or mail, "to" if other else ""


async def _invoice(account: Connection) -> Any:
    return await _do(account, "accounting.create_invoice", CreateInvoice(order=order()))


async def _do(account: Connection, operation: str, given: Given) -> Any:
    return await account.connector.actions[operation](call(account, key="f" * 32), given)


PREPARED: dict[type[Given], Callable[[Connection], Awaitable[Sent]]] = {
    CreatePurchaseOrder: _order_for,
    RecordPayment: _payment_of,
    RedeemGiftCard: _redemption_of,
    CreateCreditMemo: _credit_of,
    SendInvoice: _mail_of,
}
"""The same, where something has to be there before."""


async def sent(account: Connection, given: type[Given]) -> Sent:
    return await PREPARED[given](account) if given in PREPARED else SENT[given]


@pytest.fixture
async def practised(vendor: str) -> AsyncIterator[tuple[Practice, Connection]]:
    async with Practice([vendor]) as practice:
        made = connection(vendor, practice)
        yield practice, made
        await made.api.close()


async def look(account: Connection, action: Action, given: Given) -> Seen | None:
    assert action.look is not None
    with only_looking():
        return await action.look(call(account, key="0" * 32), given)


def test_several_can_look() -> None:
    """What isn't found here isn't tested here."""
    assert len(LOOKS) >= 23


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_what_is_there_is_found_with_what_differs_and_nothing_is_changed(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    simulator = practice.simulators[vendor]
    done, otherwise, field = await sent(account, action.operation.given)
    assert await look(account, action, done) is None

    made = await action.perform(call(account), done)
    before: Any = deepcopy(simulator.state())
    simulator.received.clear()
    found, other = await look(account, action, done), await look(account, action, otherwise)

    assert found is not None and all(each.same for each in found.compared), found
    assert found.result is not None and _built_on(found.result) == _built_on(made)
    apart = [each.name for each in other.compared if not each.same] if other else None
    assert apart == ([field] if field else []), other
    # Where reading is a POST too, what is held tells.
    assert simulator.received and simulator.state() == before


def _built_on(result: Result) -> dict[str, Any]:
    """What later actions may need of it."""
    return result.model_dump(exclude={"created"})


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_whatever_would_change_something_isnt_sent(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    done, _, _ = await sent(account, action.operation.given)
    before: Any = deepcopy(practice.simulators[vendor].state())
    with only_looking(), pytest.raises(Refused) as refused:
        await action.perform(call(account), done)
    assert refused.value.cause == "only-looking"
    assert practice.simulators[vendor].state() == before
    await action.perform(call(account), done)  # afterwards it is
    assert practice.simulators[vendor].state() != before
