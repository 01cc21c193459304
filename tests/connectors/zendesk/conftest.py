"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.zendesk import ZendeskSimulator
from tests.connecting import connection

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["zendesk"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["zendesk"].quotas.clear()
        yield running


@pytest.fixture
def zendesk(practice: Practice) -> ZendeskSimulator:
    """The simulated account as it is at first, but for tickets."""
    simulator, fresh = practice.simulators["zendesk"], ZendeskSimulator()
    assert isinstance(simulator, ZendeskSimulator)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.webhooks.clear()
    simulator.announced.clear()
    simulator.role, simulator.scopes, simulator.page_size = fresh.role, fresh.scopes, fresh.page_size
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    """Makes connections called `help`; what is given changes their settings."""
    made: list[Connection] = []

    def help_(*, credentials: dict[str, str] | None = None, **settings: Any) -> Connection:
        environment = {"environment": settings.pop("environment")} if "environment" in settings else {}
        values = {**ZendeskSimulator.settings, **settings}
        made.append(
            connection("zendesk", practice, name="help", settings=values, credentials=credentials, **environment)
        )
        return made[-1]

    yield help_
    for each in made:
        await each.api.close()
