"""A made-up delivery for `bellwire send-test`: each is a new fact, of now."""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.webhook.manifest import WebhookSettings
from bellwire.events import (
    Booking,
    CalendarEntry,
    Contact,
    Contract,
    Deal,
    InventoryLevel,
    Job,
    Lead,
    LowStock,
    Message,
    Order,
    Payment,
    PaymentDispute,
    PaymentReturned,
    Product,
    PurchaseReceipt,
    Refund,
    Return,
    SalesSpike,
    Shipment,
    SmsReport,
    Subscription,
    Task,
    Ticket,
    data_model,
)

_NOW = object()


def _usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


_WHO = {"id": "7", "name": "Robin Hill", "email": "robin@example.com", "phone": "+15125550123"}
_PERSON = {name: value for name, value in _WHO.items() if name != "id"}
_FIELDS: Mapping[type, Mapping[str, Any]] = {
    Refund: {"order_id": "1001", "order_number": "1001", "created_at": _NOW, "amount": _usd("17.00")},
    Product: {
        "name": "Green tea, 100 g",
        "updated_at": _NOW,
        "variants": [{"id": "1", "sku": "TEA-100", "price": _usd("8.50"), "stock": 120}],
    },
    Payment: {
        "status": "succeeded",
        "amount": _usd("24.40"),
        "customer": _WHO,
        "reference": "1001",
        "created_at": _NOW,
    },
    PaymentReturned: {"payment_id": "1", "amount": _usd("8.50"), "reference": "1001", "created_at": _NOW},
    PaymentDispute: {"payment_id": "1", "amount": _usd("24.40"), "reason": "not received", "created_at": _NOW},
    Subscription: {"status": "active", "customer": _WHO, "amount": _usd("19.00"), "updated_at": _NOW},
    Shipment: {
        "status": "announced",
        "reference": "1001",
        "recipient": _WHO,
        "carrier": "UPS",
        "tracking_number": "1Z12345E0205271688",
        "created_at": _NOW,
    },
    PurchaseReceipt: {
        "number": "P00007",
        "supplier_name": "Tea Traders",
        "lines": [{"sku": "TEA-100", "quantity": 48}],
        "received_at": _NOW,
    },
    Booking: {
        "service": "Boiler service",
        "start": _NOW,
        "end": _NOW,
        "zone": "America/Chicago",
        "customer": _WHO,
        "updated_at": _NOW,
    },
    CalendarEntry: {"title": "Boiler service", "start": _NOW, "end": _NOW, "updated_at": _NOW},
    Contract: {"title": "Service contract", "signers": [{"email": "robin@example.com"}], "updated_at": _NOW},
    Lead: {**_PERSON, "message": "Please call me about a boiler.", "source": "website", "created_at": _NOW},
    Contact: {**_PERSON, "updated_at": _NOW},
    Deal: {"name": "Boiler for Robin Hill", "stage": "new", "amount": _usd("2400.00"), "updated_at": _NOW},
    Ticket: {
        "subject": "Where is my order?",
        "text": "I ordered on Monday.",
        "status": "open",
        "requester": _WHO,
        "updated_at": _NOW,
    },
    Message: {"text": "Is order 1001 packed?", "sender": "Kim", "channel": "packing", "sent_at": _NOW},
    SmsReport: {"to": "+15125550123", "delivered": True, "updated_at": _NOW},
    Job: {"number": "17", "title": "Boiler service", "client": _WHO, "updated_at": _NOW},
    Task: {"name": "Call Robin Hill", "completed": False, "updated_at": _NOW},
}
"""What a made-up fact has beside its id."""

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
    if model is Return:
        return _return(new_id, now, received=event_type == "return.received")
    if model is Order:
        return _order(new_id, now)
    if model is InventoryLevel:
        return {"item_id": new_id, "sku": "TEA-100", "available": 118, "updated_at": now}
    if model is LowStock:
        return {"sku": "TEA-100", "available": 9, "reorder_point": 12, "updated_at": now}
    if model is SalesSpike:
        return {"sku": "TEA-100", "sold": 40, "hours": 72, "usual": "9", "updated_at": now}
    fields = {name: now if value is _NOW else value for name, value in _FIELDS.get(model, {}).items()}
    return {"id": new_id, **fields}


def _return(new_id: str, now: str, *, received: bool) -> dict[str, Any]:
    """One of the two packets of tea of order 1001."""
    line = {
        "line_id": "1",
        "sku": "TEA-100",
        "name": "Green tea, 100 g",
        "quantity": 1,
        "reason": "unwanted",
        "condition": "sellable" if received else "unknown",
        "amount": _usd("8.50"),
        "tax": _usd("0.70"),
    }
    return {
        "id": new_id,
        "number": "1001-R1",
        "order_id": "1001",
        "order_number": "1001",
        "customer": _WHO,
        "lines": [line],
        "currency": "USD",
        "received_at": now if received else None,
        "updated_at": now,
    }


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
