"""The machine's clock is set while runs wait: an hour forward or back, by a person or by a time server."""

from datetime import datetime, timedelta

import pytest

from bellwire.clock import system_clock
from bellwire.errors import Transient
from bellwire.ledger import RunState, runs
from tests.engine.conftest import FLOW, House

HOUR = timedelta(hours=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
SHORT, LONG = "first: 60s, longest: 4h", "first: 250s, longest: 4h"
"""Backoffs, of which the tests wait a hundredth: in memory, and in the ledger."""


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


def house(url: str, retry: str) -> House:
    flow = FLOW.replace("first: 1s, longest: 4s", retry)
    return House(url, flow=flow, clock=Clock())


def set_clock(place: House, jump: timedelta) -> None:
    assert isinstance(place.clock, Clock)
    place.clock.ahead += jump


async def waits(place: House) -> bool:
    return any(run.state is RunState.WAITING for run in await place.runs())


@JUMPS
async def test_a_run_that_waits_in_memory_waits_no_longer(ledger_url: str, jump: timedelta) -> None:
    async with house(ledger_url, SHORT).open() as place:
        place.vendor.next["adjust"].append(Transient("busy"))
        await place.deliver()
        await place.until(lambda: place.vendor.calls and place.vendor.effects("create_label"))
        set_clock(place, jump)
        await place.settled()
        assert (await place.run()).state is RunState.DONE
        assert place.vendor.effects("adjust") == 1


@JUMPS
async def test_a_run_that_waits_in_the_ledger_waits_no_longer(ledger_url: str, jump: timedelta) -> None:
    async with house(ledger_url, LONG).open() as place:
        place.vendor.next["adjust"].append(Transient("busy"))
        await place.deliver()
        await place.until(lambda: waits(place))
        set_clock(place, jump)
        await place.settled()
        assert (await place.run()).state is RunState.DONE
        assert place.vendor.effects("adjust") == 1


async def test_it_waits_as_long_as_the_vendor_asked_although_the_clock_was_set_back(ledger_url: str) -> None:
    async with house(ledger_url, LONG).open() as place:
        place.vendor.next["adjust"].append(Transient("busy", retry_after=timedelta(minutes=30)))
        await place.deliver()
        await place.until(lambda: waits(place))
        set_clock(place, -HOUR)

        async def shortened() -> bool:
            due = (await place.run()).due_at
            return due is not None and due - place.clock() < timedelta(minutes=31)

        await place.until(shortened)
        due = (await place.run()).due_at
        assert due is not None and due - place.clock() > timedelta(minutes=29)
        assert place.vendor.effects("adjust") == 0


async def test_a_clock_that_was_set_back_while_it_was_off_delays_nothing(ledger_url: str) -> None:
    async with house(ledger_url, LONG).open() as place:
        place.vendor.next["adjust"].append(Transient("busy"))
        await place.deliver()
        await place.until(lambda: waits(place))
    set_clock(place, -HOUR)
    async with place.open():
        await place.settled()
        assert (await place.run()).state is RunState.DONE


async def test_a_clock_that_is_right_changes_no_wait(ledger_url: str) -> None:
    async with house(ledger_url, LONG).open() as place:
        place.vendor.next["adjust"].append(Transient("busy", retry_after=timedelta(minutes=30)))
        await place.deliver()
        await place.until(lambda: waits(place))
        assert await place.ledger.write(lambda rows: runs.hasten(rows, place.clock())) == 0
