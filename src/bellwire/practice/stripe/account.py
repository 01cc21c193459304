"""What happens in a simulated Stripe account: payments, refunds, subscriptions, and the events that tell of them."""

import copy
from collections import defaultdict
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.events import Customer
from bellwire.practice.stripe import objects
from bellwire.practice.stripe.objects import Record

DAY = 86_400


class Refusal(Exception):
    """Stripe's `{"error": {…}}`. What is `final` is the answer to its idempotency key from then on."""

    def __init__(self, status: int, message: str, *, final: bool = False, **more: Any) -> None:
        super().__init__(message)
        kind = "card_error" if status == 402 else "invalid_request_error"
        self.status, self.final = status, final
        self.error = {"type": kind, "message": message, **more}


class StripeAccount:
    """`declining`: cards are declined. `slow_refunds`: refunds are pending until `settle`. `clock` is what it dates
    everything by."""

    def __init__(self) -> None:
        self.clock: Clock = system_clock
        self.declining = False
        self.slow_refunds = False
        self.held: dict[str, dict[str, Record]] = defaultdict(dict)
        """The name of a list → id → object, oldest first."""
        self._customers = {objects.CUSTOMER.id: objects.CUSTOMER}
        self._made = 0

    def take(self, amount: int, currency: str, *, metadata: Record | None = None, email: str | None = None) -> str:
        """A customer pays, unless cards are declined. Gives the id of the PaymentIntent."""
        made = self._new_intent(amount, currency, metadata=metadata or {}, receipt_email=email)
        self._try(made)
        return str(made["id"])

    def meet(self, customer: Customer) -> str:
        """A new customer; gives the id."""
        number, _ = self._next()
        self._customers[f"cus_{number}"] = customer
        return f"cus_{number}"

    def subscribe(
        self,
        amount: int,
        currency: str = "usd",
        *,
        customer: str = objects.CUSTOMER.id,
        metadata: Record | None = None,
    ) -> str:
        number, now = self._next()
        subscription = objects.subscription(number, now, amount, currency, customer=customer, metadata=metadata or {})
        made = self._keep("subscriptions", subscription)
        self._tell("customer.subscription.created", made)
        return str(made["id"])

    def renew(self, subscription_id: str) -> str:
        """A new period begins, and is charged. Gives the id of the invoice."""
        subscription = self.held["subscriptions"][subscription_id]
        (item,) = subscription["items"]["data"]
        item["current_period_end"] += objects.MONTH
        made = self.draw_up(item["price"]["unit_amount"], subscription["currency"], subscription)
        self.charge_invoice(made, automatic=True)
        return str(made["id"])

    def bill(self, amount: int, currency: str) -> str:
        """An invoice, which is charged at once."""
        made = self.draw_up(amount, currency)
        self.charge_invoice(made, automatic=True)
        return str(made["id"])

    def draw_up(
        self, amount: int, currency: str, subscription: Record | None = None, *, customer: str = objects.CUSTOMER.id
    ) -> Record:
        """An invoice that is yet to be charged; one of a subscription is for whose that is."""
        number, now = self._next()
        customer = subscription["customer"] if subscription else customer
        who = self._customers[customer]
        known = {"customer_name": who.name or None, "customer_email": who.email or None}
        known |= {"customer_phone": who.phone or None}
        made = objects.invoice(number, now, amount, currency, subscription, customer=customer, **known)
        by = self._new_intent(amount, currency, customer=customer)
        self._keep("invoice_payments", objects.invoice_payment(self._next()[0], now, made, by))
        return self._keep("invoices", made)

    def charge_invoice(self, invoice: Record, *, automatic: bool) -> None:
        """Only the first attempt and automatic ones are counted."""
        payment = next(each for each in self.held["invoice_payments"].values() if each["invoice"] == invoice["id"])
        intent = self.held["payment_intents"][payment["payment"]["payment_intent"]]
        _, now = self._next()
        if automatic or not invoice["attempted"]:
            invoice["attempt_count"] += 1
        invoice["attempted"] = True
        details = (invoice["parent"] or {}).get("subscription_details")
        subscription = self.held["subscriptions"][details["subscription"]] if details else None
        if self._try(intent):
            invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
            invoice["next_payment_attempt"] = None
            invoice["status_transitions"]["paid_at"] = payment["status_transitions"]["paid_at"] = now
            payment |= {"status": "paid", "amount_paid": invoice["amount_due"]}
            self._tell("invoice.paid", invoice)
        else:
            if automatic:
                invoice["next_payment_attempt"] = now + 3 * DAY
            self._tell("invoice.payment_failed", invoice)
        if subscription:
            subscription["status"] = "active" if invoice["status"] == "paid" else "past_due"
            self._tell("customer.subscription.updated", subscription)

    def end(self, subscription_id: str) -> None:
        subscription = self.held["subscriptions"][subscription_id]
        subscription |= {"status": "canceled", "ended_at": self._next()[1]}
        self._tell("customer.subscription.deleted", subscription)

    def dispute(self, intent_id: str) -> str:
        charge = self.charge_of(intent_id)
        charge["disputed"] = True
        number, now = self._next()
        made = self._keep("disputes", objects.dispute(number, now, charge))
        self._tell("charge.dispute.created", made)
        return str(made["id"])

    def give_back(self, charge: Record, amount: int | None, metadata: Record) -> Record:
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = left if amount is None else amount
        if charge["disputed"]:
            raise Refusal(400, f"Charge {charge['id']} has been charged back.", code="charge_disputed")
        if not left:
            raise Refusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if not 0 < amount <= left:
            raise Refusal(400, f"Refund amount ({amount}) is greater than what is left ({left}).", param="amount")
        number, now = self._next()
        status = "pending" if self.slow_refunds else "succeeded"
        made = self._keep("refunds", objects.refund(number, now, charge, amount, metadata, status))
        charge["amount_refunded"] += amount
        charge["refunded"] = amount == left
        self._tell("refund.created", made)
        return made

    def settle(self, refund_id: str, *, failed: bool = False) -> None:
        """A pending refund comes to its end."""
        refund = self.held["refunds"][refund_id]
        refund["status"] = "failed" if failed else "succeeded"
        if failed:
            charge = self.held["charges"][refund["charge"]]
            charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
        self._tell("refund.failed" if failed else "refund.updated", refund)

    def charge_of(self, intent_id: str) -> Record:
        return self.held["charges"][self.held["payment_intents"][intent_id]["latest_charge"]]

    def new_endpoint(self, given: Record) -> Record:
        number, now = self._next()
        return self._keep("webhook_endpoints", objects.endpoint(number, now, given))

    def _new_intent(self, amount: int, currency: str, **changes: Any) -> Record:
        number, now = self._next()
        return self._keep("payment_intents", objects.intent(number, now, amount, currency, **changes))

    def _try(self, intent: Record) -> bool:
        number, now = self._next()
        charge = self._keep("charges", objects.charge(number, now, intent, declined=self.declining))
        intent["latest_charge"] = charge["id"]
        if self.declining:
            intent["last_payment_error"] = {
                "type": "card_error",
                "code": "card_declined",
                "decline_code": "insufficient_funds",
                "message": "Your card has insufficient funds.",
                "charge": charge["id"],
            }
            self._tell("payment_intent.payment_failed", intent)
            return False
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
        self._tell("payment_intent.succeeded", intent)
        return True

    def _keep(self, collection: str, made: Record) -> Record:
        self.held[collection][made["id"]] = made
        return made

    def _tell(self, topic: str, about: Record) -> None:
        """An event shows its object as it was."""
        number, now = self._next()
        self._keep("events", objects.event(number, now, topic, copy.deepcopy(about)))

    def _next(self) -> tuple[str, int]:
        """The next id, and the time."""
        self._made += 1
        return f"practice{self._made:08}", int(self.clock().timestamp())
