"""`POST /hooks/{connection}`: one delivery in.

In this order: is there such a connection (404), is it small enough (413), does it come in time (408), is it signed
(401), is it what it says it is (415, 400), is it durable (503 if that can't be now) — and only then 200.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection, WebhookScheme
from bellwire.errors import ConfigurationError, LedgerBusy, Refusal
from bellwire.events import Delivery
from bellwire.intake.redact import redact
from bellwire.intake.strict_json import BadJson, check
from bellwire.ledger import Database, Rows, deliveries

log = structlog.get_logger()

_JSON = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/json")
_KEPT_OUT = ("authorization", "cookie", "proxy-authorization")
_BUSY_FOR = timedelta(seconds=5)


@dataclass(frozen=True)
class Limits:
    """What one delivery may cost."""

    body: int = 2_000_000
    """Bytes."""
    headers: int = 32_768
    """Bytes."""
    seconds: float = 10.0
    """For a delivery to arrive and to become durable."""


class Hooks:
    """The ASGI application behind `/hooks`. `arrived` is told of each new delivery once it is durable."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        ledger: Database,
        arrived: Callable[[int, Delivery], None],
        *,
        limits: Limits | None = None,
        public_url: str = "",
        clock: Clock = system_clock,
    ) -> None:
        self._connections = connections
        self._ledger = ledger
        self._arrived = arrived
        self._limits = limits or Limits()
        self._public_url = public_url.rstrip("/")
        self._clock = clock
        self._refused: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, body = "", None
        try:
            connection = self._connection(scope)
            name = connection.name
            headers = self._headers(scope)
            async with asyncio.timeout(self._limits.seconds):
                body = await self._body(headers, receive)
                delivery = Delivery(name, headers, body, self._clock(), f"{self._public_url}{_path(scope)}")
                scheme = connection.webhook
                assert scheme is not None
                handshake = scheme.handshake(delivery)
                kept = await self._keep(connection, scheme, delivery) if handshake is None else None
        except Refusal as refusal:
            await self._refuse(send, name, refusal)
            return
        except TimeoutError:
            await self._refuse(send, name, _too_slow() if body is None else _overloaded())
            return
        if kept is not None:
            duplicate = b"true" if kept.duplicate else b"false"
            await _answer(send, 200, b'{"delivery":%d,"duplicate":%s}' % (kept.id, duplicate))
        elif handshake is not None:
            await _answer(send, 200, handshake.body, handshake.content_type.encode())

    async def _refuse(self, send: Send, name: str, refusal: Refusal) -> None:
        self._refused[name, refusal.reason] += 1
        await _refuse(send, refusal)

    async def count(self) -> None:
        """Write down what was refused since the last time."""
        counts, self._refused = self._refused, Counter()
        if counts:
            today = self._clock().date()
            try:
                await self._ledger.write(lambda rows: deliveries.count_refusals(rows, today, counts))
            except LedgerBusy:
                self._refused += counts
                raise

    async def count_forever(self, every: float = 1.0) -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await self.count()
            except LedgerBusy as error:
                log.warning("refusals could not be counted", error=str(error))

    # The steps

    def _connection(self, scope: Scope) -> Connection:
        path: str = scope["path"]
        connection = self._connections.get(path.removeprefix("/hooks/"))
        if connection is None or connection.webhook is None:
            raise Refusal(
                "There is no connection of this name that takes webhooks.",
                status=404,
                reason="unknown-connection",
                remedy="The address ends in the connection's name, as connections.toml has it.",
            )
        if scope["method"] != "POST":
            raise Refusal("Webhooks are sent by POST.", status=405, reason="method")
        return connection

    def _headers(self, scope: Scope) -> dict[str, str]:
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        if sum(len(name) + len(value) for name, value in raw) > self._limits.headers:
            raise Refusal("The headers are too large.", status=431, reason="headers-too-large")
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}

    async def _body(self, headers: Mapping[str, str], receive: Receive) -> bytes:
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._limits.body:
            raise self._too_large()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal("The sender went away.", status=400, reason="disconnected")
            body += message.get("body", b"")
            if len(body) > self._limits.body:
                raise self._too_large()
            if not message.get("more_body"):
                return bytes(body)

    def _too_large(self) -> Refusal:
        return Refusal(f"The body is larger than {self._limits.body:,} bytes.", status=413, reason="too-large")

    async def _keep(self, connection: Connection, scheme: WebhookScheme, delivery: Delivery) -> deliveries.Accepted:
        """Verify, check, make durable."""
        try:
            secrets = connection.secrets
        except ConfigurationError as error:
            log.error("a delivery can't be verified", connection=connection.name, error=str(error))
            raise Refusal(
                "This connection isn't ready to take webhooks: its secret isn't set.",
                status=503,
                reason="no-secret",
                retry_after=timedelta(minutes=1),
            ) from error
        scheme.verify(delivery, secrets, delivery.received_at)
        content_type = delivery.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if content_type not in _JSON:
            raise Refusal(f"Send JSON; this is {content_type[:60]!r}.", status=415, reason="content-type")
        try:
            value = check(delivery.body)
        except BadJson as error:
            raise Refusal(str(error), status=400, reason="malformed") from error
        delivery.knowing(value)
        triggers = connection.connector.triggers
        if triggers is not None and (why_not := triggers.belongs(delivery, connection)):
            raise Refusal(why_not, status=401, reason="other-account")
        delivery_id = scheme.delivery_id(delivery)
        delivery = _fit_to_keep(delivery, value)

        def accept(rows: Rows) -> deliveries.Accepted:
            return deliveries.accept(rows, delivery, delivery_id, connection.environment)

        try:
            accepted = await self._ledger.write(accept)
        except LedgerBusy as error:
            raise _overloaded() from error
        if not accepted.duplicate:
            self._arrived(accepted.id, delivery)
        return accepted


def _fit_to_keep(delivery: Delivery, value: Any) -> Delivery:
    """Without what must not be stored; `value` is its body's JSON."""
    body = redact(delivery.body, value)
    if body is delivery.body and not any(name in delivery.headers for name in _KEPT_OUT):
        return delivery
    kept = {name: text for name, text in delivery.headers.items() if name not in _KEPT_OUT}
    return Delivery(delivery.connection, kept, body, delivery.received_at, delivery.url)


def _path(scope: Scope) -> str:
    path, query = str(scope["path"]), scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path


def _too_slow() -> Refusal:
    return Refusal("The body didn't arrive in time.", status=408, reason="too-slow")


def _overloaded() -> Refusal:
    sentence = "This can't be stored safely just now; send it again."
    return Refusal(sentence, status=503, reason="overloaded", retry_after=_BUSY_FOR)


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = orjson.dumps({"error": refusal.reason, "message": str(refusal)})
    extra = []
    if refusal.retry_after is not None:
        extra.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after.total_seconds()))))
    if refusal.status == 405:
        extra.append((b"allow", b"POST"))
    if refusal.status == 408:
        # Nobody waits for the rest of a body that may never end.
        extra.append((b"connection", b"close"))
    await _answer(send, refusal.status, body, extra=extra)


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = b"application/json",
    *,
    extra: list[tuple[bytes, bytes]] | None = None,
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *(extra or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
