"""Deliveries of a shop, ready to be normalised."""

from collections.abc import Mapping
from typing import Any

import orjson

from bellwire.connectors.kit import Connection, Normalised
from bellwire.events import Delivery, Order
from bellwire.practice import Webhook
from tests.connecting import connection
from tests.samples import NOW

SHOP: Mapping[str, Any] = {"url": "https://tea.example", "digital_skus": ["CLASS-01"]}
SECRET = "practicewebhooksecret"


def shop(**settings: Any) -> Connection:
    return connection("woocommerce", name="shop", settings={**SHOP, **settings})


def delivery(body: bytes | Mapping[str, Any] | list[Any], topic: str = "order.updated", **headers: str) -> Delivery:
    """`headers` has `_` for `-`."""
    sent = {"x-wc-webhook-topic": topic, "x-wc-webhook-source": "https://tea.example/"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery("shop", sent, body if isinstance(body, bytes) else orjson.dumps(body), NOW)


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("shop", {name.lower(): value for name, value in webhook.headers.items()}, webhook.body, NOW)


def normalise(given: Delivery, to: Connection | None = None) -> Normalised:
    connected = to or shop()
    assert connected.connector.triggers is not None
    return connected.connector.triggers.normalise(given, connected)


def order_in(normalised: Normalised) -> Order:
    order = normalised.events[0].data
    assert isinstance(order, Order)
    return order


def order_body(**changes: Any) -> dict[str, Any]:
    """A paid order of two packets of tea: 17.00 + 6.00 + 1.40 = 24.40."""
    body: dict[str, Any] = {
        "id": 727,
        "number": "1001",
        "status": "processing",
        "currency": "USD",
        "prices_include_tax": False,
        "date_created_gmt": "2026-11-24T09:00:00",
        "date_modified_gmt": "2026-11-24T09:10:00",
        "date_paid_gmt": "2026-11-24T09:05:00",
        "date_completed_gmt": None,
        "total": "24.40",
        "total_tax": "1.40",
        "customer_id": 7,
        "billing": {"first_name": "Robin", "last_name": "Hill", "email": "robin@example.com", "country": "US"},
        "shipping": {"first_name": "Robin", "last_name": "Hill", "address_1": "1 Main St", "country": "US"},
        "line_items": [line()],
        "tax_lines": [
            {"rate_id": 1, "label": "Sales tax", "rate_percent": 8.25, "tax_total": "1.40", "shipping_tax_total": ""}
        ],
        "shipping_lines": [{"method_title": "Flat rate", "total": "6.00", "total_tax": "0.00", "taxes": []}],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    }
    return body | changes


def line(**changes: Any) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": 11,
        "name": "Green tea, 100 g",
        "product_id": 501,
        "variation_id": 0,
        "quantity": 2,
        "sku": "TEA-100",
        "subtotal": "17.00",
        "total": "17.00",
        "total_tax": "1.40",
        "taxes": [{"id": 1, "total": "1.4025", "subtotal": "1.4025"}],
    }
    return item | changes
