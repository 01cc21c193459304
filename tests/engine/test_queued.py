"""Several engines on one PostgreSQL ledger: what each holds is its own, and what one loses another has."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bellwire.connectors.kit import Account, Call
from bellwire.engine.normalise import read
from bellwire.engine.queued import QueuedEngine
from bellwire.errors import Transient
from bellwire.ledger import Kind, Queue, RunState, deliveries, health
from tests.engine.conftest import FLOW, House
from tests.engine.test_order import FLOWS as CHANGES
from tests.engine.vendor import Vendor
from tests.ledgers import Ledgers, change
from tests.postgres import Server
from tests.samples import NOW, order

_STOCK, _LABEL, _BENCH = (FLOW.index(each) for each in ("  stock:", "  label:", "  bench:"))
STOCK = FLOW[:_LABEL]
LABEL = FLOW[:_STOCK] + FLOW[_LABEL:_BENCH]
"""One action each: the one repeated by its key, the other only after a look."""
TOLD = FLOW[:_STOCK] + FLOW[_LABEL:]
"""A message about the label too."""


@pytest.fixture
def url(ledgers: Ledgers) -> str:
    return ledgers.postgres()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> float:
    """Jobs lapse after so many seconds."""
    monkeypatch.setattr(Queue, "lapse", 1.2)
    return Queue.lapse


@asynccontextmanager
async def crew(url: str, size: int, flow: str = FLOW, **options: Any) -> AsyncIterator[list[House]]:
    """Engines side by side, each with a vendor of its own that knows who called it; what is done is done for all."""
    async with AsyncExitStack() as stack:
        first = House(url, flow=flow, **options)
        houses = [first, *(first.at(vendor=Vendor()) for _ in range(size - 1))]
        for house in houses:
            await stack.enter_async_context(house.open())
            house.vendor.done = first.vendor.done
            house.connection.api.timeout = timedelta(seconds=2)
        yield houses


def calls(houses: list[House], operation: str = "") -> Counter[tuple[str, str]]:
    """How often the vendor was called for what."""
    return Counter((name, key) for each in houses for name, key, _ in each.vendor.calls if operation in ("", name))


def engine_of(house: House) -> QueuedEngine:
    assert isinstance(house.engine, QueuedEngine)
    return house.engine


async def settled(houses: list[House]) -> None:
    for house in houses:
        await house.settled(30)


async def states(house: House) -> Counter[str]:
    return Counter(run.state.value for run in await house.runs())


class Hanging:
    """What a vendor does next: nothing, until it may."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.begun.set()
        await self.may_end.wait()


async def carrier_of(houses: list[House], operation: str, hanging: Hanging, given: Any = None) -> House:
    """Who was brought a new order, and hangs in the middle of it."""
    for house in houses:
        house.vendor.next[operation].append(hanging)
    await houses[0].deliver(given)
    await asyncio.wait_for(hanging.begun.wait(), 30)
    (held,) = [house for house in houses if operation in {name for name, _ in house.vendor.sent}]
    for house in houses:
        house.vendor.next[operation].clear()
    return held


def stops(house: House, name: str) -> None:
    """One of the things that it does again and again."""
    next(loop for loop in house.engine._loops if loop.get_name() == name).cancel()


def stalls(house: House) -> None:
    """It does nothing more by itself, and says no more that it lives."""
    for loop in house.engine._loops:
        loop.cancel()


async def vanishes(house: House) -> None:
    """As if it had been killed."""
    stalls(house)
    for task in house.engine._running:
        task.cancel()
    await asyncio.gather(*house.engine._running, return_exceptions=True)
    await engine_of(house)._queue.close()


async def test_each_run_is_carried_once_by_however_many_engines(url: str) -> None:
    async with crew(url, 3, workers=3) as houses:
        for house in houses:
            house.vendor.next["adjust"].extend([lambda: asyncio.sleep(0.01)] * 60)
        for number in range(60):
            await houses[number % 3].deliver(order(id=str(number)))
            await houses[(number + 1) % 3].deliver(order(id=str(number)))
        await settled(houses)
        assert await states(houses[0]) == {"done": 60}
        assert (len(calls(houses)), set(calls(houses).values())) == (180, {1})
        assert all(house.vendor.calls for house in houses)


