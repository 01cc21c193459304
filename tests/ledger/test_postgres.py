"""What only PostgreSQL does: it goes away and comes back, and others write beside."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from threading import Event
from typing import Any

import psycopg
import pytest

from bellwire.errors import ConfigurationError, LedgerBusy
from bellwire.ledger import Database, Rows, open_ledger, postgres
from bellwire.ledger.postgres import PostgresDatabase
from tests.ledger.test_database import put
from tests.ledgers import Ledgers
from tests.postgres import Server
from tests.running import until


@pytest.fixture
def server() -> Iterator[Server]:
    """One that a test may stop."""
    made = Server(durable=True)
    made.start()
    yield made
    made.close()


def numbers(url: str) -> set[int]:
    """What another program sees."""
    with psycopg.connect(url) as other:
        return {int(row[0]) for row in other.execute("SELECT ours FROM crosswalk")}


def cut(rows: Rows, url: str) -> None:
    """Has the server end the connection of this transaction."""
    row = rows.one("SELECT pg_backend_pid()")
    assert row is not None
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [row[0]])


async def test_a_connection_that_is_lost_before_the_commit_costs_nothing(here: PostgresDatabase, url: str) -> None:
    tries = []

    def write(rows: Rows) -> int:
        tries.append(1)
        if len(tries) == 1:
            cut(rows, url)
        return put(7)(rows)

    assert await here.write(write) == 7
    assert (len(tries), numbers(url)) == (2, {7})


async def test_a_connection_that_is_lost_during_the_commit_is_told_and_nothing_is_written_twice(
    here: PostgresDatabase, url: str
) -> None:
    tries = []

    def write(rows: Rows) -> None:
        tries.append(1)
        put(7)(rows)
        cut(rows, url)

    with pytest.raises(LedgerBusy):
        await here.write(write)
    assert len(tries) == 1
    assert await here.write(put(8)) == 8
    assert numbers(url) == {8}


async def test_who_was_chosen_to_end_a_deadlock_tries_again(here: PostgresDatabase, url: str) -> None:
    await asyncio.gather(here.write(put(1)), here.write(put(2)))
    tries = []

    def write(rows: Rows) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise psycopg.errors.DeadlockDetected("deadlock detected")
        return put(3)(rows)

    assert await here.write(write) == 3
    assert len(tries) == 2


async def test_a_server_that_was_away_is_written_again_once_it_is_back(server: Server) -> None:
    async with open_ledger(server.url("postgres")) as ledger:
        await ledger.write(put(1))
        await ledger.read(lambda rows: rows.all("SELECT ours FROM crosswalk"))
        server.stop()
        with pytest.raises(LedgerBusy):
            await ledger.write(put(2))
        with pytest.raises(LedgerBusy):
            await ledger.read(lambda rows: rows.all("SELECT ours FROM crosswalk"))
        server.start()
        assert await ledger.write(put(3)) == 3
        assert await ledger.read(lambda rows: rows.all("SELECT ours FROM crosswalk ORDER BY ours")) == [("1",), ("3",)]


async def test_a_nul_in_a_text_is_shown_as_unreadable(here: PostgresDatabase) -> None:
    insert = "INSERT INTO flow_versions (hash, source, recorded_at) VALUES ('1', :text, 0)"
    await here.write(lambda rows: rows.run(insert, {"text": "a\0b"}))
    assert await here.read(lambda rows: rows.one("SELECT source FROM flow_versions")) == (
        "a\N{REPLACEMENT CHARACTER}b",
    )


def test_a_user_who_may_make_no_table_is_told_so(ledgers: Ledgers) -> None:
    ledgers.server.run("CREATE ROLE reader LOGIN")
    with pytest.raises(ConfigurationError, match="permission denied") as raised:
        asyncio.run(_opened(ledgers.database().replace("bellwire@", "reader@")))
    assert "may this user make tables" in raised.value.remedy


async def _opened(url: str) -> None:
    async with open_ledger(url):
        pass


async def test_without_the_driver_it_says_what_to_install(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bellwire.ledger.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match="driver") as raised:
        async with open_ledger(url):
            pass
    assert "bellwire[postgres]" in raised.value.remedy


async def test_a_server_that_cant_be_reached_is_said_without_the_password(server: Server) -> None:
    address = server.url("postgres").replace("bellwire@", "bellwire:pa55word@")
    server.stop()
    with pytest.raises(ConfigurationError, match="can't be opened") as raised:
        async with open_ledger(address):
            pass
    assert "pa55word" not in str(raised.value)


async def test_writers_take_turns(url: str) -> None:
    """As on SQLite: what one looks up stays so until its commit."""

    def count(rows: Rows) -> None:
        row = rows.one("SELECT COUNT(*) FROM crosswalk")
        assert row is not None
        put(row[0])(rows)

    async with open_ledger(url) as one, open_ledger(url) as other:
        await asyncio.gather(*(ledger.write(count) for _ in range(50) for ledger in (one, other)))
    assert numbers(url) == set(range(100))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants to be the only one looks at a pace that tests have the time for."""
    monkeypatch.setattr(postgres, "_ASKED_EVERY", 0.02)


