"""What a simulated Square seller takes and gives back: payments, refunds, disputes.

https://developer.squareup.com/reference/square/payments-api
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from bellwire.clock import Clock, system_clock
from bellwire.money import Money
from bellwire.practice.square.refusals import Record, Refusal, missing, page, since, stamp


@dataclass
class Takings:
    """`page_size` is the most that a page of a list holds; `clock` is what all is dated by."""

    location: str
    page_size: int = 100
    clock: Clock = system_clock
    payments: dict[str, Record] = field(default_factory=dict)
    refunds: dict[str, Record] = field(default_factory=dict)
    disputes: dict[str, Record] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    # What happens at the till

    def take(
        self,
        amount: Money,
        *,
        reference: str = "",
        status: str = "COMPLETED",
        location: str = "",
        email: str = "robin@example.com",
    ) -> str:
        """A customer pays by card; gives the payment's id."""
        now, number = stamp(self.clock()), f"PAY{next(self._numbers):06}"
        card: Record = {"status": {"COMPLETED": "CAPTURED", "APPROVED": "AUTHORIZED"}.get(status, status)}
        if status == "COMPLETED":
            card["card_payment_timeline"] = {"authorized_at": now, "captured_at": now}
        if status == "FAILED":
            error = {"category": "PAYMENT_METHOD_ERROR", "code": "CARD_DECLINED", "detail": "Authorization error."}
            card["errors"] = [error]
        payment = {
            "id": number,
            "created_at": now,
            "updated_at": now,
            "amount_money": _minor(amount),
            "total_money": _minor(amount),
            "status": status,
            "source_type": "CARD",
            "card_details": card,
            "location_id": location or self.location,
            "order_id": f"ORDER{number}",
            "buyer_email_address": email,
        }
        self.payments[number] = payment | ({"reference_id": reference} if reference else {})
        return number

    def settle(self, refund_id: str, status: str = "COMPLETED") -> None:
        """What becomes of a refund that was pending."""
        self._change(self.refunds[refund_id], status=status)

    def dispute(self, payment_id: str) -> str:
        """The customer wants it back by way of the bank; gives the dispute's id."""
        payment, number, now = self.payments[payment_id], f"DISPUTE{next(self._numbers):06}", self.clock()
        self.disputes[number] = {
            "id": number,
            "dispute_id": number,
            "amount_money": payment["total_money"],
            "reason": "NOT_AS_DESCRIBED",
            "state": "EVIDENCE_REQUIRED",
            "due_at": stamp(now + timedelta(days=14)),
            "disputed_payment": {"payment_id": payment_id},
            "card_brand": "VISA",
            "created_at": stamp(now),
            "updated_at": stamp(now),
            "location_id": payment["location_id"],
            "version": 1,
        }
        return number

    # What is asked over the API

    def read(self, payment_id: str) -> Record:
        if payment_id not in self.payments:
            raise Refusal(404, "NOT_FOUND", f"Could not find payment with id: {payment_id}")
        return {"payment": self.payments[payment_id]}

    def read_refund(self, refund_id: str) -> Record:
        if refund_id not in self.refunds:
            raise Refusal(404, "NOT_FOUND", f"Could not find refund with id: {refund_id}")
        return {"refund": self.refunds[refund_id]}

    def refund(self, body: Record) -> Record:
        for name in ("payment_id", "amount_money"):
            if not body.get(name):
                raise missing(name)
        if len(body.get("reason") or "") > 192:
            raise Refusal(400, "VALUE_TOO_LONG", "Field must not be longer than 192 characters.", "reason")
        payment = self.read(body["payment_id"])["payment"]
        wanted, paid = body["amount_money"], payment["total_money"]
        if payment["status"] != "COMPLETED":
            raise Refusal(400, "REFUND_ERROR_PAYMENT_NEEDS_COMPLETION", "The payment isn't completed.", "payment_id")
        if any(each["disputed_payment"]["payment_id"] == payment["id"] for each in self.disputes.values()):
            raise Refusal(400, "PAYMENT_NOT_REFUNDABLE_DUE_TO_DISPUTE", "The payment is disputed.", "payment_id")
        if wanted["currency"] != paid["currency"]:
            raise Refusal(400, "CURRENCY_MISMATCH", "The currency doesn't match.", "amount_money.currency")
        given = payment.get("refunded_money", {"amount": 0})["amount"]
        if not 0 < wanted["amount"] <= paid["amount"] - given:
            raise Refusal(400, "REFUND_AMOUNT_INVALID", "The requested refund amount is invalid.", "amount_money")
        return {"refund": self._give_back(payment, wanted, body.get("reason") or "", given)}

    def _give_back(self, payment: Record, wanted: Record, reason: str, given: int) -> Record:
        now, number = stamp(self.clock()), f"{payment['id']}_{next(self._numbers):06}"
        refund = {
            "id": number,
            "status": "PENDING",
            "location_id": payment["location_id"],
            "amount_money": wanted,
            "payment_id": payment["id"],
            "order_id": payment["order_id"],
            "created_at": now,
            "updated_at": now,
        }
        self.refunds[number] = refund | ({"reason": reason} if reason else {})
        total = {"amount": given + wanted["amount"], "currency": wanted["currency"]}
        self._change(payment, refunded_money=total, refund_ids=[*payment.get("refund_ids", []), number])
        # Later changes aren't to show in an answer that is remembered.
        return dict(self.refunds[number])

    def list(self, name: str, asked: Mapping[str, str]) -> Record:
        """`GET payments` and `GET refunds`: by time of change, oldest first, or by when they were made."""
        records: list[Record] = [*getattr(self, name).values()]
        by = asked.get("sort_field", "CREATED_AT").lower()
        if by not in ("created_at", "updated_at"):
            raise Refusal(400, "INVALID_ENUM_VALUE", "Not a field to sort by.", "sort_field")
        begin = since(asked.get("updated_at_begin_time"), "updated_at_begin_time")
        place = asked.get("location_id") or (self.location if name == "payments" else "")
        found = [
            record
            for record in records
            if (not place or record["location_id"] == place) and (begin is None or record["updated_at"] >= begin)
        ]
        found.sort(key=lambda record: str(record[by]), reverse=asked.get("sort_order", "DESC") == "DESC")
        return page(name, found, asked, min(self.page_size, 100))

    def list_disputes(self, asked: Mapping[str, str]) -> Record:
        states = asked["states"].split(",") if asked.get("states") else None
        found = [
            each
            for each in self.disputes.values()
            if asked.get("location_id") in (None, each["location_id"]) and (states is None or each["state"] in states)
        ]
        return page("disputes", found, asked, self.page_size)

    def _change(self, record: Record, **changes: object) -> None:
        record |= {**changes, "updated_at": stamp(self.clock())}


def _minor(amount: Money) -> Record:
    return {"amount": amount.minor, "currency": amount.currency}
