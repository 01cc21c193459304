"""Where Shopify sends the app's webhooks: https://shopify.dev/docs/api/admin-graphql/latest/objects/WebhookSubscription

Shopify takes an entry away after eight failures in a row, so that the list is looked at again and again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.shopify import documents
from bellwire.connectors.shopify.manifest import API_VERSION
from bellwire.connectors.shopify.reading import ask
from bellwire.errors import Refused

_RESOURCE = re.compile("^(ORDERS|REFUNDS|RETURNS|REVERSE_FULFILLMENT_ORDERS|PRODUCTS|INVENTORY_LEVELS|CUSTOMERS)_")


async def _listing(call: Call) -> list[Subscription]:
    """Those that the app made in this shop; what other apps made isn't shown."""
    found: list[Subscription] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        answer = (await ask(call, documents.SUBSCRIPTIONS, after=page["endCursor"]))["webhookSubscriptions"]
        found += map(_subscription, answer["nodes"])
        page = answer["pageInfo"]
    return found


def _subscription(node: Any) -> Subscription:
    version = node["apiVersion"]["handle"]
    trouble = ""
    if version != API_VERSION:
        trouble = (
            f"What it sends has the API version {version} instead of {API_VERSION}: give the app's webhooks that "
            "version at dev.shopify.com."
        )
    return Subscription(node["id"], node["uri"], (_header(node["topic"]),), trouble)


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """Deliveries are signed with the app's own secret."""
    for topic in topics:
        await ask(call, documents.SUBSCRIBE, writes=True, topic=_enum(topic), uri=url)
    credentials = call.connection.credentials
    secret = credentials.find("client_secret")
    return {"webhook_secret": secret} if secret and not credentials.find("webhook_secret") else {}


async def _remove(call: Call, subscription: Subscription) -> None:
    try:
        await ask(call, documents.UNSUBSCRIBE, writes=True, id=subscription.id)
    except Refused as error:
        if "not exist" not in error.sentence:
            raise


def _enum(topic: str) -> str:
    return topic.upper().replace("/", "_")


def _header(enum: str) -> str:
    """`INVENTORY_LEVELS_UPDATE` → `inventory_levels/update`, of the resources that are subscribed to here."""
    return _RESOURCE.sub(r"\1/", enum).lower()


SUBSCRIBING = Subscribing(_listing, _create, _remove)
