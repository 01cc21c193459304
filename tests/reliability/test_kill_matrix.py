"""The process dies at every durable point there is, one after the other; then it starts again, and all comes right.

Each story is walked by itself: told once without a death, to learn how many points it has, then once for each of them.
Every third time the next start dies too, a few points later, so that what mends a death is itself interrupted.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import aiohttp
import pytest

from bellwire.ledger import exceptions, figures, open_ledger
from bellwire.practice import Sale, SaleLine, Webhook
from bellwire.practice.driving import Answer, post
from bellwire.practice.story import UNKNOWN_SKU, Chapter, deliveries
from tests.reliability.dying import KILLED, POINTS, ended, start
from tests.reliability.proof import broken, changed, finals
from tests.running import Town, town

STORIES = {
    "a webhook that comes three times": Chapter(Sale("1001", [SaleLine("TEA-100", 2)]), "", copies=3),
    "a webhook that was overtaken": Chapter(Sale("1002", [SaleLine("MUG-RED")]), "", overtaken=True),
    "a SKU that the owner has to map": Chapter(Sale("1003", [SaleLine(UNKNOWN_SKU), SaleLine("TEA-100")]), ""),
}
SHARES = 2
"""Tests for one story: each walks its part of the points."""
AT_ONCE = 3
"""Stories that are told side by side, since a few of their moments are spent waiting."""
FEWEST = 40
"""A story with less points than this has lost some."""
PATIENCE = 30.0
"""Seconds for one telling."""


@dataclass
class Lives:
    """A process that is started again each time it dies."""

    place: Town
    dies_at: list[int]
    """At which point each life ends; those after live until they are killed."""
    ends: list[int] = field(default_factory=list)
    """Exit codes."""
    points: list[list[str]] = field(default_factory=list)
    """Those that each life passed."""
    undone: list[str] = field(default_factory=list)
    """What was final before a life, and not after it."""
    running: ForkServerProcess | None = None
    over: bool = False
    """No life comes after this one."""

    async def live(self) -> None:
        final: dict[object, object] = {}
        for point in chain(self.dies_at, repeat(0)):
            self.running = start(["up", "--project", self.place.folder], self.place.folder, self.place.environ, point)
            self.ends.append(await ended(self.running))
            self.points.append((self.place.folder / POINTS).read_text().splitlines())
            now = finals(self.place)
            self.undone += changed(final, now)
            final = now
            if self.over or self.ends[-1] != KILLED:
                return

    async def moment(self) -> None:
        """For those who poll. It fails when the process ended in another way than by dying at its point."""
        others = [code for code in self.ends if code != KILLED]
        assert not others, f"it ended with {others}: {(self.place.folder / 'err.txt').read_text()}"
        await asyncio.sleep(0.03)

    def end(self) -> None:
        self.over = True
        if self.running is not None and self.running.is_alive():
            assert self.running.pid is not None
            os.kill(self.running.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Told:
    """How the telling of a story went."""

    points: list[str]
    """Of the first life."""
    died: bool
    """Whether it died at its point."""
    broken: list[str]


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its tables: to make them takes longer than a whole story."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"

    async def create() -> None:
        async with open_ledger(f"sqlite:///{path}"):
            pass

    asyncio.run(create())
    return path


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("story", STORIES)
async def test_the_process_may_die_at_any_point_and_then_soon_again(
    story: str, share: int, empty_ledger: Path, tmp_path: Path
) -> None:
    whole = await tell(STORIES[story], tmp_path / "whole", empty_ledger, [])
    assert whole.broken == []
    assert len(whole.points) >= FEWEST
    walk = range(1 + share, len(whole.points) + 1, SHARES)
    turns = asyncio.Semaphore(AT_ONCE)

    async def die_at(point: int) -> Told:
        async with turns:
            deaths = [point] if point % 3 else [point, 3 + point % 10]
            return await tell(STORIES[story], tmp_path / str(point), empty_ledger, deaths)

    told = await asyncio.gather(*map(die_at, walk))
    assert {tale.points[-1]: tale.broken for tale in told if tale.broken} == {}
    # What happens side by side happens in another order each time, and more or less of it in one commit.
    assert sum(tale.died for tale in told) >= len(walk) - 3


async def tell(chapter: Chapter, folder: Path, ledger: Path, dies_at: list[int]) -> Told:
    async with town(folder) as place:
        shutil.copy(ledger, folder / "data" / "ledger.db")
        async with living(place, dies_at) as lives:
            acknowledged = await send(lives, chapter)
            await until_done(lives)
            if place.look(exceptions.open_ones):
                await mend(lives)
                await until_done(lives)
        wrong = lives.undone + broken(place, acknowledged)
        return Told(lives.points[0], lives.ends[0] == KILLED, wrong)


@asynccontextmanager
async def living(place: Town, dies_at: list[int]) -> AsyncIterator[Lives]:
    lives = Lives(place, dies_at)
    going_on = asyncio.create_task(lives.live())
    try:
        async with asyncio.timeout(PATIENCE):
            yield lives
    finally:
        lives.end()
        await going_on


async def send(lives: Lives, chapter: Chapter) -> Collection[int]:
    """As a shop does it: each webhook again and again until it is acknowledged. Gives the deliveries' numbers."""
    place = lives.place
    place.chapters.append(chapter)
    acknowledged: dict[int, Webhook] = {}
    async with aiohttp.ClientSession() as session:
        for delivery in deliveries(place.holdings.shop, [chapter], place.placed):
            answer = Answer(0)
            while not answer.taken:
                with suppress(aiohttp.ClientError):
                    answer = await post(
                        session, f"{place.url}/hooks/shop", delivery.webhook.headers, delivery.webhook.body
                    )
                await lives.moment()
            first = acknowledged.setdefault(answer.delivery, delivery.webhook)
            assert first is delivery.webhook, f"two deliveries were told that they are number {answer.delivery}"
    return acknowledged.keys()


async def until_done(lives: Lives) -> None:
    while lives.place.look(figures.unfinished):
        await lives.moment()


async def mend(lives: Lives) -> None:
    """The owner says which item the unknown SKU is, and retries; on the command line, which is killed as well."""
    place = lives.place
    item = place.holdings.books.item_for(UNKNOWN_SKU)
    await command(place, "records", "map", "books", "product", UNKNOWN_SKU, item)
    for dies_at in (1, 2, 0):
        if stuck := place.look(exceptions.open_ones):
            await command(place, "exception", "retry", stuck[0].id, dies_at=dies_at)


async def command(place: Town, *words: object, dies_at: int = 0) -> None:
    folder = place.folder / "owner"
    folder.mkdir(exist_ok=True)
    end = await ended(start([*words, "--project", place.folder], folder, place.environ, dies_at))
    assert end == (KILLED if dies_at else 0), (folder / "err.txt").read_text()
