"""A `bellwire` command that ends itself at its N-th durable point.

The durable points are the places between two lasting things: a commit, a request to a vendor, a mail, an answer to a
sender. The product knows nothing of them; here they are wrapped around its own methods, in a child process, before the
command begins. What the process does at its point is what kill -9 does: it is gone, with nothing tidied up.

Children are forked by a server process that has all modules loaded and runs no loop and no thread, so that one starts
in milliseconds.
"""

import asyncio
import multiprocessing
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from itertools import count
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import aiosmtplib

from bellwire.cli import main
from bellwire.connectors.kit.http import Answer, Api
from bellwire.intake.line import Line

KILLED = 137
"""What a shell says of a process that was ended by kill -9."""
POINTS = "points.txt"
"""In the folder of the process: a line for each point that it passed. At the last one it died, if it did."""

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.reliability.warm"])


def start(words: Sequence[object], folder: Path, environ: Mapping[str, str], dies_at: int = 0) -> ForkServerProcess:
    """A `bellwire` command that dies at its point number `dies_at`, from 1; 0: it lives. Its output goes to a file."""
    process = _FORKING.Process(target=_live, args=([*map(str, words)], folder, dict(environ), dies_at), daemon=True)
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


def _live(words: list[str], folder: Path, environ: dict[str, str], dies_at: int) -> None:
    os.chdir(folder)
    with Path("out.txt").open("a") as out, Path("err.txt").open("a") as err:
        os.dup2(out.fileno(), sys.stdout.fileno())
        os.dup2(err.fileno(), sys.stderr.fileno())
    os.environ.update(environ)
    _wrap(_Points(Path(POINTS), dies_at))
    sys.argv = ["bellwire", *words]
    main()


class _Points:
    def __init__(self, passed: Path, dies_at: int) -> None:
        self._passed = os.open(passed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._dies_at = dies_at
        # Commits happen in a thread of their own; to count on is atomic.
        self._numbers = count(1)

    def reach(self, name: str) -> None:
        number = next(self._numbers)
        os.write(self._passed, f"{number} {name}\n".encode())
        if number == self._dies_at:
            os._exit(KILLED)


def _wrap(points: _Points) -> None:
    class Connection(sqlite3.Connection):
        """The writer's. Readers say COMMIT in SQL: that makes nothing durable."""

    _around(points, Connection, "commit", "a commit")
    sqlite3.connect = partial(sqlite3.connect, factory=Connection)  # type: ignore[assignment]
    _around(points, Line, "_write", "an answer to a sender")
    _around_requests(points)
    _around_async(points, aiosmtplib.SMTP, "data", "a mail")


def _around(points: _Points, owner: type, method: str, name: str) -> None:
    inner: Callable[..., Any] = getattr(owner, method)

    @wraps(inner)
    def outer(*args: Any, **options: Any) -> Any:
        points.reach(f"before {name}")
        result = inner(*args, **options)
        points.reach(f"after {name}")
        return result

    setattr(owner, method, outer)


def _around_requests(points: _Points) -> None:
    inner = Api._send

    @wraps(inner)
    async def outer(*args: Any, **options: Any) -> Answer:
        writing = options.get("writing", args[-1])
        points.reach(f"before a request that {'writes' if writing else 'reads'}")
        answer = await inner(*args, **options)
        # A request that only reads leaves nothing behind: to die after it is to die before it.
        if writing:
            points.reach("after a request that writes")
        return answer

    setattr(Api, "_send", outer)  # noqa: B010 - mypy takes no other signature


def _around_async(points: _Points, owner: type, method: str, name: str) -> None:
    inner: Callable[..., Any] = getattr(owner, method)

    @wraps(inner)
    async def outer(*args: Any, **options: Any) -> Any:
        points.reach(f"before {name}")
        result = await inner(*args, **options)
        points.reach(f"after {name}")
        return result

    setattr(owner, method, outer)
