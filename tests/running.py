"""A project on practice servers, and `bellwire up` for it in a process of its own."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import aiohttp
import psycopg

from bellwire.cli.roles import choose_connectors
from bellwire.connectors import all_connectors
from bellwire.connectors.kit import ByKey
from bellwire.flows import bundled
from bellwire.ledger import Rows, figures
from bellwire.ledger.postgres import PostgresRows
from bellwire.ledger.sqlite import SqliteRows
from bellwire.practice import Books, Carrier, Chat, Mailbox, Practice, Sale, SaleLine, Shop, Simulator, Till, Webhook
from bellwire.practice.driving import in_role
from bellwire.practice.project import write_project
from bellwire.practice.stories.order_to_cash import Chapter, Holdings, verdicts
from bellwire.practice.stories.telling import Verdict
from bellwire.settings import Settings, load_settings
from tests.forked import Forked
from tests.ledgers import blank_sqlite

T = TypeVar("T")
FLOW = "order_to_cash"
_ROOT = Path(__file__).parent.parent


@dataclass
class Town:
    """A project, the vendors it calls, and the orders that were placed."""

    folder: Path
    practice: Practice
    roles: Mapping[str, str]
    secrets: Mapping[str, str]
    port: int
    ledger_url: str = ""
    """Where its ledger is, if that isn't its own file: on PostgreSQL."""
    placed: dict[str, str] = field(default_factory=dict)
    chapters: list[Chapter] = field(default_factory=list)
    holdings: Holdings = field(init=False)
    stock_before: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.holdings = Holdings(
            in_role(self._of("shop"), Shop),  # type: ignore[type-abstract]
            in_role(self._of("books"), Books),  # type: ignore[type-abstract]
            in_role(self._of("stock"), Till),  # type: ignore[type-abstract]
            in_role(self._of("shipping"), Carrier),  # type: ignore[type-abstract]
            in_role(self._of("chat"), Chat),  # type: ignore[type-abstract]
            in_role(self._of("mail"), Mailbox),  # type: ignore[type-abstract]
        )
        self.stock_before = self.holdings.till.stock()

    def _of(self, role: str) -> Simulator:
        return self.practice.simulators[self.roles[role]]

    @property
    def environ(self) -> dict[str, str]:
        """What a command of this project needs."""
        elsewhere = {"BELLWIRE_LEDGER_URL": self.ledger_url} if self.ledger_url else {}
        return {**self.secrets, "BELLWIRE_PORT": str(self.port), **elsewhere}

    @property
    def settings(self) -> Settings:
        return load_settings(self.folder, self.environ)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paid(self, chapter: Chapter) -> Webhook:
        """Have an order placed and paid; gives what the shop sends."""
        number = chapter.sale.number
        shop = self.holdings.shop
        self.placed[number] = shop.place(chapter.sale)
        self.chapters.append(chapter)
        shop.pay(self.placed[number])
        return self.again(number)

    def again(self, number: str) -> Webhook:
        """The same fact in a new delivery."""
        return self.holdings.shop.webhook(self.placed[number], "order.paid")

    def verdicts(self, unbooked: set[str] | None = None) -> list[Verdict]:
        """Whether each effect was had once, and the totals are right."""
        return verdicts(
            self.chapters,
            self.holdings,
            placed=self.placed,
            stock_before=self.stock_before,
            unbooked=unbooked or set(),
        )

    def look(self, query: Callable[[Rows], T]) -> T:
        """What the ledger says, from outside of the process that writes it."""
        if self.ledger_url:
            with psycopg.connect(self.ledger_url) as other:
                return query(PostgresRows(other))
        address = f"{(self.folder / 'data' / 'ledger.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            return query(SqliteRows(connection))


