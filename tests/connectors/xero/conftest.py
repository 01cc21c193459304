"""One practice organisation for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.xero import Xero
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["xero"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["xero"].quotas.clear()
        yield running


@pytest.fixture
def company(practice: Practice) -> Xero:
    """The simulated organisation, with no faults left over."""
    simulator = practice.simulators["xero"]
    assert isinstance(simulator, Xero)
    simulator.faults.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("xero", practice, "books") as books:
        yield books
