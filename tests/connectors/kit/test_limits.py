"""The pace of an account's requests, on a clock that jumps."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from bellwire.connectors.kit import Limit
from bellwire.connectors.kit.limits import Gate, backlog

MINUTE = timedelta(minutes=1)


class _Jumping(selectors.SelectSelector):
    """Instead of waiting, lets the time pass."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing left to do: deadlock"
        self.now += max(0.0, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(scene: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(scene)


async def request_through(
    gate: Gate, path: str = "", paced_by: str = "", *, late: bool = False, takes: float = 0.0
) -> None:
    """A request that is answered after so many seconds; `late`: of work from long ago."""
    backlog.set(late)
    async with gate.turn(path, paced_by):
        if takes:
            await asyncio.sleep(takes)


async def elapsed(gate: Gate, requests: int, path: str = "", paced_by: str = "") -> float:
    """Seconds until so many requests were let through."""
    began = asyncio.get_running_loop().time()
    for _ in range(requests):
        await request_through(gate, path, paced_by)
    return asyncio.get_running_loop().time() - began


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.1)


def test_so_many_go_at_once_and_the_next_when_the_first_is_as_old_as_the_window_is_long() -> None:
    async def scene() -> None:
        gate = Gate((Limit(60, MINUTE),))
        assert await elapsed(gate, 30) == 0
        await asyncio.sleep(20)
        assert await elapsed(gate, 30) == 0
        assert await elapsed(gate, 30) == about(40)
        assert await elapsed(gate, 30) == about(20)

    run(scene())


@pytest.mark.parametrize("takes", [0.0, 0.1, 2.0])
def test_no_window_has_more_however_long_each_is_on_its_way(takes: float) -> None:
    """What the vendor counts by is when a request arrives: at any time between its sending and its end."""

    async def scene() -> None:
        second = timedelta(seconds=1)
        random, arrived = Random(1), []  # noqa: S311 - to be repeated, not to be secret
        gate = Gate((Limit(5, second), Limit(40, 10 * second)), parallel=8)

        async def request() -> None:
            async with gate.turn():
                there = random.uniform(0, takes)
                await asyncio.sleep(there)
                arrived.append(asyncio.get_running_loop().time())
                await asyncio.sleep(random.uniform(0, takes - there))

        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(request() for _ in range(120)))
        arrived.sort()
        assert all(later - earlier > 1 for earlier, later in zip(arrived, arrived[5:], strict=False))
        assert all(later - earlier > 10 for earlier, later in zip(arrived, arrived[40:], strict=False))
        assert arrived[-1] - began < 30 * (1 + takes)

    run(scene())


def test_a_pause_in_the_work_saves_nothing_up() -> None:
    async def scene() -> None:
        gate = Gate((Limit(60, MINUTE),))
        await elapsed(gate, 60)
        await asyncio.sleep(3600)
        assert await elapsed(gate, 60) == 0
        assert await elapsed(gate, 1) == about(60)

    run(scene())


def test_of_several_limits_the_strictest_counts() -> None:
    async def scene() -> None:
        gate = Gate((Limit(10, timedelta(seconds=1)), Limit(60, MINUTE)))
        assert await elapsed(gate, 50) == about(4)
        assert await elapsed(gate, 10) == about(1)
        assert await elapsed(gate, 10) == about(55)

    run(scene())


def test_without_limits_nothing_waits() -> None:
    async def scene() -> None:
        assert await elapsed(Gate(()), 10_000) == 0

    run(scene())


@pytest.mark.parametrize("limits", [(), (Limit(60, MINUTE),)])
def test_a_pause_holds_everything_and_a_shorter_one_doesnt_shorten_it(limits: tuple[Limit, ...]) -> None:
    async def scene() -> None:
        gate = Gate(limits)
        gate.pause(timedelta(seconds=30))
        gate.pause(timedelta(seconds=5))
        assert gate.paused_for == timedelta(seconds=30)
        assert await elapsed(gate, 2) == pytest.approx(30)
        assert gate.paused_for == timedelta()

    run(scene())


def test_who_waits_already_waits_for_a_longer_pause_too() -> None:
    async def scene() -> None:
        gate = Gate(())
        gate.pause(timedelta(seconds=10))
        waiting = asyncio.create_task(elapsed(gate, 1))
        await asyncio.sleep(5)
        gate.pause(timedelta(seconds=20))
        assert await waiting == pytest.approx(25)

    run(scene())


