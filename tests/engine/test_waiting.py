"""Actions that wait for a time, and later events that end a run which waits."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from bellwire.clock import system_clock
from bellwire.engine import cancel, resolve, retry, retry_run
from bellwire.errors import Refused
from bellwire.ledger import AttemptRow, Outcome, RunState, events, figures, runs
from tests.engine.conftest import House
from tests.samples import NOW, order

REMIND = """
name: Remind
trigger: till.order.paid
ends_on: till.order.cancelled
actions:
  thanks:
    do: till.post_message
    with: {channel: packing, text: "Thanks for {{ event.number }}"}
  remind:
    do: till.post_message
    wait: 3d
    with: {channel: packing, text: "Remember {{ event.number }}"}
"""
LABEL = """
name: Label
trigger: till.order.updated
actions:
  label:
    do: till.create_label
    with: {order: "{{ event }}"}
"""
DAY = timedelta(days=1)


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


class Place(House):
    def pass_by(self, time: timedelta) -> None:
        assert isinstance(self.clock, Clock)
        self.clock.ahead += time

    def said(self) -> list[str]:
        return [given.text for given in self.vendor.given if hasattr(given, "text")]

    async def waits(self) -> bool:
        return any(run.state is RunState.WAITING and run.held_for == runs.ITS_TIME for run in await self.runs())

    async def attempts(self, action: str) -> list[AttemptRow]:
        run = await self.run()
        found = await self.ledger.read(lambda rows: runs.attempts(rows, run.id))
        return [attempt for attempt in found if attempt.action == action]


@asynccontextmanager
async def open_place(url: str, flow: str = REMIND, **beside: str) -> AsyncIterator[Place]:
    place = Place(url, flow=flow, clock=Clock(), beside=beside)
    async with place.open():
        yield place


async def test_an_action_waits_and_keeps_nothing_in_memory_meanwhile(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        assert place.said() == ["Thanks for 1001"]
        await place.settled()  # nobody has anything to do
        run = await place.run()
        assert run.due_at is not None and abs(run.due_at - place.clock() - 3 * DAY) < timedelta(seconds=10)
        assert run.reason == f"It waits until {run.due_at:%Y-%m-%d %H:%M} UTC."
        place.pass_by(2 * DAY)
        await place.until(lambda: _looked(place))
        assert place.said() == ["Thanks for 1001"]
        place.pass_by(DAY)
        await place.until(lambda: "Remember 1001" in place.said())
        await place.settled()
        assert (await place.run()).state is RunState.DONE
        assert [each.outcome for each in await place.attempts("remind")] == [Outcome.WAITING, Outcome.DONE]


async def test_it_goes_on_waiting_after_a_restart(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        due = (await place.run()).due_at
    async with place.open():
        await place.until(lambda: _looked(place))
        assert (await place.run()).due_at == due and place.said() == ["Thanks for 1001"]
        place.pass_by(4 * DAY)
        await place.until(lambda: "Remember 1001" in place.said())


async def test_it_waits_until_a_time_that_the_event_says(ledger_url: str) -> None:
    flow = REMIND.replace("wait: 3d", "wait_until: event.created_at")
    async with open_place(ledger_url, flow) as place:
        await place.deliver(order(created_at=place.clock() + 5 * DAY))
        await place.until(place.waits)
        assert (await place.run()).due_at == (await place.attempts("remind"))[0].next_at
        place.pass_by(5 * DAY)
        await place.until(lambda: "Remember 1001" in place.said())


async def test_a_time_that_is_past_is_not_waited_for(ledger_url: str) -> None:
    flow = REMIND.replace("wait: 3d", "wait_until: event.created_at")
    async with open_place(ledger_url, flow) as place:
        await place.deliver()
        await place.settled()
        assert place.said() == ["Thanks for 1001", "Remember 1001"]
        assert [each.outcome for each in await place.attempts("remind")] == [Outcome.DONE]


async def test_an_action_that_is_not_wanted_is_not_waited_for(ledger_url: str) -> None:
    flow = REMIND.replace("wait: 3d", "wait: 3d\n    if: event.number == '7'")
    async with open_place(ledger_url, flow) as place:
        await place.deliver()
        await place.settled()
        assert (await place.run()).state is RunState.DONE and place.said() == ["Thanks for 1001"]


async def test_to_wait_can_be_an_action_of_its_own(ledger_url: str) -> None:
    flow = """
