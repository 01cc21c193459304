"""Canonical events and their data: the data dictionary that every flow and connector shares."""

from bellwire.events.base import what_is_wrong
from bellwire.events.catalogue import InventoryLevel, Product, Variant
from bellwire.events.delivery import Delivery
from bellwire.events.dictionary import DICTIONARY, EventType, data_model
from bellwire.events.envelope import Environment, Event, FreeForm, whole_subject
from bellwire.events.orders import (
    Address,
    Customer,
    Discount,
    Fee,
    Fulfilment,
    Line,
    Order,
    Refund,
    RefundLine,
    ShippingLine,
    Tax,
)

__all__ = [
    "DICTIONARY",
    "Address",
    "Customer",
    "Delivery",
    "Discount",
    "Environment",
    "Event",
    "EventType",
    "Fee",
    "FreeForm",
    "Fulfilment",
    "InventoryLevel",
    "Line",
    "Order",
    "Product",
    "Refund",
    "RefundLine",
    "ShippingLine",
    "Tax",
    "Variant",
    "data_model",
    "what_is_wrong",
    "whole_subject",
]
