"""What the demo, the pilot and `bellwire send-test` share: to send a delivery, and to know when all is done."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import aiohttp
import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.engine import Engine
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.events import Delivery
from bellwire.ledger import Database, figures
from bellwire.practice.simulator import Simulator
from bellwire.settings import suggestion

R = TypeVar("R")

_LOOK_EVERY = 0.05
_ANSWER_WITHIN = 15.0
"""Seconds that the intake has to answer: longer than it gives itself."""


@dataclass(frozen=True)
class Answer:
    """What the intake said to a delivery."""

    status: int
    delivery: int = 0
    """Its number in the ledger, if it was taken."""
    duplicate: bool = False
    reason: str = ""
    """If it was refused: the short word, and the sentence."""
    message: str = ""
    retry_after: str = ""

    @property
    def taken(self) -> bool:
        return self.status == 200 and self.delivery > 0

    def __str__(self) -> str:
        if not self.taken:
            return f"refused: {self.message or self.status}"
        return f"{'duplicate of' if self.duplicate else 'accepted as'} delivery {self.delivery}"


async def post(session: aiohttp.ClientSession, address: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a delivery to the address of a hook. Raises aiohttp.ClientError, TimeoutError."""
    async with session.post(address, data=body, headers=dict(headers), allow_redirects=False) as response:
        told = await response.read()
        retry_after = response.headers.get("Retry-After", "")
    try:
        said = orjson.loads(told)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    return Answer(
        response.status,
        said.get("delivery", 0),
        said.get("duplicate", False),
        said.get("error", ""),
        said.get("message", ""),
        retry_after,
    )


async def left(ledger: Database, engine: Engine) -> int:
    """How many deliveries and runs haven't come to an end yet."""
    return await ledger.read(figures.unfinished) or int(engine.busy)


async def until_quiet(
    ledger: Database, engine: Engine, patience: float, show: Callable[[int], None] = lambda _: None
) -> None:
    """Wait until nothing is left to do; `show` is told how much is. Raises TimeoutError after `patience` seconds."""
    async with asyncio.timeout(patience):
        while still := await left(ledger, engine):
            show(still)
            await asyncio.sleep(_LOOK_EVERY)


def in_role(simulator: Simulator, kind: type[R]) -> R:
    """The simulator as what it has to be, such as a `Shop`."""
    assert isinstance(simulator, kind), f"the practice {simulator.vendor} can't be a {kind.__name__}"
    return simulator


def sign(
    connection: Connection,
    headers: Mapping[str, str],
    body: bytes,
    url: str,
    *,
    now: datetime | None = None,
    delivery_id: str = "",
) -> dict[str, str]:
    """`headers` with the signature that the connection's vendor would make, by the first secret; `now` is the machine's
    time if nothing is said, and the delivery a new one. Raises MissingCredential."""
    assert connection.webhook is not None
    signature = connection.webhook.sign(
        body,
        connection.secrets[0],
        delivery_id=delivery_id or str(uuid.uuid4()),
        now=now or system_clock(),
        url=url,
    )
    replaced = {name.lower() for name in signature}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | signature


def sample_type(connection: Connection, waited_for: Sequence[str], wanted: str = "") -> str:
    """Which made-up event its vendor is to send: the one that is wanted; else what a flow waits for; else the first
    that there is. Raises ConfigurationError when it sends no webhooks, or none of that type."""
    title, triggers = connection.manifest.title, connection.connector.triggers
    if connection.webhook is None or triggers is None or triggers.sample is None:
        raise ConfigurationError(f"{title} (connection '{connection.name}') sends no webhooks.")
    types = list(triggers.event_types)
    if wanted and wanted not in types and "*" not in types:
        raise ConfigurationError(f"{title} sends no '{wanted}'.", remedy=suggestion(wanted, types))
    return wanted or next(iter([*waited_for, *types]))


async def send_sample(connection: Connection, event_type: str, url: str, address: str) -> tuple[str, Answer]:
    """Send a made-up delivery, signed as for `url`, to the intake at `address`. Gives its id, and what the intake said.
    Raises BellwireError when nobody answers."""
    triggers = connection.connector.triggers
    assert triggers is not None and triggers.sample is not None and connection.webhook is not None
    headers, body = triggers.sample(event_type, connection)
    headers = sign(connection, headers, body, url)
    lower = {name.lower(): value for name, value in headers.items()}
    delivery = Delivery(connection.name, lower, body, system_clock(), url)
    timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            return connection.webhook.delivery_id(delivery), await post(session, address, headers, body)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise BellwireError(
            f"Nobody takes webhooks at {address}.",
            remedy="Is `bellwire up` running for this project, with the same host and port?",
        ) from error
