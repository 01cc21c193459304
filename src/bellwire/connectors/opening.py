"""From what connections.toml says to connections that can be called."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from pydantic import ValidationError

from bellwire.clock import Clock, system_clock
from bellwire.connectors.bellwire.manifest import OwnSettings
from bellwire.connectors.kit import Connection, Connector, Settings, connect
from bellwire.connectors.registry import find_connector, look_in
from bellwire.docstrings import meaning
from bellwire.errors import ConfigurationError, MissingCredential, NotFound
from bellwire.events import OWN, Environment
from bellwire.settings import TO_FILL_IN, ConnectionSettings, explain
from bellwire.settings import Settings as ProjectSettings
from bellwire.vault import ConnectionCredentials, Vault


def open_connections(
    settings: ProjectSettings, vault: Vault, environ: Mapping[str, str], clock: Clock = system_clock
) -> dict[str, Connection]:
    """All connections of a project, by name; nothing is sent yet. Raises ConfigurationError with file and line."""
    look_in(settings.connectors)
    return {
        name: open_connection(connection, vault, environ, clock) for name, connection in settings.connections.items()
    }


def own_connection(clock: Clock = system_clock, watched: Iterable[tuple[str, str]] = ()) -> Connection:
    """Bellwire's own, which every project has: for calculations. It calls nobody, and is of no environment. `watched`:
    SKU and place of what has a reorder point."""
    settings = OwnSettings.of(watched)
    return connect(OWN, find_connector(OWN), Environment.SANDBOX, settings, _NoCredentials(), clock=clock)


def own_connector() -> dict[str, Connector]:
    """That connection's, by its name: for the check of flows."""
    return {OWN: find_connector(OWN)}


class _NoCredentials:
    """Nobody is signed in to, so nothing is ever to be kept."""

    def get(self, field: str) -> str:
        raise MissingCredential(OWN, field, "")

    def find(self, field: str) -> str | None:
        return None

    def store(self, values: Mapping[str, str]) -> None:
        assert not values

    def renewing(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


def open_connection(
    connection: ConnectionSettings, vault: Vault, environ: Mapping[str, str], clock: Clock = system_clock
) -> Connection:
    """One of them. Raises ConfigurationError with file and line."""
    connector, environment = connector_of(connection), Environment(connection.environment)
    if connection.base_url is None and environment not in connector.manifest.base_urls:
        raise connection.source.error(
            f"{connector.manifest.title} has no {environment} of its own.",
            (connection.name, "environment"),
            remedy="Give the connection a base_url, or use the other environment.",
        )
    return connect(
        connection.name,
        connector,
        environment,
        account_settings(connection, connector),
        ConnectionCredentials(vault, connection.name, environ),
        base_url=connection.base_url or "",
        since=connection.since,
        timeout=connection.timeout,
        clock=clock,
    )


def missing_credentials(connection: Connection) -> list[MissingCredential]:
    """What it needs and doesn't have. Raises ConfigurationError when what is there can't be read, needed or not."""
    manifest = connection.manifest
    wanted = {credential.field: credential.required for credential in manifest.credentials}
    if connection.webhook is not None and connection.connector.triggers:
        # Without its secret no delivery is taken in, whatever else the connection is good for.
        wanted.setdefault(manifest.webhook_credential, True)
    missing = []
    for field, required in wanted.items():
        try:
            connection.credentials.get(field)
        except MissingCredential as error:
            if required:
                missing.append(error)
    return missing


def connector_of(connection: ConnectionSettings) -> Connector:
    """The connector that a connection names. Raises ConfigurationError with file and line, and a suggestion."""
    try:
        return find_connector(connection.connector)
    except NotFound as error:
        raise connection.source.error(error.sentence, (connection.name, "connector"), remedy=error.remedy) from None


def account_settings(connection: ConnectionSettings, connector: Connector) -> Settings:
    """`[NAME.settings]` as the connector reads it. Raises ConfigurationError for the first thing that is wrong."""
    read, findings = read_account_settings(connection, connector)
    if read is None:
        raise findings[0]
    return read


def read_account_settings(
    connection: ConnectionSettings, connector: Connector
) -> tuple[Settings | None, list[ConfigurationError]]:
    """The same, or None and everything that is wrong with it."""
    model, within = connector.manifest.settings, (connection.name, "settings")
    if left := _left_to_fill_in(connection.settings):
        return None, [
            connection.source.error(
                f"'{name}' of connection '{connection.name}' is still to be filled in.",
                (*within, name),
                remedy=meaning(model, name),
            )
            for name in left
        ]
    try:
        folder = connection.source.path.parent
        return model.model_validate(dict(connection.settings), context={"folder": folder}), []
    except ValidationError as error:
        return None, explain(error, model, connection.source, within=within)


def _left_to_fill_in(values: Mapping[str, Any]) -> list[str]:
    return [name for name, value in values.items() if TO_FILL_IN in str(value)]
