"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.calendly import CalendlySimulator
from tests.connecting import connection

Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["calendly"]) as running:
        running.simulators["calendly"].quotas.clear()
        yield running


@pytest.fixture
def calendly(practice: Practice) -> CalendlySimulator:
    """The simulated account as it is at first."""
    simulator, fresh = practice.simulators["calendly"], CalendlySimulator()
    assert isinstance(simulator, CalendlySimulator)
    simulator.faults.clear()
    simulator.received.clear()
    for name in ("events", "invitees", "links", "subscriptions"):
        getattr(simulator, name).clear()
    for name in ("page_size", "admin", "scopes", "tokens", "refresh_token"):
        setattr(simulator, name, getattr(fresh, name))
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    """Makes connections called `diary`; what is given changes their settings."""
    made: list[Connection] = []

    def diary(*, credentials: dict[str, str] | None = None, **settings: Any) -> Connection:
        made.append(connection("calendly", practice, name="diary", settings=settings, credentials=credentials))
        return made[-1]

    yield diary
    for each in made:
        await each.api.close()
