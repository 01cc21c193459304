"""What customers send back, and how webhooks and GraphQL tell of it.

https://shopify.dev/docs/apps/build/orders-fulfillment/returns-apps
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bellwire.events import Condition
from bellwire.practice.shopify import nodes, schema

Body = dict[str, Any]

DISPOSITIONS = {
    Condition.SELLABLE: "restocked",
    Condition.DAMAGED: "not_restocked",
    Condition.MISSING: "missing",
    Condition.UNKNOWN: "processing_required",
}


def new_return(order: Body, return_id: int, units: Mapping[str, int], now: str, *, nth: int, asked: bool) -> Body:
    """Of `units` (line id → how many). `asked`: by the customer, and the shop hasn't agreed to it yet."""
    lines = [line for line in order["line_items"] if str(line["id"]) in units]
    return {
        "id": return_id,
        "name": f"{order['name']}-R{nth}",
        "order_id": str(order["id"]),
        "status": "requested" if asked else "open",
        "created_at": now,
        "request_approved_at": None,
        "closed_at": None,
        "shipping_fee": None,
        "return_line_items": [
            {
                "id": return_id + 1 + number,
                "line_item": line,
                "quantity": units[str(line["id"])],
                "reason": {"handle": "unwanted", "name": "Changed my mind"},
                "reason_note": "",
                "customer_note": None,
                "restocking_fee": None,
            }
            for number, line in enumerate(lines)
        ],
        # What the shop has to look at, once it has agreed.
        "to_look_at": [] if asked else _to_look_at(return_id, lines, units),
    }


def approved(body: Body, now: str) -> Body:
    lines = [entry["line_item"] for entry in body["return_line_items"]]
    units = {str(entry["line_item"]["id"]): entry["quantity"] for entry in body["return_line_items"]}
    return body | {
        "status": "open",
        "request_approved_at": now,
        "to_look_at": _to_look_at(body["id"], lines, units),
    }


def looked_at(body: Body, condition: Condition, units: Mapping[str, int] | None, now: str) -> None:
    """`units` (line id → how many; None: all that nobody has looked at yet) are in a condition."""
    for entry in body["to_look_at"]:
        open_units = entry["total_quantity"] - sum(each["quantity"] for each in _final(entry))
        quantity = open_units if units is None else units.get(str(entry["line_item"]["id"]), 0)
        if quantity:
            made = {"type": DISPOSITIONS[condition], "quantity": quantity, "created_at": now}
            entry["dispositions"].append(made)


def rest(body: Body) -> Body:
    """As webhooks carry it: what it is about, and little more."""
    order_id = body["order_id"]
    return {
        "id": body["id"],
        "admin_graphql_api_id": schema.gid("Return", body["id"]),
        "order": {"id": int(order_id), "admin_graphql_api_id": schema.gid("Order", order_id)},
        "status": body["status"],
        "name": body["name"],
        "total_return_line_items": len(body["return_line_items"]),
        "return_line_items": [
            {
                "id": entry["id"],
                "admin_graphql_api_id": schema.gid("ReturnLineItem", entry["id"]),
                "fulfillment_line_item": {"line_item": {"id": entry["line_item"]["id"]}},
                "quantity": entry["quantity"],
                "return_reason_note": entry["reason_note"],
                "customer_note": entry["customer_note"],
            }
            for entry in body["return_line_items"]
        ],
    }


def return_node(body: Body, order: Body, order_node: Body) -> Body:
    currency = order["currency"]
    fee = body["shipping_fee"]
    return {
        "id": schema.gid("Return", body["id"]),
        "name": body["name"],
        "status": body["status"].upper(),
        "createdAt": body["created_at"],
        "requestApprovedAt": body["request_approved_at"],
        "closedAt": body["closed_at"],
        "order": order_node,
        "returnShippingFees": [{"amountSet": nodes.plain(fee, currency)}] if fee else [],
        "returnLineItems": schema.numbered(body["return_line_items"], lambda entry: _line_node(entry, order)),
        "reverseFulfillmentOrders": schema.numbered([body] if body["to_look_at"] else [], reverse_node),
    }


def reverse_node(body: Body) -> Body:
    """All of a return goes to one place here, so that the return's number can be its own too."""
    return {
        "id": schema.gid("ReverseFulfillmentOrder", body["id"]),
        "lineItems": schema.numbered(body["to_look_at"], _reverse_line),
    }


def status_of(bodies: Iterable[Body]) -> str:
    """Of an order, all its returns together."""
    found = {body["status"] for body in bodies}
    for status, told in (("requested", "RETURN_REQUESTED"), ("open", "IN_PROGRESS"), ("closed", "RETURNED")):
        if status in found:
            return told
    return "NO_RETURN"


def _to_look_at(return_id: int, lines: list[Body], units: Mapping[str, int]) -> list[Body]:
    return [
        {
            "id": return_id + 500 + number,
            "line_item": line,
            "total_quantity": units[str(line["id"])],
            "dispositions": [],
        }
        for number, line in enumerate(lines)
    ]


def _final(entry: Body) -> list[Body]:
    return [each for each in entry["dispositions"] if each["type"] != "processing_required"]


def _line_node(entry: Body, order: Body) -> Body:
    fee = entry["restocking_fee"]
    return {
        "__typename": "ReturnLineItem",
        "id": schema.gid("ReturnLineItem", entry["id"]),
        "quantity": entry["quantity"],
        "returnReasonDefinition": entry["reason"],
        "returnReasonNote": entry["reason_note"],
        "customerNote": entry["customer_note"],
        "restockingFee": {"amountSet": nodes.plain(fee, order["currency"])} if fee else None,
        "fulfillmentLineItem": {"lineItem": nodes.line_node(entry["line_item"], order)},
    }


def _reverse_line(entry: Body) -> Body:
    return {
        "totalQuantity": entry["total_quantity"],
        "fulfillmentLineItem": {"lineItem": {"id": schema.gid("LineItem", entry["line_item"]["id"])}},
        "dispositions": [
            {"type": each["type"].upper(), "quantity": each["quantity"], "createdAt": each["created_at"]}
            for each in entry["dispositions"]
        ],
    }
