"""PayPal's resources as our data: captures and refunds (v2), sales (v1, of subscriptions), disputes, subscriptions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bellwire.clock import parse_time
from bellwire.connectors.paypal.manifest import PayPalSettings
from bellwire.events import (
    Customer,
    Environment,
    Payment,
    PaymentDispute,
    PaymentReturned,
    PaymentStatus,
    Subscription,
)
from bellwire.money import Money

Body = Mapping[str, Any]

_STATUSES = {
    "COMPLETED": PaymentStatus.SUCCEEDED,
    "PARTIALLY_REFUNDED": PaymentStatus.SUCCEEDED,
    "REFUNDED": PaymentStatus.SUCCEEDED,
    "DECLINED": PaymentStatus.FAILED,
    "DENIED": PaymentStatus.FAILED,
    "FAILED": PaymentStatus.FAILED,
}
_OVER = ("CANCELLED", "EXPIRED")


def payment_status(status: str) -> PaymentStatus:
    return _STATUSES.get(status, PaymentStatus.PENDING)


def money(amount: Body) -> Money:
    """Version 2 says `currency_code` and `value`, version 1 `currency` and `total`."""
    if "currency_code" in amount:
        return Money.of(amount["value"], amount["currency_code"])
    return Money.of(amount["total"], amount["currency"])


def reference(resource: Body, settings: PayPalSettings) -> str:
    first = settings.reference
    other = "custom_id" if first == "invoice_id" else "invoice_id"
    return str(resource.get(first) or resource.get(other) or "")


def link(resource: Body, relation: str) -> str:
    """The address of what a resource is related to; empty: none."""
    return next((each["href"] for each in resource.get("links") or () if each["rel"] == relation), "")


def environment_of(resource: Body) -> Environment | None:
    """Of the two that PayPal has: by the host that its links name. None: it has none."""
    hosts = [urlsplit(each["href"]).hostname or "" for each in resource.get("links") or ()]
    ours = [host for host in hosts if host.endswith(".paypal.com") and host.startswith("api")]
    if not ours:
        return None
    return Environment.SANDBOX if ".sandbox." in ours[0] else Environment.PRODUCTION


def capture_as_payment(capture: Body, settings: PayPalSettings) -> Payment:
    details = capture.get("status_details") or {}
    status = payment_status(capture["status"])
    return Payment(
        id=capture["id"],
        status=status,
        amount=money(capture["amount"]),
        reference=reference(capture, settings),
        failure=_words(details.get("reason")) if status is PaymentStatus.FAILED else "",
        created_at=parse_time(capture["create_time"]),
    )


def sale_as_payment(sale: Body) -> Payment:
    """A payment of a subscription, still in version 1."""
    return Payment(
        id=sale["id"],
        status=PaymentStatus.SUCCEEDED,
        amount=money(sale["amount"]),
        reference=sale.get("custom") or sale.get("invoice_number") or "",
        subscription_id=sale.get("billing_agreement_id") or "",
        created_at=parse_time(sale["create_time"]),
    )


def failed_payment(subscription: Body) -> Payment:
    """A period that couldn't be charged: there is no payment yet, so the subscription's id stands for its."""
    failed = subscription["billing_info"]["last_failed_payment"]
    again = failed.get("next_payment_retry_time")
    return Payment(
        id=subscription["id"],
        status=PaymentStatus.FAILED,
        amount=money(failed["amount"]),
        customer=_subscriber(subscription),
        reference=subscription.get("custom_id") or "",
        subscription_id=subscription["id"],
        failure=_words(failed.get("reason_code")),
        attempts=subscription["billing_info"].get("failed_payments_count"),
        next_try_at=parse_time(again) if again else None,
        created_at=parse_time(failed["time"]),
    )


def refund_as_returned(refund: Body) -> PaymentReturned:
    """Which capture it is of, only a link says."""
    return PaymentReturned(
        id=refund["id"],
        payment_id=link(refund, "up").rpartition("/")[2],
        amount=money(refund["amount"]),
        reference=refund.get("custom_id") or refund.get("invoice_id") or "",
        failed=refund["status"] in ("FAILED", "CANCELLED"),
        created_at=parse_time(refund["create_time"]),
    )


def taken_back(capture: Body) -> PaymentReturned:
    """A capture that PayPal took back as a whole."""
    return PaymentReturned(
        id=capture["id"],
        payment_id=capture["id"],
        amount=money(capture["amount"]),
        created_at=parse_time(capture.get("update_time") or capture["create_time"]),
    )


def sale_returned(refund: Body) -> PaymentReturned:
    amount = money(refund["amount"])
    return PaymentReturned(
        id=refund["id"],
        payment_id=refund.get("sale_id") or refund["id"],
        # A reversal is told as a negative amount.
        amount=amount if amount >= Money.zero(amount.currency) else -amount,
        failed=refund.get("state") == "failed",
        created_at=parse_time(refund["create_time"]),
    )


def as_dispute(dispute: Body) -> PaymentDispute:
    (first, *_) = dispute["disputed_transactions"]
    due = dispute.get("seller_response_due_date")
    return PaymentDispute(
        id=dispute["dispute_id"],
        payment_id=first["seller_transaction_id"],
        amount=money(dispute["dispute_amount"]),
        reason=_words(dispute.get("reason")),
        answer_by=parse_time(due) if due else None,
        created_at=parse_time(dispute["create_time"]),
    )


def as_subscription(subscription: Body, updated_at: datetime) -> Subscription:
    info = subscription.get("billing_info") or {}
    last, ends = info.get("last_payment"), info.get("next_billing_time")
    return Subscription(
        id=subscription["id"],
        status=subscription["status"].lower(),
        customer=_subscriber(subscription),
        amount=money(last["amount"]) if last else None,
        period_ends_at=parse_time(ends) if ends else None,
        ended=subscription["status"] in _OVER,
        updated_at=updated_at,
    )


def _subscriber(subscription: Body) -> Customer:
    who = subscription.get("subscriber") or {}
    name = who.get("name") or {}
    return Customer(
        id=who.get("payer_id") or "",
        name=" ".join(filter(None, (name.get("given_name"), name.get("surname")))),
        email=who.get("email_address") or "",
    )


def _words(code: str | None) -> str:
    """`PAYER_CANNOT_PAY` as people write it."""
    return (code or "").replace("_", " ").capitalize()
