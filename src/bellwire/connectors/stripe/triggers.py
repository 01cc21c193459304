"""Stripe's events as ours. https://docs.stripe.com/api/events/types

A PaymentIntent doesn't say whether it pays an invoice, whose own event then tells more. So one that comes by webhook
only wakes the poll, which asks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of, polled
from bellwire.connectors.stripe.manifest import settings_of
from bellwire.connectors.stripe.polling import EVENTS
from bellwire.connectors.stripe.reading import (
    as_dispute,
    as_returned,
    as_subscription,
    intent_as_payment,
    invoice_as_payment,
    order_of,
    subscription_of,
    time_of,
)
from bellwire.connectors.stripe.samples import sample
from bellwire.connectors.stripe.subscribing import SUBSCRIBING
from bellwire.connectors.stripe.topics import INTENT_TOPICS, TOPICS
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Environment, Event, what_is_wrong

Body = Mapping[str, Any]
_Made = tuple[str, str, str, BaseModel]
"""Type, subject, what the business key ends in, data."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what Stripe describes."""
    body = delivery.json
    try:
        topic = body["type"]
        if body["object"] != "event":
            return Normalised(reason=f"Stripe's thin event {topic} has no data: set the destination to snapshots.")
        if topic not in _READERS:
            return Normalised(reason=f"Bellwire has no use for Stripe's {topic}.")
        if topic in INTENT_TOPICS and not polled(delivery):
            return Normalised(
                reason="Whether it pays an invoice, Stripe says when asked: the poll does that.", wake=(EVENTS.name,)
            )
        time = time_of(body["created"])
        made = _READERS[topic](body, time, connection)
        return made if isinstance(made, Normalised) else Normalised(_events(made, time, connection))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Stripe describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def belongs(delivery: Delivery, connection: Connection) -> str:
    """Test and live never mix; what a connected account sends isn't this account's."""
    body = delivery.json
    if not isinstance(body, dict):
        return ""
    if body.get("account"):
        return f"It is of the connected account {body['account']}, not of this connection's own."
    live = connection.environment is Environment.PRODUCTION
    if body.get("livemode") is not live:
        return f"It isn't of {'live' if live else 'test'} mode, and '{connection.name}' is a {connection.environment}."
    return ""


def _events(made: tuple[_Made, ...], time: datetime, connection: Connection) -> tuple[Event, ...]:
    return tuple(
        event_of(connection, kind, f"{subject}/{happened}", subject, time, data, version=time)
        for kind, subject, happened, data in made
    )


Reader = Callable[[Body, datetime, Connection], tuple[_Made, ...] | Normalised]


def _intent(body: Body, _time: datetime, connection: Connection) -> tuple[_Made, ...]:
    """A payment can fail several times: each has its charge, where it came that far."""
    intent = body["data"]["object"]
    data, subject = intent_as_payment(intent, settings_of(connection)), f"payment/{intent['id']}"
    if body["type"] == "payment_intent.succeeded":
        return (("payment.succeeded", subject, "succeeded", data),)
    attempt = (intent.get("last_payment_error") or {}).get("charge") or body["id"]
    return (("payment.failed", subject, f"failed/{attempt}", data),)


def _invoice_paid(body: Body, _time: datetime, connection: Connection) -> tuple[_Made, ...] | Normalised:
    invoice = body["data"]["object"]
    data, subject = invoice_as_payment(invoice, settings_of(connection)), f"invoice/{invoice['id']}"
    if not data.amount:
        return Normalised(reason="Nothing was to be paid for this invoice.")
    paid = ("payment.succeeded", subject, "paid", data)
    if invoice["billing_reason"] == "subscription_cycle" and subscription_of(invoice):
        # What is to be sent again stands in an order: an invoice's own number would be looked for in vain.
        renewed = data.model_copy(update={"reference": order_of(invoice, settings_of(connection))})
        return (paid, ("subscription.renewed", subject, "renewed", renewed))
    return (paid,)


def _invoice_failed(body: Body, _time: datetime, connection: Connection) -> tuple[_Made, ...]:
    """Stripe counts the first attempt and its own retries, not those by hand: so the failure of one that a flow makes
    is no new fact, which would start that flow again."""
    invoice = body["data"]["object"]
    data = invoice_as_payment(invoice, settings_of(connection))
    return (("payment.failed", f"invoice/{invoice['id']}", f"failed/{invoice['attempt_count']}", data),)


def _refund(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...] | Normalised:
    refund = body["data"]["object"]
    if refund["status"] in ("pending", "requires_action"):
        return Normalised(reason="The refund is under way: another event tells how it ends.")
    data = as_returned(refund)
    return (("payment.refunded", f"refund/{refund['id']}", "failed" if data.failed else "done", data),)


def _dispute(body: Body, _time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    dispute = body["data"]["object"]
    return (("payment.disputed", f"dispute/{dispute['id']}", "created", as_dispute(dispute)),)


def _subscription(body: Body, time: datetime, _connection: Connection) -> tuple[_Made, ...]:
    """Its state has no number, and times are whole seconds: what tells two states apart is the event's id."""
    subscription = body["data"]["object"]
    data, subject = as_subscription(subscription, time), f"subscription/{subscription['id']}"
    if body["type"] == "customer.subscription.deleted":
        return (("subscription.ended", subject, "ended", data),)
    return (("subscription.updated", subject, f"updated/{body['id']}", data),)


_READERS: Mapping[str, Reader] = {
    "payment_intent.succeeded": _intent,
    "payment_intent.payment_failed": _intent,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_failed,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "customer.subscription.deleted": _subscription,
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
