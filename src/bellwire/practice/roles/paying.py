"""Payments, and subscriptions that are charged by themselves."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bellwire.clock import Clock
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice.simulator import Webhook


@dataclass(frozen=True)
class GivenBack:
    """Money of a payment that was given back, or is about to be."""

    id: str
    payment_id: str
    amount: Money


@runtime_checkable
class Processor(Protocol):
    def take(self, amount: Money, reference: str = "") -> str:
        """A customer pays; gives the payment's id."""

    def refunds(self) -> list[GivenBack]: ...


@dataclass(frozen=True)
class Tells:
    """What a processor can say of what customers owe."""

    invoices: bool
    """Which invoice a payment was for, also if it is of no subscription."""
    tries: bool
    """How often it has tried to charge it."""
    orders: bool
    """With which order of the shop a subscription began."""


@runtime_checkable
class Subscriptions(Protocol):
    """A simulated processor that charges by itself what customers owe."""

    def tells(self) -> Tells: ...

    def go_by(self, clock: Clock) -> None:
        """What happens from now on happens at the times of this clock."""

    def subscribe(self, amount: Money, customer: Customer, order_id: str = "") -> str:
        """`amount` is for a period, `order_id` the shop's order with which it begins; gives the subscription's id."""

    def bill(self, amount: Money, customer: Customer) -> str:
        """An invoice for something else than a subscription, which is yet to be charged; gives its id. Empty: the
        processor has none."""

    def charge(self, owed: str, *, declined: bool = False) -> None:
        """Try to take what is open of a subscription or an invoice; where all is paid, a new period begins."""

    def end(self, subscription_id: str) -> None: ...

    def refuse(self, amount: Money, customer: Customer) -> str:
        """A card is declined at the checkout; gives the payment's id."""

    def notice(self, about: str, event_type: str) -> Webhook:
        """What is sent of the last that happened with a subscription, an invoice or a payment, by what it is to us:
        `payment.failed`, `payment.succeeded`, `subscription.renewed` or `subscription.ended`."""
