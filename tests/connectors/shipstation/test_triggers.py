"""What ShipStation's webhooks and its list of labels are as events."""

from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Normalised
from bellwire.connectors.shipstation import CONNECTOR
from bellwire.errors import CannotNormalise
from bellwire.events import DICTIONARY, Customer, Delivery, Shipment, ShipmentStatus
from tests.connecting import connection
from tests.samples import NOW
from tests.shared import needs_shared, payload

assert CONNECTOR.triggers is not None
TRIGGERS = CONNECTOR.triggers
SETTINGS = {"warehouse_id": "se-100", "carrier_id": "se-200", "service_code": "usps_ground_advantage"}
LABEL = {
    "label_id": "se-5001",
    "shipment_id": "se-1001",
    "external_shipment_id": "1001",
    "status": "completed",
    "tracking_status": "in_transit",
    "ship_to": {"name": "Robin Hill", "email": "robin@example.com"},
    "carrier_code": "usps",
    "tracking_number": "9400",
    "created_at": "2026-11-23T09:30:00.000Z",
}


def read(body: Any) -> Normalised:
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    return TRIGGERS.normalise(
        Delivery("shipping", {}, sent, NOW), connection("shipstation", name="shipping", settings=SETTINGS)
    )


def label(**changes: Any) -> Normalised:
    return read({"resource_type": "LABEL", "data": LABEL | changes})


def test_a_label_is_a_parcel_that_is_about_to_go() -> None:
    (event,) = label().events
    assert (event.type, event.business_key) == ("shipment.created", "shipping/shipment/se-5001/created")
    assert (event.subject, event.time.isoformat()) == ("shipment/se-5001", "2026-11-23T09:30:00+00:00")
    assert event.data == Shipment(
        id="se-5001",
        status=ShipmentStatus.ANNOUNCED,
        reference="1001",
        shipping_order_id="se-1001",
        recipient=Customer(name="Robin Hill", email="robin@example.com"),
        carrier="usps",
        tracking_number="9400",
        created_at=event.time,
    )


@pytest.mark.parametrize(
    ("tracking", "event_type", "status"),
    [
        ("delivered", "shipment.delivered", ShipmentStatus.DELIVERED),
        ("error", "shipment.exception", ShipmentStatus.EXCEPTION),
    ],
)
def test_how_a_parcel_ended_is_a_fact_of_its_own(tracking: str, event_type: str, status: ShipmentStatus) -> None:
    created, ended = label(tracking_status=tracking).events
    assert created == label().events[0], "it stays the same fact"
    assert (ended.type, ended.data.status, ended.time) == (event_type, status, NOW)
    assert ended.business_key == f"shipping/shipment/se-5001/{event_type.partition('.')[2]}"
    assert ended.data.reference == "1001"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "voided"}, "The label is voided."),
        ({"status": "processing"}, "The label is processing."),
        ({"is_return_label": True}, "The label is for a return, which the customer sends."),
    ],
)
def test_a_label_that_sends_nothing_says_so(changes: dict[str, Any], reason: str) -> None:
    assert label(**changes) == Normalised(reason=reason)


@needs_shared
def test_a_parcel_on_its_way_is_nothing_new() -> None:
    assert read(payload("shipstation", "v2_track.json")) == Normalised(
        reason="The parcel 9400111298370264401222 is on its way."
    )


@needs_shared
@pytest.mark.parametrize("code", ["DE", "EX", "AT", "SP"])
@pytest.mark.parametrize("kind", ["API_TRACK", "TRACK_EVENT_V2"])
def test_a_turn_of_its_way_wakes_the_poll_that_knows_the_order(kind: str, code: str) -> None:
    body = orjson.loads(payload("shipstation", "v2_track.json"))
    body["resource_type"], body["data"]["status_code"] = kind, code
    found = read(body)
    assert (found.events, found.wake) == ((), ("parcels",))
    assert "9400111298370264401222" in found.reason


def test_a_batch_wakes_the_poll_of_labels() -> None:
    assert read({"resource_type": "API_BATCH", "resource_url": "https://x/v2/batches/se-1"}).wake == ("labels",)


def test_what_nobody_has_use_for_says_so() -> None:
    assert read({"resource_type": "API_RATE"}) == Normalised(reason="Bellwire has no use for ShipStation's API_RATE.")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"resource_type": "API_TRACK"}', b'{"resource_type": "LABEL"}'])
def test_what_isnt_as_described_is_kept_for_a_person(body: bytes) -> None:
    with pytest.raises(CannotNormalise):
        read(body)


def test_all_that_wakes_is_a_poll_and_all_types_are_of_the_dictionary() -> None:
    assert {poll.name for poll in TRIGGERS.polls} == {"labels", "parcels"}
    assert set(TRIGGERS.event_types) <= DICTIONARY.keys()
    assert {name for poll in TRIGGERS.polls for name in poll.event_types} == set(TRIGGERS.event_types)
