"""Each process knows how many share the work with it, and whether it is too old for the ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bellwire.clock import system_clock
from bellwire.ledger import NO_ENGINE, UP, WORKER, Database, Presence, open_ledger, presence, processes
from tests.ledgers import change
from tests.running import until


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life at a pace that tests have the time for."""
    monkeypatch.setattr(presence, "_EVERY", 0.02)


@pytest.fixture
async def ledger(url: str) -> AsyncIterator[Database]:
    async with open_ledger(url) as opened:
        yield opened


class Counted:
    """A process, and what it was told of how many share the work."""

    def __init__(self, ledger: Database, work: str = WORKER, carrying: Callable[[], int] = lambda: 0) -> None:
        self.shares: list[int] = []
        self.presence = Presence(ledger, work, system_clock, carrying=carrying, shared=self.shares.append)

    async def hears(self, count: int) -> None:
        """Until the last that it was told is so many."""

        async def heard() -> bool:
            return self.shares[-1] == count

        await until(heard, 10)


async def there(ledger: Database) -> list[tuple[str, int]]:
    found = await ledger.read(lambda rows: processes.alive(rows, system_clock()))
    return [(each.work, each.carrying) for each in found]


async def test_it_is_there_for_the_length_of_the_block(ledger: Database) -> None:
    async with Counted(ledger).presence.held():
        assert await there(ledger) == [(WORKER, 0)]
    assert await there(ledger) == []


async def test_it_is_there_while_it_fails_and_gone_then(ledger: Database) -> None:
    with pytest.raises(KeyError):
        async with Counted(ledger).presence.held():
            raise KeyError
    assert await there(ledger) == []


async def test_it_says_again_and_again_that_it_is_there_and_how_much_it_carries(ledger: Database, url: str) -> None:
    async with Counted(ledger, carrying=lambda: 7).presence.held():
        change(url, "UPDATE processes SET seen_at = 0, carrying = 0")

        async def says_so() -> bool:
            return await there(ledger) == [(WORKER, 7)]

        await until(says_so, 10)


async def test_all_hear_of_one_that_comes_and_of_one_that_goes(ledger: Database) -> None:
    first, second = Counted(ledger, UP), Counted(ledger)
    async with first.presence.held():
        assert first.shares == [1]
        began = asyncio.get_running_loop().time()
        async with second.presence.held():
            waited = asyncio.get_running_loop().time() - began
            assert waited >= 1.5 * presence._EVERY, "so long that the others look before it begins"
            assert second.shares[0] == 2
            await first.hears(2)
        await first.hears(1)


async def test_who_runs_no_flows_takes_no_share(ledger: Database) -> None:
    first, intake = Counted(ledger), Counted(ledger, NO_ENGINE)
    async with first.presence.held(), intake.presence.held():
        assert (first.shares[-1], intake.shares[-1]) == (1, 1)


async def test_an_intake_alone_divides_nothing_by_nothing(ledger: Database) -> None:
    intake = Counted(ledger, NO_ENGINE)
    async with intake.presence.held():
        assert intake.shares == [1]


async def test_a_newer_schema_is_noticed(ledger: Database, url: str) -> None:
    here = Counted(ledger)
    async with here.presence.held():
        assert not here.presence.outdated.is_set()
        change(url, "UPDATE alembic_version SET version_num = '9999'")
        await asyncio.wait_for(here.presence.outdated.wait(), 30)


async def test_a_look_that_fails_is_not_the_last(ledger: Database) -> None:
    heard: list[int] = []

    def hear(count: int) -> None:
        heard.append(count)
        if len(heard) == 2:
            raise KeyError

    async def goes_on() -> bool:
        return len(heard) > 3

    async with Presence(ledger, WORKER, system_clock, shared=hear).held():
        await until(goes_on, 10)
