"""Reads returns by GraphQL. Shopify has no REST shape of them: theirs here is made like that of orders."""

from collections.abc import Mapping
from typing import Any

from bellwire.connectors.kit import Call
from bellwire.connectors.shopify import documents
from bellwire.connectors.shopify.reading import ask, both, buyer, gid, line, number, transaction
from bellwire.connectors.shopify.returns import STANDING, received
from bellwire.events import Condition

_Body = dict[str, Any]


async def returns_of(call: Call, order_id: str) -> list[_Body]:
    """All of an order; each that was received tells what had come back by others before."""
    ids: list[str] = []
    page: Mapping[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        order = (await ask(call, documents.RETURNS_OF, id=gid("Order", order_id), after=page["endCursor"]))["order"]
        if order is None:
            break
        ids += [node["id"] for node in order["returns"]["nodes"]]
        page = order["returns"]["pageInfo"]
    found = [await _read(call, each) for each in ids]
    bodies = [body for body in found if body is not None]
    back = [(each.received_at, each.id, each) for body in bodies if (each := received(body)) and each.received_at]
    for body in bodies:
        own = next((place for place in back if place[1] == body["id"]), None)
        body["returned_before"] = [
            {"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity}
            for *place, earlier in back
            if own and tuple(place) < own[:2] and earlier.status in STANDING
            for line in earlier.lines
            if line.line_id and line.condition is not Condition.MISSING
        ]
    return bodies


async def _read(call: Call, return_gid: str) -> _Body | None:
    found = (await ask(call, documents.RETURN, id=return_gid))["return"]
    if found is None:
        return None
    lines, page = list(found["returnLineItems"]["nodes"]), found["returnLineItems"]["pageInfo"]
    while page["hasNextPage"]:
        more = (await ask(call, documents.MORE_RETURN_LINES, id=return_gid, after=page["endCursor"]))["return"]
        lines += more["returnLineItems"]["nodes"]
        page = more["returnLineItems"]["pageInfo"]
    looked_at = [
        each for node in found["reverseFulfillmentOrders"]["nodes"] for each in await _looked_at(call, node["id"])
    ]
    order = found["order"]
    return {
        "id": number(found["id"]),
        "name": found["name"],
        "status": found["status"].lower(),
        "created_at": found["createdAt"],
        "updated_at": _updated_at(found, looked_at),
        "order": {
            "id": order["legacyResourceId"],
            "name": order["name"],
            "currency": order["currencyCode"],
            "taxes_included": order["taxesIncluded"],
            "transactions": [transaction(entry) for entry in order["transactions"]],
            **buyer(order),
        },
        "return_line_items": [_line(node) for node in lines],
        "return_shipping_fees": [{"amount_set": both(entry["amountSet"])} for entry in found["returnShippingFees"]],
        "looked_at": looked_at,
    }


async def _looked_at(call: Call, reverse_gid: str) -> list[_Body]:
    nodes: list[Any] = []
    page: Mapping[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        answer = await ask(call, documents.LOOKED_AT, id=reverse_gid, after=page["endCursor"])
        items = answer["reverseFulfillmentOrder"]["lineItems"]
        nodes += items["nodes"]
        page = items["pageInfo"]
    return [
        {
            "line_id": number(node["fulfillmentLineItem"]["lineItem"]["id"]) if node["fulfillmentLineItem"] else "",
            "total_quantity": node["totalQuantity"],
            "dispositions": [
                {"type": each["type"].lower(), "quantity": each["quantity"], "created_at": each["createdAt"]}
                for each in node["dispositions"]
            ],
        }
        for node in nodes
    ]


def _line(node: Mapping[str, Any]) -> _Body:
    sent = node.get("fulfillmentLineItem")
    fee = node.get("restockingFee")
    return {
        "quantity": node["quantity"],
        "return_reason": (node["returnReasonDefinition"] or {}).get("handle"),
        "return_reason_note": node["returnReasonNote"],
        "customer_note": node["customerNote"],
        "restocking_fee_set": both(fee["amountSet"]) if fee else None,
        "line_item": line(sent["lineItem"]) if sent else None,
    }


def _updated_at(found: Mapping[str, Any], looked_at: list[_Body]) -> str:
    """A return doesn't say it itself: the last of what it says happened."""
    times = [found["createdAt"], found["requestApprovedAt"], found["closedAt"]]
    times += [each["created_at"] for item in looked_at for each in item["dispositions"]]
    last: str = max(time for time in times if time)
    return last
