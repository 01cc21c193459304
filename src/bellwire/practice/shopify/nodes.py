"""The REST shape of orders, refunds and products as nodes of GraphQL."""

from collections.abc import Mapping
from typing import Any

from bellwire.practice.shopify.schema import Node, gid, numbered

_FULFILMENT = {"fulfilled": "FULFILLED", "partial": "PARTIALLY_FULFILLED", None: "UNFULFILLED"}
PERSONAL = ("email", "phone", "customer", "billingAddress", "shippingAddress")
"""The fields of an order that need leave to see customers."""


def order_node(body: Node, fulfilment_orders: list[Node], payments: list[Node]) -> Node:
    applications = [_application(index, entry) for index, entry in enumerate(body["discount_applications"])]
    return {
        "__typename": "Order",
        "id": gid("Order", body["id"]),
        "legacyResourceId": str(body["id"]),
        "name": body["name"],
        "createdAt": body["created_at"],
        "processedAt": body["processed_at"],
        "updatedAt": body["updated_at"],
        "cancelledAt": body["cancelled_at"],
        "currencyCode": body["currency"],
        "test": body["test"],
        "taxesIncluded": body["taxes_included"],
        "displayFinancialStatus": body["financial_status"].upper(),
        "displayFulfillmentStatus": _FULFILMENT[body["fulfillment_status"]],
        "email": body["email"],
        "phone": body["phone"],
        "note": body["note"],
        "tags": [tag for tag in body["tags"].split(", ") if tag],
        "sourceName": body["source_name"],
        "paymentGatewayNames": body["payment_gateway_names"],
        "totalPriceSet": _bag(body["total_price_set"]),
        "currentTotalPriceSet": _bag(body["current_total_price_set"]),
        "totalTaxSet": _bag(body["total_tax_set"]),
        "currentTotalTaxSet": _bag(body["current_total_tax_set"]),
        "totalTipReceivedSet": plain(body["total_tip_received"], body["currency"]),
        "taxLines": _tax_lines(body),
        "customer": _customer(body["customer"]),
        "billingAddress": _address(body["billing_address"]),
        "shippingAddress": _address(body["shipping_address"]),
        "lineItems": numbered(body["line_items"], lambda line: _line(line, applications)),
        "shippingLines": lambda info, includeRemovals=False, **page: numbered(  # noqa: N803 - the argument's name
            [line for line in body["shipping_lines"] if includeRemovals or not line["is_removed"]],
            lambda line: _shipping_line(line, applications),
        )(info, **page),
        "discountApplications": numbered(applications, lambda application: application),
        "transactions": lambda _info, first=50: [_transaction(t, body["currency"]) for t in payments][:first],
        "fulfillments": lambda _info, first=50: [fulfilment_node(entry) for entry in body["fulfillments"]][:first],
        "fulfillmentOrders": numbered(fulfilment_orders, _fulfilment_order),
        "refunds": lambda _info, first=50: [refund_node(entry, body) for entry in body["refunds"]][:first],
    }


def refund_node(body: Node, order: Node) -> Node:
    applications = [_application(index, entry) for index, entry in enumerate(order["discount_applications"])]
    return {
        "id": gid("Refund", body["id"]),
        "legacyResourceId": str(body["id"]),
        "createdAt": body["created_at"],
        "processedAt": body["processed_at"],
        "note": body["note"],
        "transactions": numbered(body["transactions"], lambda entry: _transaction(entry, order["currency"])),
        "refundLineItems": numbered(body["refund_line_items"], lambda entry: _refund_line(entry, applications)),
        "refundShippingLines": numbered(body["refund_shipping_lines"], _refund_shipping_line),
    }


def fulfilment_node(body: Node) -> Node:
    tracking = {name: body[f"tracking_{name}"] for name in ("company", "number", "url")}
    return {
        "id": gid("Fulfillment", body["id"]),
        "legacyResourceId": str(body["id"]),
        "status": body["status"].upper(),
        "createdAt": body["created_at"],
        "trackingInfo": lambda _info, first=10: [tracking][:first] if any(tracking.values()) else [],
    }


def product_node(body: Node) -> Node:
    return {
        "__typename": "Product",
        "id": gid("Product", body["id"]),
        "legacyResourceId": str(body["id"]),
        "title": body["title"],
        "tags": body["tags"],
    }


def variant_node(body: Node) -> Node:
    variant = body["variants"][0]
    return {
        "id": gid("ProductVariant", variant["id"]),
        "legacyResourceId": str(variant["id"]),
        "sku": variant["sku"],
        "product": product_node(body),
    }


