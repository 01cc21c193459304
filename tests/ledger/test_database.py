"""The writer of the ledger: what it promises about durability, and about those who share a commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bellwire.errors import LedgerBusy
from bellwire.ledger import Database, Rows, open_ledger
from bellwire.ledger import sqlite as module
from bellwire.ledger.sqlite import SqliteDatabase
from tests.ledgers import sqlite_of


def put(number: int) -> Callable[[Rows], int]:
    """A write of a row of its own, which returns its number."""

    def operation(rows: Rows) -> int:
        rows.run(
            "INSERT INTO crosswalk (connection, kind, ours, theirs, set_at) VALUES ('books', 'product', :n, '', 0)",
            {"n": str(number)},
        )
        return number

    return operation


def fail(_: Rows) -> None:
    raise ValueError("this write is wrong")


def numbers(path: Path) -> set[int]:
    """What another program sees."""
    connection = sqlite3.connect(path)
    try:
        return {int(row[0]) for row in connection.execute("SELECT ours FROM crosswalk")}
    finally:
        connection.close()


def commits(ledger: Database) -> list[str]:
    """The commits from now on."""
    seen: list[str] = []
    sqlite_of(ledger)._connection.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while True:
            if holds():
                return
            await asyncio.sleep(0.002)


async def test_a_write_returns_only_when_its_commit_is_over(ledger: Database, path: Path) -> None:
    """The commit, which runs in a thread, is held up; meanwhile nobody is told that the write is done."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(sql: str) -> None:
        if sql == "COMMIT":
            reached.set()
            go_on.wait(20)

    sqlite_of(ledger)._connection.set_trace_callback(hold)
    write = asyncio.create_task(ledger.write(put(1)))
    try:
        await until(reached.is_set)
        await asyncio.sleep(0.05)
        assert not write.done() and numbers(path) == set()
    finally:
        go_on.set()
    assert await write == 1
    assert numbers(path) == {1}


async def test_a_commit_reaches_the_disk(ledger: Database, path: Path) -> None:
    def pragmas(rows: Rows) -> dict[str, object]:
        names = ("synchronous", "journal_mode", "auto_vacuum", "foreign_keys")
        return {name: (rows.one(f"PRAGMA {name}") or ())[0] for name in names}

    expected = {"synchronous": 2, "journal_mode": "wal", "auto_vacuum": 2, "foreign_keys": 1}
    assert await ledger.write(pragmas) == expected


async def test_the_file_shrinks_when_rows_are_taken_out(ledger: Database, path: Path) -> None:
    large = "INSERT INTO flow_versions (hash, source, recorded_at) VALUES (:n, :text, 0)"
    for n in range(20):
        await ledger.write(lambda rows, n=n: rows.run(large, {"n": n, "text": "x" * 100_000}))  # type: ignore[misc]
    await ledger.write(lambda rows: rows.run("DELETE FROM flow_versions"))

    def pages(rows: Rows) -> int:
        return int((rows.one("PRAGMA page_count") or (0,))[0])

    before = await ledger.read(pages)
    sqlite_of(ledger)._connection.executescript("PRAGMA incremental_vacuum")
    assert await ledger.read(pages) < before / 2


async def test_writes_at_the_same_time_share_commits(ledger: Database, path: Path) -> None:
    seen = commits(ledger)
    assert await asyncio.gather(*(ledger.write(put(number)) for number in range(500))) == list(range(500))
    assert numbers(path) == set(range(500))
    assert 1 <= len(seen) <= 10


