"""What Shopify lists by time of change, in the REST shape of its webhooks."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import orjson

from bellwire.connectors.kit import Call, Listed, Page, Poll
from bellwire.connectors.shopify import documents
from bellwire.connectors.shopify.errors import LOST_PLACE
from bellwire.connectors.shopify.manifest import settings_of
from bellwire.connectors.shopify.reading import ask, number, order_body, since
from bellwire.connectors.shopify.reading_returns import returns_of
from bellwire.errors import Refused, Transient

RETURNS = "returns"
_PAGE = 25
"""Each order is read by itself, and each product brings its first variants: more would cost too many points."""

_Read = Callable[[Call, datetime, str], Awaitable[Page]]


def _from_anew(read: _Read) -> _Read:
    """Cursors of a list are no promise: one that isn't known any more leads to the first page."""

    async def page(call: Call, time: datetime, cursor: str) -> Page:
        try:
            return await read(call, time, cursor)
        except Refused as error:
            if not cursor or error.cause != LOST_PLACE:
                raise
            return await read(call, time, "")

    return page


async def _orders(call: Call, time: datetime, cursor: str) -> Page:
    answer = await ask(call, documents.ORDERS_SINCE, first=_PAGE, after=cursor or None, query=since(time))
    found = answer["orders"]
    bodies = [await order_body(call, number(node["id"])) for node in found["nodes"]]
    return Page(tuple(_listed(f"order/{body['id']}", body) for body in bodies if body), _next(found["pageInfo"]))


async def _returns(call: Call, time: datetime, cursor: str) -> Page:
    """By way of their orders, which change with them: Shopify has no list of all returns."""
    answer = await ask(call, documents.ORDERS_WITH_RETURNS, first=_PAGE, after=cursor or None, query=since(time))
    found = answer["orders"]
    ids = [number(node["id"]) for node in found["nodes"] if node["returnStatus"] != "NO_RETURN"]
    bodies = [body for order_id in ids for body in await returns_of(call, order_id)]
    return Page(tuple(_listed(f"return/{body['id']}", body) for body in bodies), _next(found["pageInfo"]))


async def _products(call: Call, time: datetime, cursor: str) -> Page:
    answer = await ask(call, documents.PRODUCTS_SINCE, first=_PAGE, after=cursor or None, query=since(time))
    found = answer["products"]
    bodies = [_product(node, await _variants(call, node)) for node in found["nodes"]]
    return Page(tuple(_listed(f"product/{body['id']}", body) for body in bodies), _next(found["pageInfo"]))


async def _stock(call: Call, time: datetime, cursor: str) -> Page:
    """One location after the other: Shopify has no list of what is in stock over all of them. The cursor is that of the
    location before, and that of its stock."""
    before, _, after = cursor.partition(" ")
    ours = settings_of(call.connection).location_id
    answer = await ask(
        call,
        documents.LEVELS_SINCE,
        location=before or None,
        where=f"id:{ours}" if ours else None,
        after=after or None,
        query=since(time),
    )
    found = answer["locations"]
    if not found["nodes"]:
        return Page(())
    (location,) = found["nodes"]
    levels = location["inventoryLevels"]
    bodies = [_level(node, location["legacyResourceId"]) for node in levels["nodes"]]
    records = tuple(_listed(f"stock/{body['inventory_item_id']}/{body['location_id']}", body) for body in bodies)
    if more := _next(levels["pageInfo"]):
        return Page(records, f"{before} {more}")
    return Page(records, _next(found["pageInfo"]))


async def _variants(call: Call, product: Any) -> list[Any]:
    """Raises Transient when the product changes while it is being read."""
    nodes, page = list(product["variants"]["nodes"]), product["variants"]["pageInfo"]
    while page["hasNextPage"]:
        more = (await ask(call, documents.MORE_VARIANTS, id=product["id"], after=page["endCursor"]))["product"]
        if more is None or more["updatedAt"] != product["updatedAt"]:
            raise Transient(f"{product['title']} changed while it was being read.", cause="changed-meanwhile")
        nodes += more["variants"]["nodes"]
        page = more["variants"]["pageInfo"]
    return nodes


def _product(node: Any, variants: list[Any]) -> dict[str, Any]:
    return {
        "id": node["legacyResourceId"],
        "title": node["title"],
        "status": node["status"].lower(),
        "updated_at": node["updatedAt"],
        "tags": ", ".join(node["tags"]),
        "variants": [
            {
                "id": variant["legacyResourceId"],
                "sku": variant["sku"],
                "title": variant["title"],
                "barcode": variant["barcode"],
                "inventory_quantity": variant["inventoryQuantity"],
                "inventory_item_id": variant["inventoryItem"]["legacyResourceId"],
                "inventory_management": "shopify" if variant["inventoryItem"]["tracked"] else None,
            }
            for variant in variants
        ],
    }


def _level(node: Any, location_id: str) -> dict[str, Any]:
    (available,) = node["quantities"] or ({"quantity": None},)
    return {
        "inventory_item_id": node["item"]["legacyResourceId"],
        "location_id": location_id,
        "available": available["quantity"],
        "updated_at": node["updatedAt"],
    }


def _listed(record: str, body: dict[str, Any]) -> Listed:
    """Shopify's times have whole seconds, in which two things can change: the body is part of what a state is known
    by."""
    text = orjson.dumps(body)
    return Listed(f"{record}/{body['updated_at']}/{hashlib.sha256(text).hexdigest()[:12]}", text)


def _next(page: Any) -> str:
    return page["endCursor"] if page["hasNextPage"] else ""


POLLS = (
    Poll(
        "orders",
        _from_anew(_orders),
        (
            "order.created",
            "order.paid",
            "order.updated",
            "order.cancelled",
            "order.fulfilled",
            "order.refunded",
        ),
    ),
    # Webhooks of returns say too little, and a search may find the order only some seconds after the poll was woken.
    Poll(RETURNS, _from_anew(_returns), ("return.created", "return.received"), every=timedelta(minutes=10)),
    Poll("products", _from_anew(_products), ("product.updated",)),
    Poll("stock", _from_anew(_stock), ("inventory.updated",)),
)
