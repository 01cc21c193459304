"""One practice company for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.sap_business_one import SapBusinessOneSimulator
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["sap_business_one"]) as running:
        yield running


@pytest.fixture
def sap(practice: Practice) -> SapBusinessOneSimulator:
    """The company as it is at first."""
    simulator = practice.simulators["sap_business_one"]
    assert isinstance(simulator, SapBusinessOneSimulator)
    fresh = SapBusinessOneSimulator()
    simulator.company, simulator.databases, simulator.forbidden = fresh.company, fresh.databases, fresh.forbidden
    simulator.sessions, simulator.logins = {}, 0
    simulator.faults.clear()
    simulator.received.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice, sap: SapBusinessOneSimulator) -> AsyncIterator[Connect]:
    async with connecting("sap_business_one", practice, "erp") as erp:
        yield erp


@pytest.fixture
def erp(connect: Connect) -> Connection:
    return connect()
