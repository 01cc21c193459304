"""A ledger that moves from its SQLite file to PostgreSQL: all of it, whatever happens on the way."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, String

from bellwire.errors import BellwireError, ConfigurationError, LedgerBusy
from bellwire.ledger import move_ledger, moving, open_ledger
from bellwire.ledger import postgres as module
from bellwire.ledger.moving import Moved, without_password
from bellwire.ledger.schema import metadata
from tests.forked import Forked
from tests.ledgers import Ledgers, change
from tests.postgres import Server

ROWS = 9
"""Of each table; a portion is smaller."""
ODD = 'a tab\there, lines\nand\r\nlines, \\N, \\., "quoted", Zoë 茶 🫖'


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "PORTION", 4)


@pytest.fixture
def full(path: Path) -> Path:
    """A ledger that has rows in every table, with whatever their columns can hold."""
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute("PRAGMA foreign_keys = ON")
        for table in metadata.sorted_tables:
            insert = f"INSERT INTO {table.name} ({', '.join(table.columns.keys())}) VALUES ({_marks(table.columns)})"  # noqa: S608
            for number in range(ROWS):
                ledger.execute(insert, [value(column, number) for column in table.columns])
    return path


def _marks(columns: Any) -> str:
    return ", ".join("?" * len(columns))


def value(column: Column[Any], number: int) -> Any:
    if column.foreign_keys or column is column.table.autoincrement_column:
        return 7 * number + 3
    if column.nullable and number % 3 == 1:
        return None
    if isinstance(column.type, String):
        return f"{column.name} {number} {ODD}" + ("" if column.primary_key else "\0")
    if isinstance(column.type, BigInteger):
        return (-1) ** number * (2**62 + number)
    if isinstance(column.type, Integer):
        return 2**31 - 1 - number
    if isinstance(column.type, LargeBinary):
        return bytes(range(256)) * number
    raise AssertionError(f"what {column} can hold isn't said here")


@pytest.fixture
def empty(ledgers: Ledgers) -> str:
    """The address of a new database."""
    return ledgers.database()


def move(path: Path, url: str, tell: moving.Tell = lambda *_: None) -> Moved:
    return move_ledger(f"sqlite:///{path}", url, tell)


def all_of_file(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Each table that the file has, its columns by name."""
    with closing(sqlite3.connect(path)) as ledger:
        names = ledger.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        found = {name: ledger.execute(f"SELECT * FROM {name}") for (name,) in names.fetchall()}  # noqa: S608
        return {name: _sorted(cursor.description, cursor.fetchall()) for name, cursor in found.items()}


def all_of_server(url: str, names: Any) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(url) as ledger:
        found = {name: ledger.execute(f"SELECT * FROM {name}".encode()) for name in names}  # noqa: S608
        return {name: _sorted(cursor.description, cursor.fetchall()) for name, cursor in found.items()}


def _sorted(description: Any, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    names = [column[0] for column in description]
    order = sorted(range(len(names)), key=names.__getitem__)
    return sorted((tuple(_kept(row[place]) for place in order) for row in rows), key=repr)


def _kept(stored: Any) -> Any:
    """PostgreSQL keeps no NUL in a text."""
    return stored.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(stored, str) else stored


def assert_moved(path: Path, url: str) -> None:
    here = all_of_file(path)
    assert all_of_server(url, here) == here


async def opened(url: str) -> None:
    async with open_ledger(url):
        pass


# What is moved


def test_every_row_of_every_table_arrives_as_it_was(full: Path, empty: str) -> None:
    moved = move(full, empty)
    here = all_of_file(full)
    assert all(here.values()), "a table is empty: nothing shows that it is moved"
    assert_moved(full, empty)
    assert moved.rows == {name: len(rows) for name, rows in here.items() if name != "alembic_version"}
    assert moved.copied == sum(moved.rows.values())
    asyncio.run(opened(empty))


def test_the_file_stays_as_it_was(full: Path, empty: str) -> None:
    before = all_of_file(full), full.read_bytes()
    move(full, empty)
    assert (all_of_file(full), full.read_bytes()) == before
    asyncio.run(opened(f"sqlite:///{full}"))


def test_numbers_go_on_behind_the_highest(full: Path, empty: str) -> None:
    move(full, empty)
    numbered = [table for table in metadata.sorted_tables if table.autoincrement_column is not None]
    assert len(numbered) > 4
    with psycopg.connect(empty) as ledger:
        for table in numbered:
            asked = [column for column in table.columns if not column.nullable and column.name != "id"]
            names, marks = ", ".join(column.name for column in asked), ", ".join(["%s"] * len(asked))
            insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) RETURNING id"  # noqa: S608
            values = [value(column, 8 if column.foreign_keys else ROWS) for column in asked]
            given = ledger.execute(insert.encode(), [_kept(each) for each in values]).fetchone()
            assert given == (7 * (ROWS - 1) + 3 + 1,), table.name


