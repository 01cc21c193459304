"""What customers of a simulated Square seller owe: subscriptions, and the invoices that charge cards on file.

https://developer.squareup.com/reference/square/invoices-api
https://developer.squareup.com/reference/square/subscriptions-api
"""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import uuid4

from bellwire.clock import Clock, system_clock
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice.square.refusals import Record, stamp


@dataclass
class Dues:
    """`clock` is what it dates everything by. Subscriptions and invoices are by id, invoices oldest first."""

    location: str
    clock: Clock = system_clock
    subscriptions: dict[str, Record] = field(default_factory=dict)
    invoices: dict[str, Record] = field(default_factory=dict)
    _recipients: dict[str, Record] = field(default_factory=dict)
    """Whom the invoices of a subscription go to, by its id."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def subscribe(self, amount: Money, customer: Customer) -> str:
        number, now = str(uuid4()), self.clock()
        recipient = self._recipients[number] = _recipient(customer)
        self.subscriptions[number] = {
            "id": number,
            "location_id": self.location,
            "plan_variation_id": "PLANPRACTICE",
            "customer_id": recipient["customer_id"],
            "start_date": f"{now:%Y-%m-%d}",
            "status": "ACTIVE",
            "price_override_money": {"amount": amount.minor, "currency": amount.currency},
            "version": _version(now),
            "created_at": stamp(now),
            "timezone": "America/Chicago",
        }
        return number

    def renew(self, subscription_id: str) -> str:
        """The invoice of a new period, which is yet to be charged."""
        price = self.subscriptions[subscription_id]["price_override_money"]
        return self._draw_up(price, self._recipients[subscription_id], {"subscription_id": subscription_id})

    def bill(self, amount: Money, customer: Customer) -> str:
        """An invoice of no subscription, which is yet to be charged."""
        return self._draw_up({"amount": amount.minor, "currency": amount.currency}, _recipient(customer), {})

    def charge(self, invoice_id: str, *, declined: bool) -> None:
        invoice = self.invoices[invoice_id]
        invoice |= {"version": invoice["version"] + 1, "updated_at": stamp(self.clock())}
        if not declined:
            (request,) = invoice["payment_requests"]
            request["total_completed_amount_money"] = request["computed_amount_money"]
            invoice["status"] = "PAID"
            del invoice["next_payment_amount_money"]

    def newest(self, owed: str) -> Record | None:
        """The invoice with this id, or the newest of the subscription with it."""
        found = [each for each in self.invoices.values() if owed in (each["id"], each.get("subscription_id"))]
        return found[-1] if found else None

    def end(self, subscription_id: str) -> None:
        now = self.clock()
        over = {"status": "CANCELED", "canceled_date": f"{now:%Y-%m-%d}", "version": _version(now)}
        self.subscriptions[subscription_id] |= over

    def _draw_up(self, amount: Record, recipient: Record, of: Record) -> str:
        number, now = next(self._numbers), stamp(self.clock())
        invoice_id = f"inv:0-practice{number:06}"
        request = {
            "uid": str(uuid4()),
            "request_type": "BALANCE",
            "due_date": now[:10],
            "tipping_enabled": False,
            "automatic_payment_source": "CARD_ON_FILE",
            "card_id": "ccof:practice",
            "computed_amount_money": amount,
            "total_completed_amount_money": {"amount": 0, "currency": amount["currency"]},
        }
        self.invoices[invoice_id] = {
            "id": invoice_id,
            "version": 1,
            "location_id": self.location,
            "order_id": f"ORDERINV{number:06}",
            "payment_requests": [request],
            "primary_recipient": recipient,
            "invoice_number": f"{number:06}",
            "public_url": f"https://squareupsandbox.com/pay-invoice/{invoice_id}",
            "next_payment_amount_money": amount,
            "status": "UNPAID",
            "timezone": "America/Chicago",
            "created_at": now,
            "updated_at": now,
            **of,
        }
        return invoice_id


def _recipient(customer: Customer) -> Record:
    given, _, family = customer.name.partition(" ")
    told = {
        "customer_id": f"CUSTOMER{customer.id}",
        "given_name": given,
        "family_name": family,
        "email_address": customer.email,
        "phone_number": customer.phone,
    }
    return {name: value for name, value in told.items() if value}


def _version(now: datetime) -> int:
    """A subscription's are the milliseconds since 1970."""
    return int(now.timestamp() * 1000)
