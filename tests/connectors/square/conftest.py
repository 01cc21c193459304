"""One practice seller for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.square import SquareSimulator
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["square"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["square"].quotas.clear()
        yield running


@pytest.fixture
def seller(practice: Practice) -> SquareSimulator:
    """The simulated seller, with nothing left over from other tests but its payments."""
    simulator = practice.simulators["square"]
    assert isinstance(simulator, SquareSimulator)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.hooks.entries.clear()
    simulator.answers_with, simulator.tokens.application = "", "sandbox-sq0idb-practice"
    simulator.takings.page_size, simulator.hooks.page_size, simulator.goods.page_size = 100, 100, 1000
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("square", practice, "till") as till:
        yield till


@pytest.fixture
def till(connect: Connect) -> Connection:
    return connect()
