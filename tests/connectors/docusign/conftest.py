"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.events import Environment
from bellwire.practice import Practice
from bellwire.practice.docusign import DocuSign
from tests.connecting import connection
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
    """Makes connections called `contracts`; what is given changes their settings."""
    made: list[Connection] = []

    def contracts(
        *, credentials: dict[str, str] | None = None, environment: Environment = Environment.SANDBOX, **settings: Any
    ) -> Connection:
        values = {**docusign.settings, **settings}
        made.append(
            connection(
                "docusign",
                practice,
                name="contracts",
                environment=environment,
                settings=values,
                credentials=credentials,
            )
        )
        return made[-1]

    yield contracts
    for each in made:
        await each.api.close()