@asynccontextmanager
async def town(folder: Path, shop: str = "", flow: str = "", beside: Mapping[str, str] = {}) -> AsyncIterator[Town]:
    """`flow`: another text than the template's; `beside`: further flow files, by name."""
    text = flow or bundled(FLOW)
    roles = chosen_roles(shop)
    with reserved_port() as port:
        async with Practice(set(roles.values())) as practice:
            secrets = write_project(folder, practice, roles, {f"{FLOW}.yaml": text, **beside})
            (folder / "data" / "ledger.db").write_bytes(blank_sqlite())
            yield Town(folder, practice, roles, secrets, port)


@cache
def chosen_roles(shop: str) -> Mapping[str, str]:
    """Connection → connector. Worked out once, as that takes longer than to build the town."""
    chosen = choose_connectors({FLOW: bundled(FLOW)}, {"shop": shop or None, "stock": _keyed_till()})
    return {name: connector.name for name, connector in chosen.items()}


def _keyed_till() -> str:
    """The first till that takes a key: where it doesn't, what a crash left in doubt can be taken for what another order
    did, if both sold the same at the same time."""
    adjusts = ((connector.name, connector.actions.get("stock.adjust")) for connector in all_connectors())
    return next(name for name, adjust in adjusts if adjust and isinstance(adjust.repeat, ByKey))


def ordinary(number: str) -> Chapter:
    """An order like most."""
    return Chapter(Sale(number, [SaleLine("TEA-100", 2)]), "")


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port for a server that may come and go: nobody else gets it meanwhile."""
    with socket.socket() as holder:
        # Linux lets a server of the same user listen on it all the same, since this one doesn't.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


def start(*words: object, cwd: Path, environ: Mapping[str, str], program: str = "bellwire") -> "subprocess.Popen[str]":
    """A `bellwire` command in a process group of its own; its output goes to files in `cwd`. `program`: another module
    than that, which takes the same words."""
    with (cwd / "out.txt").open("w") as out, (cwd / "err.txt").open("w") as err:
        environ = {**os.environ, "PYTHONPATH": str(_ROOT), **environ}
        return Forked("-m", program, *words, cwd=cwd, environ=environ, stdout=out, stderr=err)


async def ended(process: "subprocess.Popen[str]", seconds: float = 30) -> int:
    """Its exit code, once it has come to its end."""
    return await asyncio.to_thread(process.wait, seconds)


@dataclass
class Up:
    """`bellwire up`, running."""

    town: Town
    process: "subprocess.Popen[str]"
    session: aiohttp.ClientSession

    async def post(self, webhook: Webhook, hook: str = "shop") -> dict[str, object] | None:
        """The acknowledgement; None when there was none."""
        address = f"{self.town.url}/hooks/{hook}"
        try:
            async with self.session.post(address, data=webhook.body, headers=dict(webhook.headers)) as answer:
                return await answer.json() if answer.status == 200 else None
        except (aiohttp.ClientError, OSError):
            return None

    async def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        await ended(self.process)

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await ended(self.process)

    async def settled(self, seconds: float = 30) -> None:
        """Wait until nothing is left to do."""

        async def nothing_left() -> bool:
            return self.town.look(figures.unfinished) == 0

        await until(nothing_left, seconds)

    @property
    def output(self) -> str:
        return (self.town.folder / "out.txt").read_text()

    @property
    def errors(self) -> str:
        return (self.town.folder / "err.txt").read_text()


@asynccontextmanager
async def up(town: Town, *options: str) -> AsyncIterator[Up]:
    """`bellwire up`, ready for webhooks; killed at the end if it still runs."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        process = start("up", *options, "--project", town.folder, cwd=town.folder, environ=town.environ)
        running = Up(town, process, session)
        try:

            async def ready() -> bool:
                assert running.process.poll() is None, running.errors
                try:
                    async with session.get(f"{town.url}/readyz") as answer:
                        # It answers before it has said all that it says.
                        return answer.status == 200 and "Ready." in running.output
                except aiohttp.ClientError:
                    return False

            await until(ready, 30)
            yield running
        finally:
            if running.process.poll() is None:
                await running.kill()


async def until(holds: Callable[[], Awaitable[object]], seconds: float = 30) -> None:
    """Poll until it holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)
