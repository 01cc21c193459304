"""The shop's webhooks over its API: https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks

A failed delivery isn't sent again, and after more than five in a row the shop disables the webhook.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.woocommerce.lists import every
from bellwire.errors import Refused

_TROUBLE = {
    "active": "",
    "paused": "Somebody paused it in the shop.",
    "disabled": "The shop turned it off, after more than five deliveries in a row that failed.",
}


async def _listing(call: Call) -> list[Subscription]:
    return [_subscription(entry) for entry in await every(call, "webhooks")]


def _subscription(entry: Mapping[str, Any]) -> Subscription:
    status = entry["status"]
    trouble = _TROUBLE.get(status, f"Its status in the shop is '{status}'.")
    return Subscription(str(entry["id"]), entry["delivery_url"], (entry["topic"],), trouble)


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """All have one secret, the newest that the connection has. A new one is kept before the first is made: it may send
    at once. WordPress changes what isn't a letter or a digit."""
    credentials = call.connection.credentials
    known = (credentials.find("webhook_secret") or "").split()
    made = {} if known else {"webhook_secret": secrets.token_hex(32)}
    if made:
        credentials.store(made)
    secret = known[0] if known else made["webhook_secret"]
    for topic in topics:
        wanted = {"name": f"Bellwire {topic}", "topic": topic, "delivery_url": url, "secret": secret}
        await call.api.post("webhooks", wanted | {"status": "active"})
    return made


async def _remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"webhooks/{subscription.id}", params={"force": "true"})
    except Refused as error:
        if error.cause != "unknown-webhook":
            raise


SUBSCRIBING = Subscribing(_listing, _create, _remove)
