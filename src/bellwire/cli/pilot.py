"""`bellwire pilot`: ten test records through a flow, and a report that says ready or not."""

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import FAILED, HERE, Json, Project, print_json, read_project, say
from bellwire.errors import BellwireError, ConfigurationError, NotFound

if TYPE_CHECKING:
    from bellwire.app import Bellwire
    from bellwire.connectors.kit import Connection, Connector
    from bellwire.flows import Flow
    from bellwire.practice import Webhook
    from bellwire.practice.pilot import Report, Trial, Tried
    from bellwire.settings import Settings

_FIRST_ORDER = 2001


class On(StrEnum):
    """Where the records go."""

    PRACTICE = "practice"
    SANDBOX = "sandbox"


def register(app: typer.Typer) -> None:
    app.command()(pilot)


def pilot(
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="As `bellwire flow list` names it.")],
    on: Annotated[On, typer.Option(help="Simulated vendors, or the project's own sandbox accounts.")] = On.PRACTICE,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", dir_okay=False, help="The page.", show_default="reports/pilot-FLOW-DATE.html"
        ),
    ] = None,
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Try a flow with ten test records, good and bad, and say whether it is ready to go live.

    Example: bellwire pilot order_to_cash

    On practice vendors nothing real is called. Ends with exit code 0 if it is ready, with 1 if it isn't.
    """
    import uvloop

    from bellwire.cli.logs import set_up
    from bellwire.practice.pilot import page

    set_up(os.environ.get("BELLWIRE_LOG_LEVEL", "error"))
    found = uvloop.run(_pilot(_Plan.read(flow, project), on, quiet=as_json))
    path = report or project / "reports" / f"pilot-{found.flow.id}-{found.began.astimezone():%Y-%m-%d}.html"
    _write(path, page(found))
    if as_json:
        print_json(found.as_json() | {"report": str(path.absolute())})
    else:
        _conclude(found, path)
    _record(found, project, quiet=as_json)
    if not found.ready:
        raise typer.Exit(FAILED)


@dataclass(frozen=True)
class _Plan:
    """What is tried: a flow of a project, checked, with the connectors behind the connections that it uses."""

    settings: "Settings"
    flow: "Flow"
    connectors: "Mapping[str, Connector]"

    @classmethod
    def read(cls, name: str, project: Path) -> "_Plan":
        """Raises ConfigurationError when there is no such flow, when it is wrong, or when it can't be practised."""
        from bellwire.connectors.opening import connector_of, own_connector
        from bellwire.flows import FlowErrors, check_flow, load_flow
        from bellwire.practice.pilot import EVENT_TYPES
        from bellwire.settings import suggestion

        settings = read_project(project)
        path = settings.flows / f"{name.replace('-', '_')}.yaml"
        if not path.exists():
            known = [each.stem for each in settings.flows.glob("*.yaml")]
            remedy = suggestion(name, known) if known else "Put one into the folder flows/."
            raise ConfigurationError(f"There is no flow '{name}'.", remedy=remedy)
        flow = load_flow(path)
        used = {flow.connection, *(action.connection for action in flow.actions.values())}
        connectors = {key: connector_of(value) for key, value in settings.connections.items() if key in used}
        findings = check_flow(flow, connectors | own_connector())
        if wrong := [each for each in findings if each.severity == "error"]:
            raise FlowErrors([finding.error() for finding in wrong])
        if flow.event_type not in EVENT_TYPES:
            raise ConfigurationError(
                f"The flow starts with {flow.trigger}, and a pilot can only make orders: {', '.join(EVENT_TYPES)}.",
                remedy=f"Try it with `bellwire up` and `bellwire send-test {flow.connection} {flow.event_type}`.",
            )
        return cls(settings, flow, connectors)

    def simulators(self) -> dict[str, str]:
        """Connection → the vendor that is simulated for it. Raises ConfigurationError when one can't be."""
        from bellwire.practice import find_simulator

        for name, connector in self.connectors.items():
            try:
                find_simulator(connector.name)
            except NotFound:
                raise ConfigurationError(
                    f"There is no practice server for {connector.manifest.title} (connection '{name}').",
                    remedy=f"Run it on sandbox accounts: `bellwire pilot {self.flow.id} --on sandbox`.",
                ) from None
        return {name: connector.name for name, connector in self.connectors.items()}

    def check_shop(self) -> None:
        """Raises ConfigurationError when the flow's orders don't come from a shop that is simulated."""
        from bellwire.practice import Shop, find_simulator, simulator_names

        def sells(vendor: str) -> bool:
            return vendor in simulator_names() and issubclass(find_simulator(vendor), Shop)

        connector = self.connectors[self.flow.connection]
        if not sells(connector.name):
            shops = ", ".join(name for name in simulator_names() if sells(name))
            raise ConfigurationError(
                f"'{self.flow.connection}' ({connector.manifest.title}) isn't a shop that can be practised.",
                remedy=f"A pilot can make the orders of: {shops}. For others, use `bellwire up` and"
                f" `bellwire send-test {self.flow.connection} {self.flow.event_type}`.",
            )

    def check_wall(self) -> None:
        """Raises ConfigurationError when an account isn't a sandbox."""
        real = [name for name in self.connectors if self.settings.connections[name].environment != "sandbox"]
        if real:
            names = " and ".join(f"'{name}'" for name in sorted(real))
            raise ConfigurationError(
                f"{names}: {'a production account' if len(real) == 1 else 'production accounts'}. A pilot would book"
                " and send made-up orders there.",
                remedy="Let connections.toml point at sandbox accounts, or run the pilot on practice vendors:"
                f" `bellwire pilot {self.flow.id}`.",
            )


