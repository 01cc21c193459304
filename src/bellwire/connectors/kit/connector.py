"""A connector: manifest, triggers and actions of one vendor, in one value."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit.actions import Account, Action, Call
from bellwire.connectors.kit.answer import Answer, Explain
from bellwire.connectors.kit.auth import Credentials
from bellwire.connectors.kit.connection import Connection
from bellwire.connectors.kit.http import Api
from bellwire.connectors.kit.manifest import Manifest, OwnServer, Settings
from bellwire.connectors.kit.polling import Poll
from bellwire.connectors.kit.public import Public
from bellwire.connectors.kit.subscribing import Subscribing
from bellwire.errors import ConfigurationError, VendorError
from bellwire.events import Delivery, Environment, Event


@dataclass(frozen=True)
class Normalised:
    """What a delivery turned out to be. No events: `reason` says why, in a sentence."""

    events: tuple[Event, ...] = ()
    reason: str = ""
    wake: tuple[str, ...] = ()
    """Polls that are due now: the delivery says that something changed, and the poll finds out what."""


@dataclass(frozen=True)
class Triggers:
    """How deliveries become events. All pure: no network, no clock."""

    event_types: tuple[str, ...]
    """What it can bring."""
    normalise: Callable[[Delivery, Connection], Normalised]
    """Raises CannotNormalise (or anything else: a bug) when the delivery can't be read; its bytes are kept."""
    belongs: Callable[[Delivery, Connection], str] = lambda _delivery, _connection: ""
    """Why a correctly signed delivery isn't for this connection (another shop's); empty when it is."""
    topics: tuple[str, ...] = ()
    """What to subscribe to at the vendor."""
    subscribing: Subscribing | None = None
    """How that is done over its API."""
    polls: tuple[Poll, ...] = ()
    """What it lists by time of change."""
    sample: Callable[[str, Connection], tuple[dict[str, str], bytes]] | None = None
    """Headers (without signature) and body of a made-up delivery of an event type, for `bellwire send-test`."""


@dataclass(frozen=True)
class Connector:
    """One vendor. The package exposes it as `CONNECTOR`."""

    manifest: Manifest
    triggers: Triggers | None = None
    actions: Mapping[str, Action] = field(default_factory=dict)
    """By `capability.operation`."""
    explain: Explain = lambda _answer: None
    sign_in: Callable[[Call], Awaitable[Account]] | None = None
    """Tries the credentials without changing anything."""

    @property
    def name(self) -> str:
        return self.manifest.name


def connector(
    manifest: Manifest,
    *,
    actions: tuple[Action, ...] = (),
    triggers: Triggers | None = None,
    explain: Callable[[Answer], VendorError | None] = lambda _answer: None,
    sign_in: Callable[[Call], Awaitable[Account]] | None = None,
) -> Connector:
    """Put a connector together from its parts. Raises ValueError when an action is neither of a declared capability nor
    an extra of its own (whose capability is the connector's name)."""
    known = {*manifest.capabilities, manifest.name}
    strays = [str(a.operation) for a in actions if a.operation.capability not in known]
    if strays:
        raise ValueError(f"{manifest.name}: {', '.join(strays)} belong to no capability that the manifest declares")
    table: dict[str, Any] = {str(action.operation): action for action in actions}
    return Connector(manifest, triggers, table, explain, sign_in)


def connect(
    name: str,
    connector: Connector,
    environment: Environment,
    settings: Settings,
    credentials: Credentials,
    *,
    base_url: str = "",
    since: datetime | None = None,
    timeout: timedelta | None = None,
    clock: Clock = system_clock,
) -> Connection:
    """A connection, ready for calls; nothing is sent yet. `base_url` replaces the vendor's own origin. Raises
    ConfigurationError when the file of a certificate can't be read."""
    manifest, places = connector.manifest, settings.model_dump(mode="json")
    home = manifest.base_urls.get(environment, "").format_map(places)
    connector = replace(connector, actions={key: each.under(settings) for key, each in connector.actions.items()})
    origin = base_url or home
    api = Api(
        manifest,
        connection=name,
        base_url=origin,
        home=home,
        root=manifest.root.format_map(places),
        overridden=bool(base_url),
        credentials=credentials,
        explain=connector.explain,
        clock=clock,
        timeout=timeout,
        settings=places,
        trust=_trust(settings.ca_file) if isinstance(settings, OwnServer) and settings.ca_file else None,
        public=Public(loopback=environment is Environment.SANDBOX) if manifest.public_only(settings) else None,
    )
    return Connection(name, connector, environment, settings, credentials, origin, api, since)


def with_credentials(connection: Connection, credentials: Credentials, clock: Clock = system_clock) -> Connection:
    """The same account with other credentials, within the same limits: to try them. It has to be closed as any
    other."""
    made = connect(
        connection.name,
        connection.connector,
        connection.environment,
        connection.settings,
        credentials,
        base_url=connection.base_url if connection.api.overridden else "",
        since=connection.since,
        timeout=connection.api.timeout,
        clock=clock,
    )
    made.api.gate = connection.api.gate
    return made


def _trust(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"The certificate that `ca_file` names can't be used: {error}.",
            path=ca_file,
            remedy="It has to be a file with a certificate in PEM form.",
        ) from error
