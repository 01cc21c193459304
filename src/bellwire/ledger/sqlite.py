"""SQLite, embedded: a file in the project's folder.

The writer runs a batch on the event loop (operations are short, and nothing is on the way) and commits in a thread.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import local
from typing import Any, TypeVar

from bellwire.errors import ConfigurationError, LedgerBusy
from bellwire.ledger.database import HEAD, Database, Rows, Size, Write
from bellwire.ledger.jobs import Kind
from bellwire.ledger.making import make

T = TypeVar("T")

_LONGEST_LOCK = 10.0
_LONGEST_READER = 200
"""Milliseconds that the writer waits for readers, when the log is to begin anew."""
PREFIX = "sqlite:///"


class SqliteRows(Rows):
    queued = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, values: Mapping[str, Any] = {}) -> int:
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, values: Mapping[str, Any]) -> int | None:
        cursor = self._connection.execute(sql, values)
        return cursor.lastrowid if cursor.rowcount else None

    def one(self, sql: str, values: Mapping[str, Any] = {}) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def enqueue(self, kind: Kind, numbers: Sequence[tuple[int, int]]) -> None:
        pass

    def numbers(self, name: str) -> str:
        return f"(SELECT value FROM json_each(:{name}))"  # noqa: S608

    def json_text(self, column: str, field: str) -> str:
        return f"CASE WHEN json_valid({column}) THEN json_extract({column}, '$.{field}') END"

    def count_all(self, table: str) -> int:
        """They are numbered without gaps: the newest number says it, whatever the history."""
        row = self.one(f"SELECT MAX(id) FROM {table}")  # noqa: S608
        return int(row[0] or 0) if row else 0

    def empty(self, table: str, which: str, values: Mapping[str, Any], **emptied: str | None) -> None:
        """By deleting the rows and inserting them: a row that only becomes shorter leaves its page half empty, and no
        page is given back. What refers to them holds again before the commit."""
        self.run("PRAGMA defer_foreign_keys = ON")
        columns = [row[1] for row in self.all(f"PRAGMA table_info({table})")]
        found = self.all(f"SELECT * FROM {table} WHERE {which}", values)  # noqa: S608
        self.run(f"DELETE FROM {table} WHERE {which}", values)  # noqa: S608
        insert = f"INSERT INTO {table} VALUES ({', '.join(f':{name}' for name in columns)})"  # noqa: S608
        for row in found:
            self.run(insert, dict(zip(columns, row, strict=True)) | emptied)

    def give_back(self, pages: int) -> bool:
        """`vacuum` moves the last pages of the file into the free ones that deleted rows left, and cuts the file off
        behind them, as soon as that is taken over from the log."""
        for _ in range(pages):
            if not (self.one("PRAGMA freelist_count") or (0,))[0]:
                return False
            # The driver takes only the first step of this statement, and that is one page.
            self.run("PRAGMA incremental_vacuum(1)")
        return True


class SqliteDatabase(Database):
    """The ledger in the file at `path`."""

    folder: Path

    def __init__(self, path: Path, *, max_waiting: int = 5_000) -> None:
        super().__init__(max_waiting=max_waiting, readers=2)
        self.path = path
        self.folder = path.parent
        self._connection = _connect(path)
        self._connection.execute("PRAGMA busy_timeout = 0")
        self._rows = SqliteRows(self._connection)
        self._readers = local()
        self._opened: list[sqlite3.Connection] = []
        self._anew: asyncio.Future[bool] | None = None

    async def size(self) -> Size:
        return Size(self.path.stat().st_size, self.log_bytes())

    def log_bytes(self) -> int:
        """Of the `-wal`, where all that is committed stands first."""
        try:
            return os.stat(f"{self.path}-wal").st_size  # noqa: PTH116 - looked at all the time
        except OSError:
            return 0

    def _read(self, query: Callable[[Rows], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = _connection(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._opened.append(connection)
        connection.execute("BEGIN")
        try:
            return query(SqliteRows(connection))
        finally:
            connection.execute("COMMIT")

    async def begin_log_anew(self) -> bool:
        """Take all that is committed over from the log into the file, and cut the log off: between two commits, so that
        no writer is in the way. Readers are waited for, for a moment. False when one was in the way for longer, or
        another process wrote. Raises LedgerBusy."""
        if self._anew is None:
            self._anew = asyncio.get_running_loop().create_future()
            self._wake.set()
        return await asyncio.shield(self._anew)

    async def _begin_log_anew(self, asked: "asyncio.Future[bool]") -> None:
        self._anew = None
        try:
            asked.set_result(
                await asyncio.get_running_loop().run_in_executor(self._committing, _take_log_over, self._connection)
            )
        except sqlite3.Error as error:
            asked.set_exception(_unwritable(error))

    async def _between_batches(self) -> None:
        if self._anew is not None:
            await self._begin_log_anew(self._anew)

    async def _write_batch(self, batch: list[Write]) -> None:
        await self._begin()
        results = [write.operation(self._rows) for write in batch]
        await asyncio.get_running_loop().run_in_executor(self._committing, self._connection.commit)
        for write, result in zip(batch, results, strict=True):
            write.done(result)

    async def _begin(self) -> None:
        """Begin, waiting for another process (the command line) that is writing just now. Raises LedgerBusy."""
        deadline = asyncio.get_running_loop().time() + _LONGEST_LOCK
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                self._abandon()  # what an earlier failure may have left open
                if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                    raise _unwritable(error) from error
            await asyncio.sleep(0.002)

    def _abandon(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.rollback()

    def _explained(self, error: Exception) -> Exception:
        # A damaged file is a DatabaseError itself; its other kinds are faults of the operation.
        if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
            return _unwritable(error)
        return error

    def _disconnect(self) -> None:
        for connection in (*self._opened, self._connection):
            connection.close()


def open_sqlite(path: Path, *, max_waiting: int) -> SqliteDatabase:
    """Brought to the newest schema. Raises ConfigurationError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _prepare(path)
        return SqliteDatabase(path, max_waiting=max_waiting)
    except (OSError, sqlite3.Error) as error:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        raise ConfigurationError(
            f"The ledger {path} can't be opened: {error}.",
            remedy="Put it back from your backup."
            if damaged
            else "May this user write in that folder, and is there room on its disk?",
        ) from error


