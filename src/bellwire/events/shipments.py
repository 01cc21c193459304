"""Parcels, as a carrier or a shipping system tells of them."""

from datetime import datetime
from enum import StrEnum

from bellwire.events.base import Fact
from bellwire.events.orders import Customer


class ShipmentStatus(StrEnum):
    ANNOUNCED = "announced"
    """It has a label; nothing is known of its way yet."""
    IN_TRANSIT = "in transit"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    """It is held up, was lost or damaged, or couldn't be delivered."""


class Shipment(Fact):
    """One parcel."""

    id: str
    """The sender's, such as its label's."""
    status: ShipmentStatus
    reference: str = ""
    """What the shop knows it by, e.g. the order's number."""
    shipping_order_id: str = ""
    """What `shipping.get_tracking` takes, where there is such a thing."""
    recipient: Customer = Customer()
    """Without an `id`, where only the address is known."""
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    created_at: datetime
    """When it got its label."""
