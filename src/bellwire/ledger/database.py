"""The database behind the ledger: one writer with group commit, and readers beside it.

A write is a function of a transaction. The writer takes all that are waiting, runs them in one transaction on the
event loop (they are short), commits once in a thread (that is where the fsync is) and only then lets their callers go
on. So durability costs a fraction of an fsync for each write, and while one commit is under way the next batch gathers.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import local
from typing import Any, TypeVar

import structlog

from bellwire.errors import ConfigurationError, LedgerBusy

T = TypeVar("T")
log = structlog.get_logger()

_BATCH = 128
_LONGEST_LOCK = 10.0
_LONGEST_READER = 200
"""Milliseconds that the writer waits for readers, when the log is to begin anew."""
_SAID_EVERY = 5.0
"""Seconds between two words in the log about a ledger that can't be written: it may stand on the same full disk."""
_PREFIX = "sqlite:///"


_Write = tuple[Callable[["Rows"], Any], Callable[[Any], None], Callable[[Exception], None]]
"""The operation, and what to do with its result or its failure."""


class Rows:
    """A transaction: runs SQL with `:name` parameters."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str, values: Mapping[str, Any] = {}) -> int:
        """How many rows it changed."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, values: Mapping[str, Any]) -> int | None:
        """The new row's id; None when `ON CONFLICT DO NOTHING` did nothing."""
        cursor = self._connection.execute(sql, values)
        return cursor.lastrowid if cursor.rowcount else None

    def one(self, sql: str, values: Mapping[str, Any] = {}) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()


class Database:
    """An SQLite ledger. `max_waiting` writes may wait; one more raises LedgerBusy."""

    def __init__(self, path: Path, *, max_waiting: int = 5_000) -> None:
        self.path = path
        self._max_waiting = max_waiting
        self._connection = _connect(path)
        self._connection.execute("PRAGMA busy_timeout = 0")
        self._rows = Rows(self._connection)
        self._waiting: deque[_Write] = deque()
        self._wake = asyncio.Event()
        self._committing = ThreadPoolExecutor(1, "ledger-commit")
        self._reading = ThreadPoolExecutor(2, "ledger-read")
        self._readers = local()
        self._opened: list[sqlite3.Connection] = []
        self._writer: asyncio.Task[None] | None = None
        self._said_at = -_SAID_EVERY
        self._anew: asyncio.Future[bool] | None = None

    def start(self) -> None:
        """Begin to write. Call it with the event loop running."""
        self._writer = asyncio.create_task(self._write_forever(), name="ledger-writer")

    async def close(self) -> None:
        """Take no more, write what is waiting, then close."""
        self._max_waiting = 0
        if self._writer is not None:
            with suppress(LedgerBusy):
                last: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._put((lambda _: None, *_settling(last)))
                await last
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        self._committing.shutdown()
        self._reading.shutdown()
        for connection in (*self._opened, self._connection):
            connection.close()

    @property
    def waiting(self) -> int:
        """How many writes wait for the next commit."""
        return len(self._waiting)

    async def write(self, operation: Callable[[Rows], T]) -> T:
        """Run `operation` in a transaction and return what it returned once that is on disk.

        It may be run twice (when another operation of its batch fails), so it changes nothing but rows. Raises what it
        raises, and LedgerBusy when the ledger can't be written now.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(operation, *_settling(future))
        return await future

    def submit(
        self, operation: Callable[[Rows], T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        """The same for callers that don't wait: `done` gets what it returned, or `failed` what it raised. Neither may
        raise. Raises LedgerBusy when too much waits already."""
        if len(self._waiting) >= self._max_waiting:
            raise LedgerBusy("The ledger has too much waiting to be written.")
        self._put((operation, done, failed))

    def _put(self, write: "_Write") -> None:
        self._waiting.append(write)
        self._wake.set()

    async def read(self, query: Callable[[Rows], T]) -> T:
        """Run `query` in a thread on a connection that can't write; it sees everything committed so far."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, query)

    def _read(self, query: Callable[[Rows], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = _connection(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._opened.append(connection)
        connection.execute("BEGIN")
        try:
            return query(Rows(connection))
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

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            if self._anew is not None:
                await self._begin_log_anew(self._anew)
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            if not self._waiting:
                self._wake.clear()
            if not batch:
                continue
            try:
                await self._write_batch(batch)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._abandon()
                if len(batch) == 1 or isinstance(error, LedgerBusy):
                    self._fail(batch, error)
                else:
                    await self._one_by_one(batch)

    async def _write_batch(self, batch: list[_Write]) -> None:
        await self._begin()
        results = [operation(self._rows) for operation, _, _ in batch]
        await asyncio.get_running_loop().run_in_executor(self._committing, self._connection.commit)
        for (_, done, _), result in zip(batch, results, strict=True):
            done(result)

    async def _one_by_one(self, batch: list[_Write]) -> None:
        """One of them failed: each on its own, so that the others don't suffer."""
        for entry in batch:
            try:
                await self._write_batch([entry])
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._abandon()
                self._fail([entry], error)

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

    def _fail(self, batch: list[_Write], error: Exception) -> None:
        # A damaged file is a DatabaseError itself; its other kinds are faults of the operation.
        if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
            error = _unwritable(error)
        now = asyncio.get_running_loop().time()
        if isinstance(error, LedgerBusy) and now >= self._said_at + _SAID_EVERY:
            self._said_at = now
            log.error("the ledger can't be written", error=str(error))
        for _, _, failed in batch:
            failed(error)


def _settling(future: "asyncio.Future[T]") -> tuple[Callable[[T], None], Callable[[Exception], None]]:
    """What settles a future, unless its caller has given up."""

    def done(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def failed(error: Exception) -> None:
        if not future.done():
            future.set_exception(error)

    return done, failed


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
    """An empty file that will give space back after a purge: that has to be chosen before the first table.

    So has the size of a page. A webhook with its headers takes two to six kB: on pages of 4 kB every other one would
    stand alone on its page, and each page that a commit touches is written twice.
    """
    connection = _connection(path)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
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


HEAD = "0002"
"""The newest migration. A ledger that says so is opened without loading the migration tool."""


@asynccontextmanager
async def open_ledger(url: str, *, max_waiting: int = 5_000) -> AsyncIterator[Database]:
    """The ledger at `url` (`sqlite:///path`), brought to the newest schema first. Raises ConfigurationError."""
    if not url.startswith(_PREFIX):
        raise ConfigurationError(
            f"A ledger address begins with {_PREFIX!r}; {url.partition(':')[0]!r} isn't known.",
            remedy="Leave BELLWIRE_LEDGER_URL out to keep the ledger in the project's data folder.",
        )
    path = Path(url.removeprefix(_PREFIX))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _prepare(path)
        database = Database(path, max_waiting=max_waiting)
    except (OSError, sqlite3.Error) as error:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        raise ConfigurationError(
            f"The ledger {path} can't be opened: {error}.",
            remedy="Put it back from your backup."
            if damaged
            else "May this user write in that folder, and is there room on its disk?",
        ) from error
    database.start()
    try:
        yield database
    finally:
        await database.close()


def _prepare(path: Path) -> None:
    version = _version(path)
    if version is not None and version > HEAD:
        raise ConfigurationError(
            f"The ledger {path} was written by a newer Bellwire (schema {version}).", remedy="Update this one first."
        )
    if version != HEAD:
        if version is None:
            _create(path)
        from bellwire.ledger.migrate import upgrade

        upgrade(path)
