"""What a pilot tries, and where: on simulated vendors, or on the project's own sandbox accounts."""

import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bellwire.cli.base import read_project
from bellwire.errors import ConfigurationError, NotFound

if TYPE_CHECKING:
    from bellwire.app import Bellwire
    from bellwire.connectors.kit import Connection, Connector
    from bellwire.flows import Flow
    from bellwire.practice import Simulator, Webhook
    from bellwire.practice.pilot import Kind, Trial
    from bellwire.settings import Settings

_TELLER = "pilot_events"
"""The connection that tells of what Bellwire itself would say."""


@dataclass(frozen=True)
class Plan:
    """What is tried: a flow of a project, checked, with the connectors behind the connections that it uses."""

    settings: "Settings"
    flow: "Flow"
    connectors: "Mapping[str, Connector]"
    kind: "Kind[Any]"
    """What its records are."""

    @classmethod
    def read(cls, name: str, project: Path) -> "Plan":
        """Raises ConfigurationError when there is no such flow, when it is wrong, or when it can't be practised."""
        from bellwire.connectors.opening import connector_of, own_connector
        from bellwire.flows import FlowErrors, check_flow, load_flow
        from bellwire.practice.pilot import EVENT_TYPES, find_kind
        from bellwire.settings import suggestion

        settings = read_project(project)
        path = settings.flows / f"{name.replace('-', '_')}.yaml"
        if not path.exists():
            known = [each.stem for each in settings.flows.glob("*.yaml")]
            remedy = suggestion(name, known) if known else "Put one into the folder flows/."
            raise ConfigurationError(f"There is no flow '{name}'.", remedy=remedy)
        flow = load_flow(path)
        if flow.schedule:
            raise ConfigurationError(
                f"'{flow.id}' begins by the clock, so there is no event that a pilot could make up.",
                remedy=f"Let it run in shadow past its time ({flow.trigger}): `bellwire flow mode {flow.id} shadow`,"
                " then `bellwire up`. What it did, `bellwire run list` shows;"
                f' `bellwire flow mode {flow.id} live --reason "…"` switches it on.',
            )
        used = {flow.connection, *(action.connection for action in flow.actions.values())}
        used |= {ending.connection for ending in flow.ends_on}
        connectors = {key: connector_of(value) for key, value in settings.connections.items() if key in used}
        findings = check_flow(flow, connectors | own_connector())
        if wrong := [each for each in findings if each.severity == "error"]:
            raise FlowErrors([finding.error() for finding in wrong])
        kind = find_kind(flow.event_type)
        if kind is None:
            raise ConfigurationError(
                f"The flow starts with {flow.trigger}, and a pilot can only make: {', '.join(EVENT_TYPES)}.",
                remedy=f"Try it with `bellwire up` and `bellwire send-test {flow.connection} {flow.event_type}`.",
            )
        plan = cls(settings, flow, connectors, kind)
        plan._check_source()
        return plan

    @property
    def tells_itself(self) -> bool:
        """Whether it starts with something that Bellwire itself says."""
        from bellwire.events import OWN

        return self.flow.connection == OWN

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
        teller = {_TELLER: "webhook"} if self.tells_itself else {}
        return {name: connector.name for name, connector in self.connectors.items()} | teller

    @property
    def practice_text(self) -> str:
        """The flow's text for practice, where something else has to say what Bellwire would."""
        if not self.tells_itself:
            return self.flow.source
        return re.sub(rf"(?m)^(trigger:\s*[\"']?){self.flow.connection}\.", rf"\g<1>{_TELLER}.", self.flow.source)

    def _check_source(self) -> None:
        """Raises ConfigurationError when what the flow starts with can't be made up."""
        from bellwire.practice import find_simulator, simulator_names

        if self.tells_itself:
            return
        connector = self.connectors[self.flow.connection]
        able = [name for name in simulator_names() if not self.kind.why_not(self.flow, find_simulator(name))]
        if connector.name not in able:
            why = (
                self.kind.why_not(self.flow, find_simulator(connector.name))
                if connector.name in simulator_names()
                else "there is no practice server of it"
            )
            raise ConfigurationError(
                f"'{self.flow.connection}' ({connector.manifest.title}) can't tell of test records: {why}.",
                remedy=f"A pilot can let these tell of {self.flow.event_type}: {', '.join(able)}. For others, use"
                f" `bellwire up` and `bellwire send-test {self.flow.connection} {self.flow.event_type}`.",
            )

    def check_wall(self) -> None:
        """Raises ConfigurationError when an account isn't a sandbox, or can't take part there."""
        practice = f"run the pilot on practice vendors: `bellwire pilot {self.flow.id}`."
        real = [name for name in self.connectors if self.settings.connections[name].environment != "sandbox"]
        if real:
            names = " and ".join(f"'{name}'" for name in sorted(real))
            raise ConfigurationError(
                f"{names}: {'a production account' if len(real) == 1 else 'production accounts'}. A pilot would book"
                " and send made-up records there.",
                remedy=f"Let connections.toml point at sandbox accounts, or {practice}",
            )
        if self.tells_itself:
            raise ConfigurationError(
                f"The flow starts with {self.flow.trigger}, which Bellwire itself says: on sandbox accounts nobody can"
                " say it in its place.",
                remedy=practice[:1].upper() + practice[1:],
            )


