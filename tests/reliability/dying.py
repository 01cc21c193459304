"""A `bellwire` command that ends itself at a durable point.

The durable points are the places between two lasting things: a commit, a request to a vendor and its answer, a mail, an
answer to a sender, a file put in the place of another. The product knows nothing of them; here they are wrapped around
its own methods, in a child process, before the command begins. What the process does at its point is what kill -9 does:
it is gone, with nothing tidied up.

Each point has a name that says what it is, and how often the process has been at one of that name: `before a commit of
insert into attempts label done #1`. What goes on side by side has the same points in each telling, only in another
order. That many writes share a commit changes nothing either: it is a point of each of them.

Children are forked by a server process that has all modules loaded and runs no loop and no thread, so that one starts
in milliseconds.
"""

import asyncio
import multiprocessing
import os
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Lock
from typing import Any

import aiohttp
import aiosmtplib

from bellwire.cli import command
from bellwire.connectors.kit.answer import Answer
from bellwire.connectors.kit.http import Api
from bellwire.intake.line import Line
from bellwire.ledger.database import Database, Rows, Write
from tests.ledgers import connection_of

KILLED = 137
"""What a shell says of a process that was ended by kill -9."""
POINTS = "points.txt"
"""In the folder of the process: a line for each point that it passed. At the last one it died, if it did."""
OUTPUT, ERRORS = "out.txt", "err.txt"
STOPPING = "while it stops, "
"""What the names of points begin with once the process was told to stop at one."""

_COMMAND = command()
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.reliability.warm"])


@dataclass(frozen=True)
class Fate:
    """What becomes of a process; nothing unless it is said."""

    dies_at: str | int = ""
    """The name of a point, or how many it reaches."""
    stops_at: str = ""
    """The point at which it is sent SIGTERM."""


def start(words: Sequence[object], folder: Path, environ: Mapping[str, str], fate: Fate) -> ForkServerProcess:
    """A `bellwire` command with its fate. Its output goes to files in `folder`: of this process, and the errors of all
    that there were."""
    process = _FORKING.Process(target=_live, args=([*map(str, words)], folder, dict(environ), fate), daemon=True)
    process.start()
    return process


