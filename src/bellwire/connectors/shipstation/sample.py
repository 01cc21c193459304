"""Made-up deliveries for `bellwire send-test`: each is a label of its own, as the list of labels has it."""

from secrets import randbelow

import orjson

from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.connectors.shipstation.polls import LABEL
from bellwire.errors import NotFound

_STATUSES = {"shipment.created": "unknown", "shipment.delivered": "delivered", "shipment.exception": "error"}


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """Headers (without signature) and body. Raises NotFound for an event type that ShipStation doesn't bring."""
    if event_type not in _STATUSES:
        raise NotFound(f"ShipStation brings no {event_type}.", remedy=f"It brings: {', '.join(_STATUSES)}.")
    number = randbelow(10**12)
    tracking = f"94{number:020}"
    label = {
        "label_id": f"se-{number}",
        "shipment_id": f"se-{number}",
        "external_shipment_id": "1001",
        "status": "completed",
        "tracking_status": _STATUSES[event_type],
        "ship_to": {"name": "Robin Hill", "email": "robin@example.com", "phone": "+15125550123"},
        "carrier_code": "usps",
        "tracking_number": tracking,
        "tracking_url": f"https://tools.usps.com/go/TrackConfirmAction.action?tLabels={tracking}",
        "created_at": system_clock().isoformat(),
    }
    return {"Content-Type": "application/json"}, orjson.dumps({"resource_type": LABEL, "data": label})
