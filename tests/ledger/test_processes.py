"""A process is there as long as it says so, and gone when it leaves or is silent."""

from datetime import timedelta

from bellwire.ledger import Database, processes
from bellwire.ledger.processes import GONE_AFTER, ProcessRow
from tests.samples import NOW

SOON = NOW + timedelta(seconds=1)


async def enter(ledger: Database, name: str, work: str = "worker") -> int:
    return await ledger.write(lambda rows: processes.enter(rows, name, work, "1.2", NOW))


async def names(ledger: Database, after: timedelta) -> list[str]:
    found = await ledger.read(lambda rows: processes.alive(rows, NOW + after))
    return [each.name for each in found]


async def test_who_entered_is_there_with_what_it_does(ledger: Database) -> None:
    first, second = await enter(ledger, "shed 1"), await enter(ledger, "shed 2", "up")
    assert await ledger.read(lambda rows: processes.alive(rows, SOON)) == [
        ProcessRow(first, "shed 1", "worker", "1.2", NOW, NOW, 0),
        ProcessRow(second, "shed 2", "up", "1.2", NOW, NOW, 0),
    ]


async def test_who_is_silent_for_long_isnt_there_any_more(ledger: Database) -> None:
    first = await enter(ledger, "shed 1")
    await enter(ledger, "shed 2")
    await ledger.write(lambda rows: processes.stay(rows, first, 7, SOON))
    assert await names(ledger, GONE_AFTER) == ["shed 1"]
    (row,) = await ledger.read(lambda rows: processes.alive(rows, NOW + GONE_AFTER))
    assert (row.started_at, row.seen_at, row.carrying) == (NOW, SOON, 7)
    assert await names(ledger, GONE_AFTER + timedelta(seconds=1)) == []


async def test_who_leaves_is_gone_at_once(ledger: Database) -> None:
    first = await enter(ledger, "shed 1")
    await enter(ledger, "shed 2")
    await ledger.write(lambda rows: processes.leave(rows, first))
    assert await names(ledger, timedelta()) == ["shed 2"]


async def test_who_was_silent_and_goes_on_is_there_again(ledger: Database) -> None:
    """One that was stopped for minutes still has its row."""
    first = await enter(ledger, "shed 1")
    woken = timedelta(minutes=5)
    assert await names(ledger, woken) == []
    await ledger.write(lambda rows: processes.stay(rows, first, 0, NOW + woken))
    assert await names(ledger, woken) == ["shed 1"]


async def test_the_rows_of_those_that_died_go_within_a_day_or_so(ledger: Database) -> None:
    await enter(ledger, "shed 1")
    later = NOW + timedelta(days=1, seconds=1)
    await ledger.write(lambda rows: processes.enter(rows, "shed 2", "worker", "1.2", later))
    assert await ledger.read(lambda rows: rows.all("SELECT name FROM processes")) == [("shed 2",)]
