"""Connections with a vault, to vendors over real HTTP, for the pages about them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bellwire.clock import system_clock
from bellwire.connectors import find_connector
from bellwire.connectors.kit import Connection, Connector, connect
from bellwire.events import Environment
from bellwire.practice.driving import Answer, post
from bellwire.vault import ConnectionCredentials, Vault, create_key_file
from tests.cli.acme import DESK
from tests.cli.desk import AcmeDesk, acme_desk
from tests.desk.story import Place, open_desk

OLD, NEW = "0ld-s3cret", "n3w-s3cret"
SIGNED: dict[str, Any] = {"scheme": "hmac", "header": "X-Signature", "type_field": "type"}


@contextmanager
def vault_of(folder: Path) -> Iterator[Vault]:
    (folder / "data").mkdir()
    create_key_file(folder / "data")
    yield Vault.open(folder / "data", {})


def account(
    name: str,
    connector: Connector,
    vault: Vault,
    *,
    base_url: str = "",
    environment: Environment = Environment.SANDBOX,
    environ: Mapping[str, str] | None = None,
    **settings: Any,
) -> Connection:
    credentials = ConnectionCredentials(vault, name, environ or {})
    read = connector.manifest.settings.model_validate(settings)
    return connect(name, connector, environment, read, credentials, base_url=base_url)


@asynccontextmanager
async def at_vendors(
    folder: Path, *, environment: Environment = Environment.SANDBOX, **kept: str
) -> AsyncIterator[tuple[Place, AcmeDesk, Vault]]:
    """A desk with two connections: `site`, which sends signed webhooks and whose credentials `kept` are, and `desk`,
    where one signs in by the browser."""
    with vault_of(folder) as vault, acme_desk() as acme:
        if kept:
            vault.store("site", kept)
        connections = {
            "site": account("site", find_connector("webhook"), vault, environment=environment, **SIGNED),
            "desk": account("desk", DESK, vault, base_url=acme.url),
        }
        async with open_desk(folder, connections=connections) as place:
            place.now = system_clock()
            yield place, acme, vault
        for connection in connections.values():
            await connection.api.close()


async def send(place: Place, secret: str, number: int) -> Answer:
    """An order, signed with this secret, to the connection `site`."""
    scheme = account("site", find_connector("webhook"), Vault.open(Path("/nonexistent"), {}), **SIGNED).webhook
    assert scheme is not None
    body = b'{"type": "order.note", "data": {"id": "%d"}}' % number
    headers = {"content-type": "application/json"} | scheme.sign(
        body, secret, delivery_id=str(number), now=system_clock()
    )
    async with aiohttp.ClientSession() as session:
        return await post(session, f"{place.url}/hooks/site", headers, body)
