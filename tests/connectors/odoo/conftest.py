"""One practice database for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.odoo import OdooSimulator
from tests.connecting import connecting

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["odoo"]) as running:
        yield running


@pytest.fixture
def odoo(practice: Practice) -> OdooSimulator:
    """The database as it is at first."""
    simulator = practice.simulators["odoo"]
    assert isinstance(simulator, OdooSimulator)
    fresh = OdooSimulator()
    simulator.tables, simulator.groups, simulator.keys = fresh.tables, fresh.groups, fresh.keys
    simulator.hidden, simulator.neutralised, simulator.version = set(), True, (19, 0)
    simulator.faults.clear()
    simulator.received.clear()
    # Each connection keeps to its limits, but a test has several, and the module many tests.
    simulator.quotas.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice, odoo: OdooSimulator) -> AsyncIterator[Connect]:
    async with connecting("odoo", practice, "erp") as erp:
        yield erp
