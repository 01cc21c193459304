"""What `bellwire check` looks at. Each check yields what it found; none of them changes anything.

An older ledger is brought to the newest schema, as by every command that looks into it.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bellwire.capabilities.routing import PLAN_ROUTE
from bellwire.cli.going_live import doubts, standings_now
from bellwire.cli.stock import watched_stock
from bellwire.clock import Clock
from bellwire.connectors import look_in
from bellwire.connectors.bellwire.solving import HOW_TO_INSTALL, can_solve
from bellwire.connectors.kit import Connection, Connector
from bellwire.connectors.opening import (
    connector_of,
    missing_credentials,
    open_connection,
    own_connector,
    read_account_settings,
)
from bellwire.errors import ConfigurationError, LedgerBusy
from bellwire.events import OWN
from bellwire.flows import Flow, FlowErrors, Severity, check_flow, load_flows
from bellwire.settings import ConnectionSettings, Settings, load_settings
from bellwire.vault import KEY_FILE, VAULT_FILE, ConnectionCredentials, Vault
from bellwire.watch import ALERTS, REMEDY, accounts, read_channels
from bellwire.watch.finding import Finding, Level, failed


class Check:
    """The checks of one project, in the order in which an owner mends things."""

    def __init__(self, project: Path, environ: Mapping[str, str], clock: Clock, *, offline: bool) -> None:
        self._project = project
        self._environ = environ
        self._clock = clock
        self._offline = offline

    async def findings(self) -> list[Finding]:
        """Everything, good and bad. Without settings that can be read, only why not."""
        try:
            settings = load_settings(self._project, self._environ)
            look_in(settings.connectors)
            vault = Vault.open(settings.data, self._environ, self._clock)
        except ConfigurationError as error:
            return [failed("project", error)]
        found = [Finding(Level.OK, "project", "The settings can be read."), *self._files(settings)]
        if not settings.connections:
            found.append(Finding(Level.WARNING, "project", "There is no connection.", "Add one to connections.toml."))
        ready = []
        for connection in settings.connections.values():
            problems = list(self._connection(connection, vault))
            found += problems
            if not any(problem.level is Level.ERROR for problem in problems):
                ready.append(open_connection(connection, vault, self._environ, self._clock))
        flows, unreadable = _flows(settings)
        found += unreadable or self._checked(flows, settings)
        found += watched_stock(settings, flows)
        wrong = {finding.about for finding in found if finding.level is Level.ERROR}
        found += await self._standings([flow for flow in flows if flow.id not in wrong], settings)
        found += await self._alerts(vault)
        return found if self._offline else [*found, *await self._accounts(ready, settings)]

    def _files(self, settings: Settings) -> Iterator[Finding]:
        for path in (settings.data / KEY_FILE, settings.data / VAULT_FILE):
            if path.exists() and path.stat().st_mode & 0o077:
                sentence = f"Others than its owner may read {path.name}."
                yield Finding(Level.ERROR, "vault", sentence, f"Run `chmod 600 {path}`.", path)

    def _connection(self, connection: ConnectionSettings, vault: Vault) -> Iterator[Finding]:
        name = connection.name
        try:
            connector = connector_of(connection)
        except ConfigurationError as error:
            yield failed(name, error)
            return
        read, problems = read_account_settings(connection, connector)
        yield from (failed(name, problem) for problem in problems)
        if read is None:
            return
        try:
            yield from self._credentials(open_connection(connection, vault, self._environ, self._clock))
        except ConfigurationError as error:
            yield failed(name, error)
        yield from accounts.version(name, connector.manifest, self._clock().date())

    def _credentials(self, connection: Connection) -> Iterator[Finding]:
        missing = missing_credentials(connection)
        for each in missing:
            yield Finding(Level.ERROR, connection.name, f"It has no {each.field}.", each.remedy)
        if not missing:
            yield Finding(Level.OK, connection.name, "Its settings are complete and its credentials are there.")
        yield from self._ages(connection)
        yield from accounts.two_secrets(connection, self._clock())

    def _ages(self, connection: Connection) -> Iterator[Finding]:
        credentials = connection.credentials
        assert isinstance(credentials, ConnectionCredentials)
        for credential in connection.manifest.credentials:
            found = credentials.look(credential.field)
            if found and found.set_at:
                old = accounts.secret_age(connection, credential.field, found.set_at, self._clock())
                yield from [old] if old else []

    def _checked(self, flows: Sequence[Flow], settings: Settings) -> Iterator[Finding]:
        if not flows:
            yield Finding(Level.WARNING, "flows", "There is no flow yet.", "Put one into the folder flows/.")
        for flow in flows:
            yield from self._flow(flow, settings)

    def _flow(self, flow: Flow, settings: Settings) -> Iterator[Finding]:
        connectors = dict(_known(settings.connections.values())) | own_connector()
        if unknown := sorted(flow.connections & settings.connections.keys() - connectors.keys()):
            sentence = f"It can't be checked before what it works with is mended: {', '.join(unknown)}."
            yield Finding(Level.WARNING, flow.id, sentence, path=flow.path)
            return
        found = [
            Finding(
                Level.ERROR if problem.severity is Severity.ERROR else Level.WARNING,
                flow.id,
                problem.sentence,
                problem.suggestion,
                problem.path,
                problem.line,
            )
            for problem in check_flow(flow, connectors)
        ]
        yield from found or [Finding(Level.OK, flow.id, "Every reference and every input fits.")]
        yield from _mixed(flow, settings.connections)
        yield from _routes(flow)

    async def _standings(self, flows: Sequence[Flow], settings: Settings) -> list[Finding]:
        try:
            return list(doubts(await standings_now(settings, flows)))
        except (ConfigurationError, LedgerBusy) as error:
            return [failed("ledger", error)]

    async def _alerts(self, vault: Vault) -> list[Finding]:
        try:
            channels = read_channels(vault, self._environ)
        except ConfigurationError as error:
            return [failed(ALERTS, error)]
        if not channels:
            return [Finding(Level.WARNING, ALERTS, "They reach nobody: no channel is set.", REMEDY)]
        understood = {channel.name: await channel.understood() for channel in channels}
        remedy = "Look up how its URL is written: https://appriseit.com/services/"
        wrong = [
            Finding(Level.ERROR, ALERTS, f"The URL of channel '{name}' can't be understood.", remedy)
            for name, fine in understood.items()
            if not fine
        ]
        names = ", ".join(name for name, fine in understood.items() if fine)
        tried = "`bellwire alert test` tries whether they arrive."
        return [*wrong, *([Finding(Level.OK, ALERTS, f"They go to: {names}.", tried)] if names else [])]

    async def _accounts(self, connections: Iterable[Connection], settings: Settings) -> list[Finding]:
        found = await asyncio.gather(*(self._account(connection, settings) for connection in connections))
        return [finding for findings in found for finding in findings]

    async def _account(self, connection: Connection, settings: Settings) -> list[Finding]:
        try:
            signed_in = await accounts.sign_in(connection, self._clock)
            if any(finding.level is Level.ERROR for finding in signed_in):
                return signed_in
            address = settings.hook_url(connection.name)
            return [*signed_in, *await accounts.webhooks(connection, address, self._clock)]
        finally:
            await connection.api.close()


def _flows(settings: Settings) -> tuple[Sequence[Flow], list[Finding]]:
    """The flows; or, if some can't be read, none and why."""
    try:
        return load_flows(settings.flows), []
    except FlowErrors as error:
        return [], [failed("flows", problem) for problem in error.errors]


def _routes(flow: Flow) -> Iterator[Finding]:
    plans = any(
        (action.connection, action.operation_name) == (OWN, PLAN_ROUTE.name) for action in flow.actions.values()
    )
    if plans and not can_solve():
        sentence = "It plans a route, for which PyVRP has to be installed."
        yield Finding(Level.WARNING, flow.id, sentence, HOW_TO_INSTALL, flow.path)


def _mixed(flow: Flow, connections: Mapping[str, ConnectionSettings]) -> Iterator[Finding]:
    used = flow.connections & connections.keys()
    by_environment: dict[str, list[str]] = {}
    for name in sorted(used):
        by_environment.setdefault(connections[name].environment, []).append(name)
    if len(by_environment) > 1:
        mix = "; ".join(f"{environment}: {', '.join(names)}" for environment, names in by_environment.items())
        remedy = "Set the environment of all its connections to the same in connections.toml."
        yield Finding(Level.ERROR, flow.id, f"It mixes sandbox and production ({mix}).", remedy, flow.path, 1)


def _known(connections: Iterable[ConnectionSettings]) -> Iterator[tuple[str, Connector]]:
    for connection in connections:
        try:
            yield connection.name, connector_of(connection)
        except ConfigurationError:
            continue  # Reported with its connection.
