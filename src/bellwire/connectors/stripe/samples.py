"""Made-up deliveries, for `bellwire send-test`: in Stripe's own form, cut down to what is read."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.events import Environment

_DAY = int(timedelta(days=1).total_seconds())


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """A new fact of now."""
    now, made = int(system_clock().timestamp()), secrets.token_hex(8)
    topic, about = _SAMPLES[event_type](made, now)
    body = {
        "id": f"evt_{made}",
        "object": "event",
        "api_version": connection.manifest.api_version,
        "created": now,
        "data": {"object": about},
        "livemode": connection.environment is Environment.PRODUCTION,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": topic,
    }
    return {"Content-Type": "application/json"}, orjson.dumps(body)


def _invoice(made: str, now: int, **changes: Any) -> dict[str, Any]:
    invoice = {
        "id": f"in_{made}",
        "object": "invoice",
        "status": "paid",
        "billing_reason": "manual",
        "amount_paid": 2440,
        "amount_remaining": 0,
        "currency": "usd",
        "attempt_count": 1,
        "next_payment_attempt": None,
        "number": f"TEST-{made[:6].upper()}",
        "customer": "cus_sample",
        "customer_name": "Robin Hill",
        "customer_email": "robin@example.com",
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{made}",
        "parent": None,
        "metadata": {},
        "created": now,
    }
    return invoice | changes


def _subscription(made: str, now: int, status: str) -> dict[str, Any]:
    price = {"currency": "usd", "unit_amount": 2440}
    item = {"current_period_end": now + 30 * _DAY, "price": price, "quantity": 1}
    return {
        "id": f"sub_{made}",
        "object": "subscription",
        "status": status,
        "customer": "cus_sample",
        "items": {"object": "list", "data": [item]},
        "created": now,
    }


def _paid(made: str, now: int) -> tuple[str, dict[str, Any]]:
    return "invoice.paid", _invoice(made, now)


def _renewed(made: str, now: int) -> tuple[str, dict[str, Any]]:
    parent = {"type": "subscription_details", "subscription_details": {"subscription": "sub_sample"}}
    return "invoice.paid", _invoice(made, now, billing_reason="subscription_cycle", parent=parent)


def _failed(made: str, now: int) -> tuple[str, dict[str, Any]]:
    owed = {"amount_paid": 0, "amount_remaining": 2440, "next_payment_attempt": now + 3 * _DAY}
    return "invoice.payment_failed", _invoice(made, now, status="open", **owed)


def _refunded(made: str, now: int) -> tuple[str, dict[str, Any]]:
    money = {"amount": 500, "currency": "usd", "status": "succeeded", "metadata": {}}
    return "refund.created", {"id": f"re_{made}", "payment_intent": "pi_sample", "created": now, **money}


def _disputed(made: str, now: int) -> tuple[str, dict[str, Any]]:
    money = {"amount": 2440, "currency": "usd", "reason": "product_not_received"}
    due = {"evidence_details": {"due_by": now + 7 * _DAY}}
    return "charge.dispute.created", {
        "id": f"dp_{made}", "charge": "ch_sample", "payment_intent": "pi_sample", "created": now, **money, **due
    }  # fmt: skip


_SAMPLES: Mapping[str, Callable[[str, int], tuple[str, dict[str, Any]]]] = {
    "payment.succeeded": _paid,
    "payment.failed": _failed,
    "payment.refunded": _refunded,
    "payment.disputed": _disputed,
    "subscription.updated": lambda made, now: ("customer.subscription.updated", _subscription(made, now, "active")),
    "subscription.renewed": _renewed,
    "subscription.ended": lambda made, now: ("customer.subscription.deleted", _subscription(made, now, "canceled")),
}
