"""One practice app for each module, and connections to it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from bellwire.connectors.kit import Call, Connection
from bellwire.practice import Practice
from bellwire.practice.paypal import PayPalSimulator
from bellwire.practice.paypal.account import PayPalAccount
from tests.connecting import Secrets, call, connection

Calling = Callable[..., Call]
_serial = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["paypal"]) as running:
        # Each connection keeps to its limits, but a test has several, and the module many tests.
        running.simulators["paypal"].quotas.clear()
        yield running


@pytest.fixture
def paypal(practice: Practice) -> PayPalSimulator:
    """The simulated app, as new."""
    simulator = practice.simulators["paypal"]
    assert isinstance(simulator, PayPalSimulator)
    fresh = PayPalSimulator()
    simulator.account, simulator.webhooks, simulator.scopes = PayPalAccount(), {}, fresh.scopes
    simulator.identity, simulator.page_size, simulator.forgetful = fresh.identity, fresh.page_size, False
    simulator.announced = {}
    simulator.faults.clear()
    simulator.received.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def calling(practice: Practice, paypal: PayPalSimulator) -> AsyncIterator[Calling]:
    """Makes calls of a connection `pay`, each with a key of its own, by the real time."""
    made: list[Connection] = []

    def make(*, credentials: dict[str, str] | None = None, connected: dict[str, Any] | None = None, **to: Any) -> Call:
        known = {**paypal.credentials, **(credentials or {})}
        made.append(connection("paypal", practice, name="pay", credentials=known, **(connected or {})))
        changes = {"key": f"{next(_serial):032x}", **to}
        return Call(made[-1], call(made[-1]).crosswalk, lambda: datetime.now(UTC), **changes)

    yield make
    for each in made:
        await each.api.close()


def kept(made: Call) -> Secrets:
    """The credentials of a call's connection."""
    secrets = made.connection.credentials
    assert isinstance(secrets, Secrets)
    return secrets
