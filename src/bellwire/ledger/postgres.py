"""PostgreSQL, when one file isn't enough.

A statement goes over a connection, so a batch is run and committed in the writer's thread. Writers take turns, as they
do on SQLite, by a lock that each transaction takes first: what the ledger looks up stays so until its commit. A queue
on the same database brings work to any number of processes.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from itertools import groupby
from threading import local
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumper

from bellwire.errors import ConfigurationError, LedgerBusy
from bellwire.ledger.database import HEAD, Database, Rows, Size, Write
from bellwire.ledger.in_step import Cursor, ask, run_in_step
from bellwire.ledger.jobs import Kind, Queue
from bellwire.ledger.queue import ENQUEUE, TABLE, PgQueue, key_of

T = TypeVar("T")

_READERS = 4
_ASKED_EVERY = 5.0
"""Seconds between two looks whether it is still, or already, the one."""
_TRIES = 3
_LONGEST_LOCK = 10.0
"""Seconds that a writer waits for its turn."""
_LONGEST_SILENCE = 5.0
"""Seconds that a writer may keep its turn and say nothing: then its process stands still, and holds up all others."""
_LONGEST_ENTRY = 3.0
"""Seconds that a writer waits for one that wants to be alone, and the other way round: a server may take a moment to
see that a process has gone."""
_TURN, _WRITERS = 7_258_001, 7_258_002
"""Locks of this database that mean something only to Bellwire."""

_SILENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How soon a connection that says nothing any more is given up; what the address says goes before."""
_UNREACHABLE = "Is PostgreSQL running, and has it room?"
REACHABLE = "Is PostgreSQL running there, and may this user make tables in that database?"
_AGAIN = (errors.SerializationFailure, errors.DeadlockDetected)
_OUT_OF_ORDER = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
)


class Move(NamedTuple):
    """What `bellwire migrate --to` notes down in the database that it moves a ledger to."""

    source: str
    """The SQLite file."""
    complete: bool


class _Text(StrDumper):
    """PostgreSQL keeps no NUL in a text; what a vendor says may have one. (Bodies are bytes, and kept as they are.)"""

    def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
        return super().dump(without_nul(obj))


class _Statement(NamedTuple):
    sql: bytes
    """With `$1`, `$2` …"""
    names: tuple[str, ...]


def without_nul(text: str) -> str:
    """As PostgreSQL can keep it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


@cache
def _statement(sql: str) -> _Statement:
    names: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        name = found[1]
        return found[0] if name is None else f"${names.setdefault(name, len(names) + 1)}"

    return _Statement(re.sub(r"'[^']*'|:([a-z_]\w*)", numbered, sql).encode(), tuple(names))


class PostgresRows(Rows):
    queued = True

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._cursor: Cursor = psycopg.RawCursor(connection)

    def _ask(self, sql: bytes, values: Sequence[Any]) -> None:
        self._cursor.execute(sql, values)

    def _execute(self, sql: str, values: Mapping[str, Any]) -> Cursor:
        statement = _statement(sql)
        self._ask(statement.sql, [values[name] for name in statement.names])
        return self._cursor

    def run(self, sql: str, values: Mapping[str, Any] = {}) -> int:
        return self._execute(sql, values).rowcount

    def insert(self, sql: str, values: Mapping[str, Any]) -> int | None:
        row = self.one(f"{sql} RETURNING id", values)
        return row[0] if row else None

    def one(self, sql: str, values: Mapping[str, Any] = {}) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._execute(sql, values).fetchone()
        return row

    def all(self, sql: str, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
        return self._execute(sql, values).fetchall()

    def enqueue(self, kind: Kind, numbers: Sequence[tuple[int, int]]) -> None:
        if not numbers:
            return
        count = len(numbers)
        keys = [key_of(kind, number, turn) for number, turn in numbers]
        payloads = [b"%d" % number for number, _ in numbers]
        self._ask(ENQUEUE, [[0] * count, [kind.value] * count, payloads, [timedelta()] * count, keys, [None] * count])

    def job(self, number: str) -> str:
        return f"SELECT 1 FROM {TABLE} q WHERE q.id = {number}"  # noqa: S608

    def job_for(self, kind: Kind, number: str, turn: str) -> str:
        return f"SELECT 1 FROM {TABLE} q WHERE q.dedupe_key = '{kind}:' || {number} || ':' || {turn}"  # noqa: S608

    def numbers(self, name: str) -> str:
        return f"(SELECT CAST(n AS bigint) AS value FROM json_array_elements_text(CAST(:{name} AS json)) AS n)"  # noqa: S608

    def json_text(self, column: str, field: str) -> str:
        # What the ledger keeps is JSON of its own making, or empty. A NUL in it is one that no text can have.
        written = f"{column} LIKE '{{%' AND position('\\u0000' IN {column}) = 0"
        path = field.replace(".", ",")
        return f"CASE WHEN {written} THEN CAST({column} AS json) #>> '{{{path}}}' END"

    def count_all(self, table: str) -> int:
        """Counted: numbers that were given to a row that wasn't inserted are left out for good."""
        row = self.one(f"SELECT COUNT(*) FROM {table}")  # noqa: S608
        return int(row[0]) if row else 0

    def empty(self, table: str, which: str, values: Mapping[str, Any], **emptied: str | None) -> None:
        """What is left behind is cleared away by PostgreSQL itself."""
        columns = ", ".join(f"{name} = :{name}" for name in emptied)
        self.run(f"UPDATE {table} SET {columns} WHERE {which}", {**values, **emptied})  # noqa: S608

    def give_back(self, pages: int) -> bool:
        """PostgreSQL keeps the room for what comes next."""
        return False


