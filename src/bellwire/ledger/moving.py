"""Moves a ledger from its SQLite file to PostgreSQL, for `bellwire migrate --to`.

The file is only read, in one transaction that keeps writers out; it stays as it was. Each table is copied after those
that it refers to, in the order of its keys and in portions with a commit of their own. So what has arrived says how far
a move came that broke off: it is held against the file, and kept if it is the same, else all is copied anew. Before the
new ledger can be opened, every row is read back and compared.

Which tables and columns there are, and how their values differ on the two, is taken from the schema.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Column, String, Table
from sqlalchemy.dialects import postgresql, sqlite

from bellwire.errors import BellwireError, ConfigurationError, LedgerBusy
from bellwire.ledger.database import HEAD
from bellwire.ledger.postgres import (
    REACHABLE,
    check_encoding,
    connect_to_write,
    first_line,
    move_into,
    name_of,
    upgrade,
    without_nul,
)
from bellwire.ledger.schema import metadata

PORTION = 5_000
"""Rows of a commit, and between two words about how far it is."""

_LONGEST_LOCK = 2.0
"""Seconds that a writer of the file has to come to its end."""
_AGAIN = "Run the same command again: it goes on where it was."
_BY_BYTES = ' COLLATE "C"'
_UNCHANGED = "The SQLite ledger is as it was."

_SQLITE = sqlite.dialect()
_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]

Tell = Callable[[str, int, int], object]
"""What is being done, and with how many of how many rows it is done."""
Row = tuple[Any, ...]
Digest = tuple[int, int]
"""Of rows in any order: how many there are, and the sum of their hashes."""


@dataclass(frozen=True)
class Moved:
    """What is there now, and was compared."""

    address: str
    """Of the new ledger, with PASSWORD in place of a password."""
    rows: dict[str, int]
    """How many each table has."""
    copied: int
    """How many of all came this time; the others had before, in a move that broke off."""


def move(path: Path, url: str, tell: Tell) -> Moved:
    """Move the ledger in the file at `path` to the empty database at `url`, or go on with that.

    Nothing else may write in either meanwhile: that is refused. Raises ConfigurationError; LedgerBusy when it broke off
    and can go on; BellwireError when a table can't be moved.
    """
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            "That isn't the address of a database.", remedy="Write postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from error
    with _source(path) as source, _target(url) as target:
        try:
            return _moved(source, target, path, url, tell)
        except sqlite3.Error as error:
            raise LedgerBusy(f"The ledger {path} can't be read any more: {error}.", remedy=_AGAIN) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise LedgerBusy(
                f"The move to {name_of(url)} broke off: {first_line(error)}.",
                remedy=f"Is PostgreSQL running, and has it room? {_AGAIN}",
            ) from error


def _moved(source: "_Source", target: "_Target", path: Path, url: str, tell: Tell) -> Moved:
    tables = metadata.sorted_tables
    try:
        _begin(target.connection, str(path.resolve()), url, tables)
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            f"The database {name_of(url)} can't be used: {first_line(error)}.", remedy=REACHABLE
        ) from error
    kept = _kept(source, target, tables, tell)
    counts = {str(table.name): source.count(table) for table in tables}
    copying = _Course(tell, "Copying", sum(counts.values()), kept)
    for table in tables:
        target.add(table, copying.along(source.rows(table, after=target.last(table))))
    checking = _Course(tell, "Comparing", sum(counts.values()))
    for table in tables:
        _compare(table.name, _digest(checking.along(source.rows(table))), _digest(target.rows(table)))
    target.finish(tables)
    return Moved(without_password(url), counts, copying.done - kept)


def without_password(url: str) -> str:
    """The address, to be shown."""
    shown = re.sub(r"^(\w+://[^:@/]*):[^@/]*@", r"\1:PASSWORD@", url)
    return re.sub(r"(?<=password=)[^&]*", "PASSWORD", shown)


def _begin(target: "psycopg.Connection[Any]", source: str, url: str, tables: Sequence[Table]) -> None:
    """The database says what it is about to become before it has its first table."""
    move = move_into(target)
    if move is None:
        check_encoding(target, url)
        names = ["alembic_version", *(table.name for table in tables)]
        taken = "SELECT 1 FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
        if target.execute(taken, [names]).fetchone():
            raise ConfigurationError(
                f"The database {name_of(url)} already holds a ledger, or tables that are named like its own.",
                remedy="Make an empty one, and name that.",
            )
        target.execute("CREATE TABLE ledger_move (source text NOT NULL, complete boolean NOT NULL)")
        target.execute("INSERT INTO ledger_move VALUES (%s, false)", [source])
    elif move.source != source:
        raise ConfigurationError(
            f"The database {name_of(url)} holds the ledger of another project, moved from {move.source}.",
            remedy="Make an empty one, and name that.",
        )
    elif move.complete:
        raise ConfigurationError(
            f"The ledger was moved to {name_of(url)} before, completely.",
            remedy=f"Set BELLWIRE_LEDGER_URL={without_password(url)} to use it. To move it once more, make an empty"
            " database, and name that.",
        )
    target.commit()
    upgrade(url)


def _kept(source: "_Source", target: "_Target", tables: Sequence[Table], tell: Tell) -> int:
    """How many rows of a move that broke off can stay: all; or none, if the file has changed since."""
    counts = [target.count(table) for table in tables]
    comparing = _Course(tell, "Comparing what is there", sum(counts))
    for table in tables:
        last = target.last(table)
        if last is not None:
            here = _digest(comparing.along(source.rows(table, upto=last)))
            if here != _digest(target.rows(table)):
                target.empty(tables)
                return 0
    return sum(counts)


def _compare(table: str, here: Digest, there: Digest) -> None:
    if here != there:
        rows = f"{here[0]:,} rows here, {there[0]:,} there" if here[0] != there[0] else "some of its values differ"
        raise BellwireError(
            f"Table '{table}' isn't the same in both: {rows}.",
            remedy=f"{_UNCHANGED} Run the same command again: it copies anew what differs.",
        )


def _digest(rows: Iterable[Row]) -> Digest:
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(blake2b(repr(row).encode(), digest_size=16).digest(), "big")
    return count, total % (1 << 128)


class _Course:
    """How far it is."""

    def __init__(self, tell: Tell, doing: str, total: int, done: int = 0) -> None:
        self._tell, self._doing, self._total, self.done = tell, doing, total, done

    def along(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            self.done += 1
            if self.done % PORTION == 0 or self.done == self._total:
                self._tell(self._doing, self.done, self._total)


class _Source:
    """The file, in one transaction: all that is read is of one moment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self, table: Table) -> int:
        return int(self._connection.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0])  # noqa: S608

    def rows(self, table: Table, *, after: Row | None = None, upto: Row | None = None) -> Iterator[Row]:
        """In the order of its key, beyond one or up to one; each as PostgreSQL gives it."""
        keys = _names(table.primary_key.columns)
        bound = after or upto or ()
        which = f"WHERE ({keys}) {'>' if after else '<='} ({', '.join('?' * len(bound))})" if bound else ""
        found = self._connection.execute(
            f"SELECT {_names(table.columns)} FROM {table.name} {which} ORDER BY {keys}",  # noqa: S608
            bound,
        )
        readers = [(place, read) for place, column in enumerate(table.columns) if (read := _reader(column))]
        for stored in found:
            row = list(stored)
            for place, read in readers:
                if row[place] is not None:
                    row[place] = read(row[place])
            yield tuple(row)


