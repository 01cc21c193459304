"""Orders of every shape as parcels."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.connectors.shipstation.manifest import ShipStationSettings
from bellwire.connectors.shipstation.parcels import parcel
from bellwire.errors import Refused
from bellwire.events import Order
from bellwire.practice import find_simulator
from tests.openapi import described
from tests.samples import ADDRESS
from tests.shared import needs_shared
from tests.strategies import orders

SIMULATOR = find_simulator("shipstation")
SETTINGS = ShipStationSettings.model_validate({**SIMULATOR.settings, "packaging_grams": 80})
ORIGIN = {
    "name": "Practice Tea Ltd",
    "phone": "+15125550100",
    "address_line1": "500 Warehouse Way",
    "city_locality": "Austin",
    "state_province": "TX",
    "postal_code": "78744",
    "country_code": "US",
    "address_residential_indicator": "no",
}


@needs_shared
@settings(max_examples=80)
@given(order=orders(max_lines=8), whole=st.booleans())
def test_any_order_is_a_parcel_as_shipstation_describes_it_or_is_refused_in_words(order: Order, whole: bool) -> None:
    if whole:
        order = order.model_copy(update={"shipping": ADDRESS})
    try:
        details = parcel(order, SETTINGS, {"origin_address": ORIGIN})
    except Refused as refused:
        assert refused.sentence
        assert refused.remedy
        assert not whole or not order.ships
        return
    assert described("shipstation_v2").schema("create_shipment_request", details, "request") == []
    assert sum(item["quantity"] for item in details["items"]) == sum(
        line.quantity for line in order.lines if line.ships
    )
