"""The engine of one of several processes, which share a ledger and a queue on it.

A job of the queue holds the runs that are carried for it. As long as this process keeps its jobs, nobody else has
them. If it doesn't (it was killed, or stopped for too long), another is brought the same job and takes the runs over:
with a new fence, so that nothing which this one might still write is written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog

from bellwire.engine.engine import POLL, Engine, Setting, Turn, loaded
from bellwire.engine.normalise import read
from bellwire.errors import LedgerBusy
from bellwire.events import Delivery
from bellwire.ledger import Job, Kind, Queue, Rows, RunRow, deliveries, runs

log = structlog.get_logger()

_AT_ONCE = 32
"""Jobs that are taken in one go."""
_OFTEN = 6
"""So many times until a job would lapse the queue is told about it; in the last of these times nothing is sent for it
any more."""
_SWEPT = 60.0
"""Seconds between looks for what isn't in the queue and should be."""


Opened = Delivery | list[Turn]
"""What a job is about: a delivery that is to be read, or runs that this process holds."""


@dataclass(eq=False)
class _Hold:
    """A job in hand. One that lapsed and is brought to this process again is another."""

    job: Job
    heard_at: float
    """When the queue last heard of it, by the loop's clock."""


class _Taken(NamedTuple):
    runs: list[RunRow]
    over: bool
    """From a process that is thought to be gone."""