async def test_a_job_that_comes_late_or_again_does_nothing(url: str) -> None:
    async with crew(url, 2) as houses:
        delivery = await houses[0].deliver()
        await settled(houses)
        run, before = await houses[0].run(), calls(houses)
        again = [(run.id, turn) for turn in range(5)]
        await houses[0].ledger.write(lambda rows: rows.enqueue(Kind.CARRY, again))
        await houses[0].ledger.write(lambda rows: rows.enqueue(Kind.READ, [(delivery, turn) for turn in range(1, 5)]))
        await houses[0].until(lambda: queue_is(houses[0], 0))
        await settled(houses)
        assert (await houses[0].run(), calls(houses)) == (run, before)


async def queue_is(house: House, length: int) -> bool:
    return await house.ledger.read(lambda rows: rows.one("SELECT COUNT(*) FROM pgqueuer")) == (length,)


async def test_what_an_engine_held_that_vanished_goes_on_elsewhere_after_the_lapse(url: str, soon: float) -> None:
    async with crew(url, 2, TOLD) as houses:
        gone = await carrier_of(houses, "create_label", Hanging())
        (other,) = [house for house in houses if house is not gone]
        # The label was made, and nobody heard of it.
        gone.vendor.done += gone.vendor.sent
        began = asyncio.get_running_loop().time()
        await vanishes(gone)
        await other.until(lambda: is_done(other), 30)
        assert asyncio.get_running_loop().time() - began > soon / 2
        assert [name for name, _, _ in other.vendor.calls] == ["find_label", "post_message"]


async def is_done(house: House) -> bool:
    return (await house.run()).state is RunState.DONE


async def test_an_engine_that_stalls_past_its_lapse_writes_and_sends_nothing_more(url: str, soon: float) -> None:
    async with crew(url, 2, TOLD) as houses:
        hanging = Hanging()
        stalled = await carrier_of(houses, "create_label", hanging)
        (other,) = [house for house in houses if house is not stalled]
        stalls(stalled)
        sent = list(stalled.vendor.sent)
        await other.until(lambda: is_done(other), 30)
        run = await other.run()
        hanging.may_end.set()
        await stalled.until(lambda: not stalled.engine.busy)
        assert stalled.vendor.sent == sent
        assert await other.run() == run


async def test_one_that_was_only_slow_sends_nothing_for_what_another_has_by_now(url: str, soon: float) -> None:
    """It waits for its account's turn, and has it after the lapse."""
    async with crew(url, 2, STOCK) as houses:
        for house in houses:
            house.connection.api.gate._places = 0
        await houses[0].deliver()
        await houses[0].until(lambda: any(house.connection.api.gate.waiting for house in houses))
        (slow,) = [house for house in houses if house.connection.api.gate.waiting]
        (other,) = [house for house in houses if house is not slow]
        stalls(slow)
        _open(other)
        await other.until(lambda: is_done(other), 30)
        _open(slow)
        await slow.until(lambda: not slow.engine.busy)
        assert (len(slow.vendor.sent), len(other.vendor.sent)) == (0, 1)


def _open(house: House) -> None:
    gate = house.connection.api.gate
    gate._places = 1
    gate._next()


async def test_an_engine_that_lost_a_job_leaves_it_to_whoever_has_it(url: str, soon: float) -> None:
    async with crew(url, 2) as houses:
        first = Hanging()
        stalled = await carrier_of(houses, "adjust", first)
        (other,) = [house for house in houses if house is not stalled]
        second = Hanging()
        other.vendor.next["adjust"].append(second)
        stalls(stalled)
        await asyncio.wait_for(second.begun.wait(), 30)
        first.may_end.set()
        await stalled.until(lambda: not stalled.engine.busy)
        fence = (await other.run()).fence
        assert engine_of(stalled)._done == []
        await engine_of(stalled)._give_back()
        assert await queue_is(other, 1)
        assert ((await other.run()).fence, (await other.run()).state) == (fence, RunState.RUNNING)
        second.may_end.set()
        await other.until(lambda: is_done(other))


async def test_an_engine_that_is_brought_its_own_lapsed_job_sends_nothing_for_the_first_one(
    url: str, soon: float
) -> None:
    async with crew(url, 1, TOLD) as (house,):
        first = Hanging()
        await carrier_of([house], "create_label", first)
        (hold,) = engine_of(house)._kept.values()
        stops(house, "keeping")
        await house.until(lambda: engine_of(house)._kept.get(hold.job.id) not in (hold, None))
        assert not engine_of(house)._holds(hold)
        first.may_end.set()
        await house.until(lambda: is_done(house), 30)
        assert Counter(name for name, _ in house.vendor.sent) == {"create_label": 1, "post_message": 1}


