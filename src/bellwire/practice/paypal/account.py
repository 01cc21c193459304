"""What happens in a simulated PayPal account: captures, refunds, subscriptions, and the events that tell of them."""

import copy
from datetime import datetime, timedelta
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.events import Customer
from bellwire.money import Money, digits

Record = dict[str, Any]

API = "https://api.sandbox.paypal.com"
PAYER = "PRACT2CEPAYER"
_ROBIN = Customer(id=PAYER, name="Robin Hill", email="robin@example.com")
_MOST_REFUNDS = 10
_NOTES = ("invoice_id", "custom_id", "note_to_payer")
_MESSAGES = {
    400: "Request is not well-formed, syntactically incorrect, or violates schema.",
    403: "Authorization failed due to insufficient permissions.",
    404: "The specified resource does not exist.",
    422: "The requested action could not be performed, semantically incorrect, or failed business validation.",
    500: "An internal server error occurred.",
}
"""Status → what PayPal says of all that end with it, word by word."""
_SAID = {
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and try again.",
    "PERMISSION_DENIED": "You do not have permission to access or perform operations on this resource.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount that has not yet "
    "been refunded.",
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": "You have exceeded the maximum number of refund attempts for this capture.",
    "PENDING_CAPTURE": "Cannot initiate a refund as the capture is pending. Capture is typically pending when the "
    "payer has funded the transaction using e-check/bank funded.",
}
"""Issue → its description, word by word. Of the others only the issue is fixed."""


class Refusal(Exception):
    """PayPal's error: a name, and the issue of its first detail."""

    def __init__(self, status: int, name: str, issue: str = "", description: str = "", field: str = "") -> None:
        super().__init__(description or name)
        self.status, self.name, self.issue, self.field = status, name, issue, field
        self.description = description or _SAID.get(issue) or _MESSAGES.get(status, "The request can't be done.")

    def body(self) -> Record:
        detail = {"issue": self.issue, "description": self.description} | ({"field": self.field} if self.field else {})
        told = {
            "name": self.name,
            "message": _MESSAGES.get(self.status, self.description),
            "debug_id": "practice1",
            "links": [],
        }
        return told | ({"details": [detail]} if self.issue else {})


