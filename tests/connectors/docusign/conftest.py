"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.docusign import DocuSign
from tests.connecting import connecting
from tests.samples import NOW

Connect = Callable[..., Connection]
ACCOUNT = DocuSign.settings["account_id"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["docusign"]) as running:
        yield running


@pytest.fixture
def docusign(practice: Practice) -> DocuSign:
    """The simulated account, as it is in the beginning."""
    simulator = practice.simulators["docusign"]
    assert isinstance(simulator, DocuSign)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.__init__(  # type: ignore[misc]
        clock=lambda: NOW, received=simulator.received, faults=simulator.faults
    )
    simulator.quotas.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice, docusign: DocuSign) -> AsyncIterator[Connect]:
    async with connecting("docusign", practice, "contracts") as contracts:
        yield contracts