def _reader(column: Column[Any]) -> Callable[[Any], Any] | None:
    """Makes what PostgreSQL gives of what SQLite has stored; None if that is the same."""
    if isinstance(column.type, String):
        return without_nul
    return column.type.dialect_impl(_SQLITE).result_processor(_SQLITE, None)


class _Target:
    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection

    def count(self, table: Table) -> int:
        return int(self._one(f"SELECT COUNT(*) FROM {table.name}")[0])  # noqa: S608

    def last(self, table: Table) -> Row | None:
        """The highest key, in the order of the file: by bytes."""
        keys = table.primary_key.columns
        order = ", ".join(f'"{key.name}"{_BY_BYTES if isinstance(key.type, String) else ""} DESC' for key in keys)
        found = self.connection.execute(
            f"SELECT {_names(keys)} FROM {table.name} ORDER BY {order} LIMIT 1".encode()  # noqa: S608
        )
        return found.fetchone()

    def rows(self, table: Table) -> Iterator[Row]:
        """All that is stored, in any order."""
        with self._copy(table, "TO STDOUT") as copy:
            # Without how a text is sorted, which is no part of what it is called.
            types = (column.type.compile(_POSTGRES).lower() for column in table.columns)
            copy.set_types([name.partition(" collate")[0] for name in types])
            yield from copy.rows()

    def add(self, table: Table, rows: Iterator[Row]) -> None:
        """In portions, each with its commit. Raises BellwireError."""
        count = PORTION
        while count == PORTION:
            count = 0
            try:
                with self._copy(table, "FROM STDIN") as copy:
                    for row in islice(rows, PORTION):
                        copy.write_row(row)
                        count += 1
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                raise BellwireError(
                    f"Table '{table.name}' can't be moved: {first_line(error)}.",
                    remedy=f"{_UNCHANGED} Go on with it, and report this.",
                ) from error
            self.connection.commit()

    def empty(self, tables: Sequence[Table]) -> None:
        self.connection.execute(f"TRUNCATE {', '.join(table.name for table in tables)}".encode())
        self.connection.commit()

    def finish(self, tables: Sequence[Table]) -> None:
        """The next numbers follow the highest ones, and the ledger may be opened."""
        for table in tables:
            if (column := table.autoincrement_column) is not None:
                self._one(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"  # noqa: S608
                    f' (SELECT COALESCE(MAX("{column.name}"), 0) + 1 FROM {table.name}), false)'
                )
            # Its first questions shouldn't be answered by guesses about how many rows there are.
            self.connection.execute(f"ANALYZE {table.name}".encode())
        self.connection.execute("UPDATE ledger_move SET complete = true")
        self.connection.commit()

    @contextmanager
    def _copy(self, table: Table, way: str) -> Iterator[psycopg.Copy]:
        statement = f"COPY {table.name} ({_names(table.columns)}) {way}".encode()
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy

    def _one(self, sql: str) -> Row:
        row = self.connection.execute(sql.encode()).fetchone()
        assert row is not None
        return tuple(row)


