"""ShipStation's own list of where it sends webhooks: one entry for each kind of event and address.

https://docs.shipstation.com/openapi/webhooks
"""

from collections.abc import Mapping, Sequence

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.shipstation.signature import as_secret
from bellwire.errors import Refused

_PATH = "environment/webhooks"
_KEYS = "https://api.shipengine.com/jwks"
"""The keys of all that this vendor signs (RFC 7517)."""


async def listing(call: Call) -> Sequence[Subscription]:
    """ShipStation turns none off by itself, as far as it says. What can be amiss is that it has other keys by now."""
    entries = (await call.api.get(_PATH)).json()
    kept = (call.connection.credentials.find("webhook_secret") or "").split()
    known = set(await _keys(call)) <= set(kept) if entries else True
    trouble = "" if known else "ShipStation signs with a key that isn't kept here."
    return [Subscription(each["webhook_id"], each["url"], (each["event"],), trouble) for each in entries]


async def create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """Gives the public keys that what comes is signed with."""
    keys = await _keys(call)
    for topic in topics:
        try:
            await call.api.post(_PATH, {"event": topic, "url": url})
        except Refused as error:
            # An earlier attempt may have been slower than we were.
            if error.cause != "webhook-event-type-conflict":
                raise
    return {"webhook_secret": " ".join(keys)}


async def remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"{_PATH}/{subscription.id}")
    except Refused as error:
        if error.cause != "not-found":
            raise


async def _keys(call: Call) -> list[str]:
    answer = (await call.api.get(_KEYS)).json()
    return [as_secret(key) for key in answer["keys"] if key["kty"] == "RSA"]


SUBSCRIBING = Subscribing(listing, create, remove)
