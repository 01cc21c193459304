"""The composition root: settings in, a running system out. The only place that wires rooms together.

From top to bottom it says who needs whom; leaving the block stops everything in reverse order.
"""

import asyncio
import fcntl
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, request_response

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.opening import open_connections, own_connection, own_connector
from bellwire.engine import Engine, Setting, open_engine
from bellwire.errors import ConfigurationError, LedgerBusy
from bellwire.events import OWN
from bellwire.flows import Flow, FlowFolder
from bellwire.insight import SPIKING, StockWatcher
from bellwire.intake import Health, Hooks, Limits, serve
from bellwire.ledger import NO_ENGINE, UP, WORKER, Database, Housekeeping, Keep, Presence, open_ledger
from bellwire.records import LedgerCrosswalk, Polling, Reconciler
from bellwire.settings import SETTINGS_FILE, ReorderPoint, Settings, read_stock_file
from bellwire.settings.live import LiveSettings
from bellwire.vault import Vault
from bellwire.watch import (
    Alerts,
    Concern,
    Metrics,
    announced,
    is_old,
    not_taken_over,
    not_used,
    old_secret,
    read_channels,
)

if TYPE_CHECKING:
    from bellwire.desk import Desk, Reach

_A_MOMENT = 3.0
"""Seconds."""


@dataclass(frozen=True)
class Project:
    """A project that is open: its files are read and checked, nothing runs yet."""

    settings: Settings
    connections: Mapping[str, Connection]
    folder: FlowFolder
    live: LiveSettings
    """What of the settings may change meanwhile."""
    reorder_points: Sequence[ReorderPoint] = ()

    @property
    def flows(self) -> Sequence[Flow]:
        """As they are now."""
        return self.folder.flows

    def watcher(self) -> StockWatcher | None:
        """Who watches the stock and the sales for these flows."""
        settings = self.settings
        return StockWatcher.of(
            self.reorder_points,
            settings.time_zone,
            settings.stock.connections,
            spikes=any((flow.connection, flow.event_type) == (OWN, SPIKING) for flow in self.flows),
        )

    def flow(self, name: str) -> Flow | None:
        """By id or by name, whatever the case; hyphens and underscores are the same."""
        wanted = name.lower().replace("-", "_")
        return next((flow for flow in self.flows if wanted in (flow.id.lower(), flow.name.lower())), None)

    def share(self, processes: int) -> None:
        """So many call the vendors: each takes its share of every account's limits."""
        for connection in self.connections.values():
            connection.api.gate.share(processes)


@dataclass(frozen=True)
class Bellwire:
    """A running system."""

    project: Project
    ledger: Database
    _engine: Engine | None
    port: int
    interrupted: int
    """How many runs an earlier process had left in the middle."""
    outdated: asyncio.Event
    """Set when a newer Bellwire has changed the ledger: this one has to stop."""
    polling: Polling
    """What has the vendors' lists read: of itself, unless this process is a worker, or has one flow `only`."""

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "it was begun without one"
        return self._engine

    @property
    def url(self) -> str:
        """Where the desk is, from this machine."""
        return _local_url(self.project.settings, self.port)

    def hook_url(self, connection: str) -> str:
        """Where a vendor sends the webhooks of a connection."""
        return f"{_public_url(self.project.settings, self.port)}/hooks/{connection}"


def _local_url(settings: Settings, port: int) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - only compared
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _public_url(settings: Settings, port: int) -> str:
    """Where it is reached from outside: if nobody set an address, and the port is whichever was free, at that one."""
    return _local_url(settings, port) if settings.public_url.endswith(":0") else settings.public_url


