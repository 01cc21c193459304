"""Payments: what customers paid by card or wallet, and giving it back."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.payments import PaymentStatus
from bellwire.money import Money


class RefundStatus(StrEnum):
    """A refund that is pending ends as done or failed within days; the processor sends a webhook then."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class ReadPayment(Given):
    payment_id: str = Field(min_length=1)


class PaymentState(Result):
    id: str
    status: PaymentStatus
    amount: Money
    """What was paid, or is to be."""
    refunded: Money
    """How much of it was given back, pending refunds among it."""
    reference: str = ""
    """What the shop knows it by, e.g. the order's number, where it was given to the processor."""
    customer_email: str = ""
    created_at: datetime


class RefundPayment(Given):
    payment_id: str = Field(min_length=1)
    amount: Money
    """In the payment's currency, and no more than is left of it: else it is refused."""
    reason: str = Field(default="", max_length=120)
    """For the processor's records."""
    reference: str = Field(default="", max_length=40)
    """What people know the refund by, e.g. the number of the return."""


class PaymentRefund(Result):
    id: str
    payment_id: str
    amount: Money
    status: RefundStatus


READ_PAYMENT = Operation("payments", "read_payment", ReadPayment, PaymentState, Effect.NOTHING, "Look at the payment")
REFUND = Operation("payments", "refund", RefundPayment, PaymentRefund, Effect.MONEY, "Give money back to the customer")

OPERATIONS = (READ_PAYMENT, REFUND)
