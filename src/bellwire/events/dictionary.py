"""Which types of event there are, and what each carries."""

from dataclasses import dataclass

from pydantic import BaseModel

from bellwire.events.bookings import Booking, CalendarEntry, Contract
from bellwire.events.catalogue import InventoryLevel, LowStock, Product, SalesSpike
from bellwire.events.envelope import FreeForm
from bellwire.events.orders import Order, Refund
from bellwire.events.payments import Payment, PaymentDispute, PaymentReturned, Subscription
from bellwire.events.people import Contact, Deal, Lead, Message, SmsReport, Ticket
from bellwire.events.purchases import PurchaseReceipt
from bellwire.events.returns import Return
from bellwire.events.schedules import Due
from bellwire.events.shipments import Shipment
from bellwire.events.work import Job, Task


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
        EventType("return.created", Return, "A customer announced that goods come back, or the shop did for them."),
        EventType("return.received", Return, "Goods came back, and somebody has said in which condition."),
        EventType("product.updated", Product, "A product is new or has changed.", state=True),
        EventType("product.deleted", FreeForm, "A product was removed; only its id is known."),
        EventType("inventory.updated", InventoryLevel, "The stock of one item changed.", state=True),
        EventType("inventory.low", LowStock, "The stock of an item fell to its reorder point, or below."),
        EventType("inventory.spiking", SalesSpike, "An item sells far above its usual rate."),
        EventType("customer.updated", FreeForm, "A customer's record is new or has changed.", state=True),
        EventType("payment.succeeded", Payment, "A payment came in."),
        EventType("payment.failed", Payment, "A payment was declined."),
        EventType("payment.refunded", PaymentReturned, "Money of a payment was given back, or couldn't be."),
        EventType("payment.disputed", PaymentDispute, "A customer wants a payment back by way of the bank."),
        EventType("subscription.updated", Subscription, "A subscription is new or has changed.", state=True),
        EventType("subscription.renewed", Payment, "A subscription was paid for another period."),
        EventType("subscription.ended", Subscription, "A subscription is over: nothing more is charged."),
        EventType("shipment.created", Shipment, "A parcel has its label and is about to go."),
        EventType("shipment.delivered", Shipment, "A parcel arrived."),
        EventType("shipment.exception", Shipment, "A parcel is held up, was lost, or couldn't be delivered."),
        EventType("purchase.received", PurchaseReceipt, "Goods came in from a supplier."),
        EventType("booking.created", Booking, "A customer booked."),
        EventType("booking.changed", Booking, "A booking was moved or changed.", state=True),
        EventType("booking.cancelled", Booking, "A booking was called off."),
        EventType("appointment.updated", CalendarEntry, "An appointment is new, moved or cancelled.", state=True),
        EventType("contract.signed", Contract, "Everybody has signed."),
        EventType("contract.declined", Contract, "Somebody won't sign, or it was withdrawn."),
        EventType("lead.created", Lead, "Somebody asked for something."),
        EventType("contact.updated", Contact, "A contact in the CRM is new or has changed.", state=True),
        EventType("deal.updated", Deal, "A sale that may come is new or has changed.", state=True),
        EventType("ticket.created", Ticket, "A customer asked for help."),
        EventType("ticket.updated", Ticket, "A ticket has changed.", state=True),
        EventType("message.received", Message, "Somebody wrote to us, by chat or text message."),
        EventType("sms.reported", SmsReport, "A text message arrived, or couldn't be delivered."),
        EventType("job.updated", Job, "A work order is new or has changed.", state=True),
        EventType("job.completed", Job, "The work at a customer's is done."),
        EventType("task.updated", Task, "A task of the team is new or has changed.", state=True),
        EventType("task.completed", Task, "A task of the team is done."),
    )
}


SCHEDULED = "schedule."
"""What the types of events begin with by which a flow begins by the clock; the rest is the flow's id."""


def data_model(event_type: str) -> type[BaseModel]:
    """The model of an event type's data; FreeForm for a type that isn't in the dictionary."""
    if event_type.startswith(SCHEDULED):
        return Due
    entry = DICTIONARY.get(event_type)
    return entry.data if entry else FreeForm