def _fulfilment_order(body: Node) -> Node:
    location = {"id": gid("Location", body["location_id"]), "legacyResourceId": body["location_id"], "name": "Shop"}
    return {
        "id": gid("FulfillmentOrder", body["id"]),
        "status": body["status"].upper(),
        "assignedLocation": {"location": location, "name": "Shop"},
    }


def line_node(body: Node, order: Node) -> Node:
    return _line(body, [_application(index, entry) for index, entry in enumerate(order["discount_applications"])])


def _line(body: Node, applications: list[Node]) -> Node:
    product = body["product_id"]
    weight = {"value": float(body["grams"]), "unit": "GRAMS"}
    variant = {"legacyResourceId": str(body["variant_id"]), "inventoryItem": {"measurement": {"weight": weight}}}
    return {
        "id": gid("LineItem", body["id"]),
        "title": body["title"],
        "name": body["name"],
        "sku": body["sku"],
        "quantity": body["quantity"],
        "currentQuantity": body["current_quantity"],
        "requiresShipping": body["requires_shipping"],
        "taxable": body["taxable"],
        "isGiftCard": body["gift_card"],
        "originalUnitPriceSet": _bag(body["price_set"]),
        "discountAllocations": _allocations(body, applications),
        "taxLines": _tax_lines(body),
        "product": {"legacyResourceId": str(product)} if product else None,
        "variant": variant if product else None,
    }


def _shipping_line(body: Node, applications: list[Node]) -> Node:
    return {
        "id": gid("ShippingLine", body["id"]),
        "title": body["title"],
        "isRemoved": body["is_removed"],
        "originalPriceSet": _bag(body["price_set"]),
        "discountAllocations": _allocations(body, applications),
        "taxLines": _tax_lines(body),
    }


def _refund_line(body: Node, applications: list[Node]) -> Node:
    return {
        "quantity": body["quantity"],
        "restockType": body["restock_type"].upper(),
        "subtotalSet": _bag(body["subtotal_set"]),
        "totalTaxSet": _bag(body["total_tax_set"]),
        "lineItem": _line(body["line_item"], applications),
    }


def _refund_shipping_line(body: Node) -> Node:
    return {
        "id": gid("RefundShippingLine", body["id"]),
        "subtotalAmountSet": _bag(body["subtotal_amount_set"]),
        "taxAmountSet": _bag(body["tax_amount_set"]),
    }


def _transaction(body: Node, currency: str) -> Node:
    return {
        "id": gid("OrderTransaction", body["id"]),
        "kind": body["kind"].upper(),
        "status": body["status"].upper(),
        "gateway": body["gateway"],
        "authorizationCode": body["authorization"],
        "paymentId": body["payment_id"],
        "processedAt": body["processed_at"],
        "amountSet": plain(body["amount"], currency),
    }


def _application(index: int, body: Node) -> Node:
    if body["type"] == "discount_code":
        return {"__typename": "DiscountCodeApplication", "index": index, "code": body["code"]}
    return {"__typename": "ManualDiscountApplication", "index": index, "title": body["title"]}


def _allocations(body: Node, applications: list[Node]) -> list[Node]:
    return [
        {
            "allocatedAmountSet": _bag(entry["amount_set"]),
            "discountApplication": applications[entry["discount_application_index"]],
        }
        for entry in body["discount_allocations"]
    ]


def _tax_lines(body: Node) -> list[Node]:
    return [
        {"title": entry["title"], "rate": entry["rate"], "priceSet": _bag(entry["price_set"])}
        for entry in body["tax_lines"]
    ]


def _customer(body: Node | None) -> Node | None:
    if body is None:
        return None
    return {
        "id": gid("Customer", body["id"]),
        "legacyResourceId": str(body["id"]),
        "firstName": body["first_name"],
        "lastName": body["last_name"],
        "defaultEmailAddress": {"emailAddress": body["email"]} if body["email"] else None,
        "defaultPhoneNumber": {"phoneNumber": body["phone"]} if body["phone"] else None,
        "defaultAddress": body["default_address"],
    }


def _address(body: Node | None) -> Node | None:
    if body is None:
        return None
    same = ("name", "company", "address1", "address2", "city", "province", "zip", "phone")
    return {field: body[field] for field in same} | {
        "firstName": body["first_name"],
        "lastName": body["last_name"],
        "provinceCode": body["province_code"],
        "countryCodeV2": body["country_code"],
    }


def _bag(both: Mapping[str, Any]) -> Node:
    return {
        name: {"amount": both[field]["amount"], "currencyCode": both[field]["currency_code"]}
        for name, field in (("shopMoney", "shop_money"), ("presentmentMoney", "presentment_money"))
    }


def plain(amount: str, currency: str) -> Node:
    money = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}
