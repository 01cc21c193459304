"""What Square's payments, refunds, counts, disputes, subscriptions and invoices are as events.

Each function is given the thing as a webhook or a list shows it, and gives the same business key for the same fact
either way.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from bellwire.capabilities.payments import RefundStatus
from bellwire.clock import parse_time
from bellwire.connectors.kit import Connection, Normalised, event_of
from bellwire.connectors.square.manifest import settings_of
from bellwire.connectors.square.payments import REFUND_STATUSES, STATUSES, money_of
from bellwire.events import (
    Customer,
    Event,
    InventoryLevel,
    Payment,
    PaymentDispute,
    PaymentReturned,
    PaymentStatus,
    Subscription,
)
from bellwire.money import total

Record = Mapping[str, Any]

_TYPES = {PaymentStatus.SUCCEEDED: "payment.succeeded", PaymentStatus.FAILED: "payment.failed"}
_OVER = ("CANCELED", "DEACTIVATED")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def payment(record: Record, connection: Connection) -> Normalised:
    """A fact once it is completed or failed; until then it is under way."""
    status = STATUSES[record["status"]]
    if status not in _TYPES:
        return Normalised(reason=f"The payment is {record['status'].lower()}: neither completed nor failed.")
    card = record.get("card_details") or {}
    if status is PaymentStatus.FAILED and (record.get("application_details") or {}).get("square_product") == "INVOICES":
        return Normalised(reason="Square tells of a failed payment of an invoice by the invoice, too.")
    captured = (card.get("card_payment_timeline") or {}).get("captured_at")
    data = Payment(
        id=record["id"],
        status=status,
        amount=money_of(record["total_money"]),
        customer=Customer(id=record.get("customer_id") or "", email=record.get("buyer_email_address") or ""),
        reference=record.get("reference_id") or "",
        failure=_failure(card) if status is PaymentStatus.FAILED else "",
        created_at=parse_time(record["created_at"]),
    )
    happened = parse_time(captured) if captured else data.created_at
    return Normalised((_event(connection, _TYPES[status], f"payment/{data.id}", status.value, happened, data),))


def refund(record: Record, connection: Connection) -> Normalised:
    """A fact once it is with the customer, or can't be."""
    status = REFUND_STATUSES[record["status"]]
    if status is RefundStatus.PENDING:
        return Normalised(reason="The refund is under way: Square tells when it is done.")
    data = PaymentReturned(
        id=record["id"],
        payment_id=record.get("payment_id") or "",
        amount=money_of(record["amount_money"]),
        failed=status is RefundStatus.FAILED,
        created_at=parse_time(record["created_at"]),
    )
    happened = parse_time(record.get("updated_at") or record["created_at"])
    event = _event(connection, "payment.refunded", f"refund/{data.id}", status.value, happened, data)
    return Normalised((event.model_copy(update={"subject": f"payment/{data.payment_id or data.id}"}),))


def counts(records: list[Record], connection: Connection) -> Normalised:
    """Those of what can be sold, at the connection's location."""
    place = settings_of(connection).location_id
    ours = [each for each in records if each["state"] == "IN_STOCK" and each["location_id"] == place]
    if not ours:
        return Normalised(reason=f"Nothing that can be sold at location {place} is counted anew.")
    return Normalised(tuple(_count(each, connection) for each in ours))


def _count(record: Record, connection: Connection) -> Event:
    at = parse_time(record["calculated_at"])
    data = InventoryLevel(
        item_id=record["catalog_object_id"],
        location_id=record["location_id"],
        # A part of one can't be sold as one.
        available=floor(Decimal(record["quantity"])),
        updated_at=at,
    )
    subject = f"inventory/{data.item_id}/{data.location_id}"
    return _event(connection, "inventory.updated", subject, at.isoformat(), at, data, version=at)


