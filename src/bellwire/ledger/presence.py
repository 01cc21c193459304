"""This process's place among those at work on a ledger."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from bellwire import __version__
from bellwire.clock import Clock
from bellwire.errors import LedgerBusy
from bellwire.ledger import processes
from bellwire.ledger.database import HEAD, Database, Rows
from bellwire.ledger.processes import ProcessRow

log = structlog.get_logger()

_EVERY = 2.0
"""Seconds between two signs of life."""


class Presence:
    """Renews this process's row, tells how many share the work, and notices that the ledger's schema is newer."""

    def __init__(
        self,
        ledger: Database,
        work: str,
        clock: Clock,
        *,
        carrying: Callable[[], int] = lambda: 0,
        shared: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`shared` is told how many processes carry runs, each time that is looked at."""
        self._ledger = ledger
        self._work = work
        self._clock = clock
        self._carrying = carrying
        self._shared = shared
        self.outdated = asyncio.Event()
        """Set when a newer Bellwire has changed the ledger: this one doesn't know its form any more."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Be there for the length of the block. Where others are, that begins once they have seen this process."""
        name = f"{socket.gethostname()} {os.getpid()}"
        number = await self._ledger.write(
            lambda rows: processes.enter(rows, name, self._work, __version__, self._clock())
        )
        there = await self._look(number)
        if len(there) > 1:
            await asyncio.sleep(1.5 * _EVERY)
        task = asyncio.create_task(self._stay(number), name="presence")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            with suppress(LedgerBusy):
                await self._ledger.write(lambda rows: processes.leave(rows, number))

    async def _stay(self, number: int) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self._look(number)
            except LedgerBusy:
                continue  # That is told by whoever has something to write.
            except Exception:
                log.exception("the other processes could not be looked at")

    async def _look(self, number: int) -> list[ProcessRow]:
        now, carrying = self._clock(), self._carrying()

        def look(rows: Rows) -> tuple[list[ProcessRow], str]:
            processes.stay(rows, number, carrying, now)
            row = rows.one("SELECT version_num FROM alembic_version")
            return processes.alive(rows, now), row[0] if row else ""

        there, version = await self._ledger.write(look)
        self._shared(max(1, sum(each.work != NO_ENGINE for each in there)))
        if version > HEAD and not self.outdated.is_set():
            log.error("a newer Bellwire has changed the ledger", schema=version)
            self.outdated.set()
        return there


UP, NO_ENGINE, WORKER = "up", "up --no-engine", "worker"