class _RowsInStep(PostgresRows):
    def _ask(self, sql: bytes, values: Sequence[Any]) -> None:
        ask(self._cursor, sql, values)


class PostgresDatabase(Database):
    """The ledger at `url`, with its newest schema. Raises ConfigurationError."""

    folder = None

    def __init__(self, url: str, *, max_waiting: int = 5_000) -> None:
        super().__init__(max_waiting=max_waiting, readers=_READERS)
        self._url = url
        self._readers = local()
        self._opened: list[psycopg.Connection[Any]] = []
        self._connection: psycopg.Connection[Any] | None = None
        try:
            self._connected()
        except LedgerBusy as error:
            raise ConfigurationError(error.sentence, remedy=error.remedy) from error

    def queue(self) -> Queue:
        return PgQueue(partial(_connect_async, self._url))

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """By a lock, for as long as the connection that has it lives."""
        while True:
            with suppress(psycopg.OperationalError, psycopg.InterfaceError):
                async with await _connect_async(self._url) as connection:
                    await self._alone(connection, name, work)
            await asyncio.sleep(_ASKED_EVERY)

    async def _alone(
        self, connection: psycopg.AsyncConnection[Any], name: str, work: Callable[[], Awaitable[None]]
    ) -> None:
        lock = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        row = await (await connection.execute(lock, (_WRITERS, name))).fetchone()
        if row is None or not row[0]:
            return
        going_on = asyncio.ensure_future(work())
        try:
            while not going_on.done():
                await asyncio.wait([going_on], timeout=_ASKED_EVERY)
                await connection.execute("SELECT 1")
            await going_on
        finally:
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)

    async def size(self) -> Size:
        row = await self.read(lambda rows: rows.one("SELECT pg_database_size(current_database())"))
        return Size(row[0] if row else 0, 0)

    # Writing, in the thread for that

    async def _write_batch(self, batch: list[Write]) -> None:
        results = await asyncio.get_running_loop().run_in_executor(self._committing, self._transaction, batch)
        for write, result in zip(batch, results, strict=True):
            write.done(result)

    def _transaction(self, batch: Sequence[Write]) -> list[Any]:
        """As often as it takes, as long as nothing can have been committed. Raises what an operation raises, and
        LedgerBusy; it is also raised when the connection is lost during the commit, and nobody knows what came of it:
        whoever repeats what he sent is recognised."""
        for left in reversed(range(_TRIES)):
            connection = self._connected()
            committing = False
            try:
                with connection.pipeline():  # together with the transaction's beginning
                    connection.execute(f"SELECT pg_advisory_xact_lock({_TURN})")
                results = _run(connection, batch)
                committing = True
                connection.commit()
                return results
            except _AGAIN as error:
                connection.rollback()
                if not left:
                    raise _unreachable(error) from error
            except _OUT_OF_ORDER as error:
                lost = connection.closed
                connection.close()
                if committing or not lost or not left:
                    raise _unreachable(error) from error
            except BaseException:
                with suppress(psycopg.Error):
                    connection.rollback()
                raise
        raise AssertionError

    def _connected(self) -> psycopg.Connection[Any]:
        """The writer's. Raises LedgerBusy."""
        if self._connection is None or self._connection.closed:
            try:
                self._connection = connect_to_write(self._url)
            except psycopg.Error as error:
                raise _unreachable(error) from error
        return self._connection

    def _abandon(self) -> None:
        """That is done in the thread already."""

    def _explained(self, error: Exception) -> Exception:
        return _unreachable(error) if isinstance(error, _OUT_OF_ORDER) else error

    def _disconnect(self) -> None:
        for connection in (*self._opened, self._connection):
            if connection is not None:
                connection.close()

    # Reading, in the threads for that

    def _read(self, query: Callable[[Rows], T]) -> T:
        for left in (1, 0):
            connection = self._reader()
            try:
                return query(PostgresRows(connection))
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                lost = connection.closed
                connection.close()
                if not (lost and left):
                    raise _unreachable(error) from error
            finally:
                if not connection.closed:
                    with suppress(psycopg.Error):
                        connection.rollback()
        raise AssertionError

    def _reader(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] | None = getattr(self._readers, "connection", None)
        if connection is None or connection.closed:
            try:
                fresh = _connect(self._url)
            except psycopg.Error as error:
                raise _unreachable(error) from error
            fresh.read_only = True
            fresh.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            if connection is not None:
                self._opened.remove(connection)
            self._opened.append(fresh)
            self._readers.connection = connection = fresh
        return connection


