"""The bare loop that Bellwire is measured against, as small as it can honestly be.

An ASGI app that checks an HMAC, commits the body and a run row (group commit, fsync), answers, then makes three HTTP
calls with a checkpoint row after each. No retries, no deduplication, no typing, nothing else.

    python -m bench.bare DATABASE VENDOR_URL PORT
"""

import asyncio
import hmac
import sqlite3
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import uvicorn
from starlette.types import Receive, Scope, Send

SECRET = b"bench"
WORKERS = 64
_ANSWER = b'{"ok":true}'


Statement = tuple[str, tuple[Any, ...]]


class Store:
    """Writes gather while a commit is under way; each returns once it is on disk."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB);"
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, state TEXT);"
            "CREATE TABLE steps (run INTEGER, step INTEGER, result BLOB, PRIMARY KEY (run, step)) WITHOUT ROWID;"
        )
        self._waiting: deque[tuple[tuple[Statement, ...], asyncio.Future[int | None]]] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1)

    async def write(self, *statements: Statement) -> int | None:
        """The last statement's row id."""
        future: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch = list(self._waiting)
            self._waiting.clear()
            self._connection.execute("BEGIN IMMEDIATE")
            results = [
                [self._connection.execute(*each).lastrowid for each in statements][-1] for statements, _ in batch
            ]
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.commit)
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)


class App:
    def __init__(self, path: str, vendor: str) -> None:
        self._store = Store(path)
        self._vendor = vendor
        self._places = asyncio.Semaphore(WORKERS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._store.run())
            self._session = aiohttp.ClientSession()
        body = (await receive())["body"]
        headers = dict(scope["headers"])
        right = hmac.compare_digest(headers.get(b"x-bench", b""), hmac.digest(SECRET, body, "sha256").hex().encode())
        if right:
            run = await self._store.write(
                ("INSERT INTO bodies (body) VALUES (?)", (body,)), ("INSERT INTO runs (state) VALUES ('new')", ())
            )
            if scope["path"] == "/full":
                task = asyncio.create_task(self._go(run))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        await send(
            {
                "type": "http.response.start",
                "status": 200 if right else 401,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))],
            }
        )
        await send({"type": "http.response.body", "body": _ANSWER})

    async def _go(self, run: int | None) -> None:
        assert self._session is not None
        async with self._places:
            for step in range(3):
                call = self._session.post(f"{self._vendor}/{step}", json={"run": run, "step": step})
                async with call as response:
                    result = await response.read()
                await self._store.write(("INSERT INTO steps VALUES (?, ?, ?)", (run, step, result)))


def main() -> None:
    import uvloop

    path, vendor, port = sys.argv[1:]

    async def serve() -> None:
        config = uvicorn.Config(App(path, vendor), port=int(port), log_level="error", access_log=False, lifespan="off")
        await uvicorn.Server(config).serve()

    uvloop.run(serve())


if __name__ == "__main__":
    main()
