"""A vendor's limits in practice, and a client that keeps to them or doesn't."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from bellwire.connectors import find_connector
from bellwire.connectors.kit import Connection, connect
from bellwire.connectors.kit.http import Api
from bellwire.errors import Refused, Transient
from bellwire.events import Environment
from bellwire.practice import Practice, Simulator
from tests.connecting import Secrets

Asking = Callable[[Api], Awaitable[object]]


@dataclass(frozen=True)
class Account:
    simulator: Simulator
    connection: Connection

    async def ask(self, requests: Iterable[Asking]) -> None:
        """All of them at once. Whether each is liked is all the same."""
        await asyncio.gather(*(self._ask(request) for request in requests))

    async def _ask(self, request: Asking) -> None:
        with suppress(Refused, Transient):
            await request(self.connection.api)

    @property
    def statuses(self) -> list[int | None]:
        return [request.status for request in self.simulator.received]


@asynccontextmanager
async def account(vendor: str, *, heedless: bool = False, faster: float = 1) -> AsyncIterator[Account]:
    """An account in practice. A `heedless` client knows no limits; `faster` makes the windows of both so many times as
    short."""
    async with Practice([vendor]) as practice:
        simulator, known = practice.simulators[vendor], find_connector(vendor)
        for quota in simulator.quotas:
            quota.seconds /= faster
        limits = () if heedless else known.manifest.limits
        manifest = dataclasses.replace(
            known.manifest, limits=tuple(dataclasses.replace(limit, per=limit.per / faster) for limit in limits)
        )
        connection = connect(
            vendor,
            dataclasses.replace(known, manifest=manifest),
            Environment.SANDBOX,
            manifest.settings.model_validate(dict(simulator.settings)),
            Secrets(simulator.credentials),
            base_url=practice.base_url(vendor),
            timeout=timedelta(seconds=5),
        )
        try:
            yield Account(simulator, connection)
        finally:
            await connection.api.close()
