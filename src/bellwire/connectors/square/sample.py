"""Made-up deliveries for `bellwire send-test`: each is about a thing of its own."""

from typing import Any
from uuid import uuid4

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.square.api import timestamp
from bellwire.connectors.square.manifest import settings_of
from bellwire.errors import NotFound
from bellwire.events import Environment

_TOPICS = {
    "payment.succeeded": "payment.updated",
    "payment.failed": "payment.updated",
    "payment.refunded": "refund.updated",
    "payment.disputed": "dispute.created",
    "inventory.updated": "inventory.count.updated",
    "subscription.updated": "subscription.updated",
    "subscription.renewed": "invoice.payment_made",
    "subscription.ended": "subscription.updated",
}
_NAMES = {Environment.SANDBOX: "Sandbox", Environment.PRODUCTION: "Production"}


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """Headers (without signature) and body. Raises NotFound for an event type that Square doesn't bring."""
    if event_type not in _TOPICS:
        raise NotFound(f"Square sends no {event_type}.", remedy=f"It sends: {', '.join(_TOPICS)}.")
    topic, settings, now = _TOPICS[event_type], settings_of(connection), timestamp(system_clock())
    name, record = _record(event_type, now)
    record |= {"id": _id(), "location_id": settings.location_id, "created_at": now, "updated_at": now}
    told: Any = [record] if name == "inventory_counts" else record
    body = {
        "merchant_id": settings.merchant_id or "MPRACTICE",
        "type": topic,
        "event_id": str(uuid4()),
        "created_at": now,
        "data": {"type": name, "id": record["id"], "object": {name: told}},
    }
    headers = {"Content-Type": "application/json", "square-environment": _NAMES[connection.environment]}
    return headers, orjson.dumps(body)


def _record(event_type: str, now: str) -> tuple[str, dict[str, Any]]:
    """Where it is in the delivery, and what it has beside what all have."""
    match event_type:
        case "payment.refunded":
            return "refund", {"payment_id": _id(), "status": "COMPLETED", "amount_money": _usd(850)}
        case "payment.disputed":
            about = {"disputed_payment": {"payment_id": _id()}, "amount_money": _usd(2440)}
            return "dispute", about | {"reason": "NOT_RECEIVED", "state": "EVIDENCE_REQUIRED", "due_at": now}
        case "inventory.updated":
            count = {"catalog_object_id": _id(), "catalog_object_type": "ITEM_VARIATION", "quantity": "4"}
            return "inventory_counts", count | {"state": "IN_STOCK", "calculated_at": now}
        case "subscription.updated" | "subscription.ended":
            over = event_type.endswith("ended")
            version = int(system_clock().timestamp() * 1000)
            about = {"customer_id": _id(), "version": version, "status": "CANCELED" if over else "ACTIVE"}
            return "subscription", about | ({"canceled_date": now[:10]} if over else {})
        case "subscription.renewed":
            paid = [{"computed_amount_money": _usd(1900), "total_completed_amount_money": _usd(1900)}]
            about = {"subscription_id": _id(), "invoice_number": "000001", "status": "PAID", "version": 3}
            to = {"customer_id": _id(), "given_name": "Robin", "family_name": "Hill", "email_address": _MAIL}
            return "invoice", about | {"payment_requests": paid, "primary_recipient": to}
        case _:
            status = "FAILED" if event_type.endswith("failed") else "COMPLETED"
            about = {"status": status, "amount_money": _usd(2440), "total_money": _usd(2440)}
            errors = {"errors": [{"code": "GENERIC_DECLINE", "detail": "Card declined."}]}
            declined = {"card_details": errors} if status == "FAILED" else {}
            return "payment", about | declined | {"reference_id": "1001", "buyer_email_address": _MAIL}


_MAIL = "robin@example.com"


def _usd(cents: int) -> Any:
    return {"amount": cents, "currency": "USD"}


def _id() -> str:
    return uuid4().hex.upper()
