"""An intake and three workers, while everything fails that can: nothing is lost, nothing is done twice."""

import asyncio
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import aiohttp
import pytest

from bellwire.ledger import Rows, exceptions, figures
from bellwire.practice import Fault, FaultKind, Webhook
from bellwire.practice.driving import post
from tests.postgres import Server
from tests.reliability import hurried
from tests.reliability.proof import broken
from tests.reliability.several import INTAKE, Several
from tests.running import Town, ended, ordinary, start, town, until

ORDERS = 60


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(durable=True)
    server.start()
    server.run("CREATE DATABASE ledger")
    yield server
    server.close()


class Shop:
    """Sends its webhooks until they are acknowledged, many of them twice."""

    def __init__(self, place: Town) -> None:
        self._place = place
        self._random = Random(1)  # noqa: S311 - to be repeated, not to be secret
        self._numbers = count(1001)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        self._sending = set[asyncio.Task[None]]()
        self.acknowledged = set[int]()

    def sells(self, orders: int) -> None:
        for _ in range(orders):
            webhook = self._place.paid(ordinary(str(next(self._numbers))))
            for _ in range(self._random.choice((1, 1, 2))):
                self._sending.add(asyncio.create_task(self._send(webhook)))

    async def _send(self, webhook: Webhook) -> None:
        await asyncio.sleep(self._random.uniform(0, 2))
        while True:
            try:
                answer = await post(self._session, f"{self._place.url}/hooks/shop", webhook.headers, webhook.body)
            except (aiohttp.ClientError, TimeoutError):
                answer = None
            if answer is not None and answer.taken:
                self.acknowledged.add(answer.delivery)
                return
            assert answer is None or answer.status in (0, 503), answer
            await asyncio.sleep(0.2)

    async def close(self) -> None:
        """Once all is acknowledged."""
        await asyncio.gather(*self._sending)
        await self._session.close()


async def test_nothing_is_lost_and_nothing_done_twice_whatever_fails(server: Server, tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.ledger_url = server.url("ledger")
        for simulator in place.practice.simulators.values():
            simulator.quotas.clear()
            # So that there is always something under way.
            simulator.faults.add(Fault(kind=FaultKind.SLOW, times=10_000, seconds=0.1))
        several = Several(place, ("one", "two", "three"), program=hurried.__name__)
        async with several.open():
            shop = Shop(place)
            share = ORDERS // 5

            # A worker stands still for longer than its jobs last, and goes on as if nothing had been.
            shop.sells(share)
            await until(lambda: at_work(place))
            several.signal("one", signal.SIGSTOP)

            # Workers die, one of them twice.
            shop.sells(share)
            for name in ("two", "three", "two"):
                await until(lambda: at_work(place))
                await several.kill(name)
                several.begin(name)
                await asyncio.sleep(0.5)

            # The intake dies.
            shop.sells(share)
            await until(lambda: at_work(place))
            await several.kill(INTAKE)
            several.begin(INTAKE)
            await until(lambda: stands_still_for_too_long(place))
            several.signal("one", signal.SIGCONT)

            # The database dies, with no time to tidy up. (Who begins just then ends, and says why.)
            await until(several.all_ready, 60)
            shop.sells(share)
            await until(lambda: at_work(place))
            server.crash()
            await asyncio.sleep(0.5)
            server.start()

            # Connections are cut off, whatever goes over them.
            shop.sells(ORDERS - 4 * share)
            for _ in range(30):
                server.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = 'ledger' ORDER BY random() LIMIT 2"
                )
                await asyncio.sleep(0.1)

            async with asyncio.timeout(60):
                await shop.close()
            await settled(place)
            assert [name for name, process in several.running.items() if process.poll() is not None] == []
            assert await several.stop() == []
        assert len(place.placed) == ORDERS
        assert broken(place, shop.acknowledged) == []


async def at_work(place: Town) -> bool:
    """Whether something is under way."""
    return place.look(lambda rows: rows.one("SELECT 1 FROM runs WHERE state = 'running'")) is not None


async def stands_still_for_too_long(place: Town) -> bool:
    """Whether nothing is left in the hands of a process that says nothing."""

    def look(rows: Rows) -> bool:
        silent = f"heartbeat < now() - interval '{hurried.LAPSE} seconds'"
        return rows.one(f"SELECT 1 FROM pgqueuer WHERE status = 'picked' AND {silent}") is None  # noqa: S608

    return place.look(look)


async def settled(place: Town) -> None:
    """All has come to its end; the owner retries what needs a person."""

    async def nothing_left() -> bool:
        return place.look(figures.unfinished) == 0

    folder = place.folder / "owner"
    folder.mkdir()
    while True:
        await until(nothing_left, 60)
        stuck = [each.id for each in place.look(exceptions.open_ones)]
        if not stuck:
            return
        again = start("exception", "retry", *stuck, "--project", place.folder, cwd=folder, environ=place.environ)
        assert await ended(again) == 0, (folder / "err.txt").read_text()
