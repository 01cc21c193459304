"""What the shop's webhooks bring. https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks

A body is the resource as it is when the shop gets round to sending it, so one delivery can bring several facts: there
is no topic for paid, cancelled, refunded or sent, they are read from the state. A business key is taken only once, so
a state that is seen again brings nothing new; an order's payment fails, for Bellwire, once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of, polled, state_key
from bellwire.connectors.woocommerce.manifest import settings_of
from bellwire.connectors.woocommerce.orders import DRAFTS, read_order, time_of
from bellwire.connectors.woocommerce.polls import POLLS
from bellwire.connectors.woocommerce.sample import sample
from bellwire.connectors.woocommerce.subscriptions import SUBSCRIBING
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, FreeForm, InventoryLevel, Order, Product, Variant, what_is_wrong


def belongs(delivery: Delivery, connection: Connection) -> str:
    """A copied site keeps the webhooks and secrets of the one it was copied from."""
    source = delivery.headers.get("x-wc-webhook-source", "")
    if not source or _site(source) == _site(settings_of(connection).url):
        return ""
    return (
        f"It comes from {source}, which isn't the shop of connection '{connection.name}'. A copy of the site, for "
        "staging perhaps, goes on sending the original's webhooks until they are removed there."
    )


def _site(url: str) -> str:
    """Host and folder; http, https and www are the same site."""
    parts = urlsplit(url)
    return parts.netloc.lower().removeprefix("www.") + parts.path.rstrip("/")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when a known topic has a body that can't be read."""
    topic = _LISTS.get(polled(delivery)) or delivery.headers.get("x-wc-webhook-topic", "")
    if topic.startswith("action."):
        return Normalised(reason=_hook(_body(delivery)))
    read = _TOPICS.get(topic)
    if read is None:
        return Normalised(reason=f"Bellwire has no use for the shop's topic '{topic}'.")
    body = _body(delivery)
    if "id" not in body:
        raise CannotNormalise(
            f"The shop sent no {topic.partition('.')[0]} but this: {body.get('message', 'nothing')}",
            remedy="In the shop, open the webhook's page as a user with the role Shop manager and save it: "
            "what it sends is limited to what that user may see.",
        )
    if body.get("status") in DRAFTS:
        return Normalised(reason="It is a draft: nobody has ordered it yet.")
    try:
        return Normalised(tuple(read(topic, body, delivery, connection)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CannotNormalise(
            f"The shop's {topic} can't be read: {what_is_wrong(error)}.",
            remedy="A plugin of the shop may have changed what it looks like; it is kept as it came.",
        ) from error


def _body(delivery: Delivery) -> Mapping[str, Any]:
    try:
        body = delivery.json
    except ValueError as error:
        raise CannotNormalise("The shop sent something that isn't JSON.") from error
    if not isinstance(body, dict):
        raise CannotNormalise("The shop sent an empty body.")
    return body


def _hook(body: Mapping[str, Any]) -> str:
    """Hooks name a thing by its id and don't say how it is; what they announce comes by another topic."""
    return (
        f"The shop's hook '{body.get('action', '')}' only names {body.get('arg', 'nothing')}; "
        "the topics order.updated and product.updated bring what changed."
    )


@dataclass(frozen=True)
class _Subject:
    """What a delivery is about, and which state of it this is."""

    connection: Connection
    name: str
    version: datetime

    def fact(self, event_type: str, key: str, data: BaseModel, time: datetime | None = None) -> Event:
        happened = time or self.version
        return event_of(
            self.connection, event_type, f"{self.name}/{key}", self.name, happened, data, version=self.version
        )

    def state(self, event_type: str, data: BaseModel) -> Event:
        """Times of change are in whole seconds, and stock changes without one."""
        # When a refund was made is told by the list alone; who took the money is no change of the order.
        key = state_key(self.version, data, exclude={"refunds": {"__all__": {"created_at"}}, "payments": True})
        return self.fact(event_type, f"updated/{key}", data)


def _order(topic: str, body: Mapping[str, Any], delivery: Delivery, connection: Connection) -> Iterator[Event]:
    """An order that is listed tells all of it: that it was placed, and what it is now."""
    settings = settings_of(connection)
    order = read_order(body, settings)
    subject = _Subject(connection, f"order/{order.id}", order.updated_at)
    if topic == "order.created" or polled(delivery):
        yield subject.fact("order.created", "created", order, order.created_at)
    if topic != "order.created" and not (polled(delivery) and order.updated_at == order.created_at):
        yield subject.state("order.updated", order)
    if order.paid_at and order.status in settings.paid_statuses:
        yield subject.fact("order.paid", "paid", order, order.paid_at)
    yield from _milestones(subject, order, sent_at=time_of(body, "date_completed_gmt"))


def _milestones(subject: _Subject, order: Order, sent_at: datetime | None) -> Iterator[Event]:
    if order.status == "completed":
        yield subject.fact("order.fulfilled", "fulfilled", order, sent_at)
    if order.status == "cancelled":
        yield subject.fact("order.cancelled", "cancelled", order)
    if order.status == "failed":
        yield subject.fact("order.payment_failed", "payment_failed", order)
    for refund in order.refunds:
        yield subject.fact("order.refunded", f"refund/{refund.id}", refund, refund.created_at)


def _product(_: str, body: Mapping[str, Any], delivery: Delivery, connection: Connection) -> Iterator[Event]:
    """A variation is sent under the topics of products, and is its own subject."""
    updated_at = time_of(body, "date_modified_gmt", "date_created_gmt") or delivery.received_at
    number, sku = str(body["id"]), body.get("sku") or ""
    counted = body.get("manage_stock") is True and body.get("stock_quantity") is not None
    stock = int(body["stock_quantity"]) if counted else None
    own = Variant(id=number, sku=sku, name=_product_name(body), barcode=body.get("global_unique_id") or "", stock=stock)
    product = Product(
        id=number,
        name=_product_name(body),
        status=body.get("status") or "",
        updated_at=updated_at,
        variants=tuple(Variant(id=str(v)) for v in body.get("variations") or ()) or (own,),
        tags=tuple(tag["slug"] for tag in body.get("tags", ())),
    )
    yield _Subject(connection, f"product/{number}", updated_at).state("product.updated", product)
    if body.get("manage_stock") is True:
        level = InventoryLevel(item_id=number, sku=sku, available=stock, updated_at=updated_at)
        yield _Subject(connection, f"inventory/{number}", updated_at).state("inventory.updated", level)


def _product_name(body: Mapping[str, Any]) -> str:
    """A variation may have no name of its own, only options: `Black, M`."""
    options = ", ".join(attribute.get("option", "") for attribute in body.get("attributes", ()))
    return unescape(body.get("name") or options)


def _customer(_: str, body: Mapping[str, Any], delivery: Delivery, connection: Connection) -> Iterator[Event]:
    updated_at = time_of(body, "date_modified_gmt", "date_created_gmt") or delivery.received_at
    billing = body.get("billing") or {}
    customer = FreeForm.model_validate(
        {
            "id": str(body["id"]),
            "name": f"{body.get('first_name') or ''} {body.get('last_name') or ''}".strip(),
            "email": body.get("email") or "",
            "phone": billing.get("phone") or "",
            "company": billing.get("company") or "",
            "updated_at": updated_at,
        }
    )
    yield _Subject(connection, f"customer/{body['id']}", updated_at).state("customer.updated", customer)


def _deleted(topic: str, body: Mapping[str, Any], delivery: Delivery, connection: Connection) -> Iterator[Event]:
    """Only the id is sent; the time is that of its arrival."""
    subject = _Subject(connection, f"{topic.partition('.')[0]}/{body['id']}", delivery.received_at)
    yield subject.fact(topic, "deleted", FreeForm.model_validate({"id": str(body["id"])}))


_Read = Callable[[str, Mapping[str, Any], Delivery, Connection], Iterator[Event]]
_TOPICS: Mapping[str, _Read] = {
    "order.created": _order,
    "order.updated": _order,
    "order.restored": _order,
    "order.deleted": _deleted,
    "product.created": _product,
    "product.updated": _product,
    "product.restored": _product,
    "product.deleted": _deleted,
    "customer.created": _customer,
    "customer.updated": _customer,
}
_LISTS = {"orders": "order.updated", "products": "product.updated"}
"""What is listed looks like what is sent under a topic."""

TRIGGERS = Triggers(
    event_types=(
        "order.created",
        "order.paid",
        "order.updated",
        "order.cancelled",
        "order.fulfilled",
        "order.payment_failed",
        "order.deleted",
        "order.refunded",
        "product.updated",
        "product.deleted",
        "inventory.updated",
        "customer.updated",
    ),
    normalise=normalise,
    belongs=belongs,
    topics=tuple(_TOPICS),
    subscribing=SUBSCRIBING,
    polls=POLLS,
    sample=sample,
)
