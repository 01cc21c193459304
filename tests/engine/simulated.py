"""A house in which nothing happens by itself: every step, every second and every crash is a test's decision.

The intake, the engine and the ledger are the real ones, on a real file. What makes them repeatable is the event loop:
its time passes only when nothing else is left to do, and then at once; and what the ledger gives to threads is done on
the spot. So the same decisions lead to the same commits, whatever the machine is busy with.
"""

import asyncio
import dataclasses
import selectors
import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from bellwire.connectors.kit import Account, Call, Connection, Repeat, StandardWebhooks, Unkeyed
from bellwire.engine import Setting, open_engine
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.flows import parse_flow
from bellwire.intake import Hooks
from bellwire.intake.hooks import Incoming, Reply
from bellwire.ledger import Rows, figures
from bellwire.ledger.sqlite import SqliteDatabase, SqliteRows
from bellwire.records import LedgerCrosswalk
from tests.connecting import Secrets
from tests.engine.conftest import Hurried
from tests.engine.vendor import Vendor
from tests.samples import NOW

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Waiting takes no time: the clock is put forward instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        assert found or timeout is not None, "nothing is left that could happen"
        if not found and timeout:
            self.now += timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


class _OnTheSpot(Executor):
    """Does what it is given before it returns."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Fate(Enum):
    """What becomes of a call at the vendor."""

    BUSY = auto()
    """Nothing is done; it may be tried again."""
    REFUSED = auto()
    """Nothing is done, nor will be."""
    NEVER_ARRIVED = auto()
    """Nothing is done, and nobody can know."""
    ANSWER_LOST = auto()
    """It is done, and nobody can know."""


class Witness(Vendor):
    """A vendor that counts what it does: an effect for every call that arrives, unless the vendor knows keys."""

    def __init__(self, stock_repeat: Repeat) -> None:
        super().__init__()
        self.stock_repeat = stock_repeat
        self.fates: dict[str, deque[Fate]] = defaultdict(deque)
        self.signed_out = False

    async def _do(self, operation: str, call: Call, given: Any) -> None:
        self.calls.append((operation, call.key, call.again))
        async with call.api.turn():
            await self._answer(operation, call)

    async def _answer(self, operation: str, call: Call) -> None:
        await asyncio.sleep(0.01)
        if self.signed_out:
            raise SignedOut("Toy Till no longer takes the sign-in.")
        fate = self.fates[operation].popleft() if self.fates[operation] else None
        if fate is Fate.BUSY:
            raise Transient("Toy Till is down.")
        if fate is Fate.REFUSED:
            raise Refused("Toy Till says no.", cause="refused")
        if fate is Fate.NEVER_ARRIVED:
            raise OutcomeUnknown("The connection broke off.")
        effect = (operation, call.key)
        knows_keys = operation == "adjust" and not isinstance(self.stock_repeat, Unkeyed)
        if not (knows_keys and effect in self.done):
            self.done.append(effect)
        await asyncio.sleep(0.01)
        if fate is Fate.ANSWER_LOST:
            raise OutcomeUnknown("The connection broke off.")

    def doubled(self) -> list[tuple[str, str]]:
        """Effects that were had twice and mustn't be. A message may."""
        return [effect for effect, count in Counter(self.done).items() if count > 1 and effect[0] != "post_message"]

    def connection(self, sign_in: Callable[[Call], Awaitable[Account]] | None = None) -> Connection:
        made = super().connection(sign_in)
        manifest = dataclasses.replace(made.manifest, webhook=StandardWebhooks())
        return dataclasses.replace(made, connector=dataclasses.replace(made.connector, manifest=manifest))


@dataclasses.dataclass(frozen=True)
class Letter:
    """A delivery that the shop has to bring. It is signed anew each time it is sent."""

    id: str
    fact: str
    """The business key of what it tells."""
    body: bytes


class Simulated:
    """One project and its shop."""

    def __init__(self, path: Path, vendor: Witness, flows: Mapping[str, str], secret: str) -> None:
        self.path = path
        self.vendor = vendor
        self.texts = dict(flows)
        """Name → text, as the next start finds them."""
        self.secrets = Secrets({"webhook_secret": secret})
        self.signs_with = secret
        """What the shop signs with; what Bellwire accepts is in `secrets`."""
        self.loop = _Loop()
        self.moments = count()
        self.answers: dict[str, list[Reply]] = defaultdict(list)
        """Letter → what the shop was told."""
        self.crashes = 0

    # Living and dying

    def open(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        self.ledger = SqliteDatabase(self.path)
        self.ledger._committing = self.ledger._reading = _OnTheSpot()
        self.ledger.start()
        connection = dataclasses.replace(self.vendor.connection(), credentials=self.secrets)
        connections = {connection.name: connection}
        self.flows = {name: parse_flow(text, Path(f"flows/{name}.yaml")) for name, text in self.texts.items()}
        self.engine = open_engine(
            Setting(
                self.ledger,
                connections,
                list(self.flows.values()),
                LedgerCrosswalk(self.ledger),
                clock=self.now,
                workers=4,
                random=Hurried(),
            )
        )
        self.hooks = Hooks(connections, self.ledger, self.engine.arrived, clock=self.now)
        await self.engine.start()

    def crash(self) -> None:
        """The process is gone. What it hadn't committed is lost, and none of its tasks does anything more."""
        self.crashes += 1
        for connection in (self.ledger._connection, *self.ledger._opened):
            connection.close()
        self._drop_tasks()

    def stop(self) -> None:
        """As after Ctrl-C."""
        self.run(self._stop())

    async def _stop(self) -> None:
        await self.engine.stop()
        await self.ledger.close()

    def close(self) -> None:
        self._drop_tasks()
        self.loop.close()

    def _drop_tasks(self) -> None:
        while tasks := asyncio.all_tasks(self.loop):
            for task in tasks:
                task.cancel()
            self.run(_gone(tasks))

    # Time

    def now(self) -> datetime:
        """No two moments are the same, as on a real clock."""
        return NOW + timedelta(seconds=self.loop.time(), microseconds=next(self.moments))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def step(self, count: int) -> None:
        """Let every task go on `count` times to its next await; no time passes."""
        self.run(_turns(count))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.run(asyncio.sleep(seconds))

    def settle(self) -> None:
        """Wait until nothing is left that can be done without a person."""
        for _ in range(3600):
            self.wait(1)
            if self.look(figures.unfinished) == 0 and not self.engine.busy:
                return
        raise AssertionError("it never comes to an end")

    # What others do

    def send(self, letter: Letter, *, secret: str = "") -> None:
        """The shop sends a letter; the answer comes once it is on disk, or never."""
        scheme = StandardWebhooks()
        signed = scheme.sign(letter.body, secret or self.signs_with, delivery_id=letter.id, now=self.now())
        headers = [(name.encode(), value.encode()) for name, value in signed.items()]
        incoming = self.hooks.begin(b"POST", f"/hooks/{self.vendor.name}", headers)
        assert isinstance(incoming, Incoming), incoming
        assert self.hooks.more(incoming, letter.body) is None
        self.hooks.take(incoming, self.answers[letter.id].append)

    def look(self, query: Callable[[Rows], T]) -> T:
        """What somebody beside the process sees in the ledger: only what is on disk."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as beside:
            return query(SqliteRows(beside))

    def write(self, operation: Callable[[Rows], T]) -> T:
        """A person's decision."""
        return self.run(self.ledger.write(operation))


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _gone(tasks: set["asyncio.Task[Any]"]) -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
