"""A whole engine on a real ledger, with one vendor that does what a test tells it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Account, Call, Connection
from bellwire.engine import Engine, Setting, Watcher, open_engine
from bellwire.events import Delivery, Order
from bellwire.flows import parse_flow
from bellwire.ledger import Database, ExceptionRow, RunRow, deliveries, exceptions, figures, open_ledger, runs
from bellwire.records import LedgerCrosswalk
from tests.engine.vendor import Vendor
from tests.samples import NOW, order

FLOW = """
name: Test
trigger: till.order.paid
actions:
  stock:
    do: till.adjust
    with: {lines: "{{ event.lines }}", reason: sale}
    retry: {attempts: 4, first: 1s, longest: 4s}
  label:
    do: till.create_label
    with: {order: "{{ event }}"}
    retry: {attempts: 4, first: 1s, longest: 4s}
  bench:
    do: till.post_message
    with: {channel: packing, text: "{{ event.number }} {{ label.tracking_number }}"}
    retry: {attempts: 4, first: 1s, longest: 4s}
"""


class Hurried(Random):
    """Jitter that always falls to a hundredth of its ceiling, so that retries come at once."""

    def random(self) -> float:
        return 0.01


@dataclass
class House:
    """One project in memory, on a ledger that outlives it."""

    url: str
    vendor: Vendor = field(default_factory=Vendor)
    flow: str = FLOW
    clock: Clock = system_clock
    sign_in: Callable[[Call], Awaitable[Account]] | None = None
    others: tuple[Vendor, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    """Further flows, by id."""
    workers: int = 64
    public_url: str = ""
    own: Connection | None = None
    watcher: Watcher | None = None
    exchanges: bool = True
    ledger: Database = field(init=False)
    engine: Engine = field(init=False)
    connection: Connection = field(init=False)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        async with AsyncExitStack() as stack:
            self.ledger = await stack.enter_async_context(open_ledger(self.url))
            self.connection = self.vendor.connection(self.sign_in)
            stack.push_async_callback(self.connection.api.close)
            others = {vendor.name: vendor.connection() for vendor in self.others}
            self.engine = open_engine(
                Setting(
                    self.ledger,
                    {self.vendor.name: self.connection, **others},
                    [parse_flow(text, Path(f"flows/{name}.yaml")) for name, text in self._flows().items()],
                    LedgerCrosswalk(self.ledger),
                    clock=self.clock,
                    workers=self.workers,
                    public_url=self.public_url,
                    random=Hurried(),
                    own=self.own,
                    watcher=self.watcher,
                    exchanges=lambda: self.exchanges,
                )
            )
            await self.engine.start()
            stack.push_async_callback(self.engine.stop)
            yield self

    def _flows(self) -> dict[str, str]:
        return {"test": self.flow, **self.beside}

    async def deliver(self, given: Order | None = None, kind: str = "order.paid", *, body: bytes | None = None) -> int:
        """What the intake does. Returns the delivery's number."""
        if body is None:
            data = (given or order()).model_dump(mode="json")
            body = json.dumps({"type": kind, "order": data}).encode()
        delivery = Delivery(self.vendor.name, {}, body, NOW)
        name = f"delivery-{next(self.numbers)}"
        accepted = await self.ledger.write(
            lambda rows: deliveries.accept(rows, delivery, name, self.vendor.environment)
        )
        if not accepted.duplicate:
            self.engine.arrived(accepted.id, delivery)
        return accepted.id

    async def settled(self, seconds: float = 30) -> None:
        """Wait until nothing is left to do."""
        await self.until(self._nothing_left, seconds)

    async def until(self, holds: Callable[[], Any], seconds: float = 30) -> None:
        """Poll until `holds()` (or what it awaits) is true."""
        async with asyncio.timeout(seconds):
            while True:
                found = holds()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.005)

    async def _nothing_left(self) -> bool:
        return not self.engine.busy and await self.ledger.read(figures.unfinished) == 0

    async def runs(self) -> list[RunRow]:
        return await self.ledger.read(lambda rows: runs.newest(rows, limit=1000))

    async def run(self) -> RunRow:
        (only,) = await self.runs()
        return only

    async def exceptions(self) -> list[ExceptionRow]:
        return await self.ledger.read(lambda rows: exceptions.open_ones(rows))

    def at(self, **changes: Any) -> "House":
        return replace(self, **changes)


@pytest.fixture
async def house(ledger_url: str) -> AsyncIterator[House]:
    async with House(ledger_url).open() as opened:
        yield opened
