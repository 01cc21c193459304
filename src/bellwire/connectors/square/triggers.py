"""What Square's webhooks and lists bring. https://developer.squareup.com/docs/webhooks/v2webhook-events-tech-ref"""

from collections.abc import Callable, Mapping
from typing import Any

from bellwire.connectors.kit import Connection, Normalised, Triggers
from bellwire.connectors.square import reading
from bellwire.connectors.square.manifest import settings_of
from bellwire.connectors.square.polls import POLLS
from bellwire.connectors.square.sample import sample
from bellwire.connectors.square.subscriptions import SUBSCRIBING
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Environment, what_is_wrong

_NAMES = {"Production": Environment.PRODUCTION, "Sandbox": Environment.SANDBOX}

_READ: Mapping[str, tuple[str, Callable[[Any, Connection], Normalised]]] = {
    "payment.created": ("payment", reading.payment),
    "payment.updated": ("payment", reading.payment),
    "refund.created": ("refund", reading.refund),
    "refund.updated": ("refund", reading.refund),
    "inventory.count.updated": ("inventory_counts", reading.counts),
    "dispute.created": ("dispute", reading.dispute),
    "subscription.created": ("subscription", reading.subscription),
    "subscription.updated": ("subscription", reading.subscription),
    "invoice.payment_made": ("invoice", reading.invoice_paid),
    "invoice.scheduled_charge_failed": ("invoice", reading.invoice_failed),
}
"""Topic → where in the delivery its record is, and what reads it."""

_THIN = {"order.created": "order_created", "order.updated": "order_updated"}
"""Topics that name an order and no more, and where they do."""


def belongs(delivery: Delivery, connection: Connection) -> str:
    """One key signs the deliveries of every seller of the application, and its sandbox is another application."""
    sent, name = delivery.headers.get("square-environment", ""), connection.name
    if sent in _NAMES and _NAMES[sent] is not connection.environment:
        return f"It comes from Square's {sent.lower()}; connection '{name}' is for {connection.environment.value}."
    ours, sender = settings_of(connection).merchant_id, delivery.json.get("merchant_id", "")
    if ours and sender and sender != ours:
        return f"It is about the merchant {sender}; connection '{name}' is for {ours}."
    return ""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what Square describes."""
    try:
        body = delivery.json
        topic, told = body["type"], body["data"].get("object") or {}
        if topic in _THIN:
            return _order(told[_THIN[topic]], connection)
        if topic not in _READ:
            return Normalised(reason=f"Bellwire has no use for Square's {topic}.")
        name, read = _READ[topic]
        return _elsewhere(told[name], connection) or read(told[name], connection)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Square describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _order(order: Mapping[str, Any], connection: Connection) -> Normalised:
    """What was paid and given back for it, the polls find out; so a lost webhook about that is made good at once."""
    return _elsewhere(order, connection) or Normalised(
        reason="An order changed: its payments and refunds are looked up.", wake=("payments", "refunds")
    )


def _elsewhere(record: Any, connection: Connection) -> Normalised | None:
    """A connection is one location of the seller; counts are looked at one by one."""
    place = record.get("location_id") if isinstance(record, dict) else None
    ours = settings_of(connection).location_id
    if not place or place == ours:
        return None
    return Normalised(reason=f"It is about location {place}; this connection is for {ours}.")


TRIGGERS = Triggers(
    event_types=(
        "payment.succeeded",
        "payment.failed",
        "payment.refunded",
        "payment.disputed",
        "inventory.updated",
        "subscription.updated",
        "subscription.renewed",
        "subscription.ended",
    ),
    normalise=normalise,
    belongs=belongs,
    topics=(*_READ, *_THIN),
    subscribing=SUBSCRIBING,
    polls=POLLS,
    sample=sample,
)
