"""A store in practice: what the tests of stock do with it, and what they have to know of a vendor.

Each vendor of stock says that in `tests/connectors/VENDOR/stock.py`, as `STOCK`.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any, Generic, TypeVar

from bellwire.capabilities.stock import AdjustStock, CountStock, StockChanges, StockCounts, StockLine, StockReason
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Connection
from bellwire.practice import CATALOGUE, Practice, Simulator, Till
from tests.connecting import PATIENT, call, connection

VENDORS = [each.name for each in all_connectors() if "stock" in each.manifest.capabilities]
SKUS = [good.sku for good in CATALOGUE if good.ships]

S = TypeVar("S", bound=Simulator)


@dataclass(frozen=True)
class Vendor:
    write: str
    """The request that takes goods away, as faults match it."""
    search: str
    """The one that looks for items."""
    item: str
    """What an owner may map a SKU to."""
    tells_what_is_left: bool
    oversells: bool
    """It takes more goods away than it counts."""


def vendor_of(name: str) -> Vendor:
    found: Vendor = import_module(f"tests.connectors.{name}.stock").STOCK
    return found


class Stockroom(Generic[S]):
    """A store with its practice server and a connection to it."""

    def __init__(self, simulator: S, connection: Connection) -> None:
        self.simulator = simulator
        self.connection = connection
        self.before = self.there()

    async def adjust(
        self, lines: Sequence[StockLine], reason: StockReason = StockReason.SALE, **of_the_call: Any
    ) -> StockChanges:
        wanted = AdjustStock(lines=tuple(lines), reason=reason, reference="1001")
        return await self.do(wanted, **of_the_call)

    async def do(self, wanted: AdjustStock, **of_the_call: Any) -> StockChanges:
        adjust = self.connection.connector.actions["stock.adjust"]
        result = await adjust(call(self.connection, **of_the_call), wanted)
        assert isinstance(result, StockChanges)
        return result

    async def count(self, *skus: str, **of_the_call: Any) -> dict[str, int]:
        count = self.connection.connector.actions["stock.count"]
        result = await count(call(self.connection, **of_the_call), CountStock(skus=skus))
        assert isinstance(result, StockCounts)
        return {counted.sku: counted.available for counted in result.counts}

    def there(self) -> dict[str, int]:
        till: Simulator = self.simulator
        assert isinstance(till, Till)
        return till.stock()

    def taken(self) -> dict[str, int]:
        now = self.there()
        return {sku: was - now[sku] for sku, was in self.before.items() if was != now[sku]}

    def sent(self, path: str, method: str = "POST") -> list[Any]:
        return [
            received.body
            for received in self.simulator.received
            if received.path.endswith(path) and received.method == method
        ]


@asynccontextmanager
async def opened(kind: type[S], patience: timedelta = PATIENT) -> AsyncIterator[Stockroom[S]]:
    """A fresh store of a vendor."""
    async with Practice([kind.vendor]) as practice:
        simulator = practice.simulators[kind.vendor]
        assert isinstance(simulator, kind)
        simulator.quotas.clear()
        made = connection(kind.vendor, practice, name="till", timeout=patience)
        yield Stockroom(simulator, made)
        await made.api.close()


def of(sku: str, quantity: int, **more: Any) -> StockLine:
    return StockLine(sku=sku, quantity=quantity, **more)
