"""A practice shop, and a connection to it."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from bellwire.capabilities import Given, Result
from bellwire.connectors.kit import Account, Connection
from bellwire.practice import Fault, FaultKind, Practice, Sale, SaleLine
from bellwire.practice.woocommerce import WooCommerce
from tests.connecting import call, connection


class Shop:
    """A practice shop and a connection to it."""

    def __init__(self, practice: Practice) -> None:
        simulator = practice.simulators["woocommerce"]
        assert isinstance(simulator, WooCommerce)
        self.practice = practice
        self.simulator = simulator
        self.connection: Connection = connection("woocommerce", practice, name="shop")

    async def do(
        self, operation: str, given: Given, *, again: bool = False, mapped: Mapping[tuple[str, str], str] | None = None
    ) -> Result:
        action = self.connection.connector.actions[f"storefront.{operation}"]
        return await action(call(self.connection, again=again, mapped=mapped), given)

    async def sign_in(self) -> Account:
        assert self.connection.connector.sign_in is not None
        return await self.connection.connector.sign_in(call(self.connection))

    def sale(self, number: str = "1001") -> str:
        return self.simulator.place(Sale(number, [SaleLine("TEA-100", 2)]))

    def fail(self, kind: FaultKind, match: str = "", **more: Any) -> None:
        self.simulator.faults.add(Fault(kind=kind, match=match, **more))

    def sent(self, method: str) -> list[str]:
        return [call.path for call in self.simulator.received if call.method == method]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with Practice(["woocommerce"]) as practice:
        shop = Shop(practice)
        yield shop
        await shop.connection.api.close()