async def _pilot(plan: _Plan, on: On, *, quiet: bool) -> "Report":
    from bellwire.clock import system_clock
    from bellwire.practice.pilot import Report, records

    plan.check_shop()
    # Real accounts remember the orders of earlier pilots: tenths of a second never give the same ten numbers again.
    first = _FIRST_ORDER if on is On.PRACTICE else time.time_ns() // 10**8
    wanted, began, started = records(first), system_clock(), time.monotonic()
    async with _on_practice(plan) if on is On.PRACTICE else _on_sandbox(plan) as trial:
        if not quiet:
            systems = ", ".join(f"{connector.manifest.title} ({name})" for name, connector in plan.connectors.items())
            say(f"{plan.flow.name}: {len(wanted)} test records, on {on.value}.")
            say(f"{'Simulated' if on is On.PRACTICE else 'Your sandbox accounts'}: {systems}.\n")
        tried = [each async for each in _telling(trial.run(wanted), len(wanted), quiet=quiet)]
    return Report(
        plan.flow,
        on is On.PRACTICE,
        began,
        timedelta(seconds=time.monotonic() - started),
        {name: connector.manifest.title for name, connector in plan.connectors.items()},
        tried,
    )


# Where the records go


@asynccontextmanager
async def _on_practice(plan: _Plan) -> "AsyncIterator[Trial]":
    """A temporary project with the same flow and connectors, on simulated vendors."""
    import tempfile

    from bellwire.app import running
    from bellwire.practice import Practice
    from bellwire.practice.pilot import Hurried, Trial, Vendors
    from bellwire.practice.project import write_project
    from bellwire.settings import load_settings

    vendors = plan.simulators()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellwire-pilot-")))
        practice = await stack.enter_async_context(Practice(set(vendors.values())))
        secrets = write_project(folder, practice, vendors, {f"{plan.flow.id}.yaml": plan.flow.source})
        bellwire = await stack.enter_async_context(running(load_settings(folder, {}), secrets, random=Hurried()))
        simulated = Vendors(plan.flow, {name: practice.simulators[vendor] for name, vendor in vendors.items()})
        yield _trial(Trial, plan, bellwire, shop=simulated.shop, vendors=simulated)


