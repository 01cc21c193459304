"""Reads orders by GraphQL, and gives them the REST shape, so that one mapping serves webhooks and reads alike."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwire.connectors.kit import Answer, Call
from bellwire.connectors.shopify import documents
from bellwire.connectors.shopify.errors import pause
from bellwire.connectors.shopify.orders import order
from bellwire.errors import Transient
from bellwire.events import Order

Node = Mapping[str, Any]

_GRAMS = {
    "GRAMS": Decimal(1),
    "KILOGRAMS": Decimal(1000),
    "OUNCES": Decimal("28.349523125"),
    "POUNDS": Decimal("453.59237"),
}


async def send(call: Call, document: str, *, writes: bool = False, **variables: Any) -> Answer:
    """Send a document; when the points that it cost are used up, the next request waits for them."""
    asked = {"query": document, "variables": variables}
    answer = await call.api.request("POST", "graphql.json", json=asked, writes=writes)
    if wait := pause(answer.json()):
        call.api.gate.pause(wait)
    return answer


async def ask(call: Call, document: str, *, writes: bool = False, **variables: Any) -> Any:
    """`data` of the answer."""
    return (await send(call, document, writes=writes, **variables)).json()["data"]


def since(time: datetime) -> str:
    """The search term for what changed at a time or later; Shopify's times have whole seconds."""
    return f"updated_at:>='{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def gid(kind: str, number: str) -> str:
    """The id that GraphQL knows a record by."""
    return f"gid://shopify/{kind}/{number}"


async def find_order(call: Call, order_id: str) -> Order | None:
    """The order with all its lines and refunds. Raises Transient when it changes while it is being read."""
    body = await order_body(call, order_id)
    return order(body) if body else None


async def order_body(call: Call, order_id: str) -> dict[str, Any] | None:
    """The same in the REST shape, with the order's transactions, which webhooks leave out."""
    found = (await ask(call, documents.ORDER, id=gid("Order", order_id)))["order"]
    if found is None:
        return None
    lines = [line(node) for node in found["lineItems"]["nodes"]]
    page = found["lineItems"]["pageInfo"]
    while page["hasNextPage"]:
        more = (await ask(call, documents.MORE_LINES, id=gid("Order", order_id), after=page["endCursor"]))["order"]
        if more is None or more["updatedAt"] != found["updatedAt"]:
            raise Transient(f"Order {found['name']} changed while it was being read.", cause="changed-meanwhile")
        lines += [line(node) for node in more["lineItems"]["nodes"]]
        page = more["lineItems"]["pageInfo"]
    refunds = [await _read_refund(call, entry["id"]) for entry in found["refunds"]]
    return _order(found, lines, refunds)


async def _read_refund(call: Call, refund_gid: str) -> dict[str, Any]:
    found = (await ask(call, documents.REFUND, id=refund_gid))["refund"]
    lines, page = list(found["refundLineItems"]["nodes"]), found["refundLineItems"]["pageInfo"]
    while page["hasNextPage"]:
        more = (await ask(call, documents.MORE_REFUND_LINES, id=refund_gid, after=page["endCursor"]))["refund"]
        lines += more["refundLineItems"]["nodes"]
        page = more["refundLineItems"]["pageInfo"]
    return _refund(found, lines)


# GraphQL's shape → the REST shape


def _order(node: Node, lines: list[dict[str, Any]], refunds: list[dict[str, Any]]) -> dict[str, Any]:
    applications = sorted(node["discountApplications"]["nodes"], key=lambda entry: int(entry["index"]))
    return {
        "id": node["legacyResourceId"],
        "name": node["name"],
        "created_at": node["createdAt"],
        "processed_at": node["processedAt"],
        "updated_at": node["updatedAt"],
        "cancelled_at": node["cancelledAt"],
        "currency": node["currencyCode"],
        "test": node["test"],
        "taxes_included": node["taxesIncluded"],
        "financial_status": (node["displayFinancialStatus"] or "PENDING").lower(),
        "fulfillment_status": node["displayFulfillmentStatus"].lower(),
        **buyer(node),
        "note": node["note"],
        "tags": ", ".join(node["tags"]),
        "source_name": node["sourceName"],
        "payment_gateway_names": node["paymentGatewayNames"],
        "total_price_set": both(node["totalPriceSet"]),
        "current_total_price_set": both(node["currentTotalPriceSet"]),
        "total_tax_set": both(node["totalTaxSet"]),
        "current_total_tax_set": both(node["currentTotalTaxSet"]),
        "total_tip_received_set": both(node["totalTipReceivedSet"]),
        "tax_lines": _tax_lines(node),
        "line_items": lines,
        "shipping_lines": [_shipping_line(entry) for entry in node["shippingLines"]["nodes"]],
        "discount_applications": applications,
        "transactions": [transaction(entry) for entry in node["transactions"]],
        "fulfillments": [_fulfilment(entry) for entry in node["fulfillments"]],
        "refunds": refunds,
    }


