"""PgQueuer, on the PostgreSQL that the ledger is on: https://pgqueuer.readthedocs.io

Jobs are enqueued in the transaction that makes them, by the ledger's own connection; what is here takes them out again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.queries import Queries
from psycopg.sql import SQL, Identifier

from bellwire.errors import LedgerBusy
from bellwire.ledger.jobs import Job, Kind, Queue

T = TypeVar("T")

# What happened to a job is of no interest once it has happened: the ledger knows what came of it. So its log needn't
# survive a crash of the server, and goes with the job.
_SETTINGS = DBSettings(durability=Durability.balanced)
INSTALL = QueryBuilderEnvironment(_SETTINGS).build_install_query()
"""What makes its tables."""
ENQUEUE = QueryQueueBuilder(_SETTINGS).build_enqueue_query("skip").encode()
"""Takes lists: priority, entry point, payload, delay, key, headers. A job with the key of one that is still there is
left out."""
TABLE, LOG = _SETTINGS.queue_table, _SETTINGS.queue_table_log
# PgQueuer's own statements for these two ask whether the job is there, not whose it is: a process that was stopped for
# long and woke up would keep, or take away, what another has by now.
_MINE = "id = ANY($1::bigint[]) AND queue_manager_id = $2"
_KEEP = f"UPDATE {TABLE} SET heartbeat = NOW() WHERE {_MINE} RETURNING id"  # noqa: S608
_KEEP_ALL = f"UPDATE {TABLE} SET heartbeat = NOW() WHERE queue_manager_id = $1 RETURNING id"  # noqa: S608
_FINISH = (
    f"WITH finished AS (DELETE FROM {TABLE} WHERE {_MINE} RETURNING id)"  # noqa: S608
    f" DELETE FROM {LOG} WHERE job_id IN (SELECT id FROM finished)"
)
_KINDS = {QueueEntrypoint(kind.value): EntrypointExecutionParameter(concurrency_limit=0) for kind in Kind}
_TROUBLE = (psycopg.OperationalError, psycopg.InterfaceError)


def key_of(kind: Kind, number: int, turn: int = 0) -> str:
    """What makes a job the same as another: a delivery, or a run's next turn."""
    return f"{kind}:{number}:{turn}"


class PgQueue(Queue):
    """`connect` gives a connection that commits by itself; two are used, as one that listens does nothing else."""

    def __init__(self, connect: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]) -> None:
        self._connect = connect
        self._me = QueueManagerId(uuid4())
        self._queries: Queries | None = None
        self._connections: list[psycopg.AsyncConnection[Any]] = []
        self._listening: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._asking = asyncio.Lock()

    async def take(self, most: int) -> list[Job]:
        taken = await self._ask(
            lambda queries: queries.dequeue(
                batch_size=most,
                entrypoints=_KINDS,
                queue_manager_id=self._me,
                global_concurrency_limit=None,
                heartbeat_timeout=timedelta(seconds=self.lapse),
            )
        )
        return [Job(job.id, Kind(job.entrypoint), int(job.payload or b"0")) for job in taken]

    async def keep(self, jobs: Sequence[int]) -> set[int]:
        return await self._kept(_KEEP, list(jobs), self._me) if jobs else set()

    async def keep_all(self) -> set[int]:
        return await self._kept(_KEEP_ALL, self._me)

    async def _kept(self, sql: str, *values: object) -> set[int]:
        found = await self._ask(lambda queries: queries.driver.fetch(sql, *values))
        return {int(str(row["id"])) for row in found}

    async def finish(self, jobs: Sequence[int]) -> None:
        if jobs:
            await self._ask(lambda queries: queries.driver.execute(_FINISH, list(jobs), self._me))

    async def wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def close(self) -> None:
        async with self._asking:
            await self._hang_up()

    async def _ask(self, question: Callable[[Queries], Awaitable[T]]) -> T:
        async with self._asking:
            try:
                if self._queries is None or self._listening is None or self._listening.done():
                    await self._hang_up()
                    self._queries = await self._open()
                return await question(self._queries)
            except _TROUBLE as error:
                await self._hang_up()
                said = str(error).strip().splitlines() or [type(error).__name__]
                raise LedgerBusy(f"The queue can't be reached now ({said[0].rstrip('.')}).") from error

    async def _open(self) -> Queries:
        for _ in range(2):
            self._connections.append(await self._connect())
        asking, listening = self._connections
        await listening.execute(SQL("LISTEN {}").format(Identifier(_SETTINGS.channel)))
        self._listening = asyncio.create_task(self._listen(listening), name="queue-listener")
        return Queries(PsycopgDriver(asking), qbe=QueryBuilderEnvironment(_SETTINGS), qbq=QueryQueueBuilder(_SETTINGS))

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        with suppress(*_TROUBLE):
            async for _ in connection.notifies():
                self._changed.set()

    async def _hang_up(self) -> None:
        self._queries = None
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        connections, self._connections = self._connections, []
        for connection in connections:
            with suppress(psycopg.Error):
                await connection.close()
