"""What a simulated Stripe account holds: each object with the fields that are always there.

https://docs.stripe.com/api
"""

from datetime import UTC, datetime
from typing import Any

from bellwire.events import Customer

Record = dict[str, Any]

VERSION = "2026-06-24.dahlia"
MONTH = 30 * 86_400
CUSTOMER = Customer(id="cus_practice", name="Robin Hill", email="robin@example.com")
"""Who it is if nobody is named."""
_TIMES = ("created", "_at", "_end", "_start", "_attempt", "due_by", "_anchor", "start_date")


def intent(number: str, now: int, amount: int, currency: str, **changes: Any) -> Record:
    return {
        "id": f"pi_{number}",
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": now,
        "currency": currency,
        "customer": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "payment_method_types": ["card"],
        "receipt_email": None,
        "status": "requires_payment_method",
        **changes,
    }


def charge(number: str, now: int, paid_by: Record, *, declined: bool) -> Record:
    billing = {"address": None, "email": paid_by["receipt_email"], "name": None, "phone": None, "tax_id": None}
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "amount": paid_by["amount"],
        "amount_captured": 0 if declined else paid_by["amount"],
        "amount_refunded": 0,
        "billing_details": billing,
        "captured": not declined,
        "created": now,
        "currency": paid_by["currency"],
        "customer": paid_by["customer"],
        "disputed": False,
        "livemode": False,
        "metadata": {},
        "paid": not declined,
        "payment_intent": paid_by["id"],
        "refunded": False,
        "status": "failed" if declined else "succeeded",
    }


def refund(number: str, now: int, of: Record, amount: int, metadata: Record, status: str) -> Record:
    return {
        "id": f"re_{number}",
        "object": "refund",
        "amount": amount,
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "metadata": metadata,
        "payment_intent": of["payment_intent"],
        "reason": None,
        "status": status,
    }


def invoice(number: str, now: int, amount: int, currency: str, subscription: Record | None, **changes: Any) -> Record:
    details = {"subscription": subscription["id"], "metadata": subscription["metadata"]} if subscription else None
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "amount_due": amount,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": amount,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_reason": "subscription_cycle" if subscription else "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": CUSTOMER.id,
        "customer_email": CUSTOMER.email,
        "customer_name": CUSTOMER.name,
        "customer_phone": None,
        "default_tax_rates": [],
        "discounts": [],
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{number}",
        "issuer": {"type": "self"},
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/in_{number}/lines"},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": f"PRACTICE-{number[-4:]}",
        "parent": {"type": "subscription_details", "subscription_details": details} if details else None,
        "payment_settings": {"payment_method_types": None},
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "open",
        "status_transitions": {"finalized_at": now, "paid_at": None},
        "subtotal": amount,
        "total": amount,
        **changes,
    }


def invoice_payment(number: str, now: int, of: Record, by: Record) -> Record:
    return {
        "id": f"inpay_{number}",
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": of["amount_due"],
        "created": now,
        "currency": of["currency"],
        "invoice": of["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": by["id"]},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }


def subscription(number: str, now: int, amount: int, currency: str, **changes: Any) -> Record:
    price = {
        "id": f"price_{number}",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": f"prod_{number}",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "type": "recurring",
        "unit_amount": amount,
    }
    item = {
        "id": f"si_{number}",
        "object": "subscription_item",
        "created": now,
        "current_period_end": now + MONTH,
        "current_period_start": now,
        "discounts": [],
        "metadata": {},
        "plan": {"id": price["id"], "object": "plan"},
        "price": price,
        "quantity": 1,
        "subscription": f"sub_{number}",
    }
    return {
        "id": f"sub_{number}",
        "object": "subscription",
        "automatic_tax": {"enabled": False},
        "billing_cycle_anchor": now,
        "billing_mode": {"type": "flexible"},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "customer": CUSTOMER.id,
        "discounts": [],
        "invoice_settings": {"issuer": {"type": "self"}},
        "items": {"object": "list", "data": [item], "has_more": False, "url": "/v1/subscription_items"},
        "livemode": False,
        "metadata": {},
        "start_date": now,
        "status": "active",
        **changes,
    }


def dispute(number: str, now: int, of: Record) -> Record:
    details = {
        "due_by": now + 7 * 86_400,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
    }
    return {
        "id": f"dp_{number}",
        "object": "dispute",
        "amount": of["amount"],
        "balance_transactions": [],
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": details,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "reason": "product_not_received",
        "status": "needs_response",
    }


def endpoint(number: str, now: int, given: Record) -> Record:
    """Its version is the account's, unless it asks for one."""
    return {
        "id": f"we_{number}",
        "object": "webhook_endpoint",
        "api_version": given.get("api_version"),
        "application": None,
        "created": now,
        "description": given.get("description"),
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": given["url"],
    }


def event(number: str, now: int, topic: str, about: Record) -> Record:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": VERSION,
        "created": now,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": topic,
    }


def named(about: Record) -> set[str]:
    """The ids by which something is known: its own, and of an invoice that of the subscription it is of."""
    details = (about.get("parent") or {}).get("subscription_details") or {}
    return {about["id"], *filter(None, [details.get("subscription")])}


def readable(value: Any, name: str = "") -> Any:
    """The same with times as people read them."""
    if isinstance(value, dict):
        return {key: readable(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [readable(inner) for inner in value]
    if isinstance(value, int) and value > 1_000_000_000 and name.endswith(_TIMES):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value