async def test_a_write_that_fails_harms_no_other(ledger: Database, path: Path) -> None:
    writes = [ledger.write(fail if number % 10 == 3 else put(number)) for number in range(50)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    for number, result in enumerate(results):
        if number % 10 == 3:
            assert isinstance(result, ValueError)
        else:
            assert result == number
    assert numbers(path) == {number for number in range(50) if number % 10 != 3}


async def test_what_a_failing_write_had_changed_is_undone(ledger: Database, path: Path) -> None:
    def half(rows: Rows) -> None:
        put(7)(rows)
        fail(rows)

    for others in ([], [ledger.write(put(1))]):
        results = await asyncio.gather(ledger.write(half), *others, return_exceptions=True)
        assert isinstance(results[0], ValueError)
    assert numbers(path) == {1}


@pytest.mark.sqlite
async def test_a_breach_of_a_rule_is_the_writers_own_fault(ledger: Database) -> None:
    await ledger.write(put(1))
    with pytest.raises(sqlite3.IntegrityError):
        await ledger.write(put(1))


async def test_after_a_failed_commit_it_goes_on(ledger: Database, path: Path) -> None:
    def orphan(rows: Rows) -> None:
        """Breaks a rule that is only looked at when the transaction is committed."""
        rows.run("PRAGMA defer_foreign_keys = ON")
        rows.run("INSERT INTO payloads (delivery, body) VALUES (999, x'')")

    results = await asyncio.gather(ledger.write(put(1)), ledger.write(orphan), return_exceptions=True)
    assert results[0] == 1 and isinstance(results[1], sqlite3.IntegrityError)
    assert await ledger.write(put(2)) == 2
    assert numbers(path) == {1, 2}


async def test_a_full_disk_is_said_and_gone_when_there_is_room(ledger: Database, path: Path) -> None:
    sqlite_of(ledger)._connection.execute("PRAGMA max_page_count = 1")
    large = "INSERT INTO flow_versions (hash, source, recorded_at) VALUES ('1', :text, 0)"
    with pytest.raises(LedgerBusy, match="full"):
        await ledger.write(lambda rows: rows.run(large, {"text": "x" * 100_000}))
    sqlite_of(ledger)._connection.execute("PRAGMA max_page_count = 1000000")
    assert await ledger.write(put(1)) == 1


async def test_more_than_may_wait_is_turned_away_at_once(path: Path) -> None:
    async with open_ledger(f"sqlite:///{path}", max_waiting=5) as ledger:
        results = await asyncio.gather(*(ledger.write(put(n)) for n in range(9)), return_exceptions=True)
        assert results[:5] == [0, 1, 2, 3, 4]
        assert all(isinstance(result, LedgerBusy) for result in results[5:])
        assert await ledger.write(put(9)) == 9
    assert numbers(path) == {0, 1, 2, 3, 4, 9}


@pytest.mark.parametrize("max_waiting", [5, 1_000])
async def test_closing_writes_what_waits_even_when_it_is_full(path: Path, max_waiting: int) -> None:
    ledger = SqliteDatabase(path, max_waiting=max_waiting)
    ledger.start()
    writes = [asyncio.create_task(ledger.write(put(number))) for number in range(5)]
    await asyncio.sleep(0)
    await ledger.close()
    assert await asyncio.wait_for(asyncio.gather(*writes), 30) == [0, 1, 2, 3, 4]
    assert numbers(path) == {0, 1, 2, 3, 4}


async def test_a_closed_ledger_takes_no_more(path: Path) -> None:
    async with open_ledger(f"sqlite:///{path}") as ledger:
        pass
    with pytest.raises(LedgerBusy):
        await asyncio.wait_for(ledger.write(put(1)), 30)


async def test_it_waits_for_another_process_that_is_writing(ledger: Database, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.create_task(ledger.write(put(1)))
    await asyncio.sleep(0.05)
    assert not write.done()
    other.execute("COMMIT")
    assert await write == 1


async def test_who_holds_it_for_too_long_costs_everybody_one_wait(
    ledger: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_LOCK", 0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(15):  # one after the other it would be twenty seconds
        results = await asyncio.gather(*(ledger.write(put(n)) for n in range(100)), return_exceptions=True)
    assert all(isinstance(result, LedgerBusy) for result in results)
    other.execute("COMMIT")
    assert await ledger.write(put(1)) == 1


async def test_a_caller_that_gave_up_disturbs_nobody(ledger: Database) -> None:
    writes = [asyncio.create_task(ledger.write(put(number))) for number in range(5)]
    await asyncio.sleep(0)
    writes[2].cancel()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [result for result in results if isinstance(result, int)] == [0, 1, 3, 4]


@pytest.mark.sqlite
async def test_readers_see_what_is_committed_and_cant_write(ledger: Database) -> None:
    await ledger.write(put(1))
    assert await ledger.read(lambda rows: rows.all("SELECT ours FROM crosswalk")) == [("1",)]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await ledger.read(put(2))
    assert await ledger.read(lambda rows: rows.all("SELECT ours FROM crosswalk")) == [("1",)]


async def test_readers_dont_wait_for_a_writer(ledger: Database, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM crosswalk")
    assert await asyncio.wait_for(ledger.read(lambda rows: rows.all("SELECT ours FROM crosswalk")), 30) == []
    other.execute("ROLLBACK")