def _run(connection: psycopg.Connection[Any], batch: Sequence[Write]) -> list[Any]:
    """What the operations return, in their order."""
    results: list[Any] = []
    for in_lanes, group in groupby(batch, key=lambda write: write.lane is not None):
        writes = list(group)
        if in_lanes and len(writes) > 1:
            operations = [(write.lane or "", partial(write.operation, _RowsInStep(connection))) for write in writes]
            results += run_in_step(connection, operations)
        else:
            results += [write.operation(PostgresRows(connection)) for write in writes]
    return results


def open_postgres(url: str, *, max_waiting: int) -> PostgresDatabase:
    """Brought to the newest schema. Raises ConfigurationError."""
    try:
        _prepare(url)
        return PostgresDatabase(url, max_waiting=max_waiting)
    except (psycopg.Error, LedgerBusy) as error:
        raise ConfigurationError(
            f"The ledger {name_of(url)} can't be opened: {first_line(error)}.",
            remedy=REACHABLE,
        ) from error


def _prepare(url: str) -> None:
    with _connect(url) as connection:
        move = move_into(connection)
    if move is not None and not move.complete:
        raise ConfigurationError(
            f"The ledger {name_of(url)} is only half moved there, from {move.source}.",
            remedy="Set BELLWIRE_LEDGER_URL as it was before, and run the same `bellwire migrate` again: it goes on"
            " where it was.",
        )
    upgrade(url)


def upgrade(url: str) -> None:
    """Bring it to the newest schema. Raises ConfigurationError, psycopg.Error."""
    with _connect(url) as connection:
        check_encoding(connection, url)
        version = _version(connection)
    if version is not None and version > HEAD:
        raise ConfigurationError(
            f"The ledger {name_of(url)} was written by a newer Bellwire (schema {version}).",
            remedy="Update this one first.",
        )
    if version != HEAD:
        from bellwire.ledger.migrate import upgrade_postgres

        upgrade_postgres(lambda: _connect(url), _TURN)


def check_encoding(connection: psycopg.Connection[Any], url: str) -> None:
    """Raises ConfigurationError."""
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise ConfigurationError(
            f"The database {name_of(url)} doesn't keep its texts in UTF-8.",
            remedy="Make one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0.",
        )


def move_into(connection: psycopg.Connection[Any]) -> Move | None:
    """The move into this database, if there ever was one."""
    found = connection.execute("SELECT to_regclass('ledger_move')").fetchone()
    if not found or found[0] is None:
        return None
    row = connection.execute("SELECT source, complete FROM ledger_move").fetchone()
    return Move(*row) if row else None


def _version(connection: psycopg.Connection[Any]) -> str | None:
    found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if not found or found[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def _connect(url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, client_encoding="utf8", **_silence(url))
    connection.prepared_max = 500
    connection.adapters.register_dumper(str, _Text)
    # Else a number's type would depend on how large it is, and each type has a plan of its own.
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    return connection


async def _connect_async(url: str) -> psycopg.AsyncConnection[Any]:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, client_encoding="utf8", **_silence(url))
    connection.prepared_max = 500
    return connection


def _silence(url: str) -> dict[str, Any]:
    return {name: value for name, value in _SILENCE.items() if name not in conninfo_to_dict(url)}


def connect_to_write(url: str, *, alone: bool = False) -> psycopg.Connection[Any]:
    """`alone`: nobody else can, for as long as it is connected. Raises LedgerBusy when somebody is in the way, and
    psycopg.Error."""
    connection = _connect(url)
    try:
        _wait_for_locks(connection, _LONGEST_ENTRY)
        connection.execute(f"SELECT pg_advisory_lock{'' if alone else '_shared'}({_WRITERS})")
        _wait_for_locks(connection, _LONGEST_LOCK)
        if not alone:
            connection.execute(f"SET idle_in_transaction_session_timeout = {round(_LONGEST_SILENCE * 1000)}")
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()
    except errors.LockNotAvailable as error:
        connection.close()
        raise LedgerBusy(
            "Another Bellwire is running on this ledger." if alone else "A ledger is being moved into this database.",
            remedy="Stop it first, or use its desk." if alone else "Try again when that is over.",
        ) from error
    except psycopg.Error:
        connection.close()
        raise
    return connection


def _wait_for_locks(connection: psycopg.Connection[Any], seconds: float) -> None:
    connection.execute(f"SET lock_timeout = {round(seconds * 1000)}")


def name_of(url: str) -> str:
    """Without its password."""
    told = conninfo_to_dict(url)
    return f"{told.get('dbname') or 'postgres'} on {told.get('host') or 'this machine'}"


def _unreachable(error: Exception) -> LedgerBusy:
    unreachable = LedgerBusy(f"The ledger can't be written or read now ({first_line(error)}).", remedy=_UNREACHABLE)
    unreachable.__cause__ = error
    return unreachable


def first_line(error: Exception) -> str:
    """What the database says. Lines after the first may hold values of a row."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
