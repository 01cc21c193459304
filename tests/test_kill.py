"""kill -9 in the middle of the work, several times: what was acknowledged is done, and nothing is done twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

from bellwire.clock import system_clock
from bellwire.ledger import RunState, deliveries, exceptions, figures, open_ledger, runs
from bellwire.practice import CATALOGUE, Fault, FaultKind, Sale, SaleLine, Webhook
from bellwire.practice.story import Chapter
from tests.running import Town, Up, town, up

ORDERS = 18
"""The vendors' rate limits are obeyed here too: more orders would only mean more waiting."""
KILLED_AFTER = ((4, 0.0), (8, 0.6), (12, 0.05), (16, 1.4))
"""How many orders are acknowledged by then, and how many seconds later the process dies."""


def chapters() -> list[Chapter]:
    """Orders of one to three things, none the same as the one before."""
    goods = cycle([good.sku for good in CATALOGUE if good.ships and good.in_books])
    sales = [
        Sale(str(2001 + n), [SaleLine(sku, 1 + n % 2) for sku in islice(goods, 1 + n % 3)], taxes_included=n % 7 == 0)
        for n in range(ORDERS)
    ]
    return [Chapter(sale, "") for sale in sales]


class Shopkeeper:
    """Sends each order until it is acknowledged, as shops do; every fourth again, and every sixth in a new delivery."""

    def __init__(self, place: Town) -> None:
        self.town = place
        self.running: Up | None = None
        self.acknowledged: set[str] = set()
        self.duplicates = 0
        self.more = asyncio.Event()

    async def send_all(self, told: list[Chapter]) -> None:
        letters = [(chapter.sale.number, self.town.paid(chapter)) for chapter in told]
        waiting = iter(enumerate(letters))

        async def sender() -> None:
            for index, (number, webhook) in waiting:
                await self._until_acknowledged(webhook)
                self.acknowledged.add(number)
                self.more.set()
                if index % 4 == 0:
                    await self._until_acknowledged(webhook)
                if index % 6 == 0:
                    await self._until_acknowledged(self.town.again(number))
                await asyncio.sleep(0.1)

        await asyncio.gather(*(sender() for _ in range(3)))

    async def _until_acknowledged(self, webhook: Webhook) -> None:
        while True:
            answer = await self.running.post(webhook) if self.running else None
            if answer is not None:
                self.duplicates += bool(answer["duplicate"])
                return
            await asyncio.sleep(0.02)

    async def until_acknowledged(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.acknowledged) < count:
                self.more.clear()
                await self.more.wait()


@asynccontextmanager
async def serving(shopkeeper: Shopkeeper) -> AsyncIterator[Up]:
    async with up(shopkeeper.town) as running:
        shopkeeper.running = running
        yield running
        shopkeeper.running = None


async def test_kill_9_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        # Vendors that take their time: so the process dies in the middle of calls.
        for role in ("books", "stock", "shipping", "chat"):
            slow = Fault(kind=FaultKind.SLOW, seconds=0.05, times=100_000)
            place.practice.simulators[place.roles[role]].faults.add(slow)
        shopkeeper = Shopkeeper(place)
        sending = asyncio.create_task(shopkeeper.send_all(chapters()))
        went_on = 0
        for count, delay in KILLED_AFTER:
            async with serving(shopkeeper) as running:
                went_on += "interrupted" in running.output
                await shopkeeper.until_acknowledged(count)
                await asyncio.sleep(delay)
                await running.kill()
        async with serving(shopkeeper) as running:
            went_on += "interrupted" in running.output
            await asyncio.wait_for(sending, 60)
            await running.settled(60)
            assert await running.stop() == 0
        assert len(shopkeeper.acknowledged) == ORDERS
        assert shopkeeper.duplicates >= ORDERS // 4
        assert went_on == len(KILLED_AFTER), "each kill has to interrupt something"
        await _ledger_is_right(place)
        assert {verdict.promise: verdict.found for verdict in place.verdicts() if not verdict.held} == {}
        assert len({booked.reference for booked in place.holdings.books.booked()}) == ORDERS


async def _ledger_is_right(place: Town) -> None:
    now = system_clock()
    since, until = now - timedelta(hours=1), now + timedelta(minutes=1)
    async with open_ledger(place.settings.ledger_url) as ledger:
        assert await ledger.read(lambda rows: exceptions.open_ones(rows)) == []
        every = await ledger.read(lambda rows: runs.newest(rows, limit=1_000))
        assert [run.state for run in every] == [RunState.DONE] * ORDERS
        arrived = await ledger.read(lambda rows: figures.delivery_counts(rows, since, until))
        assert arrived.balanced and arrived.waiting == arrived.dead == 0
        assert arrived.received == len(await ledger.read(lambda rows: deliveries.newest(rows, limit=1_000)))
        (balance,) = await ledger.read(lambda rows: figures.balances(rows, since, until))
        assert balance.balanced and (balance.received, balance.done) == (ORDERS, ORDERS)