name: Pause
trigger: till.order.paid
actions:
  pause: {wait: 2d}
  remind:
    do: till.post_message
    needs: pause
    with: {channel: packing, text: "It is {{ pause.until.year }}"}
"""
    async with open_place(ledger_url, flow) as place:
        await place.deliver()
        await place.until(place.waits)
        assert place.said() == []
        place.pass_by(2 * DAY)
        await place.until(place.said)
        assert place.said() == [f"It is {place.clock().year}"]


async def test_what_comes_later_about_the_same_goes_on_while_it_waits(ledger_url: str) -> None:
    async with open_place(ledger_url, label=LABEL) as place:
        await place.deliver()
        await place.until(place.waits)
        await place.deliver(kind="order.updated")
        await place.until(lambda: place.vendor.effects("create_label"))
        assert await place.waits()


async def test_what_came_later_and_had_to_wait_for_its_turn_goes_on_once_it_waits(ledger_url: str) -> None:
    async with open_place(ledger_url, label=LABEL) as place:

        async def held() -> bool:
            return any(run.state is RunState.HELD for run in await place.runs())

        place.vendor.next["post_message"].append(lambda: place.until(held))
        await place.deliver()
        await place.until(lambda: place.vendor.calls)
        await place.deliver(kind="order.updated")
        await place.until(lambda: place.vendor.effects("create_label"))
        assert await place.waits()


async def test_a_later_event_ends_a_run_that_waits(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        await place.deliver(kind="order.cancelled")
        await place.until(lambda: _ended(place))
        (run,) = await place.runs()
        ending = (await place.ledger.read(lambda rows: events.newest(rows, limit=1)))[0]
        assert run.state is RunState.DONE and run.ended_by == ending.id
        assert run.reason == f"It was ended by order.cancelled (event {ending.id})."
        assert ending.reason == "It ended 1 run, and starts none."
        since = NOW - 10 * DAY
        (balance, other) = await place.ledger.read(lambda rows: figures.balances(rows, since, place.clock() + DAY))
        assert balance.balanced and balance.done == 1 and other.skipped == 1
        place.pass_by(5 * DAY)
        await place.until(lambda: _looked(place))
        assert place.said() == ["Thanks for 1001"]


async def test_an_event_about_something_else_ends_nothing(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        await place.deliver(order(id="77"), kind="order.cancelled")
        await place.settled()
        assert await place.waits()


@pytest.mark.parametrize("same", ["customer.email", "number"])
async def test_what_two_events_have_in_common_can_be_a_field(ledger_url: str, same: str) -> None:
    flow = REMIND.replace("ends_on: till.order.cancelled", f"ends_on: [{{event: till.order.cancelled, same: {same}}}]")
    async with open_place(ledger_url, flow) as place:
        await place.deliver()
        await place.until(place.waits)
        await place.deliver(order(id="77"), kind="order.cancelled")
        await place.until(lambda: _ended(place))
        # It stays when all else is purged.
        kept = await place.ledger.read(lambda rows: rows.all("SELECT key FROM endings"))
        assert len(kept) == 2 and not any("robin" in key or "1001" in key for (key,) in kept)


async def test_the_later_event_may_call_the_field_something_else(ledger_url: str) -> None:
    """As with a booking that was moved: the new one says which one it replaces."""
    flow = REMIND.replace("ends_on: till.order.cancelled", "ends_on: {event: till.order.cancelled, same: id, as: note}")
    async with open_place(ledger_url, flow) as place:
        await place.deliver(order(id="1", number="1"))
        await place.deliver(order(id="2", number="2"))
        await place.until(place.waits)
        await place.deliver(order(id="3", number="3", note="2"), kind="order.cancelled")
        await place.until(lambda: _ended(place))
        waiting = [run.subject for run in await place.runs() if run.state is RunState.WAITING]
        assert len(waiting) == 1 and "order/1" in str(waiting)


async def test_in_whichever_order_they_come_when_the_field_is_called_something_else(ledger_url: str) -> None:
    flow = REMIND.replace("ends_on: till.order.cancelled", "ends_on: {event: till.order.cancelled, same: id, as: note}")
    async with open_place(ledger_url, flow) as place:
        await place.deliver(order(id="3", note="2"), kind="order.cancelled")
        await place.deliver(order(id="2"))
        await place.until(lambda: _ended(place))
        assert place.said() == []


async def test_events_that_lack_the_field_have_nothing_in_common(ledger_url: str) -> None:
    flow = REMIND.replace("ends_on: till.order.cancelled", "ends_on: {event: till.order.cancelled, same: note}")
    async with open_place(ledger_url, flow) as place:
        await place.deliver()
        await place.until(place.waits)
        await place.deliver(kind="order.cancelled")
        await place.settled()
        assert await place.waits()


async def test_a_run_that_is_going_on_ends_before_it_would_wait(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:

        async def cancelled() -> bool:
            return len(await place.ledger.read(lambda rows: events.newest(rows, limit=9))) == 2

        place.vendor.next["post_message"].append(lambda: place.until(cancelled))
        await place.deliver()
        await place.until(lambda: place.vendor.calls)
        await place.deliver(kind="order.cancelled")
        await place.until(lambda: _ended(place))
        assert place.said() == ["Thanks for 1001"]


async def test_a_run_that_a_person_is_asked_about_does_nothing_more_and_ends_once_they_have_decided(
    ledger_url: str,
) -> None:
    async with open_place(ledger_url) as place:
        place.vendor.next["post_message"].append(Refused("There is no such channel.", cause="channel"))
        await place.deliver()
        await place.until(place.exceptions)
        await place.deliver(kind="order.cancelled")

        async def told() -> bool:
            return (await place.run()).ended_by is not None

        await place.until(told)
        place.pass_by(3 * DAY)

        async def stuck() -> bool:
            return (await place.run()).state is RunState.DEAD

        await place.until(stuck)
        assert len(await place.exceptions()) == 1
        run, now = (await place.run()).id, place.clock()
        await place.ledger.write(lambda rows: retry_run(rows, run, now, who="Dana"))
        await place.until(lambda: _ended(place))
        assert place.said() == ["Thanks for 1001"]


async def test_what_was_cut_off_in_a_run_that_a_later_event_ends_is_told_as_unknown(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        run, now = (await place.run()).id, place.clock()
        sql = "UPDATE attempts SET outcome = 'started', finished_at = NULL WHERE action = 'thanks'"
        await place.ledger.write(lambda rows: rows.run(sql))
        assert await place.ledger.write(lambda rows: runs.end_early(rows, run, 2, now, "It was ended by a test."))
        assert [each.outcome for each in await place.attempts("thanks")] == [Outcome.UNKNOWN]


@pytest.mark.parametrize("order_of_arrival", list(itertools.permutations(["order.paid", "order.cancelled"])))
async def test_in_whichever_order_they_come_what_ends_it_ends_it(
    ledger_url: str, order_of_arrival: tuple[str, ...]
) -> None:
    async with open_place(ledger_url) as place:
        for kind in order_of_arrival:
            await place.deliver(kind=kind)
        await place.until(lambda: _ended(place))
        assert "Remember 1001" not in place.said()
        run = await place.run()
        assert run.state is RunState.DONE and "order.cancelled" in run.reason and run.finished_at is not None


async def test_what_happened_before_ends_nothing(ledger_url: str) -> None:
    """The customer cancelled, and then paid after all."""
    async with open_place(ledger_url) as place:
        await place.deliver(order(paid_at=NOW - DAY), kind="order.cancelled")
        await place.deliver()
        await place.until(place.waits)
        assert (await place.run()).ended_by is None


async def test_a_person_can_have_it_done_at_once(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        run, now = (await place.run()).id, place.clock()
        await place.ledger.write(lambda rows: retry_run(rows, run, now, who="Dana"))
        await place.until(lambda: "Remember 1001" in place.said())


@pytest.mark.parametrize("mend", ["the exception is retried", "the run is retried", "a person did it"])
async def test_what_a_person_mends_beside_it_leaves_it_its_time(ledger_url: str, mend: str) -> None:
    async with open_place(ledger_url) as place:
        place.vendor.next["post_message"].append(Refused("There is no such channel.", cause="channel"))
        await place.deliver()

        async def rests() -> bool:
            return any(run.held_for == runs.A_PERSON for run in await place.runs())

        await place.until(rests)
        run, now = await place.run(), place.clock()
        assert run.due_at is not None and run.due_at > now + 2 * DAY and "Stuck at: thanks" in run.reason
        assert await place.ledger.read(lambda rows: figures.unfinished(rows, now)) == 0
        (stuck,) = await place.exceptions()
        match mend:
            case "the exception is retried":
                await place.ledger.write(lambda rows: retry(rows, stuck.id, now, who="Dana"))
            case "the run is retried":
                await place.ledger.write(lambda rows: retry_run(rows, run.id, now, who="Dana"))
            case _:
                await place.ledger.write(
                    lambda rows: resolve(rows, stuck.id, now, who="Dana", result={}, reason="Done")
                )
        await place.until(place.waits)
        assert "Remember 1001" not in place.said()
        place.pass_by(3 * DAY)
        await place.until(lambda: "Remember 1001" in place.said())


async def test_a_person_can_cancel_it(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        run, now = (await place.run()).id, place.clock()
        await place.ledger.write(lambda rows: cancel(rows, run, now, who="Dana", reason="They called."))
        place.pass_by(5 * DAY)
        await place.until(lambda: _looked(place))
        assert place.said() == ["Thanks for 1001"] and (await place.run()).state is RunState.SKIPPED


@pytest.mark.parametrize("jump", [-DAY, DAY], ids=["back", "forward"])
async def test_a_clock_that_is_set_moves_no_time_of_the_day(ledger_url: str, jump: timedelta) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        due = (await place.run()).due_at
        assert due is not None
        place.pass_by(jump)
        await place.until(lambda: _looked(place))
        place.pass_by(due - place.clock() - timedelta(minutes=1))
        await place.until(lambda: _looked(place))
        assert place.said() == ["Thanks for 1001"]
        place.pass_by(timedelta(minutes=1))
        await place.until(lambda: "Remember 1001" in place.said())


async def test_to_wait_is_not_processing_time(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.deliver()
        await place.until(place.waits)
        place.pass_by(3 * DAY)
        await place.until(lambda: "Remember 1001" in place.said())
        await place.settled()
        run, since = await place.run(), NOW - 10 * DAY
        assert run.finished_at is not None and run.finished_at - run.created_at > 3 * DAY
        (took,) = await place.ledger.read(lambda rows: figures.processing_times(rows, since, place.clock() + DAY))
        assert took == run.finished_at - run.received_at - _waited(await place.attempts("remind"))


def _waited(attempts: list[AttemptRow]) -> timedelta:
    (first, *_) = attempts
    assert first.next_at is not None and first.finished_at is not None
    return first.next_at - first.finished_at


async def _ended(place: Place) -> bool:
    return any(run.state is RunState.DONE and "was ended by" in run.reason for run in await place.runs())


_LOOKS = itertools.count(1000)


async def _looked(place: Place) -> bool:
    """Whether the engine has looked for what is due since this was first asked: it has then carried a run out that
    became due after that."""
    number = str(next(_LOOKS))
    await place.deliver(order(id=number, number=number, paid_at=NOW), kind="order.created")
    await place.settled()
    now = place.clock()
    return not await place.ledger.read(lambda rows: runs.any_due(rows, now))
