"""An order as the parcel that ShipStation is to send. Pure: no network, no clock.

https://docs.shipstation.com/shipments/create
"""

from collections.abc import Mapping
from typing import Any

from bellwire.connectors.shipstation.manifest import ShipStationSettings
from bellwire.errors import Refused
from bellwire.events import Address, Order
from bellwire.money import Money


def reference(order: Order, settings: ShipStationSettings) -> str:
    """What an order is found again by: its number, which is what people see in ShipStation, too."""
    return f"{settings.number_prefix}{order.number}"


def parcel(
    order: Order, settings: ShipStationSettings, warehouse: Mapping[str, Any], *, package_code: str = ""
) -> dict[str, Any]:
    """The body of a `create_shipment_request`. Raises Refused `nothing-to-ship`, `no-address`, `incomplete-address`,
    `no-weight`."""
    origin = warehouse["origin_address"]
    details = {
        "external_shipment_id": reference(order, settings),
        "carrier_id": settings.carrier_id,
        "ship_to": address(order, default_phone=origin["phone"]),
        "ship_from": origin,
        "items": _items(order),
        "packages": [{"package_code": package_code or settings.package_code, "weight": _weight(order, settings)}],
        "amount_paid": _money(order.total),
        "shipping_paid": _money(order.shipping_total),
        "tax_paid": _money(order.tax_total),
    }
    return details | ({"notes_from_buyer": order.note} if order.note else {})


def address(order: Order, *, default_phone: str) -> dict[str, Any]:
    """Where it goes. Carriers want a telephone number: without the customer's own, it is the sender's."""
    to = order.shipping
    if to is None:
        raise Refused(
            f"Order {order.number} has no shipping address.",
            cause="no-address",
            remedy="Add the address in the shop, then retry with the order as it is now.",
        )
    buyer = order.customer
    name = to.name or to.company or (buyer.name if buyer else "")
    _complete(order, to, name)
    sent = {
        "name": name,
        "phone": to.phone or (buyer.phone if buyer else "") or default_phone,
        "email": order.email,
        "company_name": to.company,
        "address_line1": to.line1,
        "address_line2": to.line2,
        "city_locality": to.city,
        # Many countries have no states, and ShipStation wants one of each.
        "state_province": to.region or to.city,
        "postal_code": to.postcode,
        "country_code": to.country,
        "address_residential_indicator": "unknown",
    }
    return {key: value for key, value in sent.items() if value}


def _complete(order: Order, to: Address, name: str) -> None:
    parts = {"name": name, "street": to.line1, "town": to.city, "postcode": to.postcode, "country": to.country}
    missing = [part for part, value in parts.items() if not value]
    if missing:
        raise Refused(
            f"The shipping address of order {order.number} has no {' and no '.join(missing)}.",
            cause="incomplete-address",
            remedy="Complete the address in the shop, then retry with the order as it is now.",
        )


def _items(order: Order) -> list[dict[str, Any]]:
    if not order.ships:
        raise Refused(
            f"Nothing of order {order.number} has to be sent.",
            cause="nothing-to-ship",
            remedy="Dismiss this, and let the flow ask for labels only `if: event.ships`.",
        )
    return [
        {
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price": float(line.unit_price.amount),
            "external_order_id": order.id,
            "external_order_item_id": line.id,
        }
        for line in order.lines
        if line.ships and line.quantity
    ]


def _weight(order: Order, settings: ShipStationSettings) -> dict[str, Any]:
    grams = order.weight_grams + settings.packaging_grams
    if not grams:
        raise Refused(
            f"The shop gives no weight for anything in order {order.number}.",
            cause="no-weight",
            remedy="Enter the goods' weights in the shop, or set `packaging_grams`, then retry.",
        )
    return {"value": grams, "unit": "gram"}


def _money(amount: Money) -> dict[str, Any]:
    return {"currency": amount.currency.lower(), "amount": float(amount.amount)}
