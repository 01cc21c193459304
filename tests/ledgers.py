"""Blank ledgers of either kind, for tests."""

import asyncio
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from bellwire.ledger import Database, Rows, open_ledger
from bellwire.ledger.postgres import upgrade
from bellwire.ledger.sqlite import SqliteDatabase, SqliteRows
from tests.postgres import Server

SQLITE, POSTGRES = "on_sqlite", "on_postgres"


@cache
def blank_sqlite() -> bytes:
    """The file of an empty SQLite ledger with the newest schema: making one takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as apart:
        path = Path(folder) / "ledger.db"
        # In a thread of its own, as it is also asked for within a loop.
        apart.submit(lambda: asyncio.run(_opened(f"sqlite:///{path}"))).result()
        return path.read_bytes()


class Ledgers:
    """Blank ones of each kind, as copies; what is lent of a server is taken back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blank: Path | None = None
        self._server: Server | None = None
        self._numbers = count(1)
        self._lent: list[str] = []

    @property
    def blank(self) -> Path:
        """An SQLite one, not to be changed."""
        if self._blank is None:
            self._blank = self.sqlite(self._folder)
        return self._blank

    def sqlite(self, folder: Path) -> Path:
        path = folder / "ledger.db"
        path.write_bytes(blank_sqlite())
        return path

    @property
    def server(self) -> Server:
        if self._server is None:
            self._server = Server(durable=False)
            self._server.start()
            self._server.run("CREATE DATABASE blank")
            upgrade(self._server.url("blank"))  # also asked for within a loop
        return self._server

    def postgres(self) -> str:
        """The address of a new one."""
        return self._lend("TEMPLATE blank STRATEGY file_copy")

    def database(self, *, language: str = "") -> str:
        """The address of a database with nothing in it, which sorts texts by bytes, or as that language does."""
        sorts = f" LOCALE_PROVIDER icu ICU_LOCALE '{language}'" if language else ""
        return self._lend(f"TEMPLATE template0 STRATEGY file_copy{sorts}")

    def _lend(self, made_of: str) -> str:
        name = f"lent_{next(self._numbers)}_{uuid4().hex[:8]}"
        self.server.run(f"CREATE DATABASE {name} {made_of}")
        self._lent.append(name)
        return self.server.url(name)

    def take_back(self) -> None:
        """Once the test is over that they were for: no database stays, and nobody's connection to it."""
        while self._lent:
            self.server.run(f"DROP DATABASE {self._lent.pop()} WITH (FORCE)")

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


async def _opened(url: str) -> None:
    async with open_ledger(url):
        pass


def sqlite_of(ledger: Database) -> SqliteDatabase:
    assert isinstance(ledger, SqliteDatabase)
    return ledger


def connection_of(rows: Rows) -> sqlite3.Connection:
    assert isinstance(rows, SqliteRows)
    return rows._connection


def change(url: str, sql: str) -> Any:
    """From outside, as another program would: any ledger, of a Bellwire that runs or not."""
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
        with connection:
            connection.execute(sql)
        connection.close()
        return
    import psycopg

    with psycopg.connect(url) as other:
        other.execute(sql.encode())
