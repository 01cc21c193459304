"""Made-up deliveries for `bellwire send-test`: a new number each time, so that none is taken for a repeat."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.woocommerce.manifest import settings_of

_ORDER_STATES: Mapping[str, Mapping[str, Any]] = {
    "order.created": {"status": "pending"},
    "order.paid": {"status": "processing"},
    "order.updated": {"status": "on-hold"},
    "order.cancelled": {"status": "cancelled"},
    "order.fulfilled": {"status": "completed"},
    "order.payment_failed": {"status": "failed"},
    "order.refunded": {"status": "processing"},
}
_TOPICS = {"inventory.updated": "product.updated"} | {
    name: "order.updated" for name in _ORDER_STATES if name != "order.created"
}


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """Headers, without the signature, and body of a delivery that brings an event of this type. Raises KeyError for
    types that the shop doesn't send."""
    topic, number = _TOPICS.get(event_type, event_type), 10**9 + secrets.randbelow(10**9)
    resource, event = topic.split(".")
    if event == "deleted":
        body: dict[str, Any] = {"id": number}
    elif resource == "order":
        body = _order(number, event_type, system_clock())
    else:
        body = {"product": _product, "customer": _customer}[resource](number, system_clock())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/10.3.0 Hookshot (WordPress/6.8)",
        "X-WC-Webhook-Source": f"{settings_of(connection).url}/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-ID": "1",
        "X-WC-Webhook-Delivery-ID": secrets.token_hex(16),
    }
    return headers, orjson.dumps(body)


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def _dates(now: datetime) -> dict[str, str]:
    return {"date_created_gmt": _text(now - timedelta(minutes=1)), "date_modified_gmt": _text(now)}


def _order(number: int, event_type: str, now: datetime) -> dict[str, Any]:
    status = _ORDER_STATES[event_type]["status"]
    paid = status in ("processing", "completed")
    address = {
        "first_name": "Robin",
        "last_name": "Hill",
        "company": "",
        "address_1": "1 Main St",
        "address_2": "",
        "city": "Austin",
        "state": "TX",
        "postcode": "78701",
        "country": "US",
        "phone": "+15125550123",
    }
    return {
        "id": number,
        "number": str(number),
        "status": status,
        "currency": "USD",
        "prices_include_tax": False,
        **_dates(now),
        "date_paid_gmt": _text(now) if paid else None,
        "date_completed_gmt": _text(now) if status == "completed" else None,
        "discount_total": "0.00",
        "shipping_total": "6.00",
        "total_tax": "1.40",
        "total": "24.40",
        "customer_id": 0,
        "customer_note": "A test from Bellwire",
        "created_via": "checkout",
        "payment_method": "bacs",
        "payment_method_title": "Bank transfer",
        "billing": address | {"email": "robin@example.com"},
        "shipping": address,
        "line_items": [
            {
                "id": 1,
                "name": "Green tea, 100 g",
                "product_id": 1,
                "variation_id": 0,
                "quantity": 2,
                "sku": "TEA-100",
                "subtotal": "17.00",
                "total": "17.00",
                "total_tax": "1.40",
                "taxes": [{"id": 1, "total": "1.40", "subtotal": "1.40"}],
            }
        ],
        "tax_lines": [
            {"rate_id": 1, "label": "Sales tax", "rate_percent": 8.25, "tax_total": "1.40", "shipping_tax_total": "0"}
        ],
        "shipping_lines": [{"id": 2, "method_title": "Flat rate", "total": "6.00", "total_tax": "0.00", "taxes": []}],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [{"id": number + 1, "reason": "Test", "total": "-5.00"}] if event_type == "order.refunded" else [],
    }


def _product(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "name": "Green tea, 100 g",
        "type": "simple",
        "status": "publish",
        **_dates(now),
        "sku": "TEA-100",
        "price": "8.50",
        "manage_stock": True,
        "stock_quantity": 12,
        "stock_status": "instock",
        "variations": [],
        "tags": [],
        "attributes": [],
    }


def _customer(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "first_name": "Robin",
        "last_name": "Hill",
        "email": "robin@example.com",
        **_dates(now),
        "billing": {"phone": "+15125550123", "company": ""},
    }