def settle_memory() -> None:
    """For a process that stays: what is loaded by now stays for good, so the garbage collector needn't look at it
    again, nor as often at what is new. Measured, it was a third of all time. Call it once everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@asynccontextmanager
async def opened(
    settings: Settings, environ: Mapping[str, str], clock: Clock = system_clock, *, only: str | None = None
) -> AsyncIterator[Project]:
    """A project with its connections, for the length of the block; of its flows, if so asked, `only` the one with this
    id. Raises ConfigurationError."""
    live = LiveSettings(settings.project, environ)
    vault = Vault.open(settings.data, environ)
    connections = open_connections(settings, vault, environ, clock)
    connectors = {name: connection.connector for name, connection in connections.items()} | own_connector()
    folder = FlowFolder(settings.flows, connectors, only=only)
    reorder_points = read_stock_file(settings.stock_file)
    try:
        yield Project(settings, connections, folder, live, reorder_points)
    finally:
        for connection in connections.values():
            await connection.api.close()


@asynccontextmanager
async def running(
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock = system_clock,
    *,
    work: str = UP,
    only: str | None = None,
    random: Random | None = None,
) -> AsyncIterator[Bellwire]:
    """A project at work: UP is intake, engine and desk, NO_ENGINE all but the engine, WORKER the engine alone.

    `only` is for one of its flows, `random` decides how long retries wait. Raises ConfigurationError.
    """
    async with AsyncExitStack() as stack:
        alone = settings.ledger_url.startswith("sqlite:")
        if alone:
            if work != UP:
                raise ConfigurationError(
                    "The ledger is a file, which one process has to itself: there, `bellwire up` does everything.",
                    remedy="`bellwire migrate --to postgresql://…` moves it to where several can share it.",
                )
            stack.enter_context(only_one(settings))
        project = await stack.enter_async_context(opened(settings, environ, clock, only=only))
        ledger = await stack.enter_async_context(
            open_ledger(settings.ledger_url, max_waiting=settings.intake.max_waiting)
        )
        if work != WORKER:
            reach = _reach(settings)
            if only is None:  # One flow by itself is a trial: nobody is called for that.
                alerts = _alerts(ledger, project, environ, clock, reach)
                await stack.enter_async_context(_beside(ledger.alone("alerts", partial(_alerting, alerts)), "alerts"))
            housekeeping = Housekeeping(ledger, partial(_kept, project.live), clock=clock)
            await stack.enter_async_context(_beside(ledger.alone("housekeeping", housekeeping.run), "housekeeping"))
        setting = _setting(project, ledger, clock, random or SystemRandom())
        engine = None if work == NO_ENGINE else open_engine(setting)
        presence = Presence(ledger, work, clock, carrying=engine.carrying if engine else int, shared=project.share)
        if not alone:
            await stack.enter_async_context(presence.held())
        interrupted = 0
        if engine is not None:
            interrupted = await engine.start()
            stack.push_async_callback(engine.stop)
            project.folder.follow(lambda flows: engine.use(flows, project.watcher()))
        port = 0
        polling = _polling(project, ledger, engine, clock)
        if work == WORKER:
            settle_memory()
        else:
            await polling.begin()
            port = await stack.enter_async_context(_serving(project, ledger, engine, clock, environ, reach))
            if only is None:
                await stack.enter_async_context(_beside(ledger.alone("polling", polling.run), "polling"))
        if only is None:
            await stack.enter_async_context(_beside(project.folder.watch(), "flows"))
        yield Bellwire(project, ledger, engine, port, interrupted, presence.outdated, polling)


def _setting(project: Project, ledger: Database, clock: Clock, random: Random) -> Setting:
    settings = project.settings
    return Setting(
        ledger,
        project.connections,
        project.flows,
        LedgerCrosswalk(ledger),
        clock,
        settings.calendar,
        settings.public_url,
        settings.engine.workers,
        random,
        own_connection(clock, [(point.sku, point.location) for point in project.reorder_points]),
        project.watcher(),
        lambda: project.live.keep.requests,
    )


def _reach(settings: Settings) -> "Reach":
    from bellwire.desk import Reach  # The slowest to load: only what serves waits for it.

    return Reach(settings.public_url, _local_url(settings, settings.port))


@asynccontextmanager
async def _serving(
    project: Project,
    ledger: Database,
    engine: Engine | None,
    clock: Clock,
    environ: Mapping[str, str],
    reach: "Reach",
) -> AsyncIterator[int]:
    """Intake and desk. Gives the port."""
    from bellwire.desk import Desk, Site

    settings = project.settings
    hooks = Hooks(
        project.connections,
        ledger,
        engine.arrived if engine else lambda _number, _delivery: None,
        limits=Limits(body=settings.intake.max_body, seconds=settings.intake.request_seconds),
        public_url=settings.public_url,
        clock=clock,
    )
    site = Site(
        ledger,
        project.flows,
        project.connections,
        clock=clock,
        business=settings.business,
        zone=settings.time_zone,
        host=settings.host,
        project=settings.project,
        reach=reach,
        live=project.live,
        vault=Vault.open(settings.data, environ),
        environ=environ,
        calendar=settings.calendar,
        folder=project.folder,
    )
    desk = Desk(site)
    metrics = Metrics(ledger, project.connections, hooks.tally, clock=clock)
    await metrics.start()
    app = web(Health(ledger), metrics, desk, settings.host)
    async with _counting(hooks):
        settle_memory()
        async with serve(app, settings.host, settings.port, hooks=hooks) as port:
            # Some vendors sign the address, too.
            hooks.public_url = reach.public = _public_url(settings, port)
            reach.local = _local_url(settings, port)
            try:
                async with _beside(desk.work(), "errands"), _beside(_later(desk.get_ready), "first page"):
                    yield port
            finally:
                desk.close()


def web(health: Health, metrics: Metrics, desk: "Desk", host: str) -> Starlette:
    """All that answers over HTTP, but for the webhooks; `host` is the address bound to."""
    from bellwire.desk import Guard

    elsewhere = PlainTextResponse("Metrics are for this machine only, and not through a proxy or tunnel.", 403)
    return Starlette(
        routes=[
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", Guard(request_response(metrics.answer), elsewhere, host)),
            *desk.routes(),
        ]
    )


def _polling(project: Project, ledger: Database, engine: Engine | None, clock: Clock) -> Polling:
    reconciler = Reconciler(ledger, clock, engine.arrived) if engine else Reconciler(ledger, clock)
    return Polling(project.connections, ledger, reconciler, clock)


@asynccontextmanager
async def _counting(hooks: Hooks) -> AsyncIterator[None]:
    async with _beside(hooks.count_forever(), "refusals"):
        yield
    # If the ledger can't be written at the end, that has been logged, and these few counts are all that it costs.
    with suppress(LedgerBusy):
        await hooks.count()


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
    """`work` goes on for the length of the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _later(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """A moment after the start, which has more urgent things to do."""
    await asyncio.sleep(_A_MOMENT)
    await work()


def _alerts(ledger: Database, project: Project, environ: Mapping[str, str], clock: Clock, reach: "Reach") -> Alerts:
    from bellwire.desk import in_letters

    settings = project.settings
    vault = Vault.open(settings.data, environ)
    read_channels(vault, environ)  # What can't be read is told now, not when there is something to tell.
    return Alerts(
        ledger,
        lambda: read_channels(vault, environ),
        lambda: project.live.alerts,
        systems={name: connection.manifest.title for name, connection in project.connections.items()},
        others=partial(_others, project, vault),
        clock=clock,
        zone=settings.time_zone,
        business=settings.business,
        reword=lambda text: in_letters(text, reach.public),
    )


def _kept(live: LiveSettings) -> Keep:
    keep = live.keep
    return Keep.days(keep.payloads, keep.details)


def _others(project: Project, vault: Vault, now: datetime) -> list[Concern]:
    """Which changed flows and settings aren't taken over, what vendors announced to this process, and which credentials
    have been the same for long."""
    connections = project.connections
    found = [not_taken_over(flow, str(error)) for flow, error in project.folder.wrong.items()]
    if project.live.mistake:
        found.append(not_used(SETTINGS_FILE, str(project.live.mistake)))
    found += [
        announced(name, connection.manifest.title, source, said)
        for name, connection in connections.items()
        for source, said in connection.api.notices.items()
    ]
    for name, connection in connections.items():
        for credential in connection.manifest.credentials:
            kept = vault.find(name, credential.field)
            if kept is not None and is_old(credential.field, kept.set_at, now):
                days = (now - kept.set_at).days
                found.append(old_secret(name, connection.manifest.title, credential.field, days))
    return found


async def _alerting(alerts: Alerts) -> None:
    alerts.start()
    try:
        await asyncio.Event().wait()
    finally:
        await alerts.stop()


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Two engines on one ledger would do everything twice: here, as far as this machine can tell. Raises
    ConfigurationError."""
    folder = _ledger_folder(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "engine.lock").open("w")
    except OSError as error:
        raise ConfigurationError(
            f"Bellwire can't write in {folder}: {error.strerror}.", remedy="May this user write there?"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Bellwire is running already for {settings.project}.", remedy="Stop it first, or use its desk."
            ) from error
        yield


def _ledger_folder(settings: Settings) -> Path:
    """Where the embedded ledger is: a pilot has one of its own, and may run beside."""
    kind, _, file = settings.ledger_url.partition(":///")
    return Path(file).parent if kind == "sqlite" else settings.data
