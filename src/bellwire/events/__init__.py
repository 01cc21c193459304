"""Canonical events and their data: the data dictionary that every flow and connector shares."""

from bellwire.events.base import Fact, what_is_wrong
from bellwire.events.bookings import Answer, Booking, CalendarEntry, Contract, Signer
from bellwire.events.catalogue import InventoryLevel, LowStock, Product, SalesSpike, Variant
from bellwire.events.delivery import Delivery
from bellwire.events.dictionary import DICTIONARY, SCHEDULED, EventType, data_model
from bellwire.events.envelope import OWN, Environment, Event, FreeForm, whole_subject
from bellwire.events.orders import (
    Address,
    Customer,
    Discount,
    Fee,
    Fulfilment,
    Line,
    Order,
    OrderPayment,
    Refund,
    RefundLine,
    ShippingLine,
    Tax,
)
from bellwire.events.payments import Payment, PaymentDispute, PaymentReturned, PaymentStatus, Subscription
from bellwire.events.people import Contact, Deal, Lead, Message, SmsReport, Ticket, TicketStatus
from bellwire.events.purchases import PurchaseReceipt, ReceivedLine
from bellwire.events.returns import Condition, Return, ReturnLine
from bellwire.events.schedules import Due
from bellwire.events.sensitive import REMOVED, cleaned, is_sensitive
from bellwire.events.shipments import Shipment, ShipmentStatus
from bellwire.events.terms import amounts_in, term, terms_of
from bellwire.events.work import Job, Task, WorkedTime

__all__ = [
    "DICTIONARY",
    "OWN",
    "REMOVED",
    "SCHEDULED",
    "Address",
    "Answer",
    "Booking",
    "CalendarEntry",
    "Condition",
    "Contact",
    "Contract",
    "Customer",
    "Deal",
    "Delivery",
    "Discount",
    "Due",
    "Environment",
    "Event",
    "EventType",
    "Fact",
    "Fee",
    "FreeForm",
    "Fulfilment",
    "InventoryLevel",
    "Job",
    "Lead",
    "Line",
    "LowStock",
    "Message",
    "Order",
    "OrderPayment",
    "Payment",
    "PaymentDispute",
    "PaymentReturned",
    "PaymentStatus",
    "Product",
    "PurchaseReceipt",
    "ReceivedLine",
    "Refund",
    "RefundLine",
    "Return",
    "ReturnLine",
    "SalesSpike",
    "Shipment",
    "ShipmentStatus",
    "ShippingLine",
    "Signer",
    "SmsReport",
    "Subscription",
    "Task",
    "Tax",
    "Ticket",
    "TicketStatus",
    "Variant",
    "WorkedTime",
    "amounts_in",
    "cleaned",
    "data_model",
    "is_sensitive",
    "term",
    "terms_of",
    "what_is_wrong",
    "whole_subject",
]
