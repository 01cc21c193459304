"""Deliveries as Shopify sends them."""

from typing import Any

import orjson

from bellwire.connectors.kit import Connection, Normalised
from bellwire.connectors.shopify.triggers import TRIGGERS
from bellwire.events import Delivery, Event
from bellwire.practice import Webhook
from tests.connecting import connection
from tests.samples import NOW

Body = dict[str, Any]


def shop(**settings: str) -> Connection:
    return connection("shopify", name="shop", settings={"shop": "practice"} | settings)


def delivery(topic: str, body: Any, **headers: str) -> Delivery:
    given = {"x-shopify-topic": topic} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery("shop", given, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def received(webhook: Webhook) -> Delivery:
    return Delivery("shop", {name.lower(): value for name, value in webhook.headers.items()}, webhook.body, NOW)


def normalised(topic: str, body: Any, **headers: str) -> Normalised:
    return TRIGGERS.normalise(delivery(topic, body, **headers), shop())


def only(found: Normalised) -> Event:
    (event,) = found.events
    return event