def test_first_come_first_served() -> None:
    async def scene() -> None:
        gate, order = Gate((Limit(1, MINUTE),)), []

        async def request(number: int) -> None:
            await request_through(gate)
            order.append(number)

        await asyncio.gather(*(request(number) for number in range(5)))
        assert order == [0, 1, 2, 3, 4]

    run(scene())


def test_who_gives_up_waiting_doesnt_block_the_others() -> None:
    async def scene() -> None:
        gate = Gate((Limit(1, MINUTE),))
        await request_through(gate)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(request_through(gate), 1)
        assert await elapsed(gate, 1) == about(59)

    run(scene())


QUOTA = Limit(60, MINUTE, remaining="X-Remaining", resets_in="X-Reset")


async def told(gate: Gate, headers: dict[str, str]) -> None:
    """A request whose answer says so."""
    lane = await gate.enter()
    gate.leave(lane)
    gate.learn(headers, lane)


def test_an_answer_that_says_less_is_left_slows_down() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        await told(gate, {"x-remaining": "2"})
        assert await elapsed(gate, 2) == 0
        assert await elapsed(gate, 1) == about(60)

    run(scene())


def test_what_others_have_used_is_free_again_when_the_window_ends() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        await elapsed(gate, 10)
        await asyncio.sleep(30)
        await told(gate, {"x-remaining": "2", "x-reset": "5"})
        assert await elapsed(gate, 2) == 0
        assert await elapsed(gate, 47) == about(5)
        assert await elapsed(gate, 1) == about(25)

    run(scene())


def test_an_answer_that_says_more_is_left_changes_nothing() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        await elapsed(gate, 59)
        await told(gate, {"x-remaining": "50", "x-reset": "2"})
        assert await elapsed(gate, 1) == about(60)

    run(scene())


def test_an_empty_account_waits_until_the_window_ends() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        await told(gate, {"x-remaining": "0", "x-reset": "40"})
        assert await elapsed(gate, 1) == about(40)

    run(scene())


@pytest.mark.parametrize(
    "headers", [{}, {"x-remaining": "soon"}, {"x-remaining": "-1"}, {"x-remaining": "0.5"}, {"other": "0"}]
)
def test_headers_that_say_nothing_are_ignored(headers: dict[str, str]) -> None:
    async def scene() -> None:
        gate = Gate((QUOTA, Limit(600, MINUTE)))
        await told(gate, headers)
        assert await elapsed(gate, 59) == 0

    run(scene())


def test_only_so_many_requests_are_on_their_way_at_once() -> None:
    async def scene() -> None:
        gate, going_on, most = Gate((), parallel=3), 0, 0

        async def request() -> None:
            nonlocal going_on, most
            async with gate.turn():
                going_on += 1
                most = max(most, going_on)
                await asyncio.sleep(1)
                going_on -= 1

        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(request() for _ in range(9)))
        assert most == 3
        assert asyncio.get_running_loop().time() - began == pytest.approx(3)

    run(scene())


def test_live_work_goes_before_what_has_waited_long() -> None:
    async def scene() -> None:
        gate, order = Gate((Limit(5, timedelta(seconds=5)),)), []

        async def request(name: str, *, late: bool) -> None:
            await request_through(gate, late=late)
            order.append(name)

        async def meanwhile() -> None:
            await asyncio.sleep(2.5)
            await asyncio.gather(*(request(f"live {n}", late=False) for n in range(3)))

        await asyncio.gather(*(request(f"old {n}", late=True) for n in range(8)), meanwhile())
        # One in five is kept for live work; what is live waits for nobody.
        assert order[:4] == [f"old {n}" for n in range(4)]
        assert order.index("live 0") < order.index("old 7")
        assert order.index("live 2") < order.index("old 7")

    run(scene())


def test_a_backlog_leaves_a_reserve_for_live_work() -> None:
    async def scene() -> None:
        gate = Gate((Limit(100, MINUTE),))
        drained = [asyncio.create_task(request_through(gate, late=True)) for _ in range(200)]
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        for _ in range(20):
            await asyncio.create_task(request_through(gate))
        assert asyncio.get_running_loop().time() == began
        await asyncio.gather(*drained)

    run(scene())


def test_who_is_cancelled_just_as_its_turn_comes_leaves_its_place_to_the_next() -> None:
    async def scene() -> None:
        gate = Gate((), parallel=1)
        first = await gate.enter()
        second = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        gate.leave(first)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await asyncio.wait_for(gate.enter(), 1)

    run(scene())


