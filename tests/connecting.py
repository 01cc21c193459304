"""Connections for tests: to a practice server, or to nothing at all."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Any

from bellwire.connectors import find_connector
from bellwire.connectors.kit import Call, Connection, connect
from bellwire.errors import MissingCredential
from bellwire.events import Environment
from bellwire.practice import FaultKind, Practice
from tests.samples import NOW

PATIENT, HASTY = timedelta(seconds=30), timedelta(seconds=1)
"""How long a connection waits for its vendor."""


def patience_with(kind: FaultKind) -> timedelta:
    """Only to wait in vain it is short: on a busy machine an ordinary answer may take a second."""
    return HASTY if kind is FaultKind.SLOW else PATIENT


class Secrets:
    """Credentials in memory; `stored` counts how often new ones were kept."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self.stored = 0

    def find(self, field: str) -> str | None:
        return self.values.get(field)

    def get(self, field: str) -> str:
        if field not in self.values:
            raise MissingCredential("books", field, f"BELLWIRE_BOOKS_{field.upper()}")
        return self.values[field]

    def store(self, values: Mapping[str, str]) -> None:
        self.values.update(values)
        self.stored += 1

    def renewing(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


class Mapped:
    """A crosswalk in memory."""

    def __init__(self, values: Mapping[tuple[str, str], str] | None = None) -> None:
        self.values = dict(values or {})

    async def find(self, connection: str, kind: str, ours: str) -> str | None:
        return self.values.get((kind, ours))


def connection(
    vendor: str,
    practice: Practice | None = None,
    *,
    name: str = "",
    environment: Environment = Environment.SANDBOX,
    settings: Mapping[str, Any] | None = None,
    credentials: Mapping[str, str] | None = None,
    timeout: timedelta = PATIENT,
) -> Connection:
    """A connection to a vendor's practice server, with its practice credentials and settings unless told otherwise."""
    connector = find_connector(vendor)
    simulator = practice.simulators[vendor] if practice else None
    values = settings if settings is not None else (simulator.settings if simulator else {})
    secrets = credentials if credentials is not None else (simulator.credentials if simulator else {})
    return connect(
        name or vendor,
        connector,
        environment,
        connector.manifest.settings.model_validate(dict(values)),
        Secrets(secrets),
        base_url=practice.base_url(vendor) if practice else "http://127.0.0.1:9",
        timeout=timeout,
        clock=lambda: NOW,
    )


@asynccontextmanager
async def connecting(vendor: str, practice: Practice, name: str) -> AsyncIterator[Callable[..., Connection]]:
    """Makes connections called `name` to a practice server, and closes them at the end; what is given changes their
    settings."""
    made: list[Connection] = []

    def connect(
        *,
        credentials: Mapping[str, str] | None = None,
        environment: Environment = Environment.SANDBOX,
        **settings: Any,
    ) -> Connection:
        values = {**practice.simulators[vendor].settings, **settings}
        made.append(
            connection(vendor, practice, name=name, environment=environment, settings=values, credentials=credentials)
        )
        return made[-1]

    yield connect
    for each in made:
        await each.api.close()


def call(
    connection: Connection,
    *,
    key: str = "0" * 31 + "1",
    again: bool = False,
    mapped: Mapping[tuple[str, str], str] | None = None,
) -> Call:
    """What the engine would give an action. `mapped` is {(kind, ours): theirs}."""
    return Call(connection, Mapped(mapped), lambda: NOW, key, again)
