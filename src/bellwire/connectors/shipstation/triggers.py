"""What becomes of parcels. https://docs.shipstation.com/apis/docs/guides/webhooks-schemas

A webhook names a parcel by its tracking number; which order it is of and who waits for it, only the list of labels
says. So a webhook that matters wakes the poll, and the poll's records are the facts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of
from bellwire.connectors.shipstation.polls import LABEL, LABELS, PARCELS, POLLS
from bellwire.connectors.shipstation.sample import sample
from bellwire.connectors.shipstation.subscriptions import SUBSCRIBING
from bellwire.errors import CannotNormalise
from bellwire.events import Customer, Delivery, Event, Shipment, ShipmentStatus, what_is_wrong

_STATUSES = {
    "unknown": ShipmentStatus.ANNOUNCED,
    "in_transit": ShipmentStatus.IN_TRANSIT,
    "delivered": ShipmentStatus.DELIVERED,
    "error": ShipmentStatus.EXCEPTION,
}
_TYPES = {
    ShipmentStatus.DELIVERED: "shipment.delivered",
    ShipmentStatus.EXCEPTION: "shipment.exception",
}
_TRACKING = ("API_TRACK", "TRACK_EVENT_V2")
_BATCH = ("API_BATCH", "BATCH_PROCESSED_V2")
_TURNS = {"AT": "couldn't be delivered", "DE": "arrived", "EX": "is held up", "SP": "arrived at a collection point"}
"""The codes of tracking after which the list of labels says something new."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what ShipStation describes."""
    try:
        kind, body = delivery.json["resource_type"], delivery.json
        if kind == LABEL:
            return _label(body["data"], delivery.received_at, connection)
        if kind in _BATCH:
            return Normalised(reason="A batch of labels was made: they are looked up.", wake=(LABELS,))
        if kind in _TRACKING:
            return _tracking(body["data"])
        return Normalised(reason=f"Bellwire has no use for ShipStation's {kind}.")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what ShipStation describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _tracking(data: Mapping[str, Any]) -> Normalised:
    number, code = data["tracking_number"], data["status_code"]
    if code not in _TURNS:
        return Normalised(reason=f"The parcel {number} is on its way.")
    return Normalised(reason=f"The parcel {number} {_TURNS[code]}: its label is looked up.", wake=(PARCELS,))


def _label(label: Mapping[str, Any], seen: datetime, connection: Connection) -> Normalised:
    """That it was bought, and how its parcel ended. When that was, the list doesn't say: it counts from when it was
    seen."""
    if label["status"] != "completed":
        return Normalised(reason=f"The label is {label['status']}.")
    if label.get("is_return_label"):
        return Normalised(reason="The label is for a return, which the customer sends.")
    data = _shipment(label)
    created = data.model_copy(update={"status": ShipmentStatus.ANNOUNCED})
    events = [_event(connection, "shipment.created", created, data.created_at)]
    if data.status in _TYPES:
        events.append(_event(connection, _TYPES[data.status], data, seen))
    return Normalised(tuple(events))


def _shipment(label: Mapping[str, Any]) -> Shipment:
    to = label.get("ship_to") or {}
    return Shipment(
        id=label["label_id"],
        status=_STATUSES[label["tracking_status"]],
        reference=label.get("external_shipment_id") or "",
        shipping_order_id=label["shipment_id"],
        recipient=Customer(
            name=to.get("name") or "",
            email=to.get("email") or "",
            phone=to.get("phone") or "",
            company=to.get("company_name") or "",
        ),
        carrier=label["carrier_code"],
        tracking_number=label.get("tracking_number") or "",
        tracking_url=label.get("tracking_url") or "",
        created_at=parse_utc(label["created_at"]),
    )


def _event(connection: Connection, event_type: str, data: Shipment, at: datetime) -> Event:
    subject = f"shipment/{data.id}"
    return event_of(
        connection,
        event_type,
        key=f"{subject}/{event_type.partition('.')[2]}",
        subject=subject,
        time=at,
        data=data,
    )


TRIGGERS = Triggers(
    event_types=("shipment.created", "shipment.delivered", "shipment.exception"),
    normalise=normalise,
    topics=("track", "batch"),
    subscribing=SUBSCRIBING,
    polls=POLLS,
    sample=sample,
)