async def ended(process: ForkServerProcess) -> int:
    """Its exit code, once it has come to its end."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _live(words: list[str], folder: Path, environ: dict[str, str], fate: Fate) -> None:
    os.chdir(folder)
    with Path(OUTPUT).open("w") as out, Path(ERRORS).open("a") as err:
        os.dup2(out.fileno(), sys.stdout.fileno())
        os.dup2(err.fileno(), sys.stderr.fileno())
    os.environ.update(environ)
    _wrap(_Points(Path(POINTS), fate))
    _COMMAND(words, prog_name="bellwire")


class _Points:
    def __init__(self, passed: Path, fate: Fate) -> None:
        self._passed = os.open(passed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._fate = fate
        self._stopping = ""
        self._counts = Counter[str]()
        self._reached = 0
        self._lock = Lock()  # commits happen in a thread of their own

    def reach(self, *names: str) -> None:
        """Those in one call are one point, of several names."""
        with self._lock:
            full = [self._counted(f"{self._stopping}{name}") for name in names]
            self._reached += 1
            os.write(self._passed, "".join(f"{name}\n" for name in full).encode())
            if self._fate.dies_at in (*full, self._reached):
                os._exit(KILLED)
            if self._fate.stops_at in full:
                self._stopping = STOPPING
                os.kill(os.getpid(), signal.SIGTERM)

    def _counted(self, name: str) -> str:
        self._counts[name] += 1
        return f"{name} #{self._counts[name]}"

    @contextmanager
    def around(self, *names: str) -> Any:
        self.reach(*(f"before {name}" for name in names))
        yield
        self.reach(*(f"after {name}" for name in names))


def _wrap(points: _Points) -> None:
    _around_commits(points)
    _around_requests(points)
    _around(points, Line, "_write", lambda _, reply: f"answering a sender with {reply.status}")
    _around(points, Path, "replace", lambda path, target: f"replacing {Path(target).name}")
    _around_async(points, aiosmtplib.SMTP, "data", "a mail")


# Commits

_WRITES = re.compile(
    r"\s*(INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|PRAGMA(?= incremental_vacuum))\s+(\w+)", re.IGNORECASE
)
_LASTS = re.compile(r"\s*PRAGMA (journal_mode|wal_checkpoint)\b", re.IGNORECASE)
"""What changes the file by itself, without a commit."""
_TELLING = ("action", "outcome", "state")
"""Values that tell one write from others into the same table."""


class _Connection(sqlite3.Connection):
    """Knows what its transaction holds: of each write of the ledger's, the first statement that changed something.
    Readers say COMMIT in SQL: that makes nothing durable."""

    points: _Points

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._holds: list[str] = []
        self._next_write = True
        self._committed = False

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)

    def execute(self, sql: str, values: Any = (), /) -> Any:
        return self.cursor().execute(sql, values)

    def begin_write(self) -> None:
        self._next_write = True

    def hold(self, statement: str) -> None:
        if self._next_write:
            self._holds.append(statement)
            self._next_write = False

    def commit(self) -> None:
        # Two alike are one point.
        held, self._holds, self._next_write = list(dict.fromkeys(self._holds)), [], True
        if not held:
            super().commit()  # of nothing: that leaves nothing behind
            return
        with self.points.around(*(f"a commit of {each}" for each in held)):
            super().commit()
        self._committed = True

    def rollback(self) -> None:
        self._holds, self._next_write = [], True
        super().rollback()

    def close(self) -> None:
        """The last one to close takes the log over into the file."""
        if not self._committed:
            super().close()
            return
        self._committed = False
        with self.points.around("closing the ledger"):
            super().close()


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, values: Any = (), /) -> "_Cursor":
        if lasts := _LASTS.match(sql):
            with self.connection.points.around(lasts[1]):
                return super().execute(sql, values)
        done = super().execute(sql, values)
        writes = _WRITES.match(sql)
        # How many rows a statement with RETURNING has changed shows only later.
        if writes and (self.rowcount or "RETURNING" in sql):
            told = [str(values[name]) for name in _TELLING if name in values] if isinstance(values, Mapping) else []
            self.connection.hold(" ".join([writes[1].lower(), writes[2], *told]))
        return done


def _around_commits(points: _Points) -> None:
    _Connection.points = points
    connect = partial(sqlite3.connect, factory=_Connection)
    # The migration tool takes the second.
    for module in ("sqlite3", "sqlite3.dbapi2"):
        setattr(sys.modules[module], "connect", connect)  # noqa: B010
    put = Database._put

    def outer(self: Database, write: Write) -> None:
        def named(rows: Rows) -> Any:
            connection = connection_of(rows)
            assert isinstance(connection, _Connection)
            connection.begin_write()
            return write.operation(rows)

        put(self, write._replace(operation=named))

    setattr(Database, "_put", outer)  # noqa: B010 - mypy takes no other signature


# Vendors

_IDS = re.compile(r"[0-9a-f-]{12,}|\d+")
_asked: ContextVar[str] = ContextVar("asked", default="")
"""The request under way, if it is an `Api`'s."""


def _around_requests(points: _Points) -> None:
    send, read = Api._send, aiohttp.ClientResponse.read

    @wraps(send)
    async def outer(self: Api, method: str, url: str, path: str, *args: Any, **options: Any) -> Answer:
        name = f"{method} {_IDS.sub('…', path)} of {self._connection}"
        with points.around(name):
            before = _asked.set(name)
            try:
                return await send(self, method, url, path, *args, **options)
            finally:
                _asked.reset(before)

    async def outer_read(self: aiohttp.ClientResponse) -> bytes:
        if name := _asked.get():
            points.reach(f"with the unread answer to {name}")
        return await read(self)

    setattr(Api, "_send", outer)  # noqa: B010
    setattr(aiohttp.ClientResponse, "read", outer_read)  # noqa: B010


def _around(points: _Points, owner: type, method: str, name: Callable[..., str]) -> None:
    inner: Callable[..., Any] = getattr(owner, method)

    @wraps(inner)
    def outer(*args: Any) -> Any:
        with points.around(name(*args)):
            return inner(*args)

    setattr(owner, method, outer)


def _around_async(points: _Points, owner: type, method: str, name: str) -> None:
    inner: Callable[..., Any] = getattr(owner, method)

    @wraps(inner)
    async def outer(*args: Any, **options: Any) -> Any:
        with points.around(name):
            return await inner(*args, **options)

    setattr(owner, method, outer)
