"""`POST /hooks/{connection}`: one delivery in.

In this order: is there such a connection (404), is it small enough (413), does it come in time (408), is it signed
(401), is it what it says it is (415, 400), is it durable (503 if that can't be now) — and only then 200.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any

import orjson
import structlog

from bellwire.clock import Clock, steady, system_clock
from bellwire.connectors.kit import (
    POLLED,
    AddressToken,
    AnyBody,
    BadSignature,
    Connection,
    FixedReply,
    FormBody,
    FormOrJsonBody,
    JsonBody,
    WebhookScheme,
)
from bellwire.errors import ConfigurationError, LedgerBusy, Refusal
from bellwire.events import Delivery
from bellwire.intake.redact import redact, redact_fields, redact_form
from bellwire.intake.strict_json import BadJson, check
from bellwire.intake.tally import Tally
from bellwire.ledger import Database, Rows, deliveries, signings

log = structlog.get_logger()

_JSON = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/json")
_FORM = "application/x-www-form-urlencoded"
_KEPT_OUT = ("authorization", "cookie", "proxy-authorization", POLLED)
_BUSY_FOR = timedelta(seconds=5)
_SET = timedelta(seconds=5)
"""A clock that is off by less than this hasn't been set."""


@dataclass(frozen=True)
class Limits:
    """What one delivery may cost."""

    body: int = 2_000_000
    """Bytes."""
    headers: int = 32_768
    """Bytes."""
    seconds: float = 10.0
    """For a delivery to arrive and to become durable."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a sender is told. `headers` are beside content type and length."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Incoming:
    """A request whose headers are there, and its body as far as it has come."""

    __slots__ = ("_chunks", "connection", "headers", "size", "url")

    def __init__(self, connection: Connection, url: str, headers: dict[str, str]) -> None:
        self.connection = connection
        self.url = url
        self.headers = headers
        self.size = 0
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._chunks.append(chunk)

    @property
    def body(self) -> bytes:
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)


class Hooks:
    """What the HTTP server hands every request below `/hooks/` to: its headers (`begin`), each part of its body
    (`more`), and the whole (`take`). `arrived` is told of each new delivery once it is durable."""

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
        self.limits = limits or Limits()
        self.public_url = public_url
        self._clock = clock
        self._steady = steady(clock)
        self.tally = Tally()
        self._refused: Counter[tuple[str, str]] = Counter()

    def begin(self, method: bytes, path: str, headers: Sequence[tuple[bytes, bytes]]) -> Incoming | Reply:
        """The request line and headers are there. A reply, if the body needn't be read."""
        name = ""
        try:
            connection = self._connection(method, path)
            name = connection.name
            return Incoming(connection, self.public_url.rstrip("/") + path, self._headers(headers))
        except Refusal as refusal:
            return self.refuse(name, refusal)

    def more(self, incoming: Incoming, chunk: bytes) -> Reply | None:
        """A part of the body. A reply, if it is too much."""
        incoming.add(chunk)
        if incoming.size > self.limits.body:
            return self.refuse(incoming.connection.name, self._too_large())
        return None

    def take(self, incoming: Incoming, reply: Callable[[Reply], None]) -> None:
        """The whole request is there: `reply` gets the answer, for a delivery once it is on disk."""
        began = perf_counter()
        name = incoming.connection.name
        delivery = Delivery(name, incoming.headers, incoming.body, self._clock(), incoming.url)
        try:
            scheme = incoming.connection.webhook
            assert scheme is not None
            handshake = scheme.handshake(delivery)
            if handshake is not None:
                extra = tuple((name.encode(), value.encode()) for name, value in handshake.headers.items())
                reply(Reply(200, handshake.body, handshake.content_type.encode(), extra))
                return
            self._keep(incoming.connection, scheme, delivery, reply, began)
        except Refusal as refusal:
            reply(self.refuse(name, refusal))
        except Exception:
            log.exception("a delivery could not be looked at", connection=name)
            fault = "Bellwire couldn't look at this because of a fault of its own; send it again."
            reply(self.refuse(name, Refusal(fault, status=500, reason="fault", retry_after=_BUSY_FOR)))

    def late(self, incoming: Incoming, *, arrived: bool) -> Reply:
        """The time for a delivery is over: its body didn't arrive, or it isn't on disk yet."""
        return self.refuse(incoming.connection.name, _overloaded() if arrived else _too_slow())

    def gone(self, incoming: Incoming) -> None:
        """The sender went away before its body was complete."""
        self._count_refusal(incoming.connection.name, "disconnected")

    def refuse(self, name: str, refusal: Refusal) -> Reply:
        """Count a refusal, and say it."""
        self._count_refusal(name, refusal.reason)
        connection = self._connections.get(name)
        silent = connection is not None and connection.manifest.webhook_reply is None
        body = b"" if silent else orjson.dumps({"error": refusal.reason, "message": str(refusal)})
        extra: list[tuple[bytes, bytes]] = []
        if refusal.retry_after is not None:
            extra.append((b"retry-after", b"%d" % max(1, round(refusal.retry_after.total_seconds()))))
        if refusal.status == 405:
            extra.append((b"allow", b"POST"))
        return Reply(refusal.status, body, headers=tuple(extra))

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

    def _count_refusal(self, name: str, reason: str) -> None:
        self._refused[name, reason] += 1
        self.tally.refused[name, reason] += 1

    # The steps

    def _connection(self, method: bytes, path: str) -> Connection:
        connection = self._connections.get(path.removeprefix("/hooks/").partition("?")[0])
        if connection is None or connection.webhook is None:
            raise Refusal(
                "There is no connection of this name that takes webhooks.",
                status=404,
                reason="unknown-connection",
                remedy="The address ends in the connection's name, as connections.toml has it.",
            )
        if method != b"POST":
            raise Refusal("Webhooks are sent by POST.", status=405, reason="method")
        return connection

    def _headers(self, raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
        size = 0
        headers: dict[str, str] = {}
        for name, value in raw:
            size += len(name) + len(value)
            headers[name.decode("latin-1")] = value.decode("latin-1")
        if size > self.limits.headers:
            raise Refusal("The headers are too large.", status=431, reason="headers-too-large")
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.limits.body:
            raise self._too_large()
        return headers

    def _too_large(self) -> Refusal:
        return Refusal(f"The body is larger than {self.limits.body:,} bytes.", status=413, reason="too-large")

    def _keep(
        self,
        connection: Connection,
        scheme: WebhookScheme,
        delivery: Delivery,
        reply: Callable[[Reply], None],
        began: float,
    ) -> None:
        """Verify, check, make durable."""
        try:
            newest, earlier = connection.secrets, connection.earlier_secrets(delivery.received_at)
        except ConfigurationError as error:
            log.error("a delivery can't be verified", connection=connection.name, error=str(error))
            raise Refusal(
                "This connection isn't ready to take webhooks: its secret isn't set.",
                status=503,
                reason="no-secret",
                retry_after=timedelta(minutes=1),
            ) from error
        secrets = [*newest, *earlier]
        self._verify(scheme, delivery, secrets)
        by_newest = self._is_signed_with(newest, scheme, delivery) if earlier else None
        body = _read(delivery, connection)
        triggers = connection.connector.triggers
        if triggers is not None and (why_not := triggers.belongs(delivery, connection)):
            raise Refusal(why_not, status=401, reason="other-account")
        delivery_id = scheme.delivery_id(delivery)
        kept = _fit_to_keep(delivery, body, scheme, secrets)

        def accept(rows: Rows) -> deliveries.Accepted:
            accepted = deliveries.accept(rows, kept, delivery_id, connection.environment)
            if by_newest is not None:
                signings.note(rows, connection.name, delivery.received_at, newest=by_newest)
            return accepted

        def done(accepted: deliveries.Accepted) -> None:
            if not accepted.duplicate:
                self._arrived(accepted.id, kept)
            reply(_taken(connection, accepted))
            self.tally.acknowledged(connection.name, perf_counter() - began, repeat=accepted.duplicate)

        def failed(error: Exception) -> None:
            if not isinstance(error, LedgerBusy):
                log.error("a delivery could not be stored", connection=connection.name, exc_info=error)
            reply(self.refuse(connection.name, _overloaded()))

        try:
            self._ledger.submit(accept, done, failed, lane=delivery_id)
        except LedgerBusy as error:
            raise _overloaded() from error

    def _is_signed_with(self, secrets: Sequence[str], scheme: WebhookScheme, delivery: Delivery) -> bool:
        try:
            self._verify(scheme, delivery, secrets)
        except BadSignature:
            return False
        return True

    def _verify(self, scheme: WebhookScheme, delivery: Delivery, secrets: Sequence[str]) -> None:
        """Raises BadSignature. How old a signature may be is measured by the machine's clock, and by how it would go if
        nobody had set it since the start: one of the two is right. (A delivery that is sent again within that time is
        known again, whoever sends it.)"""
        try:
            scheme.verify(delivery, secrets, delivery.received_at)
        except BadSignature as error:
            steady_now = self._steady()
            if error.reason != "timestamp" or abs(steady_now - delivery.received_at) < _SET:
                raise
            scheme.verify(delivery, secrets, steady_now)


def _taken(connection: Connection, accepted: deliveries.Accepted) -> Reply:
    wanted = connection.manifest.webhook_reply
    if wanted is None:
        return Reply(200, b"")
    if isinstance(wanted, FixedReply):
        return Reply(200, wanted.body, wanted.content_type.encode())
    if wanted:
        return Reply(200, orjson.dumps({"delivery": accepted.id, "duplicate": accepted.duplicate, **wanted}))
    return Reply(200, b'{"delivery":%d,"duplicate":%s}' % (accepted.id, b"true" if accepted.duplicate else b"false"))


def _read(delivery: Delivery, connection: Connection) -> bytes:
    """Check that the body is what the vendor sends. Gives it without what must not be stored: the same object when it
    has nothing of that."""
    match connection.manifest.webhook_body:
        case JsonBody():
            return redact(delivery.body, _json(delivery))
        case FormBody(""):
            return redact_fields(delivery.body, _fields(delivery))
        case FormBody(field):
            return redact_form(delivery.body, _fields(delivery), field, _form(delivery, field))
        case FormOrJsonBody() if delivery.is_form:
            return redact_fields(delivery.body, _fields(delivery))
        case FormOrJsonBody():
            return redact(delivery.body, _json(delivery))
        case AnyBody():
            return delivery.body


def _json(delivery: Delivery) -> Any:
    """The body, parsed, which the delivery then knows too."""
    content_type = delivery.headers.get("content-type", "application/json")
    if content_type not in _JSON and content_type.partition(";")[0].strip().lower() not in _JSON:
        raise Refusal(f"Send JSON; this is {content_type[:60]!r}.", status=415, reason="content-type")
    value = _checked(delivery.body)
    delivery.knowing(value)
    return value


def _fields(delivery: Delivery) -> Mapping[str, str]:
    content_type = delivery.headers.get("content-type", _FORM)
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise Refusal(f"Send a form; this is {content_type[:60]!r}.", status=415, reason="content-type")
    try:
        return delivery.form
    except ValueError as error:
        raise Refusal(f"It isn't a valid form: {error}.", status=400, reason="malformed") from error


def _form(delivery: Delivery, field: str) -> Any:
    """What the field of a form holds, parsed."""
    if field not in delivery.form:
        raise Refusal(f"The form has no field {field!r}.", status=400, reason="malformed")
    return _checked(delivery.form[field].encode())


def _checked(text: bytes) -> Any:
    try:
        return check(text)
    except BadJson as error:
        raise Refusal(str(error), status=400, reason="malformed") from error


def _fit_to_keep(delivery: Delivery, body: bytes, scheme: WebhookScheme, secrets: Sequence[str]) -> Delivery:
    """With this body, and without what must not be stored: some headers, the secret itself, which some senders show in
    one, and a token in the address."""
    url = scheme.hide(delivery.url) if isinstance(scheme, AddressToken) else delivery.url
    told = delivery.headers
    kept = {name: text for name, text in told.items() if name not in _KEPT_OUT and text not in secrets}
    if body is delivery.body and url is delivery.url and len(kept) == len(told):
        return delivery
    return Delivery(delivery.connection, kept, body, delivery.received_at, url)


def _too_slow() -> Refusal:
    return Refusal("The body didn't arrive in time.", status=408, reason="too-slow")


def _overloaded() -> Refusal:
    sentence = "This can't be stored safely just now; send it again."
    return Refusal(sentence, status=503, reason="overloaded", retry_after=_BUSY_FOR)
