"""One practice workspace for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.asana import Asana
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["asana"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["asana"].quotas.clear()
        yield running


@pytest.fixture
def team(practice: Practice) -> Asana:
    """The simulated workspace, with nothing left over."""
    simulator = practice.simulators["asana"]
    assert isinstance(simulator, Asana)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.work.tasks.clear()
    simulator.hooks.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("asana", practice, "team") as team:
        yield team
