"""PayPal's webhook events as ours. https://developer.paypal.com/api/rest/webhooks/event-names/"""

from collections.abc import Callable, Mapping
from datetime import datetime

from pydantic import BaseModel

from bellwire.clock import parse_time
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of
from bellwire.connectors.paypal.manifest import settings_of
from bellwire.connectors.paypal.polling import EVENTS
from bellwire.connectors.paypal.reading import (
    Body,
    as_dispute,
    as_subscription,
    capture_as_payment,
    environment_of,
    failed_payment,
    refund_as_returned,
    sale_as_payment,
    sale_returned,
    taken_back,
)
from bellwire.connectors.paypal.samples import sample
from bellwire.connectors.paypal.subscribing import SUBSCRIBING
from bellwire.connectors.paypal.topics import TOPICS
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, PaymentReturned, what_is_wrong

_Made = tuple[str, str, str, BaseModel]
"""Type, subject, what the business key ends in, data."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what PayPal describes."""
    body = delivery.json
    try:
        topic = body["event_type"]
        if topic not in _READERS:
            return Normalised(reason=f"Bellwire has no use for PayPal's {topic}.")
        time = parse_time(body["create_time"])
        made = _READERS[topic](body, time, connection)
        return made if isinstance(made, Normalised) else Normalised(_events(made, time, connection))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what PayPal describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def belongs(delivery: Delivery, connection: Connection) -> str:
    """Sandbox and live never mix: the links of an event say which it is of."""
    try:
        told = environment_of(delivery.json)
    except (KeyError, TypeError, AttributeError):
        return ""
    if told is None or told is connection.environment:
        return ""
    return f"It is of PayPal's {told}, and '{connection.name}' is a {connection.environment}."


def _events(made: tuple[_Made, ...], time: datetime, connection: Connection) -> tuple[Event, ...]:
    return tuple(
        event_of(connection, kind, f"{subject}/{happened}", subject, time, data, version=time)
        for kind, subject, happened, data in made
    )


Reader = Callable[[Body, datetime, Connection], tuple[_Made, ...] | Normalised]


def _capture(body: Body, _time: datetime, connection: Connection) -> tuple[_Made, ...] | Normalised:
    data = capture_as_payment(body["resource"], settings_of(connection))
    subject = f"payment/{data.id}"
    if body["event_type"] == "PAYMENT.CAPTURE.COMPLETED":
        return (("payment.succeeded", subject, "succeeded", data),)
    return (("payment.failed", subject, "failed", data),)


def _sale(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    data = sale_as_payment(body["resource"])
    subject = f"payment/{data.id}"
    paid = ("payment.succeeded", subject, "succeeded", data)
    return (paid, ("subscription.renewed", subject, "renewed", data)) if data.subscription_id else (paid,)


def _refund(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...] | Normalised:
    if body["resource_type"] != "refund":
        return _returned(taken_back(body["resource"]))
    if body["resource"]["status"] == "PENDING":
        return Normalised(reason="The refund is under way: another event tells how it ends.")
    return _returned(refund_as_returned(body["resource"]))


def _sale_refund(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    return _returned(sale_returned(body["resource"]))


def _returned(data: PaymentReturned) -> tuple[_Made, ...]:
    return (("payment.refunded", f"refund/{data.id}", "failed" if data.failed else "done", data),)


def _dispute(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    data = as_dispute(body["resource"])
    return (("payment.disputed", f"dispute/{data.id}", "created", data),)


def _subscription(body: Body, time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    data = as_subscription(body["resource"], time)
    subject = f"subscription/{data.id}"
    if body["event_type"] in ("BILLING.SUBSCRIPTION.CANCELLED", "BILLING.SUBSCRIPTION.EXPIRED"):
        return (("subscription.ended", subject, "ended", data),)
    return (("subscription.updated", subject, f"updated/{body['id']}", data),)


def _failed(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    data = failed_payment(body["resource"])
    return (("payment.failed", f"subscription/{data.id}", f"failed/{data.created_at.isoformat()}", data),)


_READERS: Mapping[str, Reader] = {
    "PAYMENT.CAPTURE.COMPLETED": _capture,
    "PAYMENT.CAPTURE.DENIED": _capture,
    "PAYMENT.CAPTURE.DECLINED": _capture,
    "PAYMENT.CAPTURE.REFUNDED": _refund,
    "PAYMENT.CAPTURE.REVERSED": _refund,
    "PAYMENT.SALE.COMPLETED": _sale,
    "PAYMENT.SALE.REFUNDED": _sale_refund,
    "PAYMENT.SALE.REVERSED": _sale_refund,
    "CUSTOMER.DISPUTE.CREATED": _dispute,
    "BILLING.SUBSCRIPTION.CREATED": _subscription,
    "BILLING.SUBSCRIPTION.ACTIVATED": _subscription,
    "BILLING.SUBSCRIPTION.UPDATED": _subscription,
    "BILLING.SUBSCRIPTION.SUSPENDED": _subscription,
    "BILLING.SUBSCRIPTION.CANCELLED": _subscription,
    "BILLING.SUBSCRIPTION.EXPIRED": _subscription,
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": _failed,
}

TRIGGERS = Triggers(
    event_types=EVENTS.event_types,
    normalise=normalise,
    belongs=belongs,
    topics=TOPICS,
    subscribing=SUBSCRIBING,
    polls=(EVENTS,),
    sample=sample,
)
