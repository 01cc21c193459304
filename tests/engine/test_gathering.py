"""Flows that gather events: one run for all that come in a window."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bellwire.engine import retry_run
from bellwire.ledger import RunState, events, figures, runs
from tests.engine.conftest import House
from tests.engine.test_waiting import Clock
from tests.samples import NOW, order

GATHER = """
name: Gather
trigger: till.order.paid
gather: {for: 1h, by: event.note}
actions:
  told:
    do: till.post_message
    with:
      channel: packing
      text: "{{ event.note }}: {{ events | map(attribute='number') | join(' ') }}"
"""


class Place(House):
    def pass_by(self, time: timedelta) -> None:
        assert isinstance(self.clock, Clock)
        self.clock.ahead += time

    async def paid(self, number: str, note: str = "") -> None:
        await self.deliver(order(id=number, number=number, note=note))
        await self.settled()

    def said(self) -> list[str]:
        return [given.text for given in self.vendor.given]

    async def says(self, *texts: str) -> None:
        await self.until(lambda: len(self.said()) == len(texts))
        await self.settled()
        assert sorted(self.said()) == sorted(texts)


@asynccontextmanager
async def open_place(url: str, flow: str = GATHER) -> AsyncIterator[Place]:
    place = Place(url, flow=flow, clock=Clock())
    async with place.open():
        yield place


async def test_what_comes_in_the_window_is_one_run(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        for number in ("1", "2", "3"):
            await place.paid(number, "north")
        run = await place.run()
        assert run.state is RunState.WAITING and run.reason.startswith("It gathers what else comes until")
        (key,) = await place.ledger.read(lambda rows: rows.all("SELECT key FROM windows"))
        assert "north" not in key[0]
        later = (await place.ledger.read(lambda rows: events.newest(rows, limit=1)))[0]
        assert later.reason == f"It is dealt with together with others, in run {run.id}."
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1 2 3")
        since, until = NOW - timedelta(days=9), place.clock() + timedelta(days=1)
        balances = await place.ledger.read(lambda rows: figures.balances(rows, since, until))
        assert all(balance.balanced for balance in balances) and sum(each.received for each in balances) == 3


async def test_what_has_nothing_in_common_is_not_put_together(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.paid("1", "north")
        await place.paid("2", "south")
        await place.paid("3", "north")
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1 3", "south: 2")


async def test_after_the_window_a_new_one_begins(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.paid("1", "north")
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1")
        await place.paid("2", "north")
        assert len(await place.runs()) == 2
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1", "north: 2")


async def test_a_full_window_is_followed_by_another(ledger_url: str) -> None:
    async with open_place(ledger_url, GATHER.replace("for: 1h", "for: 1h, most: 2")) as place:
        for number in ("1", "2", "3"):
            await place.paid(number, "north")
        assert len(await place.runs()) == 2
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1 2", "north: 3")


async def test_the_window_outlives_a_restart(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.paid("1", "north")
    async with place.open():
        await place.paid("2", "north")
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1 2")


async def test_a_person_can_close_the_window(ledger_url: str) -> None:
    async with open_place(ledger_url) as place:
        await place.paid("1", "north")
        run, now = (await place.run()).id, place.clock()
        await place.ledger.write(lambda rows: retry_run(rows, run, now, who="Dana"))
        await place.says("north: 1")


async def test_without_something_in_common_all_of_a_type_come_together(ledger_url: str) -> None:
    async with open_place(ledger_url, GATHER.replace(", by: event.note", "")) as place:
        await place.paid("1", "north")
        await place.paid("2", "south")
        assert [run.held_for for run in await place.runs()] == [runs.ITS_TIME]
        place.pass_by(timedelta(hours=1))
        await place.says("north: 1 2")
