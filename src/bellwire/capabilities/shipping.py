"""Shipping: orders to send, labels, tracking."""

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.events.orders import Order
from bellwire.money import Money


class UpsertOrder(Given):
    order: Order


class ShippingOrder(Result):
    id: str
    number: str


class CreateLabel(Given):
    """Puts the order into the shipping system if it isn't there yet, and buys its label."""

    order: Order
    carrier: str = ""
    """Empty: the connection's own default; the same for `service` and `package`."""
    service: str = ""
    package: str = ""


class Label(Result):
    id: str
    shipping_order_id: str
    carrier: str
    tracking_number: str
    tracking_url: str = ""
    cost: Money | None = None


class GetTracking(Given):
    shipping_order_id: str


class Tracking(Result):
    shipped: bool
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""


UPSERT_ORDER = Operation(
    "shipping", "upsert_order", UpsertOrder, ShippingOrder, Effect.RECORD, "Put the order into the shipping system"
)
CREATE_LABEL = Operation("shipping", "create_label", CreateLabel, Label, Effect.GOODS, "Buy the shipping label")
GET_TRACKING = Operation(
    "shipping", "get_tracking", GetTracking, Tracking, Effect.NOTHING, "Look up the tracking number"
)

OPERATIONS = (UPSERT_ORDER, CREATE_LABEL, GET_TRACKING)
