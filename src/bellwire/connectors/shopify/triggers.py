"""Shopify's deliveries, and what its polls list, as canonical events: one table, topic → normaliser.

https://shopify.dev/docs/api/webhooks
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from pydantic import BaseModel

from bellwire.clock import parse_time
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of, polled, state_key
from bellwire.connectors.shopify.fields import Body
from bellwire.connectors.shopify.manifest import header, settings_of
from bellwire.connectors.shopify.orders import order, sent_at, tags
from bellwire.connectors.shopify.polls import POLLS, RETURNS
from bellwire.connectors.shopify.refunds import refund
from bellwire.connectors.shopify.returns import STANDING, announced, received
from bellwire.connectors.shopify.samples import sample
from bellwire.connectors.shopify.subscriptions import SUBSCRIBING
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, FreeForm, InventoryLevel, Order, Product, Refund, Variant, what_is_wrong
from bellwire.events.orders import PaymentState

Normaliser = Callable[[Body, Delivery, Connection], Normalised]


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The events of one delivery. Raises CannotNormalise when the body isn't what its topic promises."""
    topic = polled(delivery) or header(delivery, "topic")
    if not topic:
        raise CannotNormalise(
            "The delivery doesn't say what it is about: the header X-Shopify-Topic is missing.",
            remedy="Let Shopify itself send to this address, not another program.",
        )
    normaliser = (_LISTS if polled(delivery) else _TOPICS).get(topic)
    if normaliser is None:
        return Normalised(reason=f"Bellwire has no use for Shopify's topic {topic}.")
    try:
        return normaliser(delivery.json, delivery, connection)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise CannotNormalise(
            f"The body of a delivery with topic {topic} can't be read: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def belongs(delivery: Delivery, connection: Connection) -> str:
    """One app's secret signs the deliveries of every shop that installed it."""
    settings, sender = settings_of(connection), header(delivery, "shop-domain").lower()
    if not settings.shop or not sender or sender == settings.domain:
        return ""
    return f"It comes from the shop {sender}; connection '{connection.name}' is for {settings.domain}."


def _order(event_type: str, body: Body, _delivery: Delivery, connection: Connection) -> Normalised:
    found = order(body)
    times = {
        "order.created": found.created_at,
        "order.cancelled": found.cancelled_at,
        "order.fulfilled": sent_at(body),
    }
    return Normalised((_order_event(event_type, found, times.get(event_type) or found.updated_at, connection),))


def _order_paid(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    """An order doesn't say when it was paid, which may be weeks after it was placed: its webhook is sent just then."""
    found = order(body)
    paid_at = _triggered_at(delivery) or found.updated_at
    found = found.model_copy(update={"paid_at": paid_at if found.paid_at else None})
    return Normalised((_order_event("order.paid", found, paid_at, connection),))


def _order_updated(body: Body, _delivery: Delivery, connection: Connection) -> Normalised:
    """Says `order.paid` too, under the key that `orders/paid` gives it: that one may be late, or never come.

    Not of an order from before the connection went live: it may have been paid, and booked by hand, before or after,
    and only `orders/paid` can tell.
    """
    found = order(body)
    updated = _order_event("order.updated", found, found.updated_at, connection)
    if found.payment is not PaymentState.PAID or found.paid_at is None:
        return Normalised((updated,))
    if connection.since is not None and found.paid_at < connection.since:
        return Normalised((updated,))
    return Normalised((_order_event("order.paid", found, found.paid_at, connection), updated))


def _listed_order(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    """All that the state of an order tells, under the keys that the webhooks give it."""
    found = order(body)
    events = [_order_event("order.created", found, found.created_at, connection)]
    events += _order_updated(body, delivery, connection).events
    if sent := sent_at(body):
        events.append(_order_event("order.fulfilled", found, sent, connection))
    if found.cancelled_at:
        events.append(_order_event("order.cancelled", found, found.cancelled_at, connection))
    events += [_refund_event(entry, connection) for entry in found.refunds]
    return Normalised(tuple(events))


def _order_event(event_type: str, found: Order, time: datetime, connection: Connection) -> Event:
    subject = f"order/{found.id}"
    fact = event_type.partition(".")[2]
    state = f"/{_state_key(found.updated_at, found)}" if event_type == "order.updated" else ""
    return event_of(connection, event_type, f"{subject}/{fact}{state}", subject, time, found, version=found.updated_at)


def _refunded(body: Body, _delivery: Delivery, connection: Connection) -> Normalised:
    return Normalised((_refund_event(refund(body), connection),))


def _refund_event(found: Refund, connection: Connection) -> Event:
    subject = f"order/{found.order_id}"
    return event_of(connection, "order.refunded", f"refund/{found.id}", subject, found.created_at, found)


def _return(body: Body, _delivery: Delivery, connection: Connection) -> Normalised:
    """What a webhook says of a return is a few ids: the list tells the goods and what was paid for them."""
    if "looked_at" not in body:
        return Normalised(
            reason="Shopify says that a return changed, and little more: it is looked up.", wake=(RETURNS,)
        )
    if body["status"] not in STANDING or not body["return_line_items"]:
        return Normalised(reason=f"Of the return {body['name']} nothing is to come back ({body['status']}).")
    found, subject = announced(body), f"return/{body['id']}"
    created = parse_time(body["created_at"])
    events = [event_of(connection, "return.created", f"{subject}/created", subject, created, found)]
    back = received(body)
    if back is not None and back.received_at is not None:
        key = f"{subject}/received"
        events.append(event_of(connection, "return.received", key, subject, back.received_at, back))
    return Normalised(tuple(events))


def _transaction(body: Body, _delivery: Delivery, _connection: Connection) -> Normalised:
    """`order.payment_failed` carries an order, and a transaction has none."""
    what = f"{body['kind']} of order {body['order_id']} ({body['status']})"
    if body["status"] in ("failure", "error"):
        reason = f"A payment failed: {what}. Shopify sends the transaction alone; the order stays unpaid."
    else:
        reason = f"A transaction alone: {what}. What it changes comes with the order."
    return Normalised(reason=reason)


def _product(body: Body, _delivery: Delivery, connection: Connection) -> Normalised:
    found = Product(
        id=str(body["id"]),
        name=body["title"],
        status=body.get("status") or "",
        updated_at=parse_time(body["updated_at"]),
        variants=tuple(_variant(entry) for entry in body.get("variants") or ()),
        tags=tags(body),
    )
    return _state(connection, "product.updated", f"product/{found.id}", found.updated_at, found)


def _variant(entry: Body) -> Variant:
    # Its price stands there without the currency.
    counted = entry.get("inventory_management") is not None
    return Variant(
        id=str(entry["id"]),
        sku=entry.get("sku") or "",
        name=entry.get("title") or "",
        barcode=entry.get("barcode") or "",
        stock=entry.get("inventory_quantity") if counted else None,
        item_id=str(entry.get("inventory_item_id") or ""),
    )


def _inventory(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    """An item that is taken out of a location has its ids alone: it isn't counted there any more."""
    told = body.get("updated_at")
    found = InventoryLevel(
        item_id=str(body["inventory_item_id"]),
        location_id=str(body["location_id"]),
        available=body["available"] if told else None,
        updated_at=parse_time(told) if told else _triggered_at(delivery) or delivery.received_at,
    )
    ours = settings_of(connection).location_id
    if ours and found.location_id != ours:
        return Normalised(reason=f"The stock is at location {found.location_id}; this connection is for {ours}.")
    subject = f"inventory/{found.item_id}/{found.location_id}"
    return _state(connection, "inventory.updated", subject, found.updated_at, found)


def _customer(body: Body, _delivery: Delivery, connection: Connection) -> Normalised:
    updated_at, data = parse_time(body["updated_at"]), FreeForm.model_validate(body)
    return _state(connection, "customer.updated", f"customer/{body['id']}", updated_at, data)


def _deleted(what: str, body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    """Only the id is known; the time stands in a header."""
    subject, time = f"{what}/{body['id']}", _triggered_at(delivery) or delivery.received_at
    data = FreeForm.model_validate({"id": str(body["id"])})
    return Normalised((event_of(connection, f"{what}.deleted", f"{subject}/deleted", subject, time, data),))


def _triggered_at(delivery: Delivery) -> datetime | None:
    text = header(delivery, "triggered-at")
    return parse_time(text) if text else None


def _state(connection: Connection, event_type: str, subject: str, updated_at: datetime, data: BaseModel) -> Normalised:
    key = f"{subject}/updated/{_state_key(updated_at, data)}"
    return Normalised((event_of(connection, event_type, key, subject, updated_at, data, version=updated_at),))


def _state_key(updated_at: datetime, data: BaseModel) -> str:
    """Shopify's times have whole seconds. Left out is what a webhook and a read tell differently about one state."""
    return state_key(updated_at, data, exclude={"paid_at", "gift_cards", "payments"})


_TOPICS: dict[str, Normaliser] = {
    "orders/create": partial(_order, "order.created"),
    "orders/paid": _order_paid,
    "orders/updated": _order_updated,
    "orders/partially_fulfilled": _order_updated,
    "orders/cancelled": partial(_order, "order.cancelled"),
    "orders/fulfilled": partial(_order, "order.fulfilled"),
    "orders/delete": partial(_deleted, "order"),
    "refunds/create": _refunded,
    "order_transactions/create": _transaction,
    "products/create": _product,
    "products/update": _product,
    "products/delete": partial(_deleted, "product"),
    "inventory_levels/update": _inventory,
    "inventory_levels/connect": _inventory,
    "inventory_levels/disconnect": _inventory,
    "customers/create": _customer,
    "customers/update": _customer,
    "customers/enable": _customer,
    "customers/disable": _customer,
    # Last, as an app from before them lacks their scope: it gets all others first.
    "returns/request": _return,
    "returns/approve": _return,
    "returns/process": _return,
    "returns/close": _return,
    "reverse_fulfillment_orders/dispose": _return,
}

_LISTS: dict[str, Normaliser] = {
    "orders": _listed_order,
    RETURNS: _return,
    "products": _product,
    "stock": _inventory,
}
"""By the poll's name."""

TRIGGERS = Triggers(
    event_types=(
        "order.created",
        "order.paid",
        "order.updated",
        "order.cancelled",
        "order.fulfilled",
        "order.deleted",
        "order.refunded",
        "return.created",
        "return.received",
        "product.updated",
        "product.deleted",
        "inventory.updated",
        "customer.updated",
    ),
    normalise=normalise,
    belongs=belongs,
    # Transactions are left out: the order says the same, with more around it.
    topics=tuple(topic for topic in _TOPICS if topic != "order_transactions/create"),
    subscribing=SUBSCRIBING,
    polls=POLLS,
    sample=sample,
)
