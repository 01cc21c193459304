"""The intake behind its real server, on a real ledger, with senders that sign as their vendors do."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bellwire.connectors.kit import Connection
from bellwire.events import Delivery
from bellwire.intake import Health, Hooks, Limits, serve
from bellwire.ledger import Database, DeliveryRow, deliveries, open_ledger
from bellwire.practice import Sale, SaleLine, Shop, find_simulator, simulator_names
from tests.connecting import connection
from tests.samples import NOW

SECRET, OTHER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="
SHOPS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Shop)]
SENDERS = ["standard", "hmac", *SHOPS]
_GENERIC: dict[str, dict[str, Any]] = {
    "standard": {},
    "hmac": {"scheme": "hmac", "header": "X-Signature", "prefix": "sha256=", "id_header": "X-Delivery"},
}
Given = Mapping[str, str]


@dataclass(frozen=True)
class Letter:
    """A delivery as its sender made it."""

    headers: Mapping[str, str]
    body: bytes

    def but(
        self, headers: Mapping[str, str] | None = None, *, without: str = "", body: bytes | None = None
    ) -> "Letter":
        """With other headers or another body, or `without` a header."""
        kept = {name: value for name, value in self.headers.items() if name.lower() != without.lower()}
        return Letter({**kept, **(headers or {})}, self.body if body is None else body)


@dataclass(frozen=True)
class Sender:
    """One connection, and whoever sends to it."""

    connection: Connection
    shop: Shop | None = None

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def signature_header(self) -> str:
        """The header that is missed first."""
        return next(name for name in self.signed(b"{}").headers if "sig" in name.lower() or "hmac" in name.lower())

    def order(self, number: str = "1001") -> Letter:
        """A paid order."""
        if self.shop is None:
            return self.signed({"type": "order.paid", "data": {"id": number}}, number)
        order_id = self.shop.place(Sale(number, [SaleLine("TEA-100", 2)]))
        self.shop.pay(order_id)
        webhook = self.shop.webhook(order_id, "order.paid")
        return Letter(webhook.headers, webhook.body)

    def signed(self, body: object, delivery_id: str = "message-1", *, secret: str = "", now: datetime = NOW) -> Letter:
        """Any body (JSON of it, unless it is bytes), signed rightly."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        assert self.connection.webhook is not None
        signature = self.connection.webhook.sign(
            content, secret or self.connection.secrets[0], delivery_id=delivery_id, now=now
        )
        return Letter({"Content-Type": "application/json"} | signature, content)


def sender(kind: str, *, name: str = "", secret: str = SECRET) -> Sender:
    """`standard`, `hmac`, or a shop."""
    if kind in _GENERIC:
        credentials = {"webhook_secret": secret} if secret else {}
        return Sender(connection("webhook", name=name or kind, settings=_GENERIC[kind], credentials=credentials))
    simulator = find_simulator(kind)()
    assert isinstance(simulator, Shop)
    made = connection(kind, name=name or kind, settings=simulator.settings, credentials=simulator.credentials)
    return Sender(made, simulator)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def error(self) -> str:
        """Its short word; what every refusal looks like is checked on the way."""
        assert set(self.json) == {"error", "message"}, self.json
        assert self.json["message"].endswith("."), self.json
        assert "Traceback" not in self.json["message"]
        return str(self.json["error"])


@dataclass
class Intake:
    """What listens."""

    path: Path
    senders: Mapping[str, Sender]
    limits: Limits = field(default_factory=Limits)
    max_waiting: int = 5_000
    arrived: list[tuple[int, Delivery]] = field(default_factory=list)
    port: int = 0
    ledger: Database = field(init=False)
    hooks: Hooks = field(init=False)
    session: aiohttp.ClientSession = field(init=False)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Intake"]:
        async with AsyncExitStack() as stack:
            self.ledger = await stack.enter_async_context(
                open_ledger(f"sqlite:///{self.path}", max_waiting=self.max_waiting)
            )
            self.hooks = Hooks(
                {name: each.connection for name, each in self.senders.items()},
                self.ledger,
                lambda number, delivery: self.arrived.append((number, delivery)),
                limits=self.limits,
                public_url="https://hooks.example.com/",
                clock=lambda: NOW,
            )
            health = Health(self.ledger)
            app = Starlette(
                routes=[
                    Route("/healthz", health.alive),
                    Route("/readyz", health.ready),
                ]
            )
            self.port = await stack.enter_async_context(serve(app, "127.0.0.1", 0, hooks=self.hooks, stop_seconds=1))
            self.session = await stack.enter_async_context(aiohttp.ClientSession())
            yield self

    def at(self, **changes: Any) -> "Intake":
        return replace(self, arrived=[], **changes)

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """For what is to take too long. The time that a test gives to what is to succeed is the ordinary one: on a busy
        machine a single commit can take half a second."""
        limits = self.hooks.limits
        self.hooks.limits = replace(limits, seconds=0.3)
        try:
            yield
        finally:
            self.hooks.limits = limits

    async def send(self, name: str, letter: Letter, *, method: str = "POST", body: Any = None) -> Answer:
        return await self.ask(f"/hooks/{name}", method, letter.headers, letter.body if body is None else body)

    async def ask(self, path: str, method: str = "GET", headers: Given | None = None, body: Any = None) -> Answer:
        address = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, address, data=body, headers=headers) as response:
            return Answer(response.status, response.headers, await response.read())

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection, for senders that don't behave."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def turns_away(self) -> bool:
        """Whether it listens no longer."""
        try:
            async with self.wire():
                return False
        except ConnectionError:
            return True

    async def stored(self) -> list[DeliveryRow]:
        return await self.ledger.read(lambda rows: deliveries.newest(rows, limit=1000))

    async def payload(self, number: int = 1) -> tuple[dict[str, str], bytes]:
        """Headers and body as they were kept."""
        found = await self.ledger.read(lambda rows: deliveries.payload(rows, number))
        assert found is not None
        return found

    async def refused(self) -> dict[tuple[str, str], int]:
        """Connection and reason → how often, as the ledger has it."""
        await self.hooks.count()
        found = await self.ledger.read(lambda rows: deliveries.refusals(rows, NOW))
        return {(name, reason): count for name, reason, count in found}


@pytest.fixture
async def intake(tmp_path: Path, blank: Path) -> AsyncIterator[Intake]:
    shutil.copy(blank, tmp_path)
    senders = {kind: sender(kind) for kind in SENDERS}
    senders["other"] = sender("standard", name="other", secret=OTHER_SECRET)
    senders["unready"] = sender("standard", name="unready", secret="")
    async with Intake(tmp_path / "ledger.db", senders).open() as opened:
        yield opened


@pytest.fixture
def narrow(tmp_path: Path, blank: Path) -> Callable[..., Intake]:
    """An intake that is still to be opened, with limits of size that are soon reached."""
    shutil.copy(blank, tmp_path)

    def make(**changes: Any) -> Intake:
        senders = {"standard": sender("standard")}
        limits = Limits(body=10_000, headers=4_000)
        return Intake(tmp_path / "ledger.db", senders, limits).at(**changes)

    return make