def line(node: Node) -> dict[str, Any]:
    variant = node["variant"] or {}
    return {
        "id": number(node["id"]),
        "title": node["title"],
        "name": node["name"],
        "sku": node["sku"],
        "quantity": node["quantity"],
        "current_quantity": node["currentQuantity"],
        "requires_shipping": node["requiresShipping"],
        "taxable": node["taxable"],
        "gift_card": node["isGiftCard"],
        "price_set": both(node["originalUnitPriceSet"]),
        "discount_allocations": _allocations(node),
        "tax_lines": _tax_lines(node),
        "product_id": (node["product"] or {}).get("legacyResourceId"),
        "variant_id": variant.get("legacyResourceId"),
        "grams": _grams(variant["inventoryItem"]["measurement"]["weight"]) if variant else 0,
    }


def _shipping_line(node: Node) -> dict[str, Any]:
    return {
        "title": node["title"],
        "is_removed": node["isRemoved"],
        "price_set": both(node["originalPriceSet"]),
        "discount_allocations": _allocations(node),
        "tax_lines": _tax_lines(node),
    }


def _refund(node: Node, lines: list[Node]) -> dict[str, Any]:
    return {
        "id": node["legacyResourceId"],
        "created_at": node["createdAt"],
        "processed_at": node["processedAt"],
        "note": node["note"],
        "transactions": [transaction(entry) for entry in node["transactions"]["nodes"]],
        "refund_line_items": [
            {
                "line_item_id": number(entry["lineItem"]["id"]),
                "line_item": entry["lineItem"],
                "quantity": entry["quantity"],
                "restock_type": entry["restockType"].lower(),
                "subtotal_set": both(entry["subtotalSet"]),
                "total_tax_set": both(entry["totalTaxSet"]),
            }
            for entry in lines
        ],
        "refund_shipping_lines": [
            {"subtotal_amount_set": both(entry["subtotalAmountSet"]), "tax_amount_set": both(entry["taxAmountSet"])}
            for entry in node["refundShippingLines"]["nodes"]
        ],
    }


def transaction(node: Node) -> dict[str, Any]:
    return {
        "kind": node["kind"].lower(),
        "status": node["status"].lower(),
        "gateway": node["gateway"],
        "authorization": node.get("authorizationCode"),
        "payment_id": node.get("paymentId"),
        "processed_at": node.get("processedAt"),
        "amount_set": both(node["amountSet"]),
    }


def _fulfilment(node: Node) -> dict[str, Any]:
    tracking: Node = next(iter(node["trackingInfo"]), {})
    return {
        "id": node["legacyResourceId"],
        "status": node["status"].lower(),
        "created_at": node["createdAt"],
        "tracking_company": tracking.get("company"),
        "tracking_number": tracking.get("number"),
        "tracking_url": tracking.get("url"),
    }


def buyer(order: Node) -> dict[str, Any]:
    """What an order says of whoever placed it."""
    return {
        "email": order["email"],
        "phone": order["phone"],
        "customer": _customer(order["customer"]),
        "billing_address": _address(order["billingAddress"]),
        "shipping_address": _address(order["shippingAddress"]),
    }


def _customer(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {
        "id": node["legacyResourceId"],
        "first_name": node["firstName"],
        "last_name": node["lastName"],
        "email": (node["defaultEmailAddress"] or {}).get("emailAddress"),
        "phone": (node["defaultPhoneNumber"] or {}).get("phoneNumber"),
        "default_address": node["defaultAddress"],
    }


def _address(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {
        "name": node["name"],
        "first_name": node["firstName"],
        "last_name": node["lastName"],
        "company": node["company"],
        "address1": node["address1"],
        "address2": node["address2"],
        "city": node["city"],
        "province": node["province"],
        "province_code": node["provinceCode"],
        "zip": node["zip"],
        "country_code": node["countryCodeV2"],
        "phone": node["phone"],
    }


def _allocations(node: Node) -> list[dict[str, Any]]:
    return [
        {
            "amount_set": both(entry["allocatedAmountSet"]),
            "discount_application_index": entry["discountApplication"]["index"],
        }
        for entry in node["discountAllocations"]
    ]


def _tax_lines(node: Node) -> list[dict[str, Any]]:
    return [
        {"title": entry["title"], "rate": entry["rate"], "price_set": both(entry["priceSet"])}
        for entry in node["taxLines"]
    ]


def both(bag: Node | None) -> dict[str, Any] | None:
    if bag is None:
        return None
    names = {"shopMoney": "shop_money", "presentmentMoney": "presentment_money"}
    return {
        ours: {"amount": money["amount"], "currency_code": money["currencyCode"]}
        for theirs, ours in names.items()
        if (money := bag.get(theirs))
    }


def _grams(weight: Node | None) -> int:
    if weight is None:
        return 0
    return int((Decimal(str(weight["value"])) * _GRAMS[weight["unit"]]).quantize(Decimal(1), ROUND_HALF_UP))


def number(record: str) -> str:
    """The number in `gid://shopify/LineItem/123`."""
    return record.rpartition("/")[2].partition("?")[0]