def test_an_empty_ledger_moves_and_its_numbers_begin_at_one(path: Path, empty: str) -> None:
    assert sum(move(path, empty).rows.values()) == 0
    with psycopg.connect(empty) as ledger:
        assert ledger.execute("INSERT INTO audit (at) VALUES (0) RETURNING id").fetchone() == (1,)


def test_what_refers_to_another_row_can_do_so_only_to_one_that_is_there(full: Path, empty: str) -> None:
    move(full, empty)
    with psycopg.connect(empty) as ledger, pytest.raises(psycopg.errors.ForeignKeyViolation):
        ledger.execute("UPDATE runs SET event = 1")


@pytest.mark.parametrize(
    ("kind", "stored", "given"),
    [
        (Boolean(), 1, True),
        (DateTime(), "2026-11-24 09:30:00.000001", datetime(2026, 11, 24, 9, 30, 0, 1)),  # noqa: DTZ001
        (String(), "a\0b", "a�b"),
    ],
)
def test_a_value_that_sqlite_keeps_in_another_way_becomes_what_postgresql_gives(
    kind: Any, stored: object, given: object
) -> None:
    read = moving._reader(Column("any", kind))
    assert read is not None
    assert read(stored) == given and type(read(stored)) is type(given)


def test_it_says_how_far_it_is(full: Path, empty: str) -> None:
    told: list[tuple[str, int, int]] = []
    total = sum(move(full, empty, lambda *words: told.append(words)).rows.values())
    for doing in ("Copying", "Comparing"):
        done = [(done, of) for what, done, of in told if what == doing]
        assert done == sorted(done) and len(done) > 10
        assert done[-1] == (total, total)


def test_large_rows_dont_pile_up_in_memory(path: Path, empty: str) -> None:
    with closing(sqlite3.connect(path)) as ledger, ledger:
        for number in range(1, 41):
            ledger.execute("INSERT INTO deliveries (id, delivery_id, received_at) VALUES (?, ?, 0)", (number, number))
            ledger.execute("INSERT INTO payloads (delivery, body) VALUES (?, randomblob(2000000))", (number,))
    program = """
import resource, sys
from bellwire.ledger import migrate, move_ledger, moving
def now():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = now()
move_ledger(f"sqlite:///{sys.argv[1]}", sys.argv[2], lambda *_: None)
print(now() - before)
"""
    done = subprocess.run([sys.executable, "-c", program, path, empty], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40, "megabytes, of 80 that are moved"


# What is compared


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE audit SET who = 'nobody' WHERE id = 3", "Table 'audit' .* some of its values differ"),
        ("UPDATE payloads SET body = '' WHERE delivery = 59", "Table 'payloads' .* some of its values differ"),
        ("DELETE FROM crosswalk WHERE kind LIKE '% 4 %'", "Table 'crosswalk' .* 9 rows here, 8 there"),
        ("INSERT INTO refusals VALUES ('', '', '', 1)", "Table 'refusals' .* 9 rows here, 10 there"),
    ],
)
def test_what_differs_in_the_end_is_an_error_and_the_next_try_puts_it_right(
    full: Path, empty: str, sql: str, said: str
) -> None:
    def spoil(doing: str, done: int, total: int) -> None:
        if doing == "Copying" and done == total:
            change(empty, sql)

    with pytest.raises(BellwireError, match=said) as raised:
        move(full, empty, spoil)
    assert "Run the same command again" in raised.value.remedy
    with pytest.raises(ConfigurationError, match="half moved"):
        asyncio.run(opened(empty))
    assert move(full, empty).copied > 0
    assert_moved(full, empty)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE runs SET fence = 3000000000 WHERE id = 3", "Table 'runs' can't be moved: .*out of range"),
        ("UPDATE attempts SET run = 4 WHERE run = 3", "Table 'attempts' can't be moved: .*foreign key"),
    ],
)
def test_what_postgresql_doesnt_take_is_told_with_its_table(full: Path, empty: str, sql: str, said: str) -> None:
    change(f"sqlite:///{full}", sql)
    with pytest.raises(BellwireError, match=said) as raised:
        move(full, empty)
    assert "SQLite ledger is as it was" in raised.value.remedy