@asynccontextmanager
async def _on_sandbox(plan: _Plan) -> "AsyncIterator[Trial]":
    """The project's own connections, on a ledger that is thrown away."""
    import tempfile

    from bellwire.app import running
    from bellwire.practice import Shop, find_simulator
    from bellwire.practice.driving import in_role
    from bellwire.practice.pilot import Trial

    plan.check_wall()
    flow, settings = plan.flow, plan.settings
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellwire-pilot-")))
        aside = replace(settings, ledger_url=f"sqlite:///{folder}/ledger.db", host="127.0.0.1", port=0)
        bellwire = await stack.enter_async_context(running(aside, os.environ, only=flow.id))
        await _copy_crosswalk(settings, bellwire)
        shop = in_role(find_simulator(plan.connectors[flow.connection].name)(), Shop)  # type: ignore[type-abstract]
        # No order of an earlier pilot has such an id, and no real one either.
        shop.number_from(time.time_ns() // 1000)
        connection = bellwire.project.connections[flow.connection]
        yield _trial(
            Trial, plan, bellwire, shop=shop, sign=lambda webhook: _signed(webhook, connection, settings, flow)
        )


def _trial(kind: "type[Trial]", plan: _Plan, bellwire: "Bellwire", **more: Any) -> "Trial":
    return kind(
        plan.flow,
        bellwire.project.connections,
        f"{bellwire.url}/hooks/{plan.flow.connection}",
        bellwire.ledger,
        bellwire.engine,
        **more,
    )


async def _copy_crosswalk(settings: "Settings", bellwire: "Bellwire") -> None:
    """What the owner has mapped holds in the pilot too."""
    from bellwire.clock import system_clock
    from bellwire.ledger import Rows, crosswalk, open_ledger

    async with open_ledger(settings.ledger_url) as own:
        mapped = await own.read(crosswalk.everything)

    def write(rows: Rows) -> None:
        for mapping in mapped:
            crosswalk.put(rows, mapping, system_clock())

    await bellwire.ledger.write(write)


def _signed(webhook: "Webhook", connection: "Connection", settings: "Settings", flow: "Flow") -> "Webhook":
    """The same order, as the connection's own shop would send and sign it."""
    from bellwire.practice.driving import sign

    triggers = connection.connector.triggers
    assert triggers is not None and triggers.sample is not None
    headers, _ = triggers.sample(flow.event_type, connection)
    signed = sign(connection, headers, webhook.body, settings.hook_url(connection.name))
    return replace(webhook, headers=signed)


# What is told


async def _telling(tried: "AsyncIterator[Tried]", total: int, *, quiet: bool) -> "AsyncIterator[Tried]":
    """Tells each record as it ends, and shows which one is under way."""
    from contextlib import nullcontext

    from rich.console import Console

    console = Console(highlight=False, emoji=False, markup=False)
    status = nullcontext() if quiet or not console.is_terminal else console.status(f"Record 1 of {total} …")
    with status as shown:
        position = 1
        async for each in tried:
            if not quiet:
                _tell(each)
            position += 1
            if shown is not None:
                shown.update(f"Record {position} of {total} …")
            yield each


def _tell(tried: "Tried") -> None:
    from bellwire.clock import duration

    mark, took = ("✓" if tried.as_expected else "✗"), duration(tried.took) if tried.took is not None else ""
    say(f"{mark} {tried.record.position:>2}  {took:>6}  {tried.about[:1].upper()}{tried.about[1:]}")
    for check in tried.checks:
        if not check.held:
            say(f"{'':13}{check.what}: expected {check.expected}; found {check.actual}")
    for stuck in tried.stuck:
        say(f"{'':13}{stuck.action} needed a person: {stuck.sentence}")
        if stuck.remedy:
            say(f"{'':13}{stuck.remedy}")
    for retried in tried.retried:
        say(f"{'':13}{retried.action} was tried again: {retried.sentence}")


def _conclude(report: "Report", path: Path) -> None:
    from bellwire.clock import duration

    say()
    for check in report.criteria:
        say(f"{'✓' if check.held else '✗'} {check.what}: {check.expected}; measured {check.actual}")
    if report.by_hand is not None:
        say(f"By hand, these {len(report.tried)} would have taken a person {duration(report.by_hand)}.")
    say(f"\n{'READY' if report.ready else 'NOT READY'}: {report.as_expected} of {len(report.tried)} as expected.")
    for sentence in report.why_not:
        say(f"- {sentence}")
    for note in report.notes:
        say(f"Note: {note}")
    say(f"The report: {path}")


def _record(report: "Report", project: Path, *, quiet: bool) -> None:
    from bellwire.cli.going_live import keep, say_what_waits

    stands = keep(report, project)
    if not quiet:
        say_what_waits(stands)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BellwireError(
            f"The report {path} can't be written: {error.strerror}.", remedy="Name another file."
        ) from error
