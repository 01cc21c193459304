"""One practice calendar for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.google_calendar import Calendar, GoogleCalendar
from tests.connecting import connecting
from tests.samples import NOW

Connect = Callable[..., Connection]
OWNER = GoogleCalendar.settings["calendar"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["google_calendar"]) as running:
        yield running


@pytest.fixture
def google(practice: Practice) -> GoogleCalendar:
    """The simulated calendar, as it is in the beginning."""
    simulator = practice.simulators["google_calendar"]
    assert isinstance(simulator, GoogleCalendar)
    simulator.faults.clear()
    simulator.received.clear()
    simulator.quotas.clear()
    simulator.__init__(  # type: ignore[misc]
        clock=lambda: NOW, received=simulator.received, faults=simulator.faults, quotas=[]
    )
    return simulator


@pytest.fixture
def calendar(google: GoogleCalendar) -> Calendar:
    return google.calendars[OWNER]


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice, google: GoogleCalendar) -> AsyncIterator[Connect]:
    async with connecting("google_calendar", practice, "visits") as visits:
        yield visits
