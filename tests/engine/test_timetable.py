"""Flows that begin by the clock."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from bellwire.ledger import EventRow, RunState, events
from tests.engine.conftest import House
from tests.ledgers import Ledgers

COUNT = """
name: Count
trigger: {every: "0 7 * * *", zone: Europe/Berlin}
actions:
  count:
    do: till.post_message
    with: {channel: packing, text: "Count on {{ event.day | date }}, {{ event.at.hour }}:00 UTC"}
"""


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def house(url: str, now: datetime, flow: str = COUNT) -> House:
    return House(url, flow=flow, clock=Clock(now))


def set_clock(place: House, now: datetime) -> None:
    assert isinstance(place.clock, Clock)
    place.clock.now = now


def said(place: House) -> list[str]:
    return [given.text for given in place.vendor.given]


async def found(place: House) -> list[EventRow]:
    return await place.ledger.read(lambda rows: events.newest(rows, limit=99))


async def test_it_begins_at_its_time_by_the_wall_clock_of_its_zone(ledger_url: str) -> None:
    async with house(ledger_url, datetime(2026, 3, 28, 5, 59, tzinfo=UTC)).open() as place:
        set_clock(place, datetime(2026, 3, 28, 6, 0, tzinfo=UTC))
        await place.until(lambda: len(said(place)) == 1)
        set_clock(place, datetime(2026, 3, 29, 5, 0, tzinfo=UTC))  # the clocks went forward
        await place.until(lambda: len(said(place)) == 2)
        assert said(place) == ["Count on 2026-03-28, 6:00 UTC", "Count on 2026-03-29, 5:00 UTC"]
        await place.settled()
        assert [run.state for run in await place.runs()] == [RunState.DONE, RunState.DONE]
        keys = [event.business_key for event in await found(place)]
        assert keys[-1] == "bellwire/schedule/test/2026-03-28T06:00:00+00:00"


async def test_it_begins_once_for_all_times_that_passed_while_nothing_ran(ledger_url: str) -> None:
    place = house(ledger_url, datetime(2026, 6, 1, 12, tzinfo=UTC))
    async with place.open():
        pass
    set_clock(place, datetime(2026, 6, 5, 12, tzinfo=UTC))
    async with place.open():
        await place.until(lambda: said(place))
        await place.settled()
        assert said(place) == ["Count on 2026-06-02, 5:00 UTC"]
        set_clock(place, datetime(2026, 6, 6, 5, tzinfo=UTC))
        await place.until(lambda: len(said(place)) == 2)


async def test_a_flow_that_is_new_does_not_begin_for_what_is_past(ledger_url: str) -> None:
    async with house(ledger_url, datetime(2026, 6, 1, 5, 0, 1, tzinfo=UTC)).open() as place:
        set_clock(place, datetime(2026, 6, 2, 4, 59, tzinfo=UTC))
        await place.settled()
        set_clock(place, datetime(2026, 6, 2, 5, tzinfo=UTC))
        await place.until(lambda: said(place))
        assert len(await found(place)) == 1


async def test_a_schedule_that_is_changed_holds_from_now_on(ledger_url: str) -> None:
    place = house(ledger_url, datetime(2026, 6, 1, 12, tzinfo=UTC))
    async with place.open():
        pass
    changed = house(ledger_url, datetime(2026, 6, 1, 12, tzinfo=UTC), COUNT.replace("0 7", "30 16"))
    async with changed.open():
        set_clock(changed, datetime(2026, 6, 1, 14, 30, tzinfo=UTC))
        await changed.until(lambda: said(changed))
        assert said(changed) == ["Count on 2026-06-01, 14:00 UTC"]


async def test_of_several_processes_one_begins_it(ledgers: Ledgers) -> None:
    ledger_url = ledgers.postgres()  # SQLite is for one process alone
    now = datetime(2026, 6, 1, 4, 59, 59, tzinfo=UTC)
    async with AsyncExitStack() as stack:
        places = [await stack.enter_async_context(house(ledger_url, now).open()) for _ in range(3)]
        for place in places:
            set_clock(place, now + timedelta(seconds=2))
        await places[0].until(lambda: any(said(place) for place in places))
        await places[0].settled()
        assert len(await found(places[0])) == 1
        assert sum(len(said(place)) for place in places) == 1
