"""The engine of one process: takes in what arrives and what is due, and carries it out.

Correctness is the ledger's (guarded updates, fences); this only brings work to the workers, and holds nothing that a
restart would miss.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random, SystemRandom

import structlog

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection, Crosswalk
from bellwire.engine.burial import bury
from bellwire.engine.execution import Execution, LostClaim
from bellwire.engine.health import Health
from bellwire.engine.loading import Loaded, load
from bellwire.engine.means import Means
from bellwire.engine.normalise import Listeners, Reading, Started, fault, read, record
from bellwire.errors import BellwireError, FlowError, LedgerBusy
from bellwire.events import Delivery
from bellwire.flows import Flow
from bellwire.ledger import Database, Rows, RunRow, deliveries, runs

log = structlog.get_logger()

_AT_ONCE = 64
"""Deliveries that are normalised in one go."""
_ADOPTED = 256
"""Deliveries that are taken out of the ledger in one go."""
_POLL = 0.5
"""Seconds between looks for what other processes left in the ledger."""
_LONG_AGO = timedelta(minutes=10)
"""What was received before that gives way to what comes in now."""
_SET_BACK = 1.0
"""Seconds: less than this is a clock that is being slowed down."""
_REMEMBERED = 10_000
"""Deliveries and runs that may wait in memory; more wait in the ledger."""


@dataclass(frozen=True)
class Turn:
    """A run that this process holds, and how it is taken up."""

    run: int
    fence: int
    flow: str
    take_up: Callable[[], Execution]


class Engine:
    """Runs the flows of one project. `start` it, tell it what `arrived`, `stop` it."""

    def __init__(
        self,
        ledger: Database,
        connections: dict[str, Connection],
        flows: Sequence[Flow],
        crosswalk: Crosswalk,
        *,
        clock: Clock = system_clock,
        workers: int = 64,
        random: Random | None = None,
    ) -> None:
        self._ledger = ledger
        self._connections = connections
        self._clock = clock
        self._workers = workers
        random = random or SystemRandom()
        self._health = Health(ledger, connections, crosswalk, clock, random)
        self._means = Means(ledger, connections, crosswalk, clock, random, self._health)
        self._flows = {flow.hash: flow for flow in flows}
        self._listeners: Listeners = _listeners(flows)
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
        self._ahead = 0.0
        self._running: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> int:
        """Take up what an earlier process left unfinished, and begin. Returns how many runs had been interrupted."""
        now = self._clock()
        self._ahead = self._clock_ahead()

        def prepare(rows: Rows) -> int:
            for flow in self._flows.values():
                runs.keep_flow(rows, flow.id, flow.hash, flow.source, now)
            runs.hasten(rows, now)
            return runs.recover(rows, now)

        interrupted = await self._ledger.write(prepare)
        await self._health.load()
        # Before what arrives from now on: it may be about the same, and came earlier.
        await self._adopt()
        self._loops = [
            asyncio.create_task(self._forever(self._normalise), name="normaliser"),
            asyncio.create_task(self._forever(self._look), name="due-work"),
        ]
        return interrupted

    async def stop(self, grace: float = 10.0) -> None:
        """Take no more work, and give what is going on `grace` seconds to come to its end."""
        loops, self._loops = self._loops, []
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        self._health.stop()
        self._ready.clear()
        going_on = self._running | self._recording
        if going_on:
            _, late = await asyncio.wait(going_on, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def arrived(self, number: int, delivery: Delivery) -> None:
        """A delivery is durable: normalise it soon. If too many wait already, the ledger keeps it for later."""
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
        """Whether anything is going on in this process."""
        return bool(self._arrived or self._recording or self._ready or self._running)

    # Deliveries

    async def _normalise(self) -> None:
        """Read what has arrived. The ledger's group commit makes one transaction of what is recorded together."""
        await self._wake.wait()
        for _ in range(min(_AT_ONCE, len(self._arrived))):
            number, delivery = self._arrived.popleft()
            connection = self._connections.get(delivery.connection)
            task = asyncio.create_task(self._record(read(number, delivery, connection), connection))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)
        if not self._arrived:
            self._wake.clear()
            if self._behind:
                self._room.set()
        await asyncio.sleep(0)

    async def _record(self, reading: Reading, connection: Connection | None) -> None:
        now = self._clock()
        holding = len(self._ready) < _REMEMBERED
        try:
            started = await self._ledger.write(
                lambda rows: record(rows, reading, self._listeners, connection, now=now, holding=holding)
            )
        except LedgerBusy as error:
            # It stays `received` in the ledger, and is found again by `_look`.
            log.error("a delivery could not be recorded yet", delivery=reading.delivery, error=str(error))
            return
        except Exception as error:
            log.exception("a delivery could not be recorded", delivery=reading.delivery)
            buried = replace(reading, problem=fault(error))
            await self._ledger.write(
                lambda rows: record(rows, buried, self._listeners, connection, now=now, holding=holding)
            )
            return
        finally:
            self._reading.discard(reading.delivery)
        turns = [self._begun(run) for run in started]
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
            loaded = await self._ledger.read(lambda rows: [_loaded(rows, run) for run in claimed])
        except BaseException:
            self._stranded += [(run.id, run.fence) for run in claimed]
            raise
        for run, found in zip(claimed, loaded, strict=True):
            self._enqueue(Turn(run.id, run.fence, run.flow, partial(self._resumed, found)))
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
        if self._ready or not self._has_room or not self._loops:
            self._enqueue(turn)
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._finished)
        await self._carry(turn)

    def _enqueue(self, turn: Turn) -> None:
        self._ready.append(turn)
        self._fill()

    @property
    def _has_room(self) -> bool:
        """Whether one more run can be carried. Those that wait for a vendor's limits take nobody's place."""
        queued = sum(connection.api.gate.waiting for connection in self._connections.values())
        return len(self._running) - queued < self._workers

    def _is_late(self, received_at: datetime) -> bool:
        return self._clock() - received_at > _LONG_AGO

    def _fill(self) -> None:
        while self._loops and self._ready and self._has_room:
            task = asyncio.create_task(self._carry(self._ready.popleft()))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._loops:
            self._fill()
        if self._more and len(self._ready) < self._workers:
            self._room.set()

    async def _carry(self, turn: Turn) -> None:
        """To its end for now. Whatever happens, somebody has the run afterwards: the ledger, or a person."""
        try:
            execution = turn.take_up()
            await execution.carry()
            if execution.followers:
                self._room.set()
        except LostClaim:
            log.warning("another worker holds the run", run=turn.run)
        except LedgerBusy as error:
            log.error("a run could not go on", run=turn.run, error=str(error))
            self._stranded.append((turn.run, turn.fence))
        except BellwireError as error:
            log.error("a run can't be carried out", run=turn.run, error=str(error))
            await self._bury(turn, error)
        except Exception as error:
            log.exception("a run failed unexpectedly", run=turn.run)
            await self._bury(turn, error)

    async def _bury(self, turn: Turn, error: Exception) -> None:
        now = self._clock()
        try:
            await self._ledger.write(lambda rows: bury(rows, turn.run, turn.fence, turn.flow, error, now))
        except Exception as trouble:
            log.error("a run could not be buried", run=turn.run, error=str(trouble))
            self._stranded.append((turn.run, turn.fence))

    def _begun(self, started: Started) -> Turn:
        """A run that has just been recorded, by this process."""
        late = self._is_late(started.received_at)
        take_up = partial(Execution, self._means, started.run, 1, "", started.event, started.flow, late)
        return Turn(started.run, 1, started.flow.id, take_up)

    def _resumed(self, loaded: Loaded | Exception) -> Execution:
        """A run of an earlier turn. Raises what it couldn't be loaded for."""
        if isinstance(loaded, Exception):
            raise loaded
        run = loaded.run
        late = bool(run.nonce) or self._is_late(run.received_at)
        execution = Execution(self._means, run.id, run.fence, run.nonce, loaded.event, loaded.flow, late)
        execution.resume(loaded.past, interrupted=run.interrupted, retried=run.retried_at is not None)
        return execution

    # What goes on all the time

    async def _mind_the_clock(self) -> None:
        """The ledger knows by the machine's clock when a run is due. If that is set back, it would wait for too long;
        set forward, it is tried early, which does no harm."""
        ahead = self._clock_ahead()
        if ahead < self._ahead - _SET_BACK:
            self._health.try_soon()
            hastened = await self._ledger.write(lambda rows: runs.hasten(rows, self._clock()))
            log.warning("the machine's clock was set back", seconds=round(self._ahead - ahead), runs=hastened)
        self._ahead = ahead

    def _clock_ahead(self) -> float:
        """Seconds by which the machine's clock is ahead of the loop's: always the same, unless somebody sets it."""
        return self._clock().timestamp() - asyncio.get_running_loop().time()

    async def _look(self) -> None:
        """Find what other processes, an earlier one, or time itself left to do in the ledger."""
        await self._mind_the_clock()
        await self._release()
        await self._health.look()
        self._more = await self._claim()
        self._more = await self._adopt() or self._more
        # A long backlog is taken in portions, each as soon as the one before it is nearly through.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), _POLL)
        self._room.clear()

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except LedgerBusy as error:
                log.error("the ledger is busy", error=str(error))
                await asyncio.sleep(_POLL)
            except Exception:
                log.exception("the engine stumbled and goes on")
                await asyncio.sleep(_POLL)


def _listeners(flows: Sequence[Flow]) -> Listeners:
    found: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        found.setdefault((flow.connection, flow.event_type), []).append(flow)
    return found


def _loaded(rows: Rows, run: RunRow) -> Loaded | Exception:
    """One that can't be loaded holds no other up: why it can't is told when it is taken up."""
    try:
        return load(rows, run)
    except FlowError as error:
        return error