def test_the_queue_tells_how_long_it_is() -> None:
    async def scene() -> None:
        gate = Gate((Limit(60, MINUTE),))
        await elapsed(gate, 60)
        waiting = [asyncio.create_task(request_through(gate)) for _ in range(30)]
        await asyncio.sleep(0)
        assert gate.waiting == 30
        assert gate.queue_time.total_seconds() == about(30)
        await asyncio.gather(*waiting)
        assert gate.waiting == 0

    run(scene())


def test_who_gives_up_just_before_its_turn_takes_none() -> None:
    async def scene() -> None:
        gate = Gate((), parallel=1)
        first = await gate.enter()
        second = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        second.cancel()
        gate.leave(first)
        await asyncio.gather(second, return_exceptions=True)
        await gate.enter()
        third = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        assert gate.waiting == 1
        third.cancel()

    run(scene())


READ, POST = Limit(50, MINUTE, of="read"), Limit(10, timedelta(seconds=10), of="post", apart=True)


def test_a_limit_counts_the_path_that_it_is_of() -> None:
    async def scene() -> None:
        gate = Gate((READ, Limit(70, MINUTE)))
        assert await elapsed(gate, 50, "read") == 0
        assert await elapsed(gate, 20, "other") == 0
        assert await elapsed(gate, 1, "other") == about(60)

    run(scene())


def test_what_is_counted_apart_has_counts_of_its_own() -> None:
    async def scene() -> None:
        gate = Gate((POST,))
        assert await elapsed(gate, 10, "post", "packing") == 0
        assert await elapsed(gate, 10, "post", "orders") == 0
        assert await elapsed(gate, 1, "post", "packing") == about(10)

    run(scene())


def test_a_limit_of_all_paths_that_begin_alike_counts_them_together() -> None:
    async def scene() -> None:
        gate = Gate((Limit(2, MINUTE, of="things/*"),))
        assert await elapsed(gate, 2, "things/1") == 0
        assert await elapsed(gate, 5, "others") == 0
        assert await elapsed(gate, 1, "things/2") == about(60)

    run(scene())


def test_what_names_nothing_is_not_counted_apart() -> None:
    async def scene() -> None:
        gate = Gate((Limit(1, MINUTE, apart=True),))
        assert await elapsed(gate, 5) == 0
        assert await elapsed(gate, 2, paced_by="a") == about(60)

    run(scene())


def test_who_waits_for_one_limit_isnt_in_the_way_of_another() -> None:
    async def scene() -> None:
        gate = Gate((READ, POST), parallel=2)
        reading = [asyncio.create_task(request_through(gate, "read", takes=0.01)) for _ in range(200)]
        await asyncio.sleep(5)
        assert gate.waiting == 150
        assert await elapsed(gate, 10, "post", "packing") == 0
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*reading)
        assert asyncio.get_running_loop().time() - began < 181

    run(scene())


# Shared with other processes


async def busy(gates: list[Gate], requests: int, *, takes: float = 0.0) -> list[float]:
    """As many requests through each of the processes' gates, all at once; gives when they were let through."""
    through = []

    async def request(gate: Gate) -> None:
        async with gate.turn():
            through.append(asyncio.get_running_loop().time())
            if takes:
                await asyncio.sleep(takes)

    await asyncio.gather(*(request(gate) for gate in gates for _ in range(requests)))
    return sorted(through)


def most_within(seconds: float, times: list[float]) -> int:
    return max(sum(begin <= time < begin + seconds for time in times) for begin in times)