def _prepare(path: Path) -> None:
    version = _version(path)
    if version is not None and version > HEAD:
        raise ConfigurationError(
            f"The ledger {path} was written by a newer Bellwire (schema {version}).", remedy="Update this one first."
        )
    if version is None:
        _create(path)
        version = _version(path)
    if version != HEAD:
        from bellwire.ledger.migrate import upgrade_sqlite

        upgrade_sqlite(path)


def _unwritable(error: sqlite3.Error) -> LedgerBusy:
    unwritable = LedgerBusy(f"The ledger can't be written now ({error}).", remedy="Is the disk full or read-only?")
    unwritable.__cause__ = error
    return unwritable


def _take_log_over(connection: sqlite3.Connection) -> bool:
    connection.execute(f"PRAGMA busy_timeout = {_LONGEST_READER}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.execute("PRAGMA busy_timeout = 0")


def _connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=10)
    connection.execute("PRAGMA cache_size = -32768")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    """One that writes."""
    connection = _connection(path)
    # FULL: a commit is on disk when it returns, power cut included.
    connection.executescript(
        """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA journal_size_limit = 67108864;
        """
    )
    return connection


def _create(path: Path) -> None:
    """A ledger in a file that will give space back after a purge: that has to be chosen before the first table.

    So has the size of a page. A webhook with its headers takes two to six kB: on pages of 4 kB every other one would
    stand alone on its page, and each page that a commit touches is written twice.
    """
    connection = _connection(path)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    try:
        make(connection)
    finally:
        connection.close()


def _version(path: Path) -> str | None:
    if not path.exists():
        return None
    with suppress(sqlite3.OperationalError):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return row[0] if row else None
        finally:
            connection.close()
    return None
