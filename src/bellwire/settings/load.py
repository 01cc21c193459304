"""Reads a project's settings."""

import re
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bellwire.errors import ConfigurationError
from bellwire.settings.explain import explain, suggestion
from bellwire.settings.model import (
    CONNECTIONS_FILE,
    SETTINGS_FILE,
    ConnectionSettings,
    ConnectionTable,
    Settings,
    SettingsTable,
)
from bellwire.settings.source import Source, read_toml
from bellwire.settings.variables import read_variable

_VARIABLES = {name: f"BELLWIRE_{name.upper()}" for name in ("host", "port", "log_level", "ledger_url", "public_url")}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OURSELVES = "bellwire"
"""What flows call the connection that needs no table: Bellwire itself."""
_CALLBACK = "callback"
"""`/connections/callback` is what people have entered at vendors as the address to come back to: it stays."""
_OWN_NAMES = {"alerts", "ledger", "log", "public", "vault"}
"""BELLWIRE_VAULT_KEY and the like are settings of ours, so no connection may be called so."""


def load_settings(project: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of the project in the folder `project`; variables of `environ` go before bellwire.toml.

    Raises ConfigurationError for the first thing that is wrong.
    """
    project = project.absolute()
    source = _read(project, SETTINGS_FILE)
    table = check_table(source, environ)
    connections = _connections(_read(project, CONNECTIONS_FILE))
    if unknown := [name for name in table.stock.connections if name not in connections]:
        raise source.error(
            f"There is no connection '{unknown[0]}'.",
            ("stock", "connections"),
            remedy=suggestion(unknown[0], list(connections)),
        )
    return Settings(
        project=project,
        business=table.business,
        time_zone=ZoneInfo(table.time_zone),
        host=table.host,
        port=table.port,
        log_level=table.log_level,
        public_url=table.public_url or f"http://{table.host}:{table.port}",
        ledger_url=_ledger_url(project, table.ledger_url or "sqlite:///data/ledger.db"),
        intake=table.intake,
        engine=table.engine,
        keep=table.keep,
        alerts=table.alerts,
        calendar=table.hours.calendar(table.time_zone),
        stock=table.stock,
        connections=connections,
        source=source,
    )


def check_table(source: Source, environ: Mapping[str, str]) -> SettingsTable:
    """What bellwire.toml says, and the variables of `environ` before it. Raises ConfigurationError for the first thing
    that is wrong."""
    overrides = _overrides(environ)
    try:
        return SettingsTable.model_validate(source.data | overrides)
    except ValidationError as error:
        named = {name: _VARIABLES[name] for name in overrides}
        raise explain(error, SettingsTable, source, variables=named)[0] from None


def _read(project: Path, name: str) -> Source:
    path = project / name
    if not path.exists():
        raise ConfigurationError(
            f"There is no Bellwire project here: {name} is missing.",
            path=path,
            remedy="Go to the project's folder or name it with --project; `bellwire init DIR` makes a new one.",
        )
    return read_toml(path)


def _overrides(environ: Mapping[str, str]) -> dict[str, str]:
    found = {setting: read_variable(environ, variable) for setting, variable in _VARIABLES.items()}
    return {setting: value for setting, value in found.items() if value is not None}


def _ledger_url(project: Path, url: str) -> str:
    kind, file = url.split(":///", 1) if url.startswith("sqlite:///") else ("", "")
    return f"{kind}:///{project / file}" if kind else url


def _connections(source: Source) -> dict[str, ConnectionSettings]:
    return {name: _connection(name, table, source) for name, table in source.data.items()}


def _connection(name: str, table: object, source: Source) -> ConnectionSettings:
    if not isinstance(table, dict):
        raise source.error(
            f"'{name}' stands outside of a connection.", (name,), remedy="Each connection begins with [its_name]."
        )
    if not _NAME.fullmatch(name):
        raise source.error(
            f"'{name}' can't be the name of a connection.",
            (name,),
            remedy="Use small letters, digits and _, with a letter first, such as [shop] or [books_eu].",
        )
    if name == _OURSELVES:
        raise source.error(
            f"'{name}' can't be the name of a connection: flows call Bellwire itself so.",
            (name,),
            remedy="Choose another name.",
        )
    if name == _CALLBACK:
        raise source.error(
            f"'{name}' can't be the name of a connection: at the address of its page, /connections/{name}, browsers"
            " come back from a sign-in at a vendor.",
            (name,),
            remedy="Choose another name.",
        )
    if name in _OWN_NAMES:
        raise source.error(
            f"'{name}' can't be the name of a connection: BELLWIRE_{name.upper()}_… are settings of Bellwire itself.",
            (name,),
            remedy="Choose another name.",
        )
    try:
        read = ConnectionTable.model_validate(table)
    except ValidationError as error:
        raise explain(error, ConnectionTable, source, within=(name,))[0] from None
    return ConnectionSettings(name, source=source, **dict(read))