class Work:
    """What only one may do: for ever."""

    def __init__(self) -> None:
        self.begun = 0
        self.going_on = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        self.going_on.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.going_on.clear()


@asynccontextmanager
async def wanting(ledger: Database, work: Callable[[], Awaitable[None]], name: str = "sums") -> AsyncIterator[None]:
    task = asyncio.create_task(ledger.alone(name, work))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def lock_holders(url: str) -> list[int]:
    """The server's numbers of the connections that are the only one in something."""
    with psycopg.connect(url) as other:
        found = other.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return [row[0] for row in found]


@pytest.fixture
def left_off(monkeypatch: pytest.MonkeyPatch) -> list[Database]:
    """The ledgers of those who asked whether they are the one, and aren't, or aren't any more."""
    seen: list[Database] = []
    ask = PostgresDatabase._alone

    async def asking(self: PostgresDatabase, connection: Any, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await ask(self, connection, name, work)
        seen.append(self)

    monkeypatch.setattr(PostgresDatabase, "_alone", asking)
    return seen


@pytest.mark.usefixtures("often")
async def test_of_several_one_does_it_and_another_when_that_leaves_off(url: str, left_off: list[Database]) -> None:
    first, second = Work(), Work()
    async with open_ledger(url) as here, open_ledger(url) as there:
        async with wanting(here, first):
            await asyncio.wait_for(first.going_on.wait(), 30)
            async with wanting(there, second):

                async def looked() -> bool:
                    return left_off.count(there) > 1

                await until(looked, 20)
                assert (first.begun, second.begun) == (1, 0)
            assert second.begun == 0
        assert not first.going_on.is_set()
        async with wanting(there, second):
            await asyncio.wait_for(second.going_on.wait(), 30)


@pytest.mark.usefixtures("often")
async def test_of_different_things_each_is_done(here: PostgresDatabase) -> None:
    sums, letters = Work(), Work()
    async with wanting(here, sums), wanting(here, letters, "letters"):
        await asyncio.wait_for(asyncio.gather(sums.going_on.wait(), letters.going_on.wait()), 30)


@pytest.mark.usefixtures("often")
async def test_who_loses_the_connection_leaves_off_before_he_begins_again(url: str) -> None:
    work, at_once, most = Work(), 0, 0

    async def counted() -> None:
        nonlocal at_once, most
        at_once, most = at_once + 1, max(most, at_once + 1)
        try:
            await work()
        finally:
            at_once -= 1

    async with open_ledger(url) as here, wanting(here, counted):
        await asyncio.wait_for(work.going_on.wait(), 30)
        (holder,) = lock_holders(url)
        with psycopg.connect(url) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [holder])

        async def begun_again() -> bool:
            return work.begun == 2

        await until(begun_again, 10)
        assert (work.begun, most) == (2, 1)


async def test_a_process_that_stands_still_in_the_middle_of_a_transaction_does_not_keep_the_others_from_writing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.ledger.postgres._LONGEST_SILENCE", 0.2)
    go_on, begun = Event(), Event()

    def stand_still(rows: Rows) -> None:
        rows.one("SELECT 1")
        begun.set()
        go_on.wait(20)
        put(1)(rows)

    async with open_ledger(url) as still, open_ledger(url) as other:
        stalled = asyncio.create_task(still.write(stand_still))
        await asyncio.to_thread(begun.wait)
        await asyncio.wait_for(other.write(put(2)), 30)
        assert not stalled.done()
        go_on.set()
        await stalled
    assert numbers(url) == {1, 2}
