"""A made-up delivery for `bellwire send-test`: each is a new fact, of now."""

import secrets
from typing import Any

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.webhook.manifest import WebhookSettings
from bellwire.events import InventoryLevel, Order, Product, Refund, data_model

_ADDRESS = {
    "name": "Robin Hill",
    "line1": "1 Main St",
    "city": "Austin",
    "region": "TX",
    "postcode": "78701",
    "country": "US",
}


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """Headers (without signature) and body, laid out as the connection's settings say."""
    settings = connection.settings
    assert isinstance(settings, WebhookSettings)
    now, new_id = system_clock().isoformat(timespec="seconds"), str(secrets.randbelow(9 * 10**9) + 10**9)
    data = _data(event_type, new_id, now)
    body: dict[str, Any] = {} if settings.data_field else data
    if settings.data_field:
        _put(body, settings.data_field, data)
    if not settings.event_type:
        _put(body, settings.type_field, event_type)
    if settings.time_field:
        _put(body, settings.time_field, now)
    if settings.subject_field:
        _put(body, settings.subject_field, new_id)
    return {"Content-Type": "application/json"}, orjson.dumps(body)


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    for name in way:
        body = body.setdefault(name, {})
    body[last] = value


def _data(event_type: str, new_id: str, now: str) -> dict[str, Any]:
    model = data_model(event_type)
    if model is Order:
        return _order(new_id, now)
    if model is Refund:
        return {"id": new_id, "order_id": "1001", "order_number": "1001", "created_at": now, "amount": _usd("17.00")}
    if model is Product:
        variant = {"id": new_id, "sku": "TEA-100", "price": _usd("8.50"), "stock": 120}
        return {"id": new_id, "name": "Green tea, 100 g", "updated_at": now, "variants": [variant]}
    if model is InventoryLevel:
        return {"item_id": new_id, "sku": "TEA-100", "available": 118, "updated_at": now}
    return {"id": new_id}


def _order(new_id: str, now: str) -> dict[str, Any]:
    """Two packets of tea with shipping and US sales tax: 17.00 + 6.00 + 1.40 = 24.40."""
    tax = {"name": "Sales tax", "rate": "0.0825", "amount": _usd("1.40")}
    line = {
        "id": "1",
        "sku": "TEA-100",
        "name": "Green tea, 100 g",
        "quantity": 2,
        "unit_price": _usd("8.50"),
        "discount": _usd("0"),
        "total": _usd("17.00"),
        "taxes": [tax],
        "weight_grams": 120,
    }
    return {
        "id": new_id,
        "number": new_id,
        "created_at": now,
        "updated_at": now,
        "paid_at": now,
        "payment": "paid",
        "currency": "USD",
        "taxes_included": False,
        "customer": {"id": "7", "name": "Robin Hill", "email": "robin@example.com"},
        "billing": _ADDRESS,
        "shipping": _ADDRESS,
        "lines": [line],
        "shipping_lines": [
            {"name": "Standard", "price": _usd("6.00"), "discount": _usd("0"), "total": _usd("6.00")},
        ],
        "taxes": [tax],
        "tax_total": _usd("1.40"),
        "tip": _usd("0"),
        "adjustment": _usd("0"),
        "total": _usd("24.40"),
        "gift_cards": _usd("0"),
        "refunded": _usd("0"),
    }


def _usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}
