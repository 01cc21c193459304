"""Keeps the ledger small while work goes on: the purge, in steps that hold nobody up, and the bound of its log."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from bellwire.clock import Clock, system_clock
from bellwire.errors import LedgerBusy
from bellwire.ledger import checks, consents, errands, purge, sales
from bellwire.ledger.database import Database, Rows
from bellwire.ledger.purge import Found, PurgeRow

T = TypeVar("T")
log = structlog.get_logger()

_LOOKED_AT = 1_000
"""Rows that are looked at in one go."""
_AT_ONCE = 100
"""Rows that are taken out in one transaction: a few milliseconds."""
_PAGES = 128
"""Pages that are given back in one transaction."""
_REST = 2.0
"""Seconds between two transactions for each second that the last one took: what came meanwhile goes first."""
_FIRST = timedelta(minutes=1)
"""After the start, which has better things to do."""
_EVERY = timedelta(days=1)
_LOG_BOUND = 64 * 1024 * 1024
"""Bytes. When the log is larger, those who write wait for those who read, so that it can begin anew."""


@dataclass(frozen=True)
class Keep:
    """For how long what was taken in is kept: deliveries as they arrived and what vendors were asked, and the details
    of events and runs."""

    payloads: timedelta
    details: timedelta

    @classmethod
    def days(cls, payloads: int, details: int) -> "Keep":
        return cls(timedelta(days=payloads), timedelta(days=details))


@dataclass(frozen=True)
class Purged:
    """What was taken out (or, by a trial, would be)."""

    payloads: int = 0
    events: int = 0
    size: int = 0
    """Bytes of all that."""
    given_back: int = 0
    """Bytes by which the ledger's files are smaller now."""


class Housekeeping:
    """Of one ledger: `purge` once, or `run` beside the work. `keep` says for how long just now."""

    def __init__(
        self, ledger: Database, keep: Callable[[], Keep], *, clock: Clock = system_clock, log_bound: int = _LOG_BOUND
    ) -> None:
        self._ledger = ledger
        self._keep = keep
        self._clock = clock
        self._log_bound = log_bound

    async def run(self) -> None:
        """Until it is cancelled."""
        await asyncio.gather(self._bound_log(), self._purge_daily())

    async def purge(self, *, trial: bool = False, progress: Callable[[Purged], None] = lambda _: None) -> Purged:
        """Take out what is older than it is to be kept, and give the room back to the disk; a `trial` only looks.
        `progress` hears how far it is. Raises LedgerBusy, OSError."""
        now, keep, before = self._clock(), self._keep(), await self._ledger.size()
        done = Purged()
        remove = None if trial else purge.remove_payloads
        async for count, length in self._take_out(purge.old_payloads, remove, now - keep.payloads):
            done = replace(done, payloads=done.payloads + count, size=done.size + length)
            progress(done)
        remove = None if trial else purge.remove_exchanges
        async for _, length in self._take_out(purge.old_exchanges, remove, now - keep.payloads):
            done = replace(done, size=done.size + length)
            progress(done)
        remove = None if trial else purge.empty_events
        async for count, length in self._take_out(purge.old_events, remove, now - keep.details):
            done = replace(done, events=done.events + count, size=done.size + length)
            progress(done)
        if trial:
            return done
        last = (now - sales.KEPT).date()
        while await self._step(lambda rows: sales.forget(rows, last, _AT_ONCE)):
            pass
        while await self._step(lambda rows: errands.forget(rows, now - keep.details, _AT_ONCE)):
            pass
        await self._step(lambda rows: checks.forget(rows, now - keep.payloads))
        await self._step(lambda rows: consents.forget(rows, now))
        while await self._step(lambda rows: rows.give_back(_PAGES)):
            pass
        await self._ledger.begin_log_anew()
        done = replace(done, given_back=max(0, before.file - (await self._ledger.size()).file))
        row = PurgeRow(now, done.payloads, done.events, done.size, done.given_back)
        await self._ledger.write(lambda rows: purge.note(rows, row))
        return done

    async def _take_out(
        self,
        look: Callable[[Rows, datetime, int, int], Found],
        remove: Callable[[Rows, Sequence[int]], int] | None,
        before: datetime,
    ) -> AsyncIterator[tuple[int, int]]:
        """Portion by portion; gives of each how many it was, and how many bytes."""
        after: int | None = 0
        while after is not None:
            begin = after
            found = await self._ledger.read(lambda rows, begin=begin: look(rows, before, begin, _LOOKED_AT))  # type: ignore[misc]
            for first in range(0, len(found.old), _AT_ONCE):
                portion = found.old[first : first + _AT_ONCE]
                ids = [number for number, _ in portion]
                count = len(ids) if remove is None else await self._step(lambda rows, ids=ids: remove(rows, ids))  # type: ignore[misc]
                yield count, sum(length for _, length in portion)
            after = found.after

    async def _step(self, operation: Callable[[Rows], T]) -> T:
        """One transaction, and a rest."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        result = await self._ledger.write(operation)
        await asyncio.sleep((loop.time() - began) * _REST)
        return result

    async def _purge_daily(self) -> None:
        await asyncio.sleep(_FIRST.total_seconds())
        while True:
            try:
                purged = await self.purge()
                if purged != Purged():
                    log.info("purged", payloads=purged.payloads, events=purged.events, given_back=purged.given_back)
            except Exception as error:
                log.error("what is old could not be purged; tomorrow again", error=str(error))
            await asyncio.sleep(_EVERY.total_seconds())

    async def _bound_log(self) -> None:
        """What is committed is taken over after every few commits, and then the log begins anew: but only if nobody
        reads at that moment. With many readers it may find none for long, and grow."""
        held = False
        while True:
            await asyncio.sleep(1)
            length = self._ledger.log_bytes()
            if length <= self._log_bound:
                held = False
                continue
            try:
                in_the_way = "" if await self._ledger.begin_log_anew() else "Somebody has been reading for long."
            except LedgerBusy as error:
                in_the_way = str(error)
            if in_the_way and not held:
                log.warning("the ledger's log grows", bytes=length, reason=in_the_way)
            held = bool(in_the_way)