# What breaks off

DYING = """
import os, signal, sys
import psycopg
from bellwire.ledger import move_ledger, moving
_, path, url, where, left = sys.argv
left = int(left)
moving.PORTION = 4
commit, write_row, finish = psycopg.Connection.commit, psycopg.Copy.write_row, moving._Target.finish

def count():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

def dying_commit(connection):
    if where == "before a commit":
        count()
    commit(connection)
    if where == "after a commit":
        count()

def dying_row(copy, row):
    write_row(copy, row)
    if where == "within a portion":
        count()

def dying_end(target, tables):
    if where == "before the end":
        count()
    finish(target, tables)
    if where == "after the end":
        count()

psycopg.Connection.commit, psycopg.Copy.write_row, moving._Target.finish = dying_commit, dying_row, dying_end
move_ledger(f"sqlite:///{path}", url, lambda *_: None)
"""


def arrived(url: str) -> int:
    with psycopg.connect(url) as ledger:
        found = ledger.execute("SELECT to_regclass('messages')").fetchone()
        if found == (None,):
            return 0
        return sum(ledger.execute(f"SELECT 1 FROM {name}".encode()).rowcount for name in metadata.tables)  # noqa: S608


def half_moved(url: str) -> bool:
    with psycopg.connect(url) as ledger:
        found = module.move_into(ledger)
        return found is not None and not found.complete


def die(path: Path, url: str, where: str, point: int) -> None:
    process = Forked("-c", DYING, path, url, where, point, cwd=path.parent, environ=os.environ)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, f"at {point}: {said}"


_COMMITS = (*range(1, 7), 10, 18, 26)
"""The first six are before the first row."""


@pytest.mark.parametrize(
    ("where", "points"),
    [
        ("before a commit", _COMMITS),
        ("after a commit", _COMMITS),
        ("within a portion", (1, 30, 30, 30, 30)),
        ("before the end", (1, 1)),
    ],
)
def test_a_move_that_is_killed_goes_on_where_it_was(
    full: Path, empty: str, where: str, points: tuple[int, ...]
) -> None:
    before, there = all_of_file(full), [0]
    for point in points:
        die(full, empty, where, point)
        there.append(arrived(empty))
        if half_moved(empty):
            with pytest.raises(ConfigurationError, match="half moved"):
                asyncio.run(opened(empty))
    assert there == sorted(there), "what has arrived stays"
    moved = move(full, empty)
    assert moved.copied == sum(moved.rows.values()) - there[-1]
    assert there[-1] > 80
    assert all_of_file(full) == before
    assert_moved(full, empty)
    asyncio.run(opened(empty))


def test_a_move_that_is_killed_once_it_is_complete_is_complete(full: Path, empty: str) -> None:
    die(full, empty, "after the end", 1)
    assert_moved(full, empty)
    asyncio.run(opened(empty))
    assert "before, completely" in refused(full, empty).sentence


