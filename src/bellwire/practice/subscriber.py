"""A simulated subscriber: it takes what is signed, once for each id, and keeps it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import BadSignature, StandardWebhooks
from bellwire.events import Delivery
from bellwire.practice.simulator import Simulator


@dataclass(frozen=True)
class Kept:
    """What came, as it came."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class SubscriberSimulator(Simulator):
    vendor: ClassVar[str] = "subscriber"
    credentials: ClassVar[Mapping[str, str]] = {"signing_secret": "whsec_cHJhY3RpY2UgcHJhY3RpY2UgcHJhY3RpY2U="}
    settings: ClassVar[Mapping[str, Any]] = {"url": "http://127.0.0.1/events"}

    secret: str = credentials["signing_secret"]
    """The one that it knows."""
    gone: bool = False
    """It wants no more events."""
    clock: Clock = system_clock
    kept: dict[str, Kept] = field(default_factory=dict)
    """By webhook-id: the first that came."""

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/events", self._take, methods=["POST"]), Route("/moved", self._moved, methods=["POST"])]

    def state(self) -> dict[str, Any]:
        return {"events": {name: orjson.loads(kept.body) for name, kept in self.kept.items()}}

    async def _take(self, request: Request) -> Response:
        if self.gone:
            return JSONResponse({"error": "gone"}, 410)
        body, now = await request.body(), self.clock()
        delivery = Delivery("us", dict(request.headers), body, now)
        try:
            StandardWebhooks().verify(delivery, [self.secret], now)
        except BadSignature as error:
            return JSONResponse({"error": error.sentence}, 401)
        self.kept.setdefault(request.headers["webhook-id"], Kept(dict(request.headers), body))
        return Response(status_code=204)

    async def _moved(self, _: Request) -> Response:
        return Response(status_code=302, headers={"Location": "/subscriber/events"})


SIMULATOR = SubscriberSimulator
