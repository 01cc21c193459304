"""Paid orders as webhooks, signed for Bellwire and for the bare loop."""

import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bellwire.connectors import all_connectors
from bellwire.connectors.kit import Connection
from bellwire.events import Delivery, Event
from bellwire.practice import Sale, SaleLine, Shop, find_simulator
from bench.bare import SECRET
from bench.load import request
from bench.ours import sender

STANDARD = "webhook"
"""The connector of senders that sign by Standard Webhooks."""
NUMBER = "7310007"
"""Of the one order that all others are copies of."""
_FIRST = 8_000_000


def shop_name() -> str:
    """The first storefront there is."""
    return next(each.name for each in all_connectors() if "storefront" in each.manifest.capabilities)


@dataclass(frozen=True)
class Sent:
    """One webhook as whole requests."""

    number: bytes
    ours: bytes
    bare: bytes

    @property
    def bare_ack(self) -> bytes:
        """For the bare loop to acknowledge and leave it at that."""
        return self.bare.replace(b"POST /full ", b"POST /ack ", 1)


class Orders:
    """New orders, no two alike: of a shop, as it sends them; or (`STANDARD`) canonical ones, as any sender may.

    They are copies of one order with a number, an id and a signature of their own: a simulated sale takes longer than
    Bellwire takes for the rest.
    """

    def __init__(self, name: str) -> None:
        self._sender = sender(name)
        self._next = _FIRST
        self._headers, self.body, self.event = _sold()
        if name == STANDARD:
            data = self.event.data.model_dump_json(exclude_defaults=True).encode()
            self.body = b'{"type":"order.paid","timestamp":"%s","data":%s}' % (
                self.event.time.isoformat().encode(),
                data,
            )
            self._headers = {}

    @property
    def id_stem(self) -> str:
        """What stands for the order in all its ids; they end in one digit more."""
        return str(self.event.subject.rpartition("/")[2][:-1])

    def delivery(self) -> Delivery:
        """The order that the others are copies of, as it arrives."""
        return Delivery("shop", self._signed(self.body), self.body, datetime.now(UTC))

    def arriving(self, count: int) -> list[Delivery]:
        """New orders as an intake hands them on."""
        return [Delivery("shop", self._signed(body), body, datetime.now(UTC)) for _, body in self._copies(count)]

    def take(self, count: int) -> list[Sent]:
        return [self._sent(number, body) for number, body in self._copies(count)]

    def _copies(self, count: int) -> list[tuple[bytes, bytes]]:
        """Numbers and bodies."""
        self._next += count
        numbers = [b"%d" % number for number in range(self._next - count, self._next)]
        stem = self.id_stem.encode()
        return [(each, self.body.replace(NUMBER.encode(), each).replace(stem, b"9" + each)) for each in numbers]

    def _sent(self, number: bytes, body: bytes) -> Sent:
        signature = {"x-bench": hmac.digest(SECRET, body, "sha256").hex()}
        ours = request("/hooks/shop", self._signed(body), body)
        return Sent(number, ours, request("/full", signature, body))

    def _signed(self, body: bytes) -> dict[str, str]:
        scheme = self._sender.webhook
        assert scheme is not None
        (secret,) = self._sender.secrets
        signed = scheme.sign(body, secret, delivery_id=str(uuid.uuid4()), now=datetime.now(UTC))
        return {**self._headers, **{name.lower(): value for name, value in signed.items()}}


def _sold() -> tuple[dict[str, str], bytes, Event]:
    """An order of a shop: headers, body, and the event that it means."""
    shop = find_simulator(shop_name())()
    assert isinstance(shop, Shop)
    order = shop.place(Sale(NUMBER, [SaleLine("TEA-100", 2), SaleLine("MUG-RED")], shipping=Decimal("6.00")))
    shop.pay(order)
    sent = shop.webhook(order, "order.paid")
    headers = {name.lower(): value for name, value in sent.headers.items() if name.lower() != "content-type"}
    return headers, sent.body, _meaning(Delivery("shop", headers, sent.body, datetime.now(UTC)), sender(shop_name()))


def _meaning(delivery: Delivery, connection: Connection) -> Event:
    assert connection.connector.triggers is not None
    (event, *_) = connection.connector.triggers.normalise(delivery, connection).events
    return event
