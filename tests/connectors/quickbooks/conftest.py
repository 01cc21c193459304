"""One practice company for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import connection

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
    """Makes connections called `books`; what is given changes their settings."""
    made: list[Connection] = []

    def books(*, credentials: dict[str, str] | None = None, **settings: Any) -> Connection:
        values = {**practice.simulators["quickbooks"].settings, **settings}
        made.append(connection("quickbooks", practice, name="books", settings=values, credentials=credentials))
        return made[-1]

    yield books
    for each in made:
        await each.api.close()
