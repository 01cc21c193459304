"""Square's own list of where it sends webhooks. One entry has all topics of an address, and a key of its own.

It belongs to the application, so its own access token is needed; a seller's sign-in is refused.

https://developer.squareup.com/reference/square/webhook-subscriptions-api
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.square.api import listed
from bellwire.connectors.square.manifest import VERSION
from bellwire.errors import Refused

_PATH = "webhooks/subscriptions"


async def listing(call: Call) -> Sequence[Subscription]:
    """With the trouble of each; the key is told of one at a time only."""
    found = await listed(call, _PATH, "subscriptions", {"include_disabled": "true", "limit": "100"})
    return [await _look(call, each) for each in found]


async def create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """Adds the topics to the entry that the address has, so that one key signs all that comes there; else makes one."""
    standing = [each for each in await listing(call) if each.url == url and not each.trouble]
    if standing:
        wanted = {"event_types": sorted({*standing[0].topics, *topics})}
        await call.api.put(f"{_PATH}/{standing[0].id}", {"subscription": wanted})
        return {}
    entry = {
        "name": f"Bellwire {call.connection.name}"[:64],
        "event_types": list(topics),
        "notification_url": url,
        "api_version": VERSION,
    }
    # Not the call's key: an entry that was taken away and is made anew would only be told of as it was.
    made = await call.api.post(_PATH, {"idempotency_key": str(uuid4()), "subscription": entry})
    return {"webhook_secret": made.json()["subscription"]["signature_key"]}


async def remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"{_PATH}/{subscription.id}")
    except Refused as error:
        if error.cause != "not-found":
            raise


async def _look(call: Call, entry: Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=entry["id"],
        url=entry["notification_url"] or "",
        topics=tuple(entry["event_types"] or ()),
        trouble=await _trouble(call, entry),
    )


async def _trouble(call: Call, entry: Mapping[str, Any]) -> str:
    if not entry.get("enabled"):
        return "It is turned off at Square."
    if entry.get("api_version") != VERSION:
        return f"It sends what version {entry.get('api_version')} has, but {VERSION} is what is read here."
    known = (await call.api.get(f"{_PATH}/{entry['id']}")).json()["subscription"].get("signature_key")
    kept = (call.connection.credentials.find("webhook_secret") or "").split()
    return "" if known in kept else "Its signature key isn't the one that is kept here."


SUBSCRIBING = Subscribing(listing, create, remove)
