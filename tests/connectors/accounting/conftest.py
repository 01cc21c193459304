"""One practice company of each vendor for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from tests.connecting import connecting
from tests.connectors.accounting.books import VENDORS, Company, Kept, kept_by

Connect = Callable[..., Connection]


@pytest.fixture(scope="module", params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice(vendor: str) -> AsyncIterator[Practice]:
    async with Practice([vendor]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators[vendor].quotas.clear()
        yield running


@pytest.fixture
def company(practice: Practice, vendor: str) -> Company:
    """The simulated company, with no faults left over."""
    simulator = practice.simulators[vendor]
    assert isinstance(simulator, Company)
    simulator.faults.clear()
    return simulator


@pytest.fixture
def kept(company: Company, vendor: str) -> Kept:
    return kept_by(vendor)(company)


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice, vendor: str) -> AsyncIterator[Connect]:
    async with connecting(vendor, practice, "books") as books:
        yield books