@asynccontextmanager
async def on_practice(plan: Plan) -> "AsyncIterator[Trial[Any]]":
    """A temporary project with the same flow and connectors, on simulated vendors."""
    import tempfile

    import aiohttp

    from bellwire.app import running
    from bellwire.cli.staging import stage_of
    from bellwire.practice import Practice
    from bellwire.practice.pilot import Hurried, Trial, Vendors
    from bellwire.practice.project import write_project
    from bellwire.practice.stage import Passing
    from bellwire.settings import load_settings

    vendors, clock = plan.simulators(), Passing()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellwire-pilot-")))
        practice = await stack.enter_async_context(Practice(set(vendors.values())))
        secrets = write_project(folder, practice, vendors, {f"{plan.flow.id}.yaml": plan.practice_text})
        # Beside `only`, nothing polls by itself, and nobody is called.
        system = running(load_settings(folder, {}), secrets, clock, only=plan.flow.id, random=Hurried())
        bellwire = await stack.enter_async_context(system)
        simulators = {name: practice.simulators[vendor] for name, vendor in vendors.items()}
        session = await stack.enter_async_context(aiohttp.ClientSession())
        (flow,) = bellwire.project.flows
        stage = stage_of(bellwire, simulators, session, clock=clock, patience=60)
        yield Trial(flow, plan.kind, stage, Vendors(flow, simulators))


@asynccontextmanager
async def on_sandbox(plan: Plan) -> "AsyncIterator[Trial[Any]]":
    """The project's own connections, on a ledger that is thrown away."""
    import tempfile

    import aiohttp

    from bellwire.app import running
    from bellwire.cli.staging import stage_of
    from bellwire.practice import find_simulator
    from bellwire.practice.pilot import Trial, Vendors

    plan.check_wall()
    flow, settings = plan.flow, plan.settings
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellwire-pilot-")))
        aside = replace(settings, ledger_url=f"sqlite:///{folder}/ledger.db", host="127.0.0.1", port=0)
        bellwire = await stack.enter_async_context(running(aside, os.environ, only=flow.id))
        await _copy_crosswalk(settings, bellwire)
        source = find_simulator(plan.connectors[flow.connection].name)()
        _number(source)
        connection = bellwire.project.connections[flow.connection]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stage = stage_of(
            bellwire,
            {flow.connection: source},
            session,
            patience=60,
            signs=lambda _, webhook: _signed(webhook, connection, settings, flow),
        )
        yield Trial(flow, plan.kind, stage, Vendors(flow, {flow.connection: source}), simulated=False)


def _number(source: "Simulator") -> None:
    """No order of an earlier pilot has such an id, and no real one either."""
    from bellwire.practice import Shop

    if isinstance(source, Shop):
        source.number_from(time.time_ns() // 1000)


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
    """The same fact, as the connection's own vendor would send and sign it."""
    from bellwire.practice.driving import sign

    triggers = connection.connector.triggers
    assert triggers is not None and triggers.sample is not None
    headers, _ = triggers.sample(flow.event_type, connection)
    signed = sign(connection, headers, webhook.body, settings.hook_url(connection.name))
    return replace(webhook, headers=signed)