def _names(columns: Iterable[Column[Any]]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


@contextmanager
def _source(path: Path) -> Iterator[_Source]:
    """Its writers are kept out for the length of the block."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_LONGEST_LOCK
        )
    except sqlite3.Error as error:
        raise ConfigurationError(
            f"There is no ledger at {path} that could be moved.", remedy="Is this the right project?"
        ) from error
    with closing(connection):
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("PRAGMA query_only = ON")
            (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise LedgerBusy(
                    f"Another program is writing in the ledger {path}.",
                    remedy="Let it come to its end, or stop it; then run this again.",
                ) from error
            raise ConfigurationError(
                f"The ledger {path} can't be read: {error}.", remedy="Is this the right project?"
            ) from error
        if version != HEAD:
            newer = version > HEAD
            raise ConfigurationError(
                f"The ledger {path} has the schema {version or 'of no release'}, and this Bellwire has {HEAD}.",
                remedy="Update Bellwire first." if newer else "Run `bellwire migrate` first.",
            )
        yield _Source(connection)


@contextmanager
def _target(url: str) -> Iterator[_Target]:
    """No engine can have it for the length of the block, nor can another move."""
    try:
        connection = connect_to_write(url, alone=True)
    except psycopg.Error as error:
        raise ConfigurationError(
            f"The database {name_of(url)} can't be reached: {first_line(error)}.", remedy=REACHABLE
        ) from error
    with closing(connection):
        yield _Target(connection)