class QueuedEngine(Engine):
    def __init__(self, setting: Setting, queue: Queue) -> None:
        super().__init__(setting)
        self._queue = queue
        self._kept: dict[int, _Hold] = {}
        """By the numbers of their jobs."""
        self._done: list[_Hold] = []
        """Jobs that the queue may forget."""
        self._some_done = asyncio.Event()
        self._swept_at = 0.0

    async def stop(self, grace: float = 10.0) -> None:
        await super().stop(grace)
        with suppress(LedgerBusy):
            await self._give_back()
        await self._queue.close()

    def arrived(self, number: int, delivery: Delivery) -> None:
        """Its job is in the queue already, and whichever process has room gets it."""

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def _recover(self, rows: Rows) -> int:
        deliveries.sweep(rows)
        return runs.sweep(rows, self._clock(), timedelta(seconds=self._queue.lapse))

    def _steps(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {"jobs": self._fetch, "keeping": self._keep, "finishing": self._finish, "due-work": self._look}

    # Jobs

    async def _fetch(self) -> None:
        """Take jobs, as many as there is room for."""
        room = min(_AT_ONCE, self._places)
        if room <= 0:
            await asyncio.wait(self._running, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
            return
        asked_at = asyncio.get_running_loop().time()
        jobs = await self._queue.take(room)
        if not jobs:
            await self._queue.wait(POLL)
            return
        holds = [_Hold(job, asked_at) for job in jobs]
        self._kept.update((hold.job.id, hold) for hold in holds)
        found: dict[int, Opened] | None = None
        with self._going_on_later():
            found = await self._open(jobs)
        for hold in holds:
            task = asyncio.create_task(self._deal(hold, None if found is None else found.get(hold.job.id, [])))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _open(self, jobs: Sequence[Job]) -> dict[int, Opened]:
        """What jobs are about, if it is still to be done, by job."""
        to_read = {job.number: job.id for job in jobs if job.kind is Kind.READ}
        received: dict[int, Delivery] = {}
        if to_read:
            received = await self._ledger.read(lambda rows: deliveries.received(rows, list(to_read)))
        found: dict[int, Opened] = {to_read[number]: delivery for number, delivery in received.items()}
        others = [job for job in jobs if job.id not in found]
        if others:
            now = self._clock()
            taken = await asyncio.gather(
                *(self._ledger.write(partial(_take, job=job, now=now), lane=f"job {job.id}") for job in others)
            )
            held = {job.id: found for job, found in zip(others, taken, strict=True)}
            turns = await self._ledger.read(
                lambda rows: {
                    job: [self._resuming(run, loaded(rows, run), taken_over=taken.over) for run in taken.runs]
                    for job, taken in held.items()
                }
            )
            found.update(turns)
        return found

    async def _deal(self, hold: _Hold, found: Opened | None) -> None:
        """With one job, until all that it is about is in the ledger's hands again. If the ledger can't be used, or it
        was uncertain for a time whose the job is, what this process has by it is taken up anew once that is over. None:
        it isn't known yet what it is about."""
        job, holds = hold.job, partial(self._holds, hold)
        while True:
            with self._going_on_later():
                if found is None:
                    found = (await self._open([job])).get(job.id, [])
                if isinstance(found, Delivery):
                    connection = self._connections.get(found.connection)
                    reading = read(job.number, found, connection)
                    found = await self._record(reading, connection, holding=True, job=job.id)
                # One that fails leaves the others be.
                ends = await asyncio.gather(*(self._carry(turn, holds) for turn in found), return_exceptions=True)
                if not any(isinstance(end, BaseException) for end in ends):
                    self._done.append(hold)
                    self._some_done.set()
                    return
            found = None
            await asyncio.sleep(POLL)
            if not holds():
                self._forget(hold)
                return

    @contextmanager
    def _going_on_later(self) -> Iterator[None]:
        """What fails in the block is told, and will be tried again."""
        try:
            yield
        except LedgerBusy as error:
            log.error("the ledger is busy", error=str(error))
        except Exception:
            log.exception("the engine stumbled and goes on")

    async def _give_back(self) -> None:
        """At the end: what couldn't be brought to its end goes on elsewhere, at once."""
        left, now = await self._queue.keep_all(), self._clock()
        await self._ledger.write(lambda rows: [runs.give_back(rows, job, now) for job in left])
        await self._queue.finish(list(left))
        # What was only to be begun has lost its job too.
        await self._ledger.write(self._recover)

    def _holds(self, hold: _Hold) -> bool:
        """Whether it is certain that nobody has been brought this job since."""
        lapse = self._queue.lapse
        unheard = asyncio.get_running_loop().time() - hold.heard_at
        return self._kept.get(hold.job.id) is hold and unheard < lapse - lapse / _OFTEN

    def _forget(self, hold: _Hold) -> None:
        if self._kept.get(hold.job.id) is hold:
            del self._kept[hold.job.id]

    async def _keep(self) -> None:
        """Tell the queue that the jobs in hand are being dealt with."""
        asked_at = asyncio.get_running_loop().time()
        holds = list(self._kept.values())
        still = await self._queue.keep([hold.job.id for hold in holds])
        for hold in holds:
            if hold.job.id in still:
                hold.heard_at = asked_at
            else:
                self._forget(hold)
        await asyncio.sleep(self._queue.lapse / _OFTEN)

    async def _finish(self) -> None:
        await self._some_done.wait()
        self._some_done.clear()
        done = list(self._done)
        try:
            await self._queue.finish([hold.job.id for hold in done if self._kept.get(hold.job.id) is hold])
        except LedgerBusy:
            self._some_done.set()
            raise
        del self._done[: len(done)]
        for hold in done:
            self._forget(hold)

    # What goes on all the time

    async def _look(self) -> None:
        """Bring what has become due into the queue. Every process does, and none has to."""
        await self._mind_the_clock()
        await self._health.compare()
        await self._health.look()
        now = self._clock()
        await self._timetable.look(now)
        if await self._ledger.read(lambda rows: runs.any_due(rows, now)):
            await self._ledger.write(lambda rows: runs.bring_due(rows, now))
        if asyncio.get_running_loop().time() - self._swept_at > _SWEPT:
            self._swept_at = asyncio.get_running_loop().time()
            await self._ledger.write(self._recover)
        await asyncio.sleep(POLL)


def _take(rows: Rows, job: Job, now: datetime) -> _Taken:
    # What is mostly so is looked at first: it costs least.
    run = runs.take(rows, job.number, job.id, now) if job.kind is Kind.CARRY else None
    return _Taken([run], False) if run else _Taken(runs.take_over(rows, job.id), True)
