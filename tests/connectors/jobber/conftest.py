"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.jobber import Jobber
from bellwire.practice.jobber.office import Office
from bellwire.practice.jobber.points import Bucket
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["jobber"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["jobber"].quotas.clear()
        yield running


@pytest.fixture
def field(practice: Practice) -> Jobber:
    """The simulated account, with nothing left over."""
    simulator = practice.simulators["jobber"]
    assert isinstance(simulator, Jobber)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.office, simulator.bucket = Office(), Bucket()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("jobber", practice, "field") as field:
        yield field