def break_off(at: int) -> moving.Tell:
    def tell(doing: str, done: int, total: int) -> None:
        if doing == "Copying" and done >= at:
            raise KeyboardInterrupt

    return tell


def test_a_move_goes_on_in_a_database_that_sorts_as_people_do(path: Path, ledgers: Ledgers) -> None:
    """a before B, where bytes say the reverse."""
    url, kinds = ledgers.database(language="en"), ["A", "a", "B", "b", "C", "c", "Z", "z", "é"]
    with closing(sqlite3.connect(path)) as ledger, ledger:
        for kind in kinds:
            ledger.execute("INSERT INTO crosswalk VALUES ('books', ?, 'x', 'y', 0)", (kind,))
    with pytest.raises(KeyboardInterrupt):
        move(path, url, break_off(8))
    there = arrived(url)
    assert there == 8
    assert move(path, url).copied == len(kinds) - there
    assert_moved(path, url)


def test_the_same_file_by_another_way_is_the_same_project(full: Path, empty: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(full.parent)
    with pytest.raises(KeyboardInterrupt):
        move(full, empty, break_off(100))
    assert move(tmp_path / "link" / ".." / full.parent.name / full.name, empty).copied > 0


def test_only_what_is_missing_is_copied(full: Path, empty: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(full, empty, break_off(100))
    there = arrived(empty)
    moved = move(full, empty)
    assert there > 50
    assert moved.copied == sum(moved.rows.values()) - there
    assert_moved(full, empty)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE deliveries SET state = 'dead' WHERE id = 3",
        "DELETE FROM payloads WHERE delivery = 59",
        "INSERT INTO crosswalk VALUES ('', '', '', '', 0)",
        "INSERT INTO deliveries (received_at) VALUES (0)",
    ],
)
def test_a_file_that_was_used_in_between_is_moved_as_it_is_now(full: Path, empty: str, sql: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(full, empty, break_off(130))
    change(f"sqlite:///{full}", sql)
    move(full, empty)
    assert_moved(full, empty)


def test_a_server_that_goes_away_is_told_and_once_it_is_back_the_move_goes_on(full: Path) -> None:
    server = Server(durable=True)
    server.start()
    try:
        server.run("CREATE DATABASE there")
        url = server.url("there")

        def stop(doing: str, done: int, total: int) -> None:
            if doing == "Copying" and done == 80:
                server.stop()

        with pytest.raises(LedgerBusy, match="broke off") as raised:
            move(full, url, stop)
        assert "goes on where it was" in raised.value.remedy
        server.start()
        moved = move(full, url)
        assert 0 < moved.copied < sum(moved.rows.values())
        assert_moved(full, url)
    finally:
        server.close()


# What is refused


def refused(path: Path | str, url: str) -> BellwireError:
    with pytest.raises(BellwireError) as raised:
        move_ledger(f"sqlite:///{path}" if isinstance(path, Path) else path, url, lambda *_: None)
    return raised.value


def test_a_file_that_somebody_writes_in(full: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_LONGEST_LOCK", 0.1)
    with closing(sqlite3.connect(full, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        error = refused(full, empty)
    assert isinstance(error, LedgerBusy) and "Another program is writing" in error.sentence
    move(full, empty)


def test_a_writer_comes_too_late_while_it_moves_and_readers_dont_mind(full: Path, empty: str) -> None:
    def tell(doing: str, done: int, total: int) -> None:
        with closing(sqlite3.connect(full, timeout=0)) as other:
            assert other.execute("SELECT COUNT(*) FROM runs").fetchone() == (ROWS,)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("DELETE FROM messages")

    move(full, empty, tell)


def test_an_older_schema_has_to_be_brought_up_first(full: Path, empty: str) -> None:
    change(f"sqlite:///{full}", "UPDATE alembic_version SET version_num = '0001'")
    error = refused(full, empty)
    assert "schema 0001" in error.sentence and error.remedy == "Run `bellwire migrate` first."
    change(f"sqlite:///{full}", "UPDATE alembic_version SET version_num = '9999'")
    assert refused(full, empty).remedy == "Update Bellwire first."


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///other.db", "PostgreSQL only"),
        ("mysql://localhost/ledger", "PostgreSQL only"),
        ("postgresql://h:port/x?what=1", "isn't the address of a database"),
        ("postgresql://bellwire@/none?host=/nowhere", "can't be reached"),
    ],
)
def test_an_address_that_cant_be_moved_to(full: Path, url: str, said: str) -> None:
    error = refused(full, url)
    assert isinstance(error, ConfigurationError) and said in error.sentence and error.remedy


def test_what_isnt_a_ledger_in_a_file(tmp_path: Path, empty: str) -> None:
    assert "no ledger" in refused(tmp_path / "none.db", empty).sentence
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "list.db").write_text("This is a shopping list, and a long one." * 100)
    assert "can't be read" in refused(tmp_path / "list.db", empty).sentence
    assert "on PostgreSQL already" in refused(empty, empty).sentence
    assert arrived(empty) == 0


def test_a_database_that_holds_a_ledger_already(full: Path, ledgers: Ledgers) -> None:
    url = ledgers.postgres()
    assert "already holds a ledger" in refused(full, url).sentence
    asyncio.run(opened(url))


def test_a_database_with_tables_of_somebody_else(full: Path, empty: str) -> None:
    change(empty, "CREATE TABLE events (day date)")
    assert "named like its own" in refused(full, empty).sentence
    assert not half_moved(empty)


def test_a_database_in_which_its_user_may_make_no_table(full: Path, empty: str, ledgers: Ledgers) -> None:
    ledgers.server.run("CREATE ROLE guest LOGIN")
    error = refused(full, empty.replace("bellwire@", "guest@"))
    assert isinstance(error, ConfigurationError)
    assert "permission denied" in error.sentence and "may this user make tables" in error.remedy
    move(full, empty)


def test_a_database_that_another_project_is_moving_to(full: Path, empty: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(full, empty, break_off(20))
    there = arrived(empty)
    other = full.rename(tmp_path / "other.db")
    error = refused(other, empty)
    assert f"another project, moved from {full}" in error.sentence
    assert arrived(empty) == there


def test_a_ledger_that_was_moved_there_before(full: Path, empty: str) -> None:
    move(full, empty)
    change(empty, "DELETE FROM messages")
    error = refused(full, empty)
    assert "before, completely" in error.sentence and f"BELLWIRE_LEDGER_URL={empty}" in error.remedy
    assert arrived(empty) == ROWS * (len(metadata.tables) - 1)


def test_a_database_that_an_engine_or_another_move_has(full: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_ENTRY", 0.1)
    errors = []

    def meanwhile(doing: str, done: int, total: int) -> None:
        if done == total and doing == "Copying":
            errors.append(refused(Path(f"{full}-copy"), empty))

    Path(f"{full}-copy").write_bytes(full.read_bytes())
    move(full, empty, meanwhile)
    assert ["Another Bellwire is running" in error.sentence for error in errors] == [True]


def test_a_database_in_another_encoding(full: Path, ledgers: Ledgers) -> None:
    ledgers.server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "UTF-8" in refused(full, ledgers.server.url("latin")).sentence
    assert not half_moved(ledgers.server.url("latin"))


def test_without_the_driver_it_says_what_to_install(full: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("moving", "postgres"):
        monkeypatch.delitem(sys.modules, f"bellwire.ledger.{name}")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert "pip install 'bellwire[postgres]'" in refused(full, empty).remedy


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s3cret@db/x", "postgresql://me:PASSWORD@db/x"),
        ("postgresql://me:s3c%40ret@db:5432/x?sslmode=require", "postgresql://me:PASSWORD@db:5432/x?sslmode=require"),
        (
            "postgresql://me@db/x?password=s3cret&sslpassword=s3",
            "postgresql://me@db/x?password=PASSWORD&sslpassword=PASSWORD",
        ),
        ("postgresql://me@/x?host=/tmp:1", "postgresql://me@/x?host=/tmp:1"),
        ("postgresql://db:5432/x", "postgresql://db:5432/x"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
