"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.netsuite import NetSuite
from tests.connecting import connecting
from tests.samples import NOW

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["netsuite"]) as running:
        yield running


@pytest.fixture
def netsuite(practice: Practice) -> NetSuite:
    """The simulated account, as it is in the beginning."""
    simulator = practice.simulators["netsuite"]
    assert isinstance(simulator, NetSuite)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.__init__(  # type: ignore[misc]
        clock=lambda: NOW, received=simulator.received, faults=simulator.faults
    )
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice, netsuite: NetSuite) -> AsyncIterator[Connect]:
    async with connecting("netsuite", practice, "purchasing") as purchasing:
        yield purchasing