async def test_a_job_that_an_engine_was_unsure_of_and_nobody_else_took_goes_on(url: str, soon: float) -> None:
    """The queue couldn't be asked for nearly as long as jobs last."""
    async with crew(url, 1, TOLD) as (house,):
        hanging = Hanging()
        await carrier_of([house], "create_label", hanging)
        (hold,) = engine_of(house)._kept.values()
        stops(house, "keeping")
        hold.heard_at -= soon
        hanging.may_end.set()
        await house.until(lambda: is_done(house))
        assert Counter(name for name, _ in house.vendor.sent) == {"create_label": 1, "post_message": 1}


async def test_stopping_gives_the_work_back_at_once(url: str) -> None:
    async with crew(url, 2) as houses:
        stopped = await carrier_of(houses, "adjust", Hanging())
        (other,) = [house for house in houses if house is not stopped]
        await stopped.engine.stop(grace=0)
        await other.until(lambda: is_done(other), 10)


async def test_stopping_gives_back_what_was_brought_and_not_yet_begun(url: str) -> None:
    async with crew(url, 2, workers=1) as (stopped, other):
        hanging = Hanging()
        busy = await carrier_of([stopped, other], "adjust", hanging)
        idle = stopped if busy is other else other
        stalls(idle)
        await idle.deliver(order(id="2"))
        assert len(await engine_of(idle)._queue.take(5)) == 1
        hanging.may_end.set()
        await idle.engine.stop(grace=0)
        await busy.until(lambda: all_done(busy, 2), 10)


async def all_done(house: House, number: int) -> bool:
    return await states_are(house, {"done": number})


async def states_are(house: House, expected: dict[str, int]) -> bool:
    return await states(house) == expected


async def test_stopping_in_the_middle_of_asking_for_jobs_leaves_none_behind(url: str) -> None:
    async with crew(url, 2) as (stopped, other):
        for number in range(40):
            await stopped.deliver(order(id=str(number)))
            if number == 20:
                await stopped.engine.stop(grace=0)
        await other.until(lambda: all_done(other, 40), 10)


async def test_events_of_one_subject_are_carried_in_order_by_all_together(url: str) -> None:
    async with crew(url, 3, CHANGES) as houses:
        told: list[str] = []
        for house in houses:
            house.vendor.given = told
            house.vendor.next["post_message"].extend([lambda: asyncio.sleep(0.003)] * 60)
        for hour in range(10, 15):
            for number in range(8):
                given = order(id=str(number), status=f"{number} at {hour}", updated_at=NOW.replace(hour=hour))
                await houses[hour % 3].deliver(given, "order.updated")
            # What is read later can't overtake.
            await houses[0].until(lambda: nothing_unread(houses[0]))
        await settled(houses)
        for number in range(8):
            texts = [each.text for each in told if each.text.startswith(f"{number} ")]  # type: ignore[attr-defined]
            assert texts == [f"{number} at {hour}" for hour in range(10, 15)]


async def test_of_two_events_of_one_subject_that_share_a_commit_the_later_one_waits(url: str) -> None:
    async with crew(url, 1, CHANGES) as (house,):
        stops(house, "jobs")
        numbers = [
            await house.deliver(order(id="1", updated_at=NOW.replace(hour=hour)), "order.updated") for hour in (10, 11)
        ]
        found = await house.ledger.read(lambda rows: deliveries.received(rows, numbers))
        readings = [read(number, found[number], house.connection) for number in numbers]
        record = house.engine._record
        turns = await asyncio.gather(*(record(each, house.connection, holding=True) for each in readings))
        assert [len(each) for each in turns] == [1, 0]
        assert await states(house) == {"running": 1, "held": 1}


async def nothing_unread(house: House) -> bool:
    return await house.ledger.read(lambda rows: rows.one("SELECT 1 FROM deliveries WHERE state = 'received'")) is None


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(durable=False)
    server.start()
    server.run("CREATE DATABASE ledger")
    yield server
    server.close()


