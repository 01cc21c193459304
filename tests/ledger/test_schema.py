"""From nothing to the newest schema, and how the ledger's questions use it."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from bellwire.errors import ConfigurationError
from bellwire.events import Delivery, Environment
from bellwire.ledger import (
    Database,
    ExceptionState,
    Rows,
    asks,
    audit,
    deliveries,
    edits,
    endings,
    events,
    exceptions,
    figures,
    open_ledger,
    runs,
    windows,
)
from bellwire.ledger import sqlite as module
from bellwire.ledger.database import HEAD
from bellwire.ledger.making import NEWEST
from bellwire.ledger.migrate import upgrade_sqlite
from bellwire.ledger.schema import metadata
from bellwire.ledger.sqlite import SqliteRows
from tests.ledger.test_migrations import make as make_old
from tests.ledgers import connection_of
from tests.newest_schema import newest
from tests.samples import NOW


async def opened(url: str) -> None:
    async with open_ledger(url):
        pass


def shapes(path: Path) -> dict[str, list[str]]:
    """Each table of a file as reflected: its columns, keys and indexes, whatever their order."""
    engine = create_engine(f"sqlite:///{path}")
    reflected = MetaData()
    reflected.reflect(engine)
    found = {
        table.name: [
            *sorted(line.strip(", \t") for line in str(CreateTable(table).compile(engine)).splitlines()),
            *sorted(str(CreateIndex(index).compile(engine)) for index in table.indexes),
        ]
        for table in reflected.tables.values()
        if table.name != "alembic_version"
    }
    engine.dispose()
    return found


def statements(path: Path) -> dict[str, str]:
    """What the file says about its indexes (of which reflection leaves out the conditions) and rowids."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    connection.close()
    return {
        name: sql if "INDEX" in sql else str("WITHOUT ROWID" in sql) for name, sql in rows if name != "alembic_version"
    }


def test_the_migrations_and_a_new_ledger_have_the_schema_that_the_code_knows(tmp_path: Path, blank: Path) -> None:
    path, migrated = tmp_path / "schema.db", tmp_path / "migrated.db"
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    upgrade_sqlite(migrated)
    for made in (blank, migrated):
        assert shapes(made) == shapes(path)
        assert statements(made) == statements(path)
    assert NEWEST.read_text() == newest(), "`python -m tests.newest_schema` writes it anew"


@pytest.mark.parametrize("there", [True, False])
def test_opening_a_new_or_a_current_ledger_loads_no_migration_tool(tmp_path: Path, blank: Path, there: bool) -> None:
    path = tmp_path / "ledger.db"
    if there:
        path.write_bytes(blank.read_bytes())
    program = f"""
import asyncio, sys
from bellwire.ledger import open_ledger
async def main():
    async with open_ledger("sqlite:///{path}") as ledger:
        await ledger.write(lambda rows: rows.one("SELECT 1"))
asyncio.run(main())
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"alembic", "sqlalchemy", "mako"}}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


async def test_a_newer_ledger_is_refused_and_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigurationError, match=r"newer Bellwire \(schema 9999\)") as raised:
        await opened(f"sqlite:///{path}")
    assert raised.value.remedy


async def test_a_migration_that_breaks_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import op

    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    make_old(url, "0001")
    real, made = op.create_table, []

    def break_off(name: str, *columns: Any, **options: Any) -> Any:
        made.append(name)
        if len(made) == 4:
            raise KeyboardInterrupt
        return real(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", break_off)
    with pytest.raises(KeyboardInterrupt):
        await opened(url)
    monkeypatch.undo()
    await opened(url)


def test_processes_that_begin_at_the_same_time_dont_get_in_each_others_way(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from bellwire.ledger import open_ledger
async def main():
    async with open_ledger(f"sqlite:///{sys.argv[1]}/new/ledger.db") as ledger:
        insert = "INSERT INTO refusals VALUES ('d', hex(randomblob(8)), '', 1)"
        print(await ledger.write(lambda rows: rows.run(insert)))
asyncio.run(main())
"""
    command, pipe = [sys.executable, "-c", program, str(tmp_path)], subprocess.PIPE
    started = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    ended = [process.communicate(timeout=60) for process in started]
    assert [out for out, _ in ended] == ["1\n"] * 4, ended


