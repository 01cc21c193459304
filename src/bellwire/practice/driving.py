"""What the demo, the pilot and `bellwire send-test` share: to send a delivery, and to know when all is done."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import aiohttp
import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.engine import Engine
from bellwire.ledger import Database, figures
from bellwire.practice.simulator import Simulator

R = TypeVar("R")

_LOOK_EVERY = 0.05


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
