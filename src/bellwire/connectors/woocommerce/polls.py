"""What the shop lists by time of change; bodies are those of its webhooks.

Stock that an order takes changes no time: the order tells it.
"""

import hashlib
from datetime import datetime
from typing import Any

import orjson

from bellwire.connectors.kit import Call, Listed, Page, Poll
from bellwire.connectors.woocommerce.lists import changed, every


async def _orders(call: Call, since: datetime, cursor: str) -> Page:
    """With the time of each refund, which an order leaves out."""
    found, more = await changed(call, "orders", since, cursor)
    for order in found:
        if order.get("refunds"):
            made = {entry["id"]: entry for entry in await every(call, f"orders/{order['id']}/refunds")}
            for entry in order["refunds"]:
                entry["date_created_gmt"] = made.get(entry["id"], {}).get("date_created_gmt")
    return Page(tuple(_listed("order", order) for order in found), more)


async def _products(call: Call, since: datetime, cursor: str) -> Page:
    """With those variations that changed, of the products that changed: the list of products leaves them out. They are
    read one by one, as only then they look as in their webhooks."""
    found, more = await changed(call, "products", since, cursor)
    records = []
    for product in found:
        records.append(_listed("product", product))
        if product.get("variations"):
            records += await _variations(call, product["id"], since)
    return Page(tuple(records), more)


async def _variations(call: Call, product_id: int, since: datetime) -> list[Listed]:
    numbers: list[int] = []
    cursor, more = "", True
    while more:
        shown, cursor = await changed(call, f"products/{product_id}/variations", since, cursor, _fields="id")
        numbers += [entry["id"] for entry in shown]
        more = bool(cursor)
    return [_listed("product", (await call.api.get(f"products/{number}")).json()) for number in numbers]


def _listed(kind: str, body: dict[str, Any]) -> Listed:
    """The shop's times have whole seconds, and some changes have none: the body is part of what a state is known by."""
    text = orjson.dumps(body)
    return Listed(f"{kind}/{body['id']}/{body.get('date_modified_gmt')}/{hashlib.sha256(text).hexdigest()[:12]}", text)


POLLS = (
    Poll(
        "orders",
        _orders,
        (
            "order.created",
            "order.paid",
            "order.updated",
            "order.cancelled",
            "order.fulfilled",
            "order.payment_failed",
            "order.refunded",
        ),
    ),
    Poll("products", _products, ("product.updated", "inventory.updated")),
)
