"""Telling a story to a process that dies on the way and is started again, until all has come right."""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import aiohttp

from bellwire.practice import Webhook
from bellwire.practice.driving import Answer, post
from tests.reliability.dying import ERRORS, KILLED, OUTPUT, POINTS, Fate, ended, start
from tests.reliability.proof import changed, ending, finals, never
from tests.running import Town, UnderWay, town

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
    end: Sequence[str]
    """What came of it all: to be the same in each telling."""


@dataclass
class Lives:
    """A `bellwire` command, started again each time it dies."""

    place: Town
    words: Sequence[object]
    folder: Path
    """For its output, and the points that it passed."""
    fates: Sequence[Fate]
    """Of the first lives; those after live until the story is over."""
    over: bool = False
    """The story is, or it is a command that does one thing: a life that ends by itself is the last."""
    done_before: str = ""
    """What it says, with exit code 1, if a life that died had done it all."""
    ends: list[int] = field(default_factory=list)
    """Exit codes."""
    points: list[list[str]] = field(default_factory=list)
    """Those that each life passed."""
    harm: list[str] = field(default_factory=list)
    """What was final before a life and not after it, or half done after it."""
    wrong: str = ""
    """That it ended in another way than it should."""
    after_first: Callable[[], None] = lambda: None
    """What is done between the first life and the second."""
    running: ForkServerProcess | None = None

    async def live(self) -> None:
        final: dict[object, object] = {}
        for fate in chain(self.fates, repeat(NOTHING)):
            self._output.unlink(missing_ok=True)
            words = [*self.words, "--project", self.place.folder]
            self.running = start(words, self.folder, self.place.environ, fate)
            code = await ended(self.running)
            errors = (self.folder / ERRORS).read_text()
            if code == 1 and KILLED in self.ends and self.done_before and self.done_before in errors:
                code = 0
            self.ends.append(code)
            self.points.append((self.folder / POINTS).read_text().splitlines())
            with suppress(sqlite3.OperationalError):  # its tables aren't there yet, or not as they are now
                now = finals(self.place)
                self.harm += [*changed(final, now), *self.place.look(never)]
                final = now
            if len(self.ends) == 1:
                self.after_first()
            if code != KILLED and not (code == 0 and (self.over or fate.stops_at)):
                self.wrong = f"it ended with {code}: {errors}"
            if self.wrong or (self.over and code == 0):
                return

    def told(self, broken: Sequence[str]) -> Told:
        """Once all lives are over; `broken` is what is wrong in the end."""
        died = [code == KILLED for code in self.ends[: len(self.fates)]]
        return Told(self.points, died, [*self.harm, *broken], ending(self.place))

    async def moment(self) -> None:
        """For those who poll. It fails when the process ended in another way than it should."""
        assert not self.wrong, self.wrong
        await asyncio.sleep(0.02)

    async def until_done(self) -> None:
        under_way = UnderWay(self.place)
        while self._is_unfinished(under_way):
            await self.moment()

    async def stop(self) -> None:
        """As its owner does, once the story is over; a life that dies meanwhile is followed by another."""
        self.over, told = True, None
        while not self.points or not (self.ends[-1] == 0 and len(self.points) == len(self.ends)):
            if self.running is not told and self._ready:
                told = self.running
                _signal(told, signal.SIGTERM)
            await self.moment()

    @staticmethod
    def _is_unfinished(under_way: UnderWay) -> bool:
        try:
            return under_way.count() > 0
        except sqlite3.OperationalError:  # its tables aren't as they are now
            return True

    @property
    def _output(self) -> Path:
        return self.folder / OUTPUT

    @property
    def _ready(self) -> bool:
        return self._output.exists() and "Ready." in self._output.read_text()

    def kill(self) -> None:
        self.wrong = self.wrong or "it was given up"
        _signal(self.running, signal.SIGKILL)


def _signal(process: ForkServerProcess | None, number: signal.Signals) -> None:
    if process is not None and process.is_alive():
        assert process.pid is not None
        # It may end just now.
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


@asynccontextmanager
async def living(
    place: Town, fates: Sequence[Fate], after_first: Callable[[], None] = lambda: None
) -> AsyncIterator[Lives]:
    """`bellwire up` with these fates; stopped at the end of the block."""
    lives = Lives(place, ["up"], place.folder, fates, after_first=after_first)
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
async def prepared(folder: Path, ledger: Path | None, beside: Mapping[str, str] = {}) -> AsyncIterator[Town]:
    """A town with a copy of a `ledger`, for to make its tables takes longer than a whole story; and with further flows
    `beside` the usual one."""
    async with town(folder, beside=beside) as place:
        (folder / "data" / "ledger.db").unlink(missing_ok=True)
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


async def command(place: Town, *words: object, fates: Sequence[Fate] = (), done_before: str = "") -> Lives:
    """A command of the owner's with these fates, given again until it doesn't die. `done_before` is what it says if a
    life that died had done it all."""
    folder = place.folder / _OWNER
    folder.mkdir(exist_ok=True)
    lives = Lives(place, words, folder, fates, over=True, done_before=done_before)
    await lives.live()
    assert not lives.wrong, lives.wrong
    return lives