@pytest.mark.parametrize("name", ["100% tea", "shop #1", "what?", "Zoë & Søn", "a'b\"c"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "ledger.db"
    for _ in range(2):
        asyncio.run(opened(f"sqlite:///{path}"))
    assert path.is_file()
    assert module._version(path) == HEAD
    assert set(tmp_path.glob("*")) == {path.parent}


async def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mysql") as raised:
        await opened("mysql://localhost/ledger")
    assert "BELLWIRE_LEDGER_URL" in raised.value.remedy


@pytest.mark.parametrize("what", ["a folder", "no database", "no folder"])
async def test_a_ledger_that_cant_be_opened_is_said(tmp_path: Path, what: str) -> None:
    path = tmp_path / "ledger.db"
    if what == "a folder":
        path.mkdir()
    elif what == "no database":
        path.write_bytes(b"This is a shopping list, and a long one." * 100)
    else:
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "ledger.db"
    with pytest.raises(ConfigurationError, match=r"ledger\.db can't be opened"):
        await opened(f"sqlite:///{path}")


def plans(use: Callable[[Rows], object]) -> Callable[[Rows], list[str]]:
    """How SQLite goes about each statement of `use`."""

    class Explaining(SqliteRows):
        def __init__(self, rows: Rows) -> None:
            super().__init__(connection_of(rows))
            self.found: list[str] = []

        def _explain(self, sql: str, values: Any) -> None:
            self.found += [row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]

        def run(self, sql: str, values: Any = {}) -> int:  # noqa: B006 - as its base
            self._explain(sql, values)
            return super().run(sql, values)

        def insert(self, sql: str, values: Any) -> int | None:
            self._explain(sql, values)
            return super().insert(sql, values)

        def one(self, sql: str, values: Any = {}) -> tuple[Any, ...] | None:  # noqa: B006
            self._explain(sql, values)
            return super().one(sql, values)

        def all(self, sql: str, values: Any = {}) -> list[tuple[Any, ...]]:  # noqa: B006
            self._explain(sql, values)
            return super().all(sql, values)

    def explain(rows: Rows) -> list[str]:
        explaining = Explaining(rows)
        use(explaining)
        return explaining.found

    return explain


DELIVERY = Delivery("till", {}, b"{}", NOW)
HOT: dict[str, Callable[[Rows], object]] = {
    "accept": lambda rows: [deliveries.accept(rows, DELIVERY, "1", Environment.SANDBOX) for _ in range(2)],
    "waiting deliveries": lambda rows: deliveries.waiting(rows, after=0, limit=10),
    "claim": lambda rows: runs.claim(rows, NOW, 10),
    "any due": lambda rows: runs.any_due(rows, NOW),
    "recover": lambda rows: runs.recover(rows, NOW),
    "open exceptions": lambda rows: exceptions.open_ones(rows),
    "open exceptions about an order": lambda rows: exceptions.chosen(rows, exceptions.Choice(about="1001")),
    "edits": lambda rows: edits.of_run(rows, 1),
    "what was done to a run": lambda rows: audit.newest(rows, limit=10, target="run 1"),
    "exceptions of a run": lambda rows: exceptions.close_of_run(rows, 1, ExceptionState.RETRIED, NOW),
    "attempts": lambda rows: runs.attempts(rows, 1),
    "runs of an event": lambda rows: runs.of_event(rows, 1),
    "events of a delivery": lambda rows: events.of_delivery(rows, 1),
    "unfinished": figures.unfinished,
    "what people are asked": asks.open_ones,
    "how much people are asked": asks.count_open,
    "what a run asks": lambda rows: asks.withdraw(rows, 1, NOW),
    "runs that an event ends": lambda rows: endings.end(rows, "f", "key", 1, NOW, NOW, ""),
    "an event that ended it": lambda rows: endings.already(rows, "f", "key", 1, NOW),
    "an open window": lambda rows: windows.join(rows, "f", "key", 1, 9),
    "what was gathered": lambda rows: windows.gathered(rows, 1),
    "newest runs": lambda rows: runs.newest(rows, limit=10),
    "newest events": lambda rows: events.newest(rows, limit=10),
    "newest deliveries": lambda rows: deliveries.newest(rows, limit=10),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("use", HOT.values(), ids=HOT.keys())
async def test_hot_questions_find_their_rows_by_an_index(ledger: Database, use: Callable[[Rows], object]) -> None:
    """Not by reading a table, nor by sorting all that fits. (SCAN … USING INDEX of a partial one reads only the few
    rows that are still to be dealt with; a bare SCAN before LIMIT goes by the number, newest first.)"""
    found = await ledger.write(plans(use))
    partial = ("deliveries_to_normalise", "runs_due", "runs_going_on", "runs_held", "exceptions_open", "asks_open")
    by_number = ("SCAN runs", "SCAN events", "SCAN deliveries")
    newest = use in (HOT["newest runs"], HOT["newest events"], HOT["newest deliveries"])
    slow = [
        step
        for step in found
        if step.startswith("SCAN") and "CONSTANT" not in step and not any(index in step for index in partial)
        if not (newest and step in by_number)
    ]
    sorted_ = [step for step in found if "TEMP B-TREE" in step and use is not HOT["attempts"]]
    assert found == [] or not (slow or sorted_), found
