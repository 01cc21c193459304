"""One practice account for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Call, Connection
from bellwire.practice import Practice
from bellwire.practice.stripe import StripeSimulator
from bellwire.practice.stripe.account import StripeAccount
from tests.connecting import call, connection

Calling = Callable[..., Call]
_serial = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["stripe"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["stripe"].quotas.clear()
        yield running


@pytest.fixture
def stripe(practice: Practice) -> StripeSimulator:
    """The simulated account, as new."""
    simulator = practice.simulators["stripe"]
    assert isinstance(simulator, StripeSimulator)
    fresh = StripeSimulator()
    simulator.account, simulator.keys, simulator.answered_in = StripeAccount(), fresh.keys, ""
    simulator.faults.clear()
    simulator.received.clear()
    simulator.forget()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def calling(practice: Practice, stripe: StripeSimulator) -> AsyncIterator[Calling]:
    """Makes calls of a connection `pay`, each with a key of its own."""
    made: list[Connection] = []

    def make(*, connected: dict[str, Any] | None = None, **changes: Any) -> Call:
        made.append(connection("stripe", practice, name="pay", **(connected or {})))
        return call(made[-1], **{"key": f"{next(_serial):032x}", **changes})

    yield make
    for each in made:
        await each.api.close()