async def test_a_ledger_that_goes_away_and_comes_back_loses_nothing(server: Server, soon: float) -> None:
    async with crew(server.url("ledger"), 2, LABEL) as houses:
        hanging = Hanging()
        for house in houses:
            house.vendor.next["create_label"].extend([hanging] * 8)
        for number in range(8):
            await houses[number % 2].deliver(order(id=str(number)))
        await houses[0].until(lambda: sum(len(house.vendor.sent) for house in houses) == 8)
        server.stop()
        hanging.may_end.set()
        await houses[0].until(lambda: len(houses[0].vendor.done) == 8)
        server.start()
        await houses[0].until(lambda: all_done(houses[0], 8), 30)
        sent = Counter(each for house in houses for each in house.vendor.sent)
        assert (len(sent), sent.total()) == (8, 8)


async def test_if_somebody_empties_the_queue_all_goes_on(
    url: str, soon: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.queued._SWEPT", 0.3)
    async with crew(url, 2, STOCK, workers=2) as houses:
        hanging = Hanging()
        for house in houses:
            house.vendor.next["adjust"].extend([hanging] * 2)
        for number in range(12):
            await houses[0].deliver(order(id=str(number)))
        await houses[0].until(lambda: all(house.engine.carrying() == 2 for house in houses))
        change(url, "DELETE FROM pgqueuer")
        hanging.may_end.set()
        await houses[0].until(lambda: all_done(houses[0], 12), 30)
        assert len(calls(houses)) == 12


async def test_what_is_out_of_order_is_known_to_all_and_tried_by_one(url: str) -> None:
    tried, well = [], asyncio.Event()

    async def sign_in(_call: Call) -> Account:
        tried.append(1)
        await well.wait()
        return Account("Toy Till")

    async with crew(url, 3, STOCK, sign_in=sign_in) as houses:
        first, *others = houses
        for house in others:
            stops(house, "jobs")
        await fails(first)
        for number in range(9):
            await houses[0].deliver(order(id=str(number)))

        def shut_everywhere() -> bool:
            return all(house.engine._health.shut("till") for house in houses)

        await houses[0].until(shut_everywhere)
        for house in others:
            fetches(house)
        for house in houses:
            house.engine._health.try_soon()
        await houses[0].until(lambda: bool(tried))
        await asyncio.gather(*(two_looks(house) for house in houses))
        assert len(tried) == 1
        well.set()
        await houses[0].until(lambda: all_done(houses[0], 9))
        await houses[0].until(lambda: not any(house.engine._health.shut("till") for house in houses))


async def test_what_one_held_that_had_not_heard_yet_of_the_recovery_goes_on(url: str) -> None:
    async def sign_in(_call: Call) -> Account:
        return Account("Toy Till")

    async with crew(url, 2, STOCK, sign_in=sign_in) as (knows, late):
        await ends(late, *late.engine._loops)
        await ends(knows, *(loop for loop in knows.engine._loops if loop.get_name() == "jobs"))
        await fails(knows)
        await late.engine._health.compare()
        knows.engine._health.try_soon()
        await knows.until(lambda: all_well(knows))
        await late.deliver()
        fetches(late)
        await late.until(lambda: states_are(late, {"held": 1}))
        await late.engine._health.compare()
        await late.until(lambda: all_done(late, 1))


async def fails(house: House) -> None:
    """Its connection does, for so many runs that it is out of order."""
    for run in range(3):
        await house.engine._health.failed("till", run, Transient("It can't be reached.", cause="unreachable"))


async def all_well(house: House) -> bool:
    return await house.ledger.read(health.out_of_order) == []


async def ends(house: House, *loops: asyncio.Task[None]) -> None:
    """It does that no more, and nothing of it is under way."""
    for loop in loops:
        house.engine._loops.remove(loop)
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


def fetches(house: House) -> None:
    house.engine._loops.append(asyncio.create_task(house.engine._forever(engine_of(house)._fetch)))


async def two_looks(house: House) -> None:
    for _ in range(2):
        await house.engine._health.compare()
        await house.engine._health.look()


async def test_a_connection_whose_try_met_a_busy_ledger_is_tried_again(server: Server) -> None:
    tried = []

    async def sign_in(_call: Call) -> Account:
        tried.append(1)
        return Account("Toy Till")

    async with crew(server.url("ledger"), 1, STOCK, sign_in=sign_in) as (house,):
        await fails(house)
        stalls(house)
        server.stop()
        house.engine._health.try_soon()
        await house.engine._health.look()
        await house.until(lambda: not house.engine._health._probes)
        server.start()
        await house.engine._health.look()
        await house.until(lambda: bool(tried))
