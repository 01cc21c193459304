"""Payments and subscriptions, as the processor that takes them tells of them."""

from datetime import datetime
from enum import StrEnum

from bellwire.events.base import Fact
from bellwire.events.orders import Customer
from bellwire.money import Money


class PaymentStatus(StrEnum):
    PENDING = "pending"
    """Under way: the customer or the bank has something to do."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Payment(Fact):
    id: str
    """What `payments.read_payment` and `payments.refund` take; empty where the processor told of an invoice only."""
    status: PaymentStatus
    amount: Money
    customer: Customer = Customer()
    reference: str = ""
    """What the shop knows it by, e.g. the order's number, where it was given to the processor."""
    invoice_id: str = ""
    """The processor's own invoice, if it was for one."""
    subscription_id: str = ""
    failure: str = ""
    """Why it failed, in the processor's words, which may be shown to the customer."""
    attempts: int | None = None
    """How often it was tried; None where the processor doesn't say."""
    next_try_at: datetime | None = None
    """When the processor tries again by itself; None: it doesn't, or doesn't say."""
    pay_url: str = ""
    """Where the customer can pay it."""
    created_at: datetime


class PaymentReturned(Fact):
    """Money that was given back."""

    id: str
    """Of the refund."""
    payment_id: str
    amount: Money
    reference: str = ""
    failed: bool = False
    """It didn't arrive: the money is back with the shop."""
    created_at: datetime


class PaymentDispute(Fact):
    """A customer wants a payment back by way of the bank."""

    id: str
    payment_id: str
    amount: Money
    reason: str = ""
    answer_by: datetime | None = None
    created_at: datetime


class Subscription(Fact):
    id: str
    status: str
    """The processor's own word, e.g. `active` or `past_due`."""
    customer: Customer = Customer()
    amount: Money | None = None
    """For each period; None where the processor doesn't say."""
    period_ends_at: datetime | None = None
    ended: bool = False
    updated_at: datetime

    @property
    def subscription_id(self) -> str:
        """`id`, by the name that a payment has for it: what the two have in common."""
        return self.id
