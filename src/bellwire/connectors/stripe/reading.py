"""Stripe's objects as our data. https://docs.stripe.com/api/payment_intents/object and its neighbours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bellwire.connectors.stripe.api import Record, id_of, money
from bellwire.connectors.stripe.manifest import StripeSettings
from bellwire.events import Customer, Payment, PaymentDispute, PaymentReturned, PaymentStatus, Subscription
from bellwire.money import Money

_OVER = {"succeeded": PaymentStatus.SUCCEEDED, "canceled": PaymentStatus.CANCELLED, "failed": PaymentStatus.FAILED}


def time_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def payment_status(payment: Mapping[str, Any]) -> PaymentStatus:
    """Of a PaymentIntent or a charge. One that was declined waits for another means of payment."""
    if payment["status"] == "requires_payment_method" and payment.get("last_payment_error"):
        return PaymentStatus.FAILED
    return _OVER.get(payment["status"], PaymentStatus.PENDING)


def reference(record: Mapping[str, Any], settings: StripeSettings) -> str:
    """What the shop wrote into a payment's metadata, or into Stripe's own field for it."""
    told = (record.get("metadata") or {}).get(settings.reference)
    return str(told or (record.get("payment_details") or {}).get("order_reference") or "")


def intent_as_payment(intent: Record, settings: StripeSettings) -> Payment:
    error = intent.get("last_payment_error") or {}
    status = payment_status(intent)
    return Payment(
        id=intent["id"],
        status=status,
        amount=money(intent["amount"], intent["currency"]),
        customer=Customer(id=id_of(intent.get("customer")), email=intent.get("receipt_email") or ""),
        reference=reference(intent, settings),
        failure=(error.get("message") or "") if status is PaymentStatus.FAILED else "",
        created_at=time_of(intent["created"]),
    )


def invoice_as_payment(invoice: Record, settings: StripeSettings) -> Payment:
    """What was paid of an invoice, or is to be. Its id stands for that of the payment, which the invoice doesn't name.
    Nor does it say why a payment failed."""
    paid = invoice["status"] == "paid"
    again = None if paid else invoice.get("next_payment_attempt")
    return Payment(
        id=invoice["id"],
        status=PaymentStatus.SUCCEEDED if paid else PaymentStatus.FAILED,
        amount=money(invoice["amount_paid"] if paid else invoice["amount_remaining"], invoice["currency"]),
        customer=Customer(
            id=id_of(invoice.get("customer")),
            name=invoice.get("customer_name") or "",
            email=invoice.get("customer_email") or "",
            phone=invoice.get("customer_phone") or "",
        ),
        reference=order_of(invoice, settings) or invoice.get("number") or "",
        invoice_id=invoice["id"],
        subscription_id=subscription_of(invoice),
        attempts=invoice["attempt_count"],
        next_try_at=time_of(again) if again else None,
        pay_url=invoice.get("hosted_invoice_url") or "",
        created_at=time_of(invoice["created"]),
    )


def order_of(invoice: Record, settings: StripeSettings) -> str:
    """The shop's order that it is for, or that its subscription began with; empty: neither says one."""
    # The subscription's metadata, as it was when the invoice was made.
    return reference(invoice, settings) or reference(_of_subscription(invoice), settings)


def subscription_of(invoice: Record) -> str:
    """Which subscription it is for. Events that the account's default version writes may have it as it was until 2025,
    at the top."""
    return id_of(_of_subscription(invoice).get("subscription") or invoice.get("subscription"))


def _of_subscription(invoice: Record) -> Record:
    """What an invoice says of its subscription; empty if it is for none."""
    return (invoice.get("parent") or {}).get("subscription_details") or {}


def as_returned(refund: Record) -> PaymentReturned:
    notes = refund.get("metadata") or {}
    return PaymentReturned(
        id=refund["id"],
        payment_id=id_of(refund.get("payment_intent")) or id_of(refund.get("charge")),
        amount=money(refund["amount"], refund["currency"]),
        reference=notes.get("reference", ""),
        failed=refund["status"] != "succeeded",
        created_at=time_of(refund["created"]),
    )


def as_dispute(dispute: Record) -> PaymentDispute:
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return PaymentDispute(
        id=dispute["id"],
        payment_id=id_of(dispute.get("payment_intent")) or id_of(dispute["charge"]),
        amount=money(dispute["amount"], dispute["currency"]),
        reason=dispute["reason"],
        answer_by=time_of(due) if due else None,
        created_at=time_of(dispute["created"]),
    )


def as_subscription(subscription: Record, updated_at: datetime) -> Subscription:
    items = subscription["items"]["data"]
    ends = [each["current_period_end"] for each in items if each.get("current_period_end")]
    end = min(ends, default=subscription.get("current_period_end"))
    return Subscription(
        id=subscription["id"],
        status=subscription["status"],
        customer=Customer(id=id_of(subscription["customer"])),
        amount=_price_of(items),
        period_ends_at=time_of(end) if end else None,
        ended=subscription["status"] in ("canceled", "incomplete_expired"),
        updated_at=updated_at,
    )


def _price_of(items: list[Record]) -> Money | None:
    """What a period costs before tax and discounts; None where that depends on use or on steps."""
    total: Money | None = None
    for item in items:
        price, quantity = item["price"], item.get("quantity")
        if price.get("unit_amount") is None or quantity is None:
            return None
        each = money(price["unit_amount"], price["currency"]) * quantity
        total = each if total is None else total + each
    return total
