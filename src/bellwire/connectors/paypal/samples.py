"""Made-up deliveries, for `bellwire send-test`: in PayPal's own form, cut down to what is read."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from typing import Any

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.events import Environment

_Made = tuple[str, str, dict[str, Any]]
"""Topic, type of the resource, resource."""


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """A new fact of now."""
    now, made = system_clock(), secrets.token_hex(8).upper()
    topic, kind, resource = _SAMPLES[event_type](made, now.isoformat())
    host = "api.sandbox" if connection.environment is Environment.SANDBOX else "api"
    href = f"https://{host}.paypal.com/v1/notifications/webhooks-events/WH-{made}"
    body = {
        "id": f"WH-{made}",
        "event_version": "1.0",
        "create_time": now.astimezone(UTC).isoformat(),
        "resource_type": kind,
        "resource_version": "2.0",
        "event_type": topic,
        "summary": "A sample",
        "resource": resource,
        "links": [{"href": href, "rel": "self", "method": "GET"}],
    }
    return {"Content-Type": "application/json"}, orjson.dumps(body)


def _money(value: str) -> dict[str, str]:
    return {"currency_code": "USD", "value": value}


def _capture(topic: str, status: str) -> Callable[[str, str], _Made]:
    def make(made: str, now: str) -> _Made:
        told = {"id": made, "status": status, "amount": _money("24.40"), "invoice_id": made[:6], "create_time": now}
        return topic, "capture", told

    return make


def _refund(made: str, now: str) -> _Made:
    up = {"rel": "up", "method": "GET", "href": f"https://api.sandbox.paypal.com/v2/payments/captures/C{made}"}
    told = {"id": made, "status": "COMPLETED", "amount": _money("5.00"), "create_time": now, "links": [up]}
    return "PAYMENT.CAPTURE.REFUNDED", "refund", told


def _dispute(made: str, now: str) -> _Made:
    of = [{"seller_transaction_id": f"C{made}"}]
    due = (system_clock() + timedelta(days=7)).isoformat()
    told = {
        "dispute_id": f"PP-{made}",
        "disputed_transactions": of,
        "dispute_amount": _money("24.40"),
        "create_time": now,
    }
    return "CUSTOMER.DISPUTE.CREATED", "dispute", told | {"reason": "UNAUTHORISED", "seller_response_due_date": due}


def _subscription(topic: str, status: str) -> Callable[[str, str], _Made]:
    def make(made: str, now: str) -> _Made:
        who = {"payer_id": "PAYER", "email_address": "robin@example.com"}
        info = {"last_payment": {"amount": _money("20.00"), "time": now}}
        return topic, "subscription", {"id": f"I-{made}", "status": status, "subscriber": who, "billing_info": info}

    return make


def _renewed(made: str, now: str) -> _Made:
    amount = {"total": "20.00", "currency": "USD"}
    told = {"id": made, "state": "completed", "amount": amount, "billing_agreement_id": f"I-{made}", "create_time": now}
    return "PAYMENT.SALE.COMPLETED", "sale", told


_SAMPLES: Mapping[str, Callable[[str, str], _Made]] = {
    "payment.succeeded": _capture("PAYMENT.CAPTURE.COMPLETED", "COMPLETED"),
    "payment.failed": _capture("PAYMENT.CAPTURE.DENIED", "DECLINED"),
    "payment.refunded": _refund,
    "payment.disputed": _dispute,
    "subscription.updated": _subscription("BILLING.SUBSCRIPTION.UPDATED", "ACTIVE"),
    "subscription.renewed": _renewed,
    "subscription.ended": _subscription("BILLING.SUBSCRIPTION.CANCELLED", "CANCELLED"),
}
