"""The pace of an account's requests, on a clock that jumps."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import timedelta
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


async def request_through(gate: Gate, *, late: bool = False) -> None:
    """A request that is answered at once; `late`: of work from long ago."""
    backlog.set(late)
    async with gate.turn():
        pass


async def elapsed(gate: Gate, requests: int) -> float:
    """Seconds until so many requests were let through."""
    began = asyncio.get_running_loop().time()
    for _ in range(requests):
        await request_through(gate)
    return asyncio.get_running_loop().time() - began


def test_a_burst_goes_through_at_once_and_the_rest_at_the_limits_pace() -> None:
    async def scene() -> None:
        gate = Gate((Limit(60, MINUTE),))
        assert await elapsed(gate, 60) == 0
        assert await elapsed(gate, 10) == pytest.approx(10)

    run(scene())


def test_a_pause_in_the_work_fills_the_bucket_but_not_beyond_its_size() -> None:
    async def scene() -> None:
        gate = Gate((Limit(60, MINUTE),))
        await elapsed(gate, 60)
        await asyncio.sleep(3600)
        assert await elapsed(gate, 60) == 0
        assert await elapsed(gate, 1) == pytest.approx(1)

    run(scene())


def test_of_several_limits_the_strictest_counts() -> None:
    async def scene() -> None:
        gate = Gate((Limit(10, timedelta(seconds=1)), Limit(60, MINUTE)))
        assert await elapsed(gate, 10) == 0
        assert await elapsed(gate, 60) == pytest.approx(10 + 0, abs=0.1)

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
        assert await elapsed(gate, 1) == pytest.approx(59)

    run(scene())


QUOTA = Limit(60, MINUTE, remaining="X-Remaining", resets_in="X-Reset")


def test_an_answer_that_says_less_is_left_slows_down() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        gate.learn({"x-remaining": "2"})
        assert await elapsed(gate, 2) == 0
        assert await elapsed(gate, 1) == pytest.approx(1)

    run(scene())


def test_an_answer_that_says_more_is_left_changes_nothing() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        await elapsed(gate, 60)
        gate.learn({"x-remaining": "50"})
        assert await elapsed(gate, 1) == pytest.approx(1)

    run(scene())


def test_an_empty_account_waits_until_the_window_ends() -> None:
    async def scene() -> None:
        gate = Gate((QUOTA,))
        gate.learn({"x-remaining": "0", "x-reset": "40"})
        assert await elapsed(gate, 1) == pytest.approx(40)

    run(scene())


@pytest.mark.parametrize(
    "headers", [{}, {"x-remaining": "soon"}, {"x-remaining": "-1"}, {"x-remaining": "0.5"}, {"other": "0"}]
)
def test_headers_that_say_nothing_are_ignored(headers: dict[str, str]) -> None:
    async def scene() -> None:
        gate = Gate((QUOTA, Limit(600, MINUTE)))
        gate.learn(headers)
        assert await elapsed(gate, 60) == 0

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
        await gate.enter()
        second = asyncio.create_task(gate.enter())
        await asyncio.sleep(0)
        gate.leave()
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
        assert gate.queue_time == timedelta(seconds=30)
        await asyncio.gather(*waiting)
        assert gate.waiting == 0

    run(scene())
