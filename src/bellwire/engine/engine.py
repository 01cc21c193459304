"""What every engine does: takes in deliveries, carries runs to their end. Who brings them to it differs.

Correctness is the ledger's (guarded updates, fences); an engine holds nothing that a restart would miss.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random, SystemRandom

import structlog

from bellwire.business import BusinessCalendar
from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection, Crosswalk
from bellwire.connectors.opening import own_connection
from bellwire.engine.burial import bury
from bellwire.engine.execution import Execution
from bellwire.engine.health import Health
from bellwire.engine.links import Links
from bellwire.engine.loading import Loaded, load
from bellwire.engine.means import Means
from bellwire.engine.normalise import Reading, fault, record
from bellwire.engine.sending import LostClaim
from bellwire.engine.starting import Listeners, Started
from bellwire.engine.timetable import Timetable
from bellwire.engine.watching import Watcher
from bellwire.errors import BellwireError, FlowError, LedgerBusy
from bellwire.events import Delivery
from bellwire.flows import Flow
from bellwire.ledger import Database, Rows, RunRow, runs, versions

log = structlog.get_logger()

POLL = 0.5
"""Seconds between looks for what other processes, or time, left in the ledger."""
_LONG_AGO = timedelta(minutes=10)
"""What was received before that gives way to what comes in now."""
_SET_BACK = 1.0
"""Seconds: less than this is a clock that is being slowed down."""


@dataclass(frozen=True)
class Turn:
    """A run that this process holds, and how it is taken up."""

    run: int
    fence: int
    flow: str
    take_up: Callable[[], Execution]


@dataclass(frozen=True)
class Setting:
    """What an engine works with. `workers`: how many runs it carries at once; `random` decides how long retries
    wait."""

    ledger: Database
    connections: Mapping[str, Connection]
    flows: Sequence[Flow]
    crosswalk: Crosswalk
    clock: Clock = system_clock
    business: BusinessCalendar = field(default_factory=BusinessCalendar)
    public_url: str = ""
    """Where people reach Bellwire, for links to what flows ask."""
    workers: int = 64
    random: Random = field(default_factory=SystemRandom)
    own: Connection | None = None
    """Bellwire's own connection, where it knows more than every project's does."""
    watcher: Watcher | None = None
    """Who sees events, and what actions bring; None: nobody."""
    exchanges: Callable[[], bool] = lambda: True
    """Whether what vendors are asked and answer is kept just now."""


class Engine(ABC):
    """Runs the flows of one project. `start` it, tell it what `arrived`, `stop` it."""

    def __init__(self, setting: Setting) -> None:
        self._ledger = ledger = setting.ledger
        self._connections = connections = dict(setting.connections)
        self._clock = clock = setting.clock
        self._workers = setting.workers
        self._health = Health(ledger, connections, setting.crosswalk, clock, setting.random)
        self._listeners = listeners = Listeners.of(setting.flows)
        self._means = Means(
            ledger,
            connections,
            setting.crosswalk,
            clock,
            setting.random,
            self._health,
            setting.business,
            setting.own or own_connection(clock),
            Links(setting.public_url),
            listeners,
            setting.watcher,
            setting.exchanges,
        )
        self._flows = tuple(setting.flows)
        self._timetable = Timetable(ledger, setting.flows, connections, listeners)
        self._ahead = 0.0
        self._running: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []

    @property
    def means(self) -> Means:
        """What its runs are carried out with, for what people look up about them."""
        return self._means

    async def start(self) -> int:
        """Take up what an earlier process left unfinished, and begin. Returns how many runs had been interrupted."""
        now = self._clock()
        self._ahead = self._clock_ahead()

        def prepare(rows: Rows) -> int:
            _prepare(rows, self._flows, self._timetable, now)
            runs.hasten(rows, now)
            self._means.links.prepare(rows)
            return self._recover(rows)

        interrupted = await self._ledger.write(prepare)
        await self._health.load()
        await self._begin_with()
        self._loops = [asyncio.create_task(self._forever(step), name=name) for name, step in self._steps().items()]
        return interrupted

    async def use(self, flows: Sequence[Flow], watcher: Watcher | None) -> None:
        """Work with other flows from the next event on. Runs that have begun go on as they were. Raises LedgerBusy:
        then nothing has changed."""
        listeners = Listeners.of(flows)
        timetable = Timetable(self._ledger, flows, self._connections, listeners)
        now = self._clock()
        await self._ledger.write(lambda rows: _prepare(rows, flows, timetable, now))
        self._flows, self._listeners, self._timetable = tuple(flows), listeners, timetable
        self._means = self._means.listening(listeners, watcher)

    async def stop(self, grace: float = 10.0) -> None:
        """Take no more work, and give what is going on `grace` seconds to come to its end."""
        loops, self._loops = self._loops, []
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        self._health.stop()
        going_on = self._going_on()
        if going_on:
            _, late = await asyncio.wait(going_on, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @abstractmethod
    def arrived(self, number: int, delivery: Delivery) -> None:
        """A delivery is durable: normalise it soon."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether anything is going on in this process."""

    def carrying(self) -> int:
        """How many runs, or jobs about some, are being dealt with."""
        return len(self._running)

    @abstractmethod
    def _recover(self, rows: Rows) -> int:
        """What an earlier process left in the middle is due again. Gives how many runs that are."""

    async def _begin_with(self) -> None:  # noqa: B027 - there may be nothing
        """What is done before anything arrives."""

    @abstractmethod
    def _steps(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is done again and again, by name."""

    @property
    def _places(self) -> int:
        """How many more runs can be carried. Those that wait for a vendor's limits take nobody's place."""
        queued = sum(connection.api.gate.waiting for connection in self._connections.values())
        return self._workers - len(self._running) + queued

    def _going_on(self) -> set[asyncio.Task[None]]:
        """What is given time at the end."""
        return self._running

    # Deliveries

    async def _record(
        self, reading: Reading, connection: Connection | None, *, holding: bool, job: int | None = None
    ) -> list[Turn]:
        """Write what a delivery means. Returns the runs that came of it, if this process is `holding` them. Raises
        LedgerBusy: then it stays `received` in the ledger."""
        now, watcher = self._clock(), self._means.watcher
        heeded = watcher is not None and any(map(watcher.heeds, reading.normalised.events))

        def write(rows: Rows) -> list[Started]:
            return record(
                rows, reading, self._listeners, connection, now=now, holding=holding, job=job, watcher=watcher
            )

        try:
            # Who watches looks beyond the subject.
            started = await self._ledger.write(write, lane=None if heeded else reading.subject)
        except LedgerBusy:
            raise
        except Exception as error:
            log.exception("a delivery could not be recorded", delivery=reading.delivery)
            buried = replace(reading, problem=fault(error))
            await self._ledger.write(
                lambda rows: record(rows, buried, self._listeners, connection, now=now, holding=holding, job=job)
            )
            return []
        return [self._begun(run) for run in started]

    # Runs

    async def _carry(self, turn: Turn, holds: Callable[[], bool] | None = None) -> int:
        """To its end for now. Returns how many others its end let go. Raises LedgerBusy, and leaves the run in this
        process's name; LostClaim, when another has it or might have; whatever else happens, somebody has it afterwards:
        the ledger, or a person."""
        try:
            execution = turn.take_up()
            await execution.carry(holds)
        except LostClaim:
            log.warning("another worker holds the run, or may", run=turn.run)
            raise
        except LedgerBusy as error:
            log.error("a run could not go on", run=turn.run, error=str(error))
            raise
        except BellwireError as error:
            log.error("a run can't be carried out", run=turn.run, error=str(error))
            await self._bury(turn, error)
        except Exception as error:
            log.exception("a run failed unexpectedly", run=turn.run)
            await self._bury(turn, error)
        else:
            return execution.followers
        return 0

    async def _bury(self, turn: Turn, error: Exception) -> None:
        now = self._clock()
        try:
            await self._ledger.write(lambda rows: bury(rows, turn.run, turn.fence, turn.flow, error, now))
        except Exception as trouble:
            log.error("a run could not be buried", run=turn.run, error=str(trouble))
            raise LedgerBusy(f"Run {turn.run} could not be ended.") from trouble

    def _is_late(self, received_at: datetime) -> bool:
        return self._clock() - received_at > _LONG_AGO

    def _begun(self, started: Started) -> Turn:
        """A run that has just been recorded, by this process."""
        late = self._is_late(started.received_at)
        take_up = partial(
            Execution, self._means, started.run, 1, "", started.event, started.flow, started.mode, late=late
        )
        return Turn(started.run, 1, started.flow.id, take_up)

    def _resuming(self, run: RunRow, found: Loaded | Exception, *, taken_over: bool = False) -> Turn:
        """A run of an earlier turn; `taken_over` from a process that is only thought to be gone."""
        return Turn(run.id, run.fence, run.flow, partial(self._resumed, found, taken_over))

    def _resumed(self, loaded: Loaded | Exception, taken_over: bool) -> Execution:
        """Raises what it couldn't be loaded for."""
        if isinstance(loaded, Exception):
            raise loaded
        run = loaded.run
        late = bool(run.nonce) or self._is_late(run.received_at)
        execution = Execution(
            self._means, run.id, run.fence, run.nonce, loaded.event, loaded.flow, loaded.mode, loaded.gathered, late
        )
        execution.ended_by = run.ended_by
        execution.resume(
            loaded.past, interrupted=run.interrupted, retried=run.retried_at is not None, taken_over=taken_over
        )
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

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except LedgerBusy as error:
                log.error("the ledger is busy", error=str(error))
                await asyncio.sleep(POLL)
            except Exception:
                log.exception("the engine stumbled and goes on")
                await asyncio.sleep(POLL)


def _prepare(rows: Rows, flows: Sequence[Flow], timetable: Timetable, now: datetime) -> None:
    """What has to be in the ledger before any of these begins."""
    for flow in flows:
        versions.put_in_force(rows, flow.id, flow.hash, flow.source, now)
    timetable.prepare(rows, now)


def loaded(rows: Rows, run: RunRow) -> Loaded | Exception:
    """One that can't be loaded holds no other up: why it can't is told when it is taken up."""
    try:
        return load(rows, run)
    except FlowError as error:
        return error