@pytest.mark.parametrize("sharers", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("count", [1, 2, 4, 10, 60])
def test_all_that_share_a_limit_keep_to_it_together(count: int, sharers: int) -> None:
    async def scene() -> None:
        gates = [Gate((Limit(count, MINUTE),)) for _ in range(sharers)]
        for gate in gates:
            gate.share(sharers)
        # The rule is for the long run where a limit can't be divided: each then has it less often.
        times = await busy(gates, 5 * max(1, count // sharers))
        rate = len(times) / (times[-1] - times[0] + 60 * max(1, sharers / count))
        assert rate <= count / 60
        if sharers <= count:
            assert most_within(60, times) <= count
            assert rate > 0.5 * count / 60, "and none of it is left unused for long"

    run(scene())


def test_a_limit_of_one_is_had_by_each_of_four_every_fourth_time() -> None:
    async def scene() -> None:
        gate = Gate((Limit(1, MINUTE),))
        gate.share(4)
        assert await elapsed(gate, 1) == 0
        assert await elapsed(gate, 1) == about(240)
        gate.share(2)
        assert await elapsed(gate, 1) == about(120)

    run(scene())


def test_one_that_joins_has_the_others_slow_down_and_one_that_goes_has_them_go_faster() -> None:
    async def scene() -> None:
        gate = Gate((Limit(60, MINUTE),))
        assert await elapsed(gate, 30) == 0
        gate.share(3)
        assert await elapsed(gate, 1) == about(60), "it has had its share of this minute, and more"
        assert await elapsed(gate, 19) == 0
        gate.share(1)
        assert await elapsed(gate, 40) == 0
        assert await elapsed(gate, 1) == about(60)

    run(scene())


def test_who_waits_for_a_limit_goes_as_soon_as_the_share_is_larger() -> None:
    async def scene() -> None:
        gate = Gate((Limit(10, MINUTE),))
        gate.share(10)
        assert await elapsed(gate, 1) == 0
        waiting = asyncio.create_task(elapsed(gate, 1))
        await asyncio.sleep(5)
        assert not waiting.done()
        gate.share(1)
        assert await waiting == about(5)

    run(scene())


def test_windows_that_begin_later_are_shared_too() -> None:
    async def scene() -> None:
        gate = Gate((Limit(10, MINUTE, apart=True),))
        gate.share(5)
        assert await elapsed(gate, 2, paced_by="a") == 0
        assert await elapsed(gate, 1, paced_by="a") == about(60)

    run(scene())


def test_the_places_of_an_account_are_shared_and_each_process_has_one_at_least() -> None:
    async def scene() -> None:
        for sharers, places in ((1, 8), (3, 2), (20, 1)):
            gate = Gate((), parallel=8)
            gate.share(sharers)
            assert most_within(1, await busy([gate], 16, takes=1.0)) == places

    run(scene())


def test_places_that_are_taken_when_another_joins_are_given_up_as_they_come_free() -> None:
    async def scene() -> None:
        gate = Gate((), parallel=8)
        going_on = asyncio.create_task(busy([gate], 8, takes=10.0))
        await asyncio.sleep(1)
        gate.share(4)
        later = await busy([gate], 4, takes=1.0)
        began = later[0] - 1000.0
        assert began == about(10), "eight are on their way, where two may be"
        assert most_within(1, later) == 2
        await going_on
        gate.share(1)
        assert most_within(1, await busy([gate], 16, takes=1.0)) == 8

    run(scene())


def test_what_the_vendor_says_is_left_is_for_all_that_share() -> None:
    """Half of what is left is this process's: it heeds it only if it thought it had more."""

    async def scene() -> None:
        limit = Limit(60, MINUTE, remaining="X-Left", resets_in="X-Ends")
        gate = Gate((limit,))
        gate.share(2)
        async with gate.turn():
            pass
        lane = gate._find_lane("", "")
        gate.learn({"x-left": "58"}, lane)
        assert await elapsed(gate, 29) == 0, "the other has had its first too"
        await asyncio.sleep(120)
        gate.learn({"x-left": "20", "x-ends": "60"}, lane)
        assert await elapsed(gate, 10) == 0
        assert await elapsed(gate, 1) == about(60)

    run(scene())


def test_what_is_left_of_each_limit_is_known() -> None:
    async def scene() -> None:
        limits = Limit(3, MINUTE), Limit(2, MINUTE, of="orders"), Limit(1, MINUTE, apart=True)
        gate = Gate(limits)
        assert [(quota.count, quota.left) for quota in gate.quotas] == [(3, 3), (2, 2)]
        async with gate.turn("orders"):
            assert [quota.left for quota in gate.quotas] == [2, 1]
        async with gate.turn("items"):
            pass
        assert [quota.left for quota in gate.quotas] == [1, 1]
        await asyncio.sleep(61)
        assert [quota.left for quota in gate.quotas] == [3, 2]
        gate.pause(MINUTE)
        assert [quota.left for quota in gate.quotas] == [0, 0]

    run(scene())


def test_time_that_passed_for_the_vendor_alone_frees_the_window_ends_the_pause_and_lets_on_who_waits() -> None:
    async def scene() -> None:
        gate = Gate((Limit(2, MINUTE),))
        await elapsed(gate, 2)
        gate.recover(timedelta(seconds=50))
        assert 9 < await elapsed(gate, 1) < 11
        gate.pause(timedelta(hours=1))
        waiting = asyncio.create_task(elapsed(gate, 1))
        await asyncio.sleep(1)
        gate.recover(timedelta(hours=1))
        assert await waiting < 2
        assert gate.paused_for == timedelta()

    run(scene())
