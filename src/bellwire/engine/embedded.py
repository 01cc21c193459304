"""The engine that has its ledger to itself, in one process: an in-process queue, refilled from the ledger."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import structlog

from bellwire.connectors.kit import Connection
from bellwire.engine.engine import POLL, Engine, Setting, Turn, loaded
from bellwire.engine.normalise import Reading, read
from bellwire.engine.sending import LostClaim
from bellwire.errors import LedgerBusy
from bellwire.events import Delivery
from bellwire.ledger import Rows, deliveries, runs

log = structlog.get_logger()

_AT_ONCE = 64
"""Deliveries that are normalised in one go."""
_ADOPTED = 256
"""Deliveries that are taken out of the ledger in one go."""
_REMEMBERED = 10_000
"""Deliveries and runs that may wait in memory; more wait in the ledger."""


class EmbeddedEngine(Engine):
    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._arrived: deque[tuple[int, Delivery]] = deque()
        self._ready: deque[Turn] = deque()
        self._wake = asyncio.Event()
        self._reading: set[int] = set()
        self._recording: set[asyncio.Task[None]] = set()
        self._stranded: list[tuple[int, int]] = []
        """Run and fence of what this process holds and couldn't carry on, because the ledger couldn't be used."""
        self._behind = False
        """Whether the ledger holds deliveries that this process hasn't taken in. Those that come now have to wait until
        it has: they may be about the same."""
        self._passed_by = False
        """Whether one was left in the ledger for that since the last look."""
        self._more = False
        self._room = asyncio.Event()

    def _recover(self, rows: Rows) -> int:
        return runs.recover(rows, self._clock())

    def _steps(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {"normaliser": self._normalise, "due-work": self._look}

    async def _begin_with(self) -> None:
        # Before what arrives from now on: it may be about the same, and came earlier.
        await self._adopt()

    async def stop(self, grace: float = 10.0) -> None:
        self._ready.clear()
        await super().stop(grace)

    def arrived(self, number: int, delivery: Delivery) -> None:
        """If too many wait already, the ledger keeps it for later."""
        self._behind = self._behind or len(self._arrived) >= _REMEMBERED
        if self._behind:
            self._passed_by = True
        else:
            self._take_in(number, delivery)

    def _take_in(self, number: int, delivery: Delivery) -> None:
        if number not in self._reading:
            self._reading.add(number)
            self._arrived.append((number, delivery))
            self._wake.set()

    @property
    def busy(self) -> bool:
        return bool(self._arrived or self._recording or self._ready or self._running)

    def _going_on(self) -> set[asyncio.Task[None]]:
        return self._running | self._recording

    # Deliveries

    async def _normalise(self) -> None:
        """Read what has arrived. The ledger's group commit makes one transaction of what is recorded together."""
        await self._wake.wait()
        for _ in range(min(_AT_ONCE, len(self._arrived))):
            number, delivery = self._arrived.popleft()
            connection = self._connections.get(delivery.connection)
            task = asyncio.create_task(self._begin(read(number, delivery, connection), connection))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)
        if not self._arrived:
            self._wake.clear()
            if self._behind:
                self._room.set()
        await asyncio.sleep(0)

    async def _begin(self, reading: Reading, connection: Connection | None) -> None:
        try:
            turns = await self._record(reading, connection, holding=len(self._ready) < _REMEMBERED)
        except LedgerBusy as error:
            # It is found again by `_look`.
            log.error("a delivery could not be recorded yet", delivery=reading.delivery, error=str(error))
            return
        finally:
            self._reading.discard(reading.delivery)
        for turn in turns[1:]:
            self._enqueue(turn)
        if turns:
            await self._go_on(turns[0])

    async def _adopt(self) -> bool:
        """Deliveries in the ledger that nobody is reading: from before a restart, or reopened by a person. Returns
        whether there may be more of them."""
        if self._arrived:
            return self._behind
        self._passed_by = False
        # What is being read is still waiting there until that is committed.
        after = max(self._reading, default=0) if self._behind else 0
        found = await self._ledger.read(lambda rows: deliveries.waiting(rows, after=after, limit=_ADOPTED))
        self._behind = len(found) == _ADOPTED or self._passed_by
        for number, delivery in found:
            self._take_in(number, delivery)
        return self._behind

    # Runs

    async def _claim(self) -> bool:
        """Runs that are due: retries, timers, and what an earlier process or the command line left. Returns whether
        there may be more of them."""
        room = self._workers * 4 - len(self._ready)
        now = self._clock()
        if room <= 0 or not await self._ledger.read(lambda rows: runs.any_due(rows, now)):
            return room <= 0
        claimed = await self._ledger.write(lambda rows: runs.claim(rows, now, room))
        try:
            found = await self._ledger.read(lambda rows: [loaded(rows, run) for run in claimed])
        except BaseException:
            self._stranded += [(run.id, run.fence) for run in claimed]
            raise
        for run, one in zip(claimed, found, strict=True):
            self._enqueue(self._resuming(run, one))
        return len(claimed) == room

    async def _release(self) -> None:
        """What is stranded is due again, for whoever can carry it on."""
        now = self._clock()
        while self._stranded:
            run, fence = self._stranded[-1]
            await self._ledger.write(partial(runs.release, run=run, fence=fence, now=now))
            self._stranded.remove((run, fence))

    async def _go_on(self, turn: Turn) -> None:
        """Carry a run in the task that recorded it, if there is a place for it."""
        if self._ready or self._places <= 0 or not self._loops:
            self._enqueue(turn)
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._finished)
        await self._take_turn(turn)

    def _enqueue(self, turn: Turn) -> None:
        self._ready.append(turn)
        self._fill()

    def _fill(self) -> None:
        while self._loops and self._ready and self._places > 0:
            task = asyncio.create_task(self._take_turn(self._ready.popleft()))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._loops:
            self._fill()
        if self._more and len(self._ready) < self._workers:
            self._room.set()

    async def _take_turn(self, turn: Turn) -> None:
        try:
            with suppress(LostClaim):
                if await self._carry(turn):
                    self._room.set()
        except LedgerBusy:
            self._stranded.append((turn.run, turn.fence))

    # What goes on all the time

    async def _look(self) -> None:
        """Find what other processes, an earlier one, or time itself left to do in the ledger."""
        await self._mind_the_clock()
        await self._release()
        await self._health.look()
        await self._timetable.look(self._clock())
        self._more = await self._claim()
        self._more = await self._adopt() or self._more
        # A long backlog is taken in portions, each as soon as the one before it is nearly through.
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                await self._room.wait()
        self._room.clear()
