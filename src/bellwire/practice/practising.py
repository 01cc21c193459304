"""A connection to a practice server, for trying a connector and for its tests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from bellwire.capabilities import Given, Result
from bellwire.clock import system_clock
from bellwire.connectors import find_connector
from bellwire.connectors.kit import Call, Connection, connect
from bellwire.errors import MissingCredential
from bellwire.events import Delivery, Environment, Event
from bellwire.practice.server import Practice
from bellwire.practice.simulator import Simulator


class _Secrets:
    """Credentials in memory."""

    def __init__(self, connection: str, values: Mapping[str, str]) -> None:
        self._connection = connection
        self._values = dict(values)

    def find(self, field: str) -> str | None:
        return self._values.get(field)

    def get(self, field: str) -> str:
        if field not in self._values:
            raise MissingCredential(self._connection, field, f"BELLWIRE_{self._connection}_{field}".upper())
        return self._values[field]

    def store(self, values: Mapping[str, str]) -> None:
        self._values.update(values)

    def renewing(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


@dataclass(frozen=True)
class Practised:
    """A simulated vendor, and the connection to it."""

    simulator: Simulator
    connection: Connection

    def call(self, key: str = "0" * 31 + "1", *, again: bool = False) -> Call:
        """What the engine would give an action."""
        return replace(Call.asking(self.connection, system_clock), key=key, again=again)

    async def do(self, operation: str, given: Given, *, again: bool = False) -> Result:
        """Perform an action, e.g. `chat.post_message`. `again`: an earlier attempt may have arrived."""
        return await self.connection.connector.actions[operation](self.call(again=again), given)

    def sent(self, body: bytes, **headers: str) -> Delivery:
        """A delivery of the vendor's, signed and verified. Raises BadSignature."""
        scheme, secrets, now = self.connection.webhook, self.connection.secrets, system_clock()
        assert scheme is not None, f"{self.connection.manifest.title} sends no webhooks"
        signed = scheme.sign(body, secrets[0], delivery_id="1", now=now)
        lower = {name.lower().replace("_", "-"): value for name, value in {**headers, **signed}.items()}
        delivery = Delivery(self.connection.name, lower, body, now)
        scheme.verify(delivery, secrets, now)
        return delivery

    def events(self, delivery: Delivery) -> tuple[Event, ...]:
        """What it means. Raises CannotNormalise."""
        triggers = self.connection.connector.triggers
        assert triggers is not None, f"{self.connection.manifest.title} has no triggers"
        return triggers.normalise(delivery, self.connection).events


@asynccontextmanager
async def practising(vendor: str, **settings: Any) -> AsyncIterator[Practised]:
    """A practice server of this connector, and a connection to it; `settings` go before the practice ones."""
    async with Practice([vendor]) as practice:
        simulator, connector = practice.simulators[vendor], find_connector(vendor)
        made = connect(
            vendor,
            connector,
            Environment.SANDBOX,
            connector.manifest.settings.model_validate({**simulator.settings, **settings}),
            _Secrets(vendor, simulator.credentials),
            base_url=practice.base_url(vendor),
        )
        try:
            yield Practised(simulator, made)
        finally:
            await made.api.close()
