"""Telling a story to a process that dies on the way and is started again, until all has come right."""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import aiohttp

from bellwire.ledger import figures
from bellwire.practice import Webhook
from bellwire.practice.driving import Answer, post
from tests.reliability.dying import ERRORS, KILLED, OUTPUT, POINTS, Fate, ended, start
from tests.reliability.proof import changed, finals
from tests.running import Town, town

PATIENCE = 30.0
"""Seconds for one telling."""
NOTHING = Fate()
_OWNER = "owner"
"""The folder of the owner's commands."""


@dataclass(frozen=True)
class Told:
    """How the telling of a story went."""

    lives: Sequence[Sequence[str]]
    """The points that each life passed."""
    died: Sequence[bool]
    """Whether each life died at its point."""
    broken: Sequence[str]


@dataclass
class Lives:
    """`bellwire up`, started again each time it dies."""

    place: Town
    fates: Sequence[Fate]
    """Of the first lives; those after live until the story is over."""
    ends: list[int] = field(default_factory=list)
    """Exit codes."""
    points: list[list[str]] = field(default_factory=list)
    """Those that each life passed."""
    undone: list[str] = field(default_factory=list)
    """What was final before a life, and not after it."""
    wrong: str = ""
    """That it ended in another way than it should."""
    after_first: Callable[[], None] = lambda: None
    """What is done between the first life and the second."""
    running: ForkServerProcess | None = None
    over: bool = False
    """The story is: a life that ends by itself is the last."""

    async def live(self) -> None:
        final: dict[object, object] = {}
        for fate in chain(self.fates, repeat(NOTHING)):
            self._output.unlink(missing_ok=True)
            words = ["up", "--project", self.place.folder]
            self.running = start(words, self.place.folder, self.place.environ, fate)
            self.ends.append(code := await ended(self.running))
            self.points.append((self.place.folder / POINTS).read_text().splitlines())
            with suppress(sqlite3.OperationalError):  # its tables aren't there yet, or not as they are now
                now = finals(self.place)
                self.undone += changed(final, now)
                final = now
            if len(self.ends) == 1:
                self.after_first()
            if code != KILLED and not (code == 0 and (self.over or fate.stops_at)):
                self.wrong = f"it ended with {code}: {(self.place.folder / ERRORS).read_text()}"
            if self.wrong or (self.over and code == 0):
                return

    def told(self, broken: Sequence[str]) -> Told:
        """Once all lives are over; `broken` is what is wrong in the end."""
        died = [code == KILLED for code in self.ends[: len(self.fates)]]
        return Told(self.points, died, [*self.undone, *broken])

    async def moment(self) -> None:
        """For those who poll. It fails when the process ended in another way than it should."""
        assert not self.wrong, self.wrong
        await asyncio.sleep(0.02)

    async def until_done(self) -> None:
        while self._unfinished:
            await self.moment()

    async def stop(self) -> None:
        """As its owner does, once the story is over; a life that dies meanwhile is followed by another."""
        self.over, told = True, None
        while not self.points or not (self.ends[-1] == 0 and len(self.points) == len(self.ends)):
            if self.running is not told and self._ready:
                told = self.running
                _signal(told, signal.SIGTERM)
            await self.moment()

    @property
    def _unfinished(self) -> bool:
        try:
            return self.place.look(figures.unfinished) > 0
        except sqlite3.OperationalError:  # its tables aren't as they are now
            return True

    @property
    def _output(self) -> Path:
        return self.place.folder / OUTPUT

    @property
    def _ready(self) -> bool:
        return self._output.exists() and "Ready." in self._output.read_text()

    def kill(self) -> None:
        self.wrong = self.wrong or "it was given up"
        _signal(self.running, signal.SIGKILL)


def _signal(process: ForkServerProcess | None, number: signal.Signals) -> None:
    if process is not None and process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, number)


@asynccontextmanager
async def living(
    place: Town, fates: Sequence[Fate], after_first: Callable[[], None] = lambda: None
) -> AsyncIterator[Lives]:
    """A process with these fates; stopped at the end of the block."""
    lives = Lives(place, fates, after_first=after_first)
    going_on = asyncio.create_task(lives.live())
    try:
        async with asyncio.timeout(PATIENCE):
            yield lives
            await lives.stop()
    finally:
        if not going_on.done():
            lives.kill()
        await going_on


@asynccontextmanager
async def prepared(folder: Path, ledger: Path | None, flow: str = "") -> AsyncIterator[Town]:
    """A town with a copy of an empty `ledger`: to make its tables takes longer than a whole story."""
    async with town(folder, flow=flow) as place:
        if ledger is not None:
            shutil.copy(ledger, folder / "data" / "ledger.db")
        # Of a vendor that asks to slow down a story of its own tells; here that would only take time.
        for simulator in place.practice.simulators.values():
            simulator.quotas.clear()
        yield place


async def send(lives: Lives, webhooks: Iterable[Webhook]) -> Collection[int]:
    """As a shop does it: each webhook again and again until it is acknowledged. Gives the deliveries' numbers."""
    acknowledged: dict[int, Webhook] = {}
    address = f"{lives.place.url}/hooks/shop"
    async with aiohttp.ClientSession() as session:
        for webhook in webhooks:
            answer = Answer(0)
            while not answer.taken:
                with suppress(aiohttp.ClientError):
                    answer = await post(session, address, webhook.headers, webhook.body)
                await lives.moment()
            first = acknowledged.setdefault(answer.delivery, webhook)
            assert first is webhook, f"two deliveries were told that they are number {answer.delivery}"
    return acknowledged.keys()


async def command(place: Town, *words: object, fate: Fate = NOTHING) -> int:
    """A command of the owner's; gives its exit code. `passed` says which points it came to."""
    folder = place.folder / _OWNER
    folder.mkdir(exist_ok=True)
    return await ended(start([*words, "--project", place.folder], folder, place.environ, fate))


def passed(place: Town) -> list[str]:
    return (place.folder / _OWNER / POINTS).read_text().splitlines()
