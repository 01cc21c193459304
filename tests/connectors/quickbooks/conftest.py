"""One practice company for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["quickbooks"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["quickbooks"].quotas.clear()
        yield running


@pytest.fixture
def company(practice: Practice) -> QuickBooks:
    """The simulated company, with no faults left over."""
    simulator = practice.simulators["quickbooks"]
    assert isinstance(simulator, QuickBooks)
    simulator.faults.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("quickbooks", practice, "books") as books:
        yield books
