"""Payments that Square took: looking at one, and giving money back.

https://developer.squareup.com/docs/payments-api/overview
"""

from collections.abc import Mapping
from typing import Any

from bellwire.capabilities.payments import (
    READ_PAYMENT,
    REFUND,
    PaymentRefund,
    PaymentState,
    ReadPayment,
    RefundPayment,
    RefundStatus,
)
from bellwire.clock import parse_time
from bellwire.connectors.kit import ByKey, Call, Seen, Unkeyed, action
from bellwire.connectors.kit.paying import nearest
from bellwire.events import PaymentStatus
from bellwire.money import Money

STATUSES = {
    # Approved is authorised only: the seller has yet to take it.
    "APPROVED": PaymentStatus.PENDING,
    "PENDING": PaymentStatus.PENDING,
    "COMPLETED": PaymentStatus.SUCCEEDED,
    "CANCELED": PaymentStatus.CANCELLED,
    "FAILED": PaymentStatus.FAILED,
}
REFUND_STATUSES = {
    "PENDING": RefundStatus.PENDING,
    "COMPLETED": RefundStatus.DONE,
    "REJECTED": RefundStatus.FAILED,
    "FAILED": RefundStatus.FAILED,
}
_REASON = 192
"""How long a refund's reason may be."""


def money_of(value: Mapping[str, Any]) -> Money:
    """Square's `Money`: whole numbers of the currency's smallest unit."""
    return Money.from_minor(value["amount"], value["currency"])


@action(READ_PAYMENT, repeat=Unkeyed("it only reads"))
async def read_payment(call: Call, given: ReadPayment) -> PaymentState:
    """`GET payments/{id}`. What was paid includes the tip. Raises Refused `not-found`."""
    payment = (await call.api.get(f"payments/{given.payment_id}")).json()["payment"]
    amount = money_of(payment["total_money"])
    return PaymentState(
        id=payment["id"],
        status=STATUSES[payment["status"]],
        amount=amount,
        refunded=money_of(payment["refunded_money"]) if "refunded_money" in payment else Money.zero(amount.currency),
        reference=payment.get("reference_id") or "",
        customer_email=payment.get("buyer_email_address") or "",
        created_at=parse_time(payment["created_at"]),
    )


async def look_for_refund(call: Call, given: RefundPayment) -> Seen | None:
    """A refund of this payment that didn't fail, whoever made it."""
    payment = (await call.api.get(f"payments/{given.payment_id}")).json()["payment"]
    made = [(await call.api.get(f"refunds/{each}")).json()["refund"] for each in payment.get("refund_ids") or ()]
    found = [_refund(each, given) for each in sorted(made, key=lambda each: str(each["created_at"]), reverse=True)]
    return nearest("refund", given.amount, [each for each in found if each.status is not RefundStatus.FAILED])


@action(REFUND, repeat=ByKey("the body's idempotency_key"), look=look_for_refund)
async def refund(call: Call, given: RefundPayment) -> PaymentRefund:
    """`POST refunds`. A refund has no field for what people know it by, so that ends its reason. Raises Refused
    (refund-amount-invalid, refund-already-pending, payment-not-refundable …)."""
    said = f"{given.reason} ({given.reference})" if given.reason and given.reference else given.reason
    wanted: dict[str, Any] = {
        "idempotency_key": call.uuid,
        "payment_id": given.payment_id,
        "amount_money": {"amount": given.amount.minor, "currency": given.amount.currency},
    }
    if reason := said or given.reference:
        wanted["reason"] = reason[:_REASON]
    return _refund((await call.api.post("refunds", wanted)).json()["refund"], given)


def _refund(made: Mapping[str, Any], given: RefundPayment) -> PaymentRefund:
    return PaymentRefund(
        id=made["id"],
        payment_id=given.payment_id,
        amount=money_of(made["amount_money"]),
        status=REFUND_STATUSES[made["status"]],
    )
