"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.hubspot import HubSpot
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["hubspot"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["hubspot"].quotas.clear()
        yield running


@pytest.fixture
def portal(practice: Practice) -> HubSpot:
    """The simulated account, with no faults and no requests left over."""
    simulator = practice.simulators["hubspot"]
    assert isinstance(simulator, HubSpot)
    simulator.faults.clear()
    simulator.received.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("hubspot", practice, "crm") as crm:
        yield crm
