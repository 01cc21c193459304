"""A disk that is full or takes nothing: senders hear nothing false, and a running Bellwire goes on by itself."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bellwire.clock import system_clock
from bellwire.ledger import RunState, exceptions, figures, open_ledger, runs
from bellwire.practice import Fault, FaultKind, Webhook
from tests.disks import fill, small_disk, unwritable
from tests.running import Town, Up, ordinary, town, until, up


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None
    body: dict[str, object]


async def ask(running: Up, path: str, webhook: Webhook | None = None) -> Answer:
    address, session = running.town.url + path, running.session
    asking = (
        session.get(address)
        if webhook is None
        else session.post(address, data=webhook.body, headers=dict(webhook.headers))
    )
    async with asking as answer:
        return Answer(answer.status, answer.headers.get("retry-after"), await answer.json())


async def send(running: Up, webhook: Webhook) -> bool:
    """Whether it was acknowledged; if not, it has to be in the one right way."""
    answer = await ask(running, "/hooks/shop", webhook)
    if answer.status == 200:
        return True
    assert answer.status == 503 and int(answer.retry_after or 0) > 0
    return False


async def send_until_refused(running: Up, place: Town, numbers: list[str]) -> tuple[list[Webhook], list[Webhook]]:
    """What was acknowledged, and what was not: at least three in a row."""
    taken: list[Webhook] = []
    refused: list[Webhook] = []
    for number in numbers:
        webhook = place.paid(ordinary(number))
        (taken if await send(running, webhook) else refused).append(webhook)
        if len(refused) >= 3:
            return taken, refused
    raise AssertionError("the disk was never full")


async def keep_sending(running: Up, webhook: Webhook) -> bool:
    """For a second, in which the runs that go on meet the disk too. Whether it was acknowledged."""
    taken, end = False, asyncio.get_running_loop().time() + 1
    while asyncio.get_running_loop().time() < end:
        taken = await send(running, webhook) or taken
    return taken


async def everything_is_done_once(place: Town, orders: int) -> None:
    now = system_clock()
    since, until_ = now - timedelta(hours=1), now + timedelta(minutes=1)
    async with open_ledger(place.settings.ledger_url) as ledger:
        assert await ledger.read(lambda rows: exceptions.open_ones(rows)) == []
        every = await ledger.read(lambda rows: runs.newest(rows, limit=1_000))
        assert [run.state for run in every] == [RunState.DONE] * orders
        arrived = await ledger.read(lambda rows: figures.delivery_counts(rows, since, until_))
        assert arrived.balanced and arrived.waiting == arrived.dead == 0
    assert {verdict.promise: verdict.found for verdict in place.verdicts() if not verdict.held} == {}


def slow_vendors(place: Town) -> None:
    """So that the disk is full in the middle of runs."""
    for role in ("books", "stock", "shipping", "chat"):
        slow = Fault(kind=FaultKind.SLOW, seconds=0.1, times=100_000)
        place.practice.simulators[place.roles[role]].faults.add(slow)


async def test_a_full_disk_costs_no_delivery_and_no_restart(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 140) as disk:
        async with town(disk) as place, up(place) as running:
            slow_vendors(place)
            first = [place.paid(ordinary(number)) for number in ("1001", "1002", "1003")]
            assert all([await send(running, webhook) for webhook in first])
            ballast = fill(disk)
            numbers = [str(number) for number in range(1004, 1800)]
            taken, refused = await send_until_refused(running, place, numbers)
            ready = await ask(running, "/readyz")
            assert ready.status == 503 and "MB left" in str(ready.body["reason"])
            assert (await ask(running, "/healthz")).status == 200
            await keep_sending(running, refused[0])
            ballast.unlink()

            async def acknowledged() -> bool:
                return await send(running, refused[0])

            await until(acknowledged, 15)
            assert all([await send(running, webhook) for webhook in refused[1:]])
            assert (await ask(running, "/readyz")).status == 200
            for webhook in (*first, *taken):
                answer = await running.post(webhook)
                assert answer is not None and answer["duplicate"], "what was acknowledged is there"
            await running.settled(120)
            assert await running.stop() == 0
            await everything_is_done_once(place, 3 + len(taken) + 3)


async def test_a_ledger_that_takes_nothing_costs_no_delivery_and_no_restart(tmp_path: Path) -> None:
    async with town(tmp_path) as place, up(place) as running:
        slow_vendors(place)
        first = [place.paid(ordinary(number)) for number in ("1001", "1002")]
        assert all([await send(running, webhook) for webhook in first])
        with unwritable([tmp_path / "data" / "ledger.db", tmp_path / "data" / "ledger.db-wal"]):
            later = [place.paid(ordinary(number)) for number in ("1003", "1004")]
            assert [await send(running, webhook) for webhook in later] == [False, False]
            ready = await ask(running, "/readyz")
            assert ready.status == 503 and "can't be written" in str(ready.body["reason"])
            assert not await keep_sending(running, later[0])
        assert all([await send(running, webhook) for webhook in later])
        assert (await ask(running, "/readyz")).status == 200
        await running.settled(60)
        assert await running.stop() == 0
        await everything_is_done_once(place, 4)
