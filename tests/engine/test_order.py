"""Events of one subject are carried out in order."""

import asyncio

import pytest

from bellwire.clock import system_clock
from bellwire.engine import dismiss, replay, retry, retry_run
from bellwire.errors import BellwireError, Refused
from bellwire.ledger import RunRow, RunState, runs
from tests.engine.conftest import House
from tests.samples import NOW, order

LATER = NOW.replace(hour=10)
FLOWS = """
name: Test
trigger: till.order.updated
actions:
  tell:
    do: till.post_message
    with: {channel: packing, text: "{{ event.status }}"}
"""
refused = Refused("Toy Till doesn't know this.", cause="unknown")


@pytest.fixture
def changing(ledger_url: str) -> House:
    """Its flow listens to every state of an order."""
    return House(ledger_url, flow=FLOWS)


async def states(house: House) -> list[str]:
    return [run.state.value for run in reversed(await house.runs())]


async def newest(house: House) -> RunRow:
    return (await house.runs())[0]


async def update(house: House, hour: int, number: str = "1") -> None:
    await house.deliver(
        order(id=number, status=f"{number} at {hour}", updated_at=NOW.replace(hour=hour)), "order.updated"
    )


async def test_a_later_event_waits_until_the_one_before_it_is_done(changing: House) -> None:
    async with changing.open() as house:
        going_on, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> None:
            going_on.set()
            await go_on.wait()

        house.vendor.next["post_message"].append(slow)
        await update(house, 10)
        await going_on.wait()
        for hour in (11, 12):
            await update(house, hour)
        await house.until(lambda: _is(house, ["running", "held", "held"]))
        await update(house, 10, "2")
        await house.until(lambda: _is(house, ["running", "held", "held", "done"]))
        go_on.set()
        await house.settled()
        assert await states(house) == ["done"] * 4
        assert [given.text for given in house.vendor.given] == ["1 at 10", "2 at 10", "1 at 11", "1 at 12"]


async def test_behind_one_that_needs_a_person_the_later_ones_wait_and_a_retry_lets_them_go(changing: House) -> None:
    async with changing.open() as house:
        house.vendor.next["post_message"].append(refused)
        await update(house, 10)
        await house.settled()
        await update(house, 11)
        await house.settled()
        assert await states(house) == ["dead", "held"]
        (exception,) = await house.exceptions()
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
        await house.until(lambda: _is(house, ["done", "done"]))
        assert [given.text for given in house.vendor.given] == ["1 at 10", "1 at 10", "1 at 11"]


async def test_a_dismissal_lets_the_next_go_too(changing: House) -> None:
    async with changing.open() as house:
        house.vendor.next["post_message"].append(refused)
        await update(house, 10)
        await house.settled()
        await update(house, 11)
        await house.settled()
        (exception,) = await house.exceptions()
        await house.ledger.write(
            lambda rows: dismiss(rows, exception.id, system_clock(), who="Dana", reason="by phone")
        )
        await house.until(lambda: _is(house, ["skipped", "done"]))


async def test_one_that_waits_for_its_turn_cant_be_retried_past_it_but_cancelled(changing: House) -> None:
    async with changing.open() as house:
        house.vendor.next["post_message"].append(refused)
        for hour in (10, 11, 12):
            await update(house, hour)
            await house.settled()
        second = (await house.runs())[1]
        with pytest.raises(BellwireError, match="earlier events of the same subject"):
            await house.ledger.write(lambda rows: retry_run(rows, second.id, system_clock(), who="Dana"))
        assert await house.ledger.write(lambda rows: runs.give_up(rows, second.id, system_clock(), "not needed"))
        assert await states(house) == ["dead", "skipped", "held"]
        (exception,) = await house.exceptions()
        await house.ledger.write(lambda rows: retry(rows, exception.id, system_clock(), who="Dana"))
        await house.until(lambda: _is(house, ["done", "skipped", "done"]))


async def test_an_older_state_that_overtakes_nothing_is_skipped_and_holds_nobody(changing: House) -> None:
    async with changing.open() as house:
        for hour in (11, 10, 12):
            await update(house, hour)
        await house.until(lambda: _is(house, ["done", "done"]))
        assert [given.text for given in house.vendor.given] == ["1 at 11", "1 at 12"]


async def test_the_order_survives_a_restart(changing: House) -> None:
    hanging = asyncio.Event()

    async def hang() -> None:
        hanging.set()
        await asyncio.Event().wait()

    async with changing.open() as house:
        house.vendor.next["post_message"].append(hang)
        await update(house, 10)
        await hanging.wait()
        for hour in (11, 12):
            await update(house, hour)
        await house.until(lambda: _is(house, ["running", "held", "held"]))
        await house.engine.stop(grace=0)
    async with changing.open() as house:
        await house.until(lambda: _is(house, ["done"] * 3))
        assert [given.text for given in house.vendor.given] == ["1 at 10", "1 at 10", "1 at 11", "1 at 12"]


async def test_a_replay_of_an_old_event_waits_for_nobody_who_came_later(changing: House) -> None:
    async with changing.open() as house:
        await update(house, 10)
        await house.settled()
        first = await house.run()
        house.vendor.next["post_message"].append(refused)
        await update(house, 11)
        await house.settled()
        await house.ledger.write(
            lambda rows: replay(rows, first.event, first.flow, first.flow_hash, "again", system_clock(), who="Dana")
        )
        await house.until(lambda: _is(house, ["done", "dead", "done"]))


async def _is(house: House, expected: list[str]) -> bool:
    return await states(house) == expected


async def test_a_held_run_counts_as_waiting(changing: House) -> None:
    from bellwire.ledger import figures

    async with changing.open() as house:
        house.vendor.next["post_message"].append(refused)
        for hour in (10, 11):
            await update(house, hour)
            await house.settled()
        (balance,) = await house.ledger.read(
            lambda rows: figures.balances(rows, NOW.replace(year=2020), NOW.replace(year=2100))
        )
        assert (balance.received, balance.dead, balance.waiting, balance.balanced) == (2, 1, 1, True)
        held = await newest(house)
        assert (held.state, held.held_for) == (RunState.HELD, runs.ITS_TURN)


async def test_however_much_was_left_unread_what_comes_later_is_read_after_it(
    changing: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than is taken out of the ledger in one go."""
    monkeypatch.setattr("bellwire.engine.embedded._ADOPTED", 3)
    async with changing.open() as house:
        await house.engine.stop()
        for number in range(20):
            await update(house, 10, str(number))
        await update(house, 10, "last")
    async with changing.open() as house:
        for hour in (11, 12):
            await update(house, hour, "last")
        await house.settled()
        assert await states(house) == ["done"] * 23
        told = [given.text for given in house.vendor.given if given.text.startswith("last")]
        assert told == ["last at 10", "last at 11", "last at 12"]