class PayPalAccount:
    """`slow_refunds`: refunds are pending until `settle`. `clock` is what it dates everything by; `prices` what a
    period of a subscription costs, by its id."""

    def __init__(self) -> None:
        self.clock: Clock = system_clock
        self.prices: dict[str, Money] = {}
        self.slow_refunds = False
        self.captures: dict[str, Record] = {}
        self.orders: dict[str, Record] = {}
        self.refunds: dict[str, Record] = {}
        self.subscriptions: dict[str, Record] = {}
        self.events: dict[str, Record] = {}
        self._made = 0

    def take(self, amount: Money, reference: str = "", *, email: str = "robin@example.com", status: str = "") -> str:
        """A customer pays an order, which is captured. Gives the capture's id."""
        number, order = self._next("C"), self._next("O")
        capture: Record = {
            "id": number,
            "status": status or "COMPLETED",
            "amount": money(amount),
            "final_capture": True,
            "supplementary_data": {"related_ids": {"order_id": order}},
            "create_time": self._now(),
            "update_time": self._now(),
            "links": [
                _link(f"/v2/payments/captures/{number}", "self"),
                _link(f"/v2/payments/captures/{number}/refund", "refund", "POST"),
                _link(f"/v2/checkout/orders/{order}", "up"),
            ],
        }
        if reference:
            capture["invoice_id"] = reference
        self.captures[number] = capture
        unit = {"reference_id": "default", "amount": money(amount), "payments": {"captures": [capture], "refunds": []}}
        self.orders[order] = {
            "id": order,
            "status": "COMPLETED",
            "intent": "CAPTURE",
            "payer": {"email_address": email, "payer_id": PAYER},
            "purchase_units": [unit],
            "create_time": self._now(),
            "links": [_link(f"/v2/checkout/orders/{order}", "self")],
        }
        self.tell(f"PAYMENT.CAPTURE.{capture['status']}", "capture", capture)
        return number

    def give_back(self, capture_id: str, given: Record) -> Record:
        capture = self._find(self.captures, capture_id)
        amount = self._left(capture)
        if "amount" in given:
            amount = self._wanted(capture, given["amount"], amount)
        number = self._next("R")
        refund: Record = {
            "id": number,
            "status": "PENDING" if self.slow_refunds else "COMPLETED",
            "amount": money(amount),
            "create_time": self._now(),
            "update_time": self._now(),
            "links": [
                _link(f"/v2/payments/refunds/{number}", "self"),
                _link(f"/v2/payments/captures/{capture_id}", "up"),
            ],
        }
        refund |= {name: given[name] for name in _NOTES if name in given}
        self.refunds[number] = refund
        order = self.orders[capture["supplementary_data"]["related_ids"]["order_id"]]
        order["purchase_units"][0]["payments"]["refunds"].append(refund)
        capture["status"] = "PARTIALLY_REFUNDED" if self._left_after(capture) else "REFUNDED"
        self.tell("PAYMENT.CAPTURE.REFUNDED", "refund", refund)
        return refund

    def settle(self, refund_id: str, *, failed: bool = False) -> None:
        """A pending refund comes to its end."""
        self.refunds[refund_id] |= {"status": "FAILED" if failed else "COMPLETED", "update_time": self._now()}
        self.tell("PAYMENT.CAPTURE.REFUNDED", "refund", self.refunds[refund_id])

    def take_back(self, capture_id: str) -> None:
        """PayPal reverses a capture."""
        self.tell("PAYMENT.CAPTURE.REVERSED", "capture", self.captures[capture_id])

    def dispute(self, capture_id: str) -> str:
        number = f"PP-R-{self._next('D')}"
        due = written(self.clock() + timedelta(days=10))
        dispute = {
            "dispute_id": number,
            "create_time": self._now(),
            "update_time": self._now(),
            "disputed_transactions": [{"seller_transaction_id": capture_id}],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "WAITING_FOR_SELLER_RESPONSE",
            "dispute_amount": self.captures[capture_id]["amount"],
            "seller_response_due_date": due,
        }
        self.tell("CUSTOMER.DISPUTE.CREATED", "dispute", dispute)
        return number

    def subscribe(self, amount: Money, customer: Customer = _ROBIN, *, custom_id: str = "") -> str:
        number = f"I-{self._next('S')}"
        given, _, family = customer.name.partition(" ")
        email = {"email_address": customer.email} if customer.email else {}
        self.prices[number] = amount
        self.subscriptions[number] = ({"custom_id": custom_id} if custom_id else {}) | {
            "id": number,
            "status": "ACTIVE",
            "status_update_time": self._now(),
            "plan_id": "P-PRACTICE",
            "start_time": self._now(),
            "subscriber": {"payer_id": PAYER, "name": {"given_name": given, "surname": family}, **email},
            "create_time": self._now(),
            "billing_info": {"outstanding_balance": money(amount), "failed_payments_count": 0},
        }
        self.tell("BILLING.SUBSCRIPTION.ACTIVATED", "subscription", self.subscriptions[number])
        return number

    def renew(self, subscription_id: str, amount: Money, *, declined: bool = False) -> None:
        """A new period is charged."""
        subscription = self.subscriptions[subscription_id]
        info = subscription["billing_info"]
        if declined:
            again = written(self.clock() + timedelta(days=5))
            failed = {"amount": money(amount), "time": self._now(), "reason_code": "PAYMENT_DENIED"}
            info["last_failed_payment"] = failed | {"next_payment_retry_time": again}
            info["failed_payments_count"] += 1
            self.tell("BILLING.SUBSCRIPTION.PAYMENT.FAILED", "subscription", subscription)
            return
        info |= {"last_payment": {"amount": money(amount), "time": self._now()}, "failed_payments_count": 0}
        sale = {
            "id": self._next("V"),
            "state": "completed",
            "amount": {"total": f"{amount.amount:f}", "currency": amount.currency},
            "billing_agreement_id": subscription_id,
            "create_time": self._now(),
            "update_time": self._now(),
        }
        if "custom_id" in subscription:
            sale["custom"] = subscription["custom_id"]
        self.tell("PAYMENT.SALE.COMPLETED", "sale", sale)

    def end(self, subscription_id: str) -> None:
        self.subscriptions[subscription_id]["status"] = "CANCELLED"
        self.tell("BILLING.SUBSCRIPTION.CANCELLED", "subscription", self.subscriptions[subscription_id])

    def tell(self, topic: str, kind: str, resource: Record) -> None:
        """An event shows its resource as it was."""
        number = f"WH-{self._next('E')}"
        own = f"/v1/notifications/webhooks-events/{number}"
        self.events[number] = {
            "id": number,
            "event_version": "1.0",
            "create_time": self._now(),
            "resource_type": kind,
            "resource_version": "1.0" if kind == "sale" else "2.0",
            "event_type": topic,
            "summary": topic.replace(".", " ").capitalize(),
            "resource": copy.deepcopy(resource),
            "links": [_link(own, "self"), _link(f"{own}/resend", "resend", "POST")],
        }

    def _wanted(self, capture: Record, given: Record, left: Money) -> Money:
        currency, field = capture["amount"]["currency_code"], "/amount/value"
        if given["currency_code"] != currency:
            raise _unprocessable("REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
        amount = Money.of(given["value"], currency)
        if amount != amount.rounded():
            raise _unprocessable("DECIMAL_PRECISION" if digits(currency) else "DECIMALS_NOT_SUPPORTED", field)
        if not amount > Money.zero(currency):
            raise _unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", field)
        if not left:
            raise _unprocessable("CAPTURE_FULLY_REFUNDED")
        if amount > left:
            raise _unprocessable("REFUND_AMOUNT_EXCEEDED", field)
        if sum(_of(each, capture["id"]) for each in self.refunds.values()) >= _MOST_REFUNDS:
            raise _unprocessable("MAX_NUMBER_OF_REFUNDS_EXCEEDED")
        return amount

    def _left(self, capture: Record) -> Money:
        if capture["status"] == "PENDING":
            raise _unprocessable("PENDING_CAPTURE")
        if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"):
            raise _unprocessable("REFUND_NOT_ALLOWED")
        left = self._left_after(capture)
        if not left:
            raise _unprocessable("CAPTURE_FULLY_REFUNDED")
        return left

    def _left_after(self, capture: Record) -> Money:
        left = _read(capture["amount"])
        for each in self.refunds.values():
            if _of(each, capture["id"]) and each["status"] in ("COMPLETED", "PENDING"):
                left -= _read(each["amount"])
        return left

    @staticmethod
    def _find(table: dict[str, Record], number: str) -> Record:
        try:
            return table[number]
        except KeyError:
            raise Refusal(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID") from None

    def _now(self) -> str:
        return written(self.clock())

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"{self._made:08}PRACTICE{kind}"


def written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def money(amount: Money) -> Record:
    return {"currency_code": amount.currency, "value": f"{amount.rounded().amount:f}"}


def _read(amount: Record) -> Money:
    return Money.of(amount["value"], amount["currency_code"])


def _of(refund: Record, capture_id: str) -> bool:
    return any(each["rel"] == "up" and each["href"].endswith(f"/{capture_id}") for each in refund["links"])


def _link(path: str, relation: str, method: str = "GET") -> Record:
    return {"href": API + path, "rel": relation, "method": method}


def _unprocessable(issue: str, field: str = "") -> Refusal:
    return Refusal(422, "UNPROCESSABLE_ENTITY", issue, field=field)