def dispute(record: Record, connection: Connection) -> Normalised:
    data = PaymentDispute(
        id=record["id"],
        payment_id=record["disputed_payment"]["payment_id"],
        amount=money_of(record["amount_money"]),
        reason=(record.get("reason") or "").lower().replace("_", " "),
        answer_by=parse_time(record["due_at"]) if record.get("due_at") else None,
        created_at=parse_time(record["created_at"]),
    )
    event = _event(connection, "payment.disputed", f"dispute/{data.id}", "created", data.created_at, data)
    return Normalised((event.model_copy(update={"subject": f"payment/{data.payment_id}"}),))


def subscription(record: Record, connection: Connection) -> Normalised:
    """As it is now; also a fact of its own, once, when it has ended."""
    # Square numbers the states by the milliseconds since 1970.
    at = _EPOCH + timedelta(milliseconds=record["version"])
    price, status = record.get("price_override_money"), record["status"]
    data = Subscription(
        id=record["id"],
        status=status,
        customer=Customer(id=record.get("customer_id") or ""),
        amount=money_of(price) if price else None,
        period_ends_at=_end_of(record["charged_through_date"], record) if record.get("charged_through_date") else None,
        ended=status in _OVER,
        updated_at=at,
    )
    subject = f"subscription/{data.id}"
    changed = _event(connection, "subscription.updated", subject, f"updated/{record['version']}", at, data, version=at)
    if not data.ended:
        return Normalised((changed,))
    fact = f"ended/{record.get('canceled_date') or status.lower()}"
    return Normalised((_event(connection, "subscription.ended", subject, fact, at, data), changed))


def invoice_paid(record: Record, connection: Connection) -> Normalised:
    """Of a subscription: it is renewed. Of any other, the payment itself tells."""
    if not record.get("subscription_id"):
        return Normalised(reason="The invoice's payment has a message of its own.")
    if record["status"] != "PAID":
        return Normalised(reason="The invoice is paid in part.")
    data = _invoice(record, PaymentStatus.SUCCEEDED, "total_completed_amount_money")
    at = parse_time(record["updated_at"])
    return Normalised((_event(connection, "subscription.renewed", f"invoice/{record['id']}", "paid", at, data),))


def invoice_failed(record: Record, connection: Connection) -> Normalised:
    """Each charge that fails is a fact: the invoice's version tells them apart."""
    data = _invoice(record, PaymentStatus.FAILED, "computed_amount_money")
    at, state = parse_time(record["updated_at"]), f"failed/{record['version']}"
    return Normalised((_event(connection, "payment.failed", f"invoice/{record['id']}", state, at, data),))


def _invoice(record: Record, status: PaymentStatus, amount: str) -> Payment:
    owed = record.get("next_payment_amount_money") if status is PaymentStatus.FAILED else None
    sums = [money_of(each[amount]) for each in record["payment_requests"]]
    to = record.get("primary_recipient") or {}
    return Payment(
        id="",
        status=status,
        amount=money_of(owed) if owed else total(sums, sums[0].currency),
        customer=Customer(
            id=to.get("customer_id") or "",
            name=" ".join(part for part in (to.get("given_name"), to.get("family_name")) if part),
            email=to.get("email_address") or "",
            phone=to.get("phone_number") or "",
            company=to.get("company_name") or "",
        ),
        reference=record.get("invoice_number") or "",
        invoice_id=record["id"],
        subscription_id=record.get("subscription_id") or "",
        pay_url=record.get("public_url") or "",
        created_at=parse_time(record["created_at"]),
    )


def _failure(card: Record) -> str:
    errors = card.get("errors") or [{}]
    return errors[0].get("detail") or (errors[0].get("code") or "").lower().replace("_", " ")


def _end_of(day: str, record: Record) -> datetime:
    """The end of a day where the subscription is."""
    zone = ZoneInfo(record.get("timezone") or "UTC")
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), zone).astimezone(UTC)


def _event(
    connection: Connection,
    event_type: str,
    subject: str,
    state: str,
    at: datetime,
    data: BaseModel,
    version: datetime | None = None,
) -> Event:
    return event_of(connection, event_type, f"{subject}/{state}", subject, at, data, version=version)
