"""Which types of event there are, and what each carries."""

from dataclasses import dataclass

from pydantic import BaseModel

from bellwire.events.catalogue import InventoryLevel, Product
from bellwire.events.envelope import FreeForm
from bellwire.events.orders import Order, Refund


@dataclass(frozen=True)
class EventType:
    """One entry of the dictionary. A `state` event shows how its subject is now: an older one that comes late is
    skipped. All others are facts: they happened, whenever they come."""

    name: str
    data: type[BaseModel]
    meaning: str
    state: bool = False


DICTIONARY: dict[str, EventType] = {
    entry.name: entry
    for entry in (
        EventType("order.created", Order, "An order was placed, paid or not."),
        EventType("order.paid", Order, "An order is paid in full: it can be invoiced and sent."),
        EventType("order.updated", Order, "Something about an order changed.", state=True),
        EventType("order.cancelled", Order, "An order was called off."),
        EventType("order.fulfilled", Order, "Everything of an order was sent."),
        EventType("order.payment_failed", Order, "A payment for an order was declined."),
        EventType("order.deleted", FreeForm, "An order was removed from the shop; only its id is known."),
        EventType("order.refunded", Refund, "Money was given back, or lines were taken off an order."),
        EventType("product.updated", Product, "A product is new or has changed.", state=True),
        EventType("product.deleted", FreeForm, "A product was removed; only its id is known."),
        EventType("inventory.updated", InventoryLevel, "The stock of one item changed.", state=True),
        EventType("customer.updated", FreeForm, "A customer's record is new or has changed.", state=True),
    )
}


def data_model(event_type: str) -> type[BaseModel]:
    """The model of an event type's data; FreeForm for a type that isn't in the dictionary."""
    entry = DICTIONARY.get(event_type)
    return entry.data if entry else FreeForm
