"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.zendesk import ZendeskSimulator
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["zendesk"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["zendesk"].quotas.clear()
        yield running


@pytest.fixture
def zendesk(practice: Practice) -> ZendeskSimulator:
    """The simulated account as it is at first, but for tickets."""
    simulator, fresh = practice.simulators["zendesk"], ZendeskSimulator()
    assert isinstance(simulator, ZendeskSimulator)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.webhooks.clear()
    simulator.announced.clear()
    simulator.role, simulator.scopes, simulator.page_size = fresh.role, fresh.scopes, fresh.page_size
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("zendesk", practice, "help") as desk:
        yield desk
