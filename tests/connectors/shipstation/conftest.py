"""One practice account for each module, and a connection to it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bellwire.capabilities.shipping import CreateLabel, Label
from bellwire.connectors.kit import Connection
from bellwire.connectors.shipstation import CONNECTOR
from bellwire.practice import Practice
from bellwire.practice.shipstation import ShipStationSimulator
from tests.connecting import call, connection
from tests.samples import order


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account_server() -> AsyncIterator[Practice]:
    async with Practice(["shipstation"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["shipstation"].quotas.clear()
        yield running


@pytest.fixture
def account(account_server: Practice) -> ShipStationSimulator:
    """The simulated account, with nothing in it."""
    simulator = account_server.simulators["shipstation"]
    assert isinstance(simulator, ShipStationSimulator)
    for kept in (simulator.shipments, simulator.bought, simulator.hooks.entries, simulator.received):
        kept.clear()
    simulator.faults.clear()
    simulator.announces, simulator.page_size = {}, 500
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def shipping(account_server: Practice) -> AsyncIterator[Connection]:
    """Without the keys that webhooks are signed with."""
    made = connection("shipstation", account_server, name="shipping", credentials={"api_key": "practice-key"})
    yield made
    await made.api.close()


async def buy(shipping: Connection, number: str) -> str:
    """A label for an order of that number; gives the label's id."""
    given = CreateLabel(order=order(id=number, number=number))
    label = await CONNECTOR.actions["shipping.create_label"](call(shipping), given)
    assert isinstance(label, Label)
    return label.id
