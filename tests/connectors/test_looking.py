"""Every connector that can find what a person did: it finds it, says what differs, and only reads."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bellwire.capabilities import Given
from bellwire.capabilities.accounting import CreateInvoice, CreateSalesReceipt, FindOrCreateCustomer
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
MOVED = order(shipping=ADDRESS.model_copy(update={"postcode": "10001"}))
ROBIN = FindOrCreateContact(name="Robin Hill", email="robin@example.com", company="Hill & Leaf")

SENT: dict[type[Given], tuple[Given, Given, str]] = {
    CreateInvoice: (CreateInvoice(order=order()), CreateInvoice(order=DEARER), "total"),
    CreateSalesReceipt: (CreateSalesReceipt(order=order()), CreateSalesReceipt(order=DEARER), "total"),
    UpsertOrder: (UpsertOrder(order=order()), UpsertOrder(order=MOVED), "postcode"),
    CreateLabel: (CreateLabel(order=order()), CreateLabel(order=order(), service="another"), "service"),
    FindOrCreateContact: (ROBIN, ROBIN.model_copy(update={"company": "Acme"}), "company"),
    FindOrCreateCustomer: (FindOrCreateCustomer(customer=CUSTOMER), FindOrCreateCustomer(customer=CUSTOMER), ""),
    FindOrCreateClient: (
        FindOrCreateClient(customer=CUSTOMER, address=ADDRESS),
        FindOrCreateClient(customer=CUSTOMER, address=ELSEWHERE),
        "place of work",
    ),
}
"""By what an operation is given: what is done, what Bellwire would have sent instead, and in what they differ, if they
can."""


async def sent(account: Connection, given: type[Given]) -> tuple[Given, Given, str]:
    """The same; suppliers are the vendor's own."""
    if given is not CreatePurchaseOrder:
        return SENT[given]
    terms = await supplier(account, "TEA-100")

    def buy(quantity: int) -> Given:
        bought = PurchaseLine(sku="TEA-100", quantity=quantity)
        return CreatePurchaseOrder(supplier_id=terms.supplier_id, lines=(bought,), reference="R-1")

    return buy(24), buy(48), "TEA-100"


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
    assert len(LOOKS) >= 11


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_what_is_there_is_found_with_what_differs_and_nothing_is_changed(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    simulator = practice.simulators[vendor]
    done, otherwise, field = await sent(account, action.operation.given)
    assert await look(account, action, done) is None

    await action.perform(call(account), done)
    before: Any = simulator.state()
    simulator.received.clear()
    found, other = await look(account, action, done), await look(account, action, otherwise)

    assert found is not None and all(each.same for each in found.compared), found
    apart = [each.name for each in other.compared if not each.same] if other else None
    assert apart == ([field] if field else []), other
    # Where reading is a POST too, what is held tells.
    assert simulator.received and simulator.state() == before


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_whatever_would_change_something_isnt_sent(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    done, _, _ = await sent(account, action.operation.given)
    before: Any = practice.simulators[vendor].state()
    with only_looking(), pytest.raises(Refused) as refused:
        await action.perform(call(account), done)
    assert refused.value.cause == "only-looking"
    assert practice.simulators[vendor].state() == before
    await action.perform(call(account), done)  # afterwards it is
    assert practice.simulators[vendor].state() != before
