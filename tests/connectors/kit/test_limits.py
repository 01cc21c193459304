"""The pace of an account's requests, on a clock that jumps."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from bellwire.connectors.kit import Limit
from bellwire.connectors.kit.limits import Gate

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


async def elapsed(gate: Gate, requests: int) -> float:
    """Seconds until so many requests were let through."""
    began = asyncio.get_running_loop().time()
    for _ in range(requests):
        await gate.wait()
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
            await gate.wait()
            order.append(number)

        await asyncio.gather(*(request(number) for number in range(5)))
        assert order == [0, 1, 2, 3, 4]

    run(scene())


def test_who_gives_up_waiting_doesnt_block_the_others() -> None:
    async def scene() -> None:
        gate = Gate((Limit(1, MINUTE),))
        await gate.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gate.wait(), 1)
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
