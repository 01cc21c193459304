"""Every connector that can find what a person did: it finds it, says what differs, and only reads."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bellwire.capabilities import Given
from bellwire.capabilities.accounting import CreateInvoice, CreateSalesReceipt
from bellwire.capabilities.crm import FindOrCreateContact
from bellwire.capabilities.shipping import CreateLabel, UpsertOrder
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Action, Connection, Seen, only_looking
from bellwire.errors import Refused
from bellwire.practice import Practice
from tests.connecting import call, connection
from tests.samples import ADDRESS, line, order, usd

LOOKS = [
    pytest.param(each.name, action, id=f"{each.name}-{key}")
    for each in all_connectors()
    for key, action in each.actions.items()
    if action.look
]

DEARER = order(lines=(line(unit_price=usd("9.50"), total=usd("19.00")),), total=usd("26.40"))
MOVED = order(shipping=ADDRESS.model_copy(update={"postcode": "10001"}))
ROBIN = FindOrCreateContact(name="Robin Hill", email="robin@example.com", company="Hill & Leaf")

SENT: dict[type[Given], tuple[Given, Given, str]] = {
    CreateInvoice: (CreateInvoice(order=order()), CreateInvoice(order=DEARER), "total"),
    CreateSalesReceipt: (CreateSalesReceipt(order=order()), CreateSalesReceipt(order=DEARER), "total"),
    UpsertOrder: (UpsertOrder(order=order()), UpsertOrder(order=MOVED), "postcode"),
    CreateLabel: (CreateLabel(order=order()), CreateLabel(order=order(), service="another"), "service"),
    FindOrCreateContact: (ROBIN, ROBIN.model_copy(update={"company": "Acme"}), "company"),
}
"""By what an operation is given: what is done, what Bellwire would have sent instead, and in what they differ."""


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
    assert len(LOOKS) >= 6


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_what_is_there_is_found_with_what_differs_and_nothing_is_changed(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    simulator = practice.simulators[vendor]
    done, otherwise, field = SENT[action.operation.given]
    assert await look(account, action, done) is None

    await action.perform(call(account), done)
    before: Any = simulator.state()
    simulator.received.clear()
    found, other = await look(account, action, done), await look(account, action, otherwise)

    assert found is not None and all(each.same for each in found.compared), found
    assert field in [each.name for each in found.compared]
    assert other is not None and [each.name for each in other.compared if not each.same] == [field], other
    assert simulator.received and {each.method for each in simulator.received} == {"GET"}
    assert simulator.state() == before


@pytest.mark.parametrize(("vendor", "action"), LOOKS)
async def test_whatever_would_change_something_isnt_sent(
    practised: tuple[Practice, Connection], vendor: str, action: Action
) -> None:
    practice, account = practised
    with only_looking(), pytest.raises(Refused) as refused:
        await action.perform(call(account), SENT[action.operation.given][0])
    assert refused.value.cause == "only-looking"
    assert {each.method for each in practice.simulators[vendor].received} <= {"GET"}
    await action.perform(call(account), SENT[action.operation.given][0])  # afterwards it is
