"""Made-up deliveries, for `bellwire send-test`: each is a new order, product …, of now."""

import secrets
from typing import Any

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.shopify.manifest import API_VERSION, settings_of
from bellwire.errors import NotFound

_TOPICS = {
    "order.created": "orders/create",
    "order.paid": "orders/paid",
    "order.updated": "orders/updated",
    "order.cancelled": "orders/cancelled",
    "order.fulfilled": "orders/fulfilled",
    "order.deleted": "orders/delete",
    "order.refunded": "refunds/create",
    "return.created": "returns/approve",
    "return.received": "returns/process",
    "product.updated": "products/update",
    "product.deleted": "products/delete",
    "inventory.updated": "inventory_levels/update",
    "customer.updated": "customers/update",
}


def _usd(amount: str) -> dict[str, Any]:
    money = {"amount": amount, "currency_code": "USD"}
    return {"shop_money": money, "presentment_money": money}


_TAX = {"title": "Sales tax", "rate": 0.0825, "price": "1.40", "price_set": _usd("1.40")}
_ADDRESS = {
    "first_name": "Robin",
    "last_name": "Hill",
    "name": "Robin Hill",
    "company": None,
    "address1": "1 Main St",
    "address2": None,
    "city": "Austin",
    "province": "Texas",
    "province_code": "TX",
    "country": "United States",
    "country_code": "US",
    "zip": "78701",
    "phone": "+15125550123",
}


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """Headers (without signature) and body. Raises NotFound for an event type that Shopify doesn't bring."""
    topic = _TOPICS.get(event_type)
    if topic is None:
        raise NotFound(f"Shopify sends no {event_type}.", remedy=f"It sends: {', '.join(_TOPICS)}.")
    now = system_clock().isoformat(timespec="seconds")
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": settings_of(connection).domain,
        "X-Shopify-API-Version": API_VERSION,
        "X-Shopify-Triggered-At": now,
    }
    return headers, orjson.dumps(_body(topic, secrets.randbelow(9 * 10**11) + 10**11, now))


def _body(topic: str, new_id: int, now: str) -> dict[str, Any]:
    match topic.partition("/"):
        case _, _, "delete":
            return {"id": new_id}
        case "orders", _, what:
            return _order(new_id, now, what)
        case "refunds", _, _:
            return _refund(new_id, now)
        case "returns", _, what:
            return _return(new_id, now, what)
        case "products", _, _:
            return _product(new_id, now)
        case "inventory_levels", _, _:
            return {"inventory_item_id": new_id, "location_id": 655441491, "available": 4, "updated_at": now}
        case _:
            return {"id": new_id, "email": "robin@example.com", "first_name": "Robin", "updated_at": now}


def _return(new_id: int, now: str, what: str) -> dict[str, Any]:
    """One of two packets of tea, as the list tells it: webhooks say too little."""
    back = [{"type": "restocked", "quantity": 1, "created_at": now}] if what == "process" else []
    return {
        "id": new_id,
        "name": f"#T{new_id % 10**9}-R1",
        "status": "open",
        "created_at": now,
        "updated_at": now,
        "order": {
            "id": new_id + 10,
            "name": f"#T{new_id % 10**9}",
            "currency": "USD",
            "taxes_included": False,
            "transactions": [],
            "email": "robin@example.com",
            "billing_address": _ADDRESS,
        },
        "return_line_items": [
            {"quantity": 1, "return_reason": "unwanted", "customer_note": None, "line_item": _line(new_id)}
        ],
        "return_shipping_fees": [],
        "looked_at": [{"line_id": str(new_id + 1), "total_quantity": 1, "dispositions": back}],
    }


def _line(new_id: int) -> dict[str, Any]:
    return {
        "id": new_id + 1,
        "product_id": 501,
        "variant_id": 601,
        "sku": "TEA-100",
        "title": "Green tea, 100 g",
        "name": "Green tea, 100 g",
        "quantity": 2,
        "current_quantity": 2,
        "price": "8.50",
        "price_set": _usd("8.50"),
        "grams": 120,
        "gift_card": False,
        "taxable": True,
        "requires_shipping": True,
        "discount_allocations": [],
        "tax_lines": [_TAX],
    }


def _order(new_id: int, now: str, what: str) -> dict[str, Any]:
    """Two packets of tea with shipping and US sales tax: 17.00 + 6.00 + 1.40 = 24.40."""
    shipping = {"id": new_id + 2, "title": "Standard", "price": "6.00", "price_set": _usd("6.00"), "tax_lines": []}
    return {
        "id": new_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{new_id}",
        "name": f"#T{new_id % 10**9}",
        "order_number": new_id % 10**9,
        "test": True,
        "created_at": now,
        "processed_at": now,
        "updated_at": now,
        "cancelled_at": now if what == "cancelled" else None,
        "currency": "USD",
        "financial_status": "pending" if what in ("create", "cancelled") else "paid",
        "fulfillment_status": "fulfilled" if what == "fulfilled" else None,
        "taxes_included": False,
        "email": "robin@example.com",
        "phone": None,
        "customer": {"id": 7, "first_name": "Robin", "last_name": "Hill", "email": "robin@example.com", "phone": None},
        "billing_address": _ADDRESS,
        "shipping_address": _ADDRESS,
        "line_items": [_line(new_id)],
        "shipping_lines": [shipping],
        "tax_lines": [_TAX],
        "discount_applications": [],
        "total_price": "24.40",
        "total_price_set": _usd("24.40"),
        "current_total_price": "24.40",
        "current_total_price_set": _usd("24.40"),
        "total_tax": "1.40",
        "total_tax_set": _usd("1.40"),
        "total_tip_received": "0.00",
        "payment_gateway_names": [] if what == "create" else ["bogus"],
        "refunds": [],
        "fulfillments": [],
        "note": "A test delivery: nothing was sold.",
        "tags": "",
        "source_name": "web",
    }


def _refund(new_id: int, now: str) -> dict[str, Any]:
    order_id = new_id + 1
    line = {
        "id": new_id + 2,
        "line_item_id": new_id + 3,
        "quantity": 1,
        "restock_type": "return",
        "subtotal": 8.5,
        "subtotal_set": _usd("8.50"),
        "total_tax": 0.7,
        "total_tax_set": _usd("0.70"),
        "line_item": {"id": new_id + 3, "sku": "TEA-100", "tax_lines": [{"rate": 0.0825}]},
    }
    moved = {"kind": "refund", "status": "success", "gateway": "bogus", "amount": "9.20", "currency": "USD"}
    return {
        "id": new_id,
        "order_id": order_id,
        "created_at": now,
        "processed_at": now,
        "note": "A test delivery: nothing was given back.",
        "total_duties_set": _usd("0.00"),
        "refund_line_items": [line],
        "transactions": [{"id": new_id + 4, "order_id": order_id, **moved}],
    }


def _product(new_id: int, now: str) -> dict[str, Any]:
    variant = {"id": new_id + 1, "sku": "TEA-100", "title": "100 g", "price": "8.50", "inventory_quantity": 120}
    return {
        "id": new_id,
        "title": "Green tea",
        "status": "active",
        "updated_at": now,
        "tags": "tea, green",
        "variants": [variant | {"inventory_management": "shopify", "barcode": None}],
    }
