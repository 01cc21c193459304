"""How one keeps up with a store: its webhooks over the API, and its lists by version.

https://x-series-api.lightspeedhq.com/docs/webhooks, https://x-series-api.lightspeedhq.com/docs/pagination
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Call, Listed, Page, Poll, Subscribing, Subscription

_SIZE = 1000


async def _subscriptions(call: Call) -> list[Subscription]:
    """The store shows all of an application's at once."""
    found = (await call.api.get("webhooks")).json()["data"]
    off = "The store has turned it off."
    return [Subscription(each["id"], each["url"], (each["type"],), "" if each["active"] else off) for each in found]


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """One for each. They are signed with the application's client secret, so nothing new comes of it."""
    for topic in topics:
        await call.api.post("webhooks", {"active": True, "type": topic, "url": url})
    return {}


async def _remove(call: Call, subscription: Subscription) -> None:
    await call.api.request("DELETE", f"webhooks/{subscription.id}")


async def _products(call: Call, since: datetime, cursor: str) -> Page:
    """Those with a version above the cursor. Without one, all are read, and those from before `since` left out."""
    params = {"after": cursor or "0", "page_size": str(_SIZE)}
    answer = (await call.api.get("products", params=params)).json()
    found = [product for product in answer["data"] if cursor or _changed(product, since)]
    if not answer["data"]:
        return Page((), resume=cursor)
    return _page(found, str(answer["version"]["max"]), last=len(answer["data"]) < _SIZE)


async def _levels(call: Call, since: datetime, cursor: str) -> Page:
    """Levels tell no time, only a version: without a cursor, nothing is listed but where to go on from."""
    question = {
        "after": int(cursor or 0),
        "size": _SIZE if cursor else 1,
        "sort_direction": "asc" if cursor else "desc",
    }
    answer = (await call.api.request("POST", "inventory", json=question, writes=False)).json()
    # The description shows a bare list; other lists of the API stand under `data`.
    levels: list[Mapping[str, Any]] = answer["data"] if isinstance(answer, dict) else answer
    newest = str(max((level["version"] for level in levels), default=cursor or 0))
    return _page(levels if cursor else [], newest, last=len(levels) < _SIZE)


def _page(records: Sequence[Mapping[str, Any]], version: str, *, last: bool) -> Page:
    listed = tuple(Listed(f"{each['id']}/{each['version']}", orjson.dumps(each)) for each in records)
    return Page(listed, "" if last else version, version if last else "")


def _changed(product: Mapping[str, Any], since: datetime) -> bool:
    return not product.get("updated_at") or parse_utc(product["updated_at"]) >= since


SUBSCRIBING = Subscribing(_subscriptions, _create, _remove)
POLLS = (
    Poll("products", _products, ("product.updated", "product.deleted")),
    Poll("stock", _levels, ("inventory.updated",)),
)
