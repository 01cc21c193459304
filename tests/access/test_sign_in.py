"""How often one may try. Time passes by the clock that is given."""

from datetime import datetime, timedelta

import pytest

from bellwire.access import failed, may_try, succeeded
from bellwire.ledger import Database, audit
from tests.samples import NOW

SECOND = timedelta(seconds=1)


async def wait(ledger: Database, now: datetime, email: str = "dana@example.com", place: str = "1.1.1.1") -> timedelta:
    return await ledger.read(lambda rows: may_try(rows, email, place, now)) or timedelta()


async def fail(
    ledger: Database, times: int, now: datetime = NOW, email: str = "dana@example.com", place: str = "1.1.1.1"
) -> None:
    for _ in range(times):
        await ledger.write(lambda rows: failed(rows, email, place, now))


async def test_five_are_free_and_then_each_wait_is_longer(ledger: Database) -> None:
    await fail(ledger, 4)
    assert await wait(ledger, NOW) == timedelta()
    now, waits = NOW, []
    for _ in range(8):
        await fail(ledger, 1, now)
        waits.append(await wait(ledger, now))
        assert await wait(ledger, now + waits[-1] - SECOND) == SECOND
        now += waits[-1]
        assert await wait(ledger, now) == timedelta()
    assert [each.total_seconds() for each in waits] == [30, 60, 120, 240, 480, 900, 900, 900]


@pytest.mark.parametrize(
    ("email", "place", "waits"),
    [
        ("dana@example.com", "2.2.2.2", True),
        ("other@example.com", "1.1.1.1", True),
        ("other@example.com", "2.2.2.2", False),
    ],
)
async def test_it_counts_by_address_and_by_place(ledger: Database, email: str, place: str, waits: bool) -> None:
    await fail(ledger, 5)
    assert bool(await wait(ledger, NOW, email, place)) is waits


async def test_success_forgets_the_failures_and_is_on_record(ledger: Database) -> None:
    await fail(ledger, 6)
    await ledger.write(lambda rows: succeeded(rows, "dana@example.com", "1.1.1.1", NOW, who="Dana"))
    assert await wait(ledger, NOW) == timedelta()
    (act,) = await ledger.read(lambda rows: audit.newest(rows, limit=9))
    assert (act.who, act.what) == ("Dana", "sign in")


async def test_after_a_day_all_is_forgotten(ledger: Database) -> None:
    await fail(ledger, 30)
    later = NOW + timedelta(days=1, seconds=1)
    await fail(ledger, 1, later)
    assert await wait(ledger, later) == timedelta()


async def test_the_longest_address_doesnt_make_room_for_more(ledger: Database) -> None:
    for number in range(5):
        await fail(ledger, 1, email="x" * 100 + str(number), place=str(number))
    assert await wait(ledger, NOW, "x" * 100 + "new", "elsewhere")
