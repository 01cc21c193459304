"""The engine of one process: takes in what arrives and what is due, and carries it out.

Correctness is the ledger's (guarded updates, fences); this only brings work to the workers, and holds nothing that a
restart would miss.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random, SystemRandom

import structlog

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection, Crosswalk
from bellwire.engine.execution import Execution, LostClaim
from bellwire.engine.health import Health
from bellwire.engine.means import Means
from bellwire.engine.normalise import Listeners, Reading, fault, read, record
from bellwire.errors import LedgerBusy
from bellwire.events import Delivery, Environment, Event, FreeForm, data_model
from bellwire.flows import Flow, parse_flow
from bellwire.ledger import AttemptRow, Database, EventRow, Rows, RunRow, deliveries, events, runs

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
        self._ready: deque[Callable[[], Execution]] = deque()
        self._wake = asyncio.Event()
        self._reading: set[int] = set()
        self._recording: set[asyncio.Task[None]] = set()
        self._stranded: list[Execution] = []
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
        if len(self._arrived) < _REMEMBERED and number not in self._reading:
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
        executions = [
            partial(self._execution, run.run, 1, "", run.event, run.flow, self._is_late(run.received_at))
            for run in started
        ]
        for execution in executions[1:]:
            self._enqueue(execution)
        if executions:
            await self._go_on(executions[0])

    async def _adopt(self) -> bool:
        """Deliveries in the ledger that nobody is reading: from before a restart, or reopened by a person. Returns
        whether there may be more of them."""
        if self._arrived:
            return False
        found = await self._ledger.read(lambda rows: deliveries.waiting(rows, after=0, limit=_ADOPTED))
        for number, delivery in found:
            self.arrived(number, delivery)
        return len(found) == _ADOPTED

    # Runs

    async def _claim(self) -> bool:
        """Runs that are due: retries, timers, and what an earlier process or the command line left. Returns whether
        there may be more of them."""
        room = self._workers * 4 - len(self._ready)
        now = self._clock()
        if room <= 0 or not await self._ledger.read(lambda rows: runs.any_due(rows, now)):
            return room <= 0
        claimed = await self._ledger.write(lambda rows: runs.claim(rows, now, room))
        for run, event, past, source in await self._ledger.read(lambda rows: _load(rows, claimed)):
            self._enqueue(partial(self._resumed, run, event, past, source))
        return len(claimed) == room

    async def _release(self) -> None:
        """Runs that this process holds but couldn't carry on, because the ledger couldn't be written."""
        now = self._clock()
        for execution in list(self._stranded):
            run, fence = execution.run, execution.fence
            await self._ledger.write(lambda rows, run=run, fence=fence: runs.release(rows, run, fence, now))  # type: ignore[misc]
            self._stranded.remove(execution)

    async def _go_on(self, make: Callable[[], Execution]) -> None:
        """Carry a run in the task that recorded it, if there is a place for it."""
        if self._ready or not self._has_room or not self._loops:
            self._enqueue(make)
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._finished)
        await self._carry(make())

    def _enqueue(self, make: Callable[[], Execution]) -> None:
        self._ready.append(make)
        self._fill()

    @property
    def _has_room(self) -> bool:
        """Whether one more run can be carried. Those that wait for a vendor's limits take nobody's place."""
        queued = sum(connection.api.gate.waiting for connection in self._connections.values())
        return len(self._running) - queued < self._workers

    def _is_late(self, received_at: datetime) -> bool:
        return self._clock() - received_at > _LONG_AGO

    def _fill(self) -> None:
        while self._ready and self._has_room:
            task = asyncio.create_task(self._carry(self._ready.popleft()()))
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._loops:
            self._fill()
        if self._more and len(self._ready) < self._workers:
            self._room.set()

    async def _carry(self, execution: Execution) -> None:
        try:
            await execution.carry()
            if execution.followers:
                self._room.set()
        except LostClaim:
            log.warning("another worker holds the run", run=execution.run)
        except LedgerBusy as error:
            log.error("a run could not go on", run=execution.run, error=str(error))
            self._stranded.append(execution)
        except Exception as error:
            log.exception("a run failed unexpectedly", run=execution.run)
            try:
                await execution.bury(error)
            except LedgerBusy:
                self._stranded.append(execution)

    def _resumed(self, run: RunRow, event: Event, past: Sequence[AttemptRow], source: str) -> Execution:
        flow = self._flows.get(run.flow_hash)
        if flow is None:
            flow = self._flows[run.flow_hash] = parse_flow(source, Path(f"flows/{run.flow}.yaml"))
        late = bool(run.nonce) or self._is_late(run.received_at)
        execution = self._execution(run.id, run.fence, run.nonce, event, flow, late)
        execution.resume(past, interrupted=run.interrupted, retried=run.retried_at is not None)
        return execution

    def _execution(self, run: int, fence: int, nonce: str, event: Event, flow: Flow, late: bool) -> Execution:
        return Execution(self._means, run, fence, nonce, event, flow, late)

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


def _load(rows: Rows, claimed: Sequence[RunRow]) -> list[tuple[RunRow, Event, list[AttemptRow], str]]:
    """What the runs need to go on: their event, their attempts, and their flow's text."""
    loaded = []
    for run in claimed:
        row = events.find(rows, run.event)
        source = runs.flow_source(rows, run.flow_hash)
        assert row is not None and source is not None, f"run {run.id} has lost its event or its flow"
        loaded.append((run, event_of(row), runs.attempts(rows, run.id), source))
    return loaded


def event_of(row: EventRow) -> Event:
    """The event that a row of the ledger holds; without its data, if that was purged."""
    return Event(
        type=row.type,
        connection=row.connection,
        environment=Environment(row.environment),
        business_key=row.business_key,
        subject=row.subject,
        time=row.time,
        version=row.version,
        data=FreeForm() if row.purged else data_model(row.type).model_validate_json(row.data),
    )
