"""ShipStation's orders, labels and tracking, against its practice server over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bellwire.capabilities.shipping import CreateLabel, GetTracking, Label, ShippingOrder, Tracking, UpsertOrder
from bellwire.connectors.kit import Connection, connect
from bellwire.connectors.shipstation import CONNECTOR
from bellwire.connectors.shipstation.actions import mixed_up
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.events import Address, Environment, Order
from bellwire.money import Money
from bellwire.practice import Carrier, Fault, FaultKind, Practice
from bellwire.practice.shipstation import ShipStationSimulator
from tests.connecting import PATIENT, Secrets, call, connection, patience_with
from tests.connectors.shipstation.described import described
from tests.samples import ADDRESS, NOW, line, order
from tests.shared import needs_shared

actions = CONNECTOR.actions
UNCLEAR = [FaultKind.LOST_ANSWER, FaultKind.SLOW, FaultKind.FAILED]
MAKES_LABELS = r"^POST /v2/labels"


class Desk:
    """A shipping account on its practice server and a connection to it."""

    def __init__(self, practice: Practice, patience: timedelta = PATIENT, **settings: Any) -> None:
        simulator = practice.simulators["shipstation"]
        assert isinstance(simulator, ShipStationSimulator)
        self.simulator = simulator
        self.connection = connection(
            "shipstation",
            practice,
            name="shipping",
            settings={**simulator.settings, "packaging_grams": 0, **settings},
            timeout=patience,
        )

    async def put_in(self, of: Order, *, again: bool = False) -> ShippingOrder:
        result = await actions["shipping.upsert_order"](call(self.connection, again=again), UpsertOrder(order=of))
        assert isinstance(result, ShippingOrder)
        return result

    async def label(self, of: Order, *, again: bool = False, **chosen: str) -> Label:
        given = CreateLabel(order=of, **chosen)
        result = await actions["shipping.create_label"](call(self.connection, again=again), given)
        assert isinstance(result, Label)
        return result

    async def tracking(self, of: str) -> Tracking:
        result = await actions["shipping.get_tracking"](call(self.connection), GetTracking(shipping_order_id=of))
        assert isinstance(result, Tracking)
        return result

    def numbers(self) -> list[str]:
        return [shipment["external_shipment_id"] for shipment in self.simulator.shipments.values()]

    def labelled(self) -> list[str]:
        return [label.reference for label in self.simulator.labels()]

    def sent(self, path: str) -> list[Any]:
        return [r.body for r in self.simulator.received if r.method == "POST" and r.path.startswith(path)]


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["shipstation"]) as practice:
        yield practice


@asynccontextmanager
async def opened(practice: Practice, patience: timedelta = PATIENT) -> AsyncIterator[Desk]:
    desk = Desk(practice, patience)
    yield desk
    await desk.connection.api.close()


@pytest.fixture
async def desk(practice: Practice) -> AsyncIterator[Desk]:
    async with opened(practice) as desk:
        yield desk


async def test_a_label_is_bought_and_the_order_put_in_with_it(desk: Desk) -> None:
    label = await desk.label(order())
    assert isinstance(desk.simulator, Carrier)
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])
    assert label.carrier == "stamps_com"
    assert label.tracking_number == desk.simulator.labels()[0].text
    assert label.tracking_number in label.tracking_url
    assert label.cost == Money.of("4.25", "USD")
    assert label.shipping_order_id in desk.simulator.shipments


async def test_the_parcel_says_where_it_goes_what_is_in_it_and_what_it_weighs(desk: Desk) -> None:
    goods = (line(quantity=2, weight_grams=120), line(id="12", sku="CLASS-01", ships=False, weight_grams=0))
    await desk.label(order(lines=goods, note="Leave it at the door"))
    (shipment,) = desk.simulator.shipments.values()
    assert shipment["ship_to"] == {
        "name": "Robin Hill",
        "phone": "+15125550123",
        "email": "robin@example.com",
        "address_line1": "1 Main St",
        "city_locality": "Austin",
        "state_province": "TX",
        "postal_code": "78701",
        "country_code": "US",
        "address_residential_indicator": "unknown",
    }
    assert [(item["sku"], item["quantity"], item["unit_price"]) for item in shipment["items"]] == [("TEA-100", 2, 8.5)]
    assert shipment["packages"] == [{"package_code": "package", "weight": {"value": 240, "unit": "gram"}}]
    assert shipment["amount_paid"] == {"currency": "usd", "amount": 24.4}
    assert shipment["notes_from_buyer"] == "Leave it at the door"


async def test_the_packaging_weighs_something_too(practice: Practice) -> None:
    desk = Desk(practice, packaging_grams=80)
    await desk.label(order())
    (shipment,) = desk.simulator.shipments.values()
    assert shipment["total_weight"]["value"] == 2 * 120 + 80
    await desk.connection.api.close()


async def test_the_flow_may_choose_service_and_package(desk: Desk) -> None:
    await desk.label(order(), service="usps_priority_mail", package="medium_flat_rate_box")
    (label,) = desk.simulator.bought.values()
    assert (label["service_code"], label["package_code"]) == ("usps_priority_mail", "medium_flat_rate_box")


async def test_an_order_is_put_in_once_however_often_it_is_asked(desk: Desk) -> None:
    first = await desk.put_in(order())
    assert (first.id, first.number) == ("se-1001", "1001")
    assert await desk.put_in(order()) == first
    assert await desk.put_in(order(), again=True) == first
    assert desk.numbers() == ["1001"]


async def test_an_order_that_is_there_gets_its_label_by_the_wanted_service(desk: Desk) -> None:
    there = await desk.put_in(order())
    label = await desk.label(order(), service="usps_priority_mail")
    assert label.shipping_order_id == there.id
    assert label.cost == Money.of("8.70", "USD")
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])


async def test_a_service_that_isnt_offered_for_an_order_that_is_there_is_refused(desk: Desk) -> None:
    await desk.put_in(order())
    with pytest.raises(Refused) as refused:
        await desk.label(order(), service="pigeon")
    assert refused.value.cause == "no-rate"


async def test_two_runs_for_one_order_give_one_shipment_and_one_label(desk: Desk) -> None:
    assert await desk.label(order()) == await desk.label(order())
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])


async def test_two_runs_at_the_same_moment_buy_one_label(desk: Desk) -> None:
    labels = await asyncio.gather(*(desk.label(order()) for _ in range(4)))
    assert len({label.id for label in labels}) == 1
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])


@pytest.mark.parametrize("kind", UNCLEAR)
async def test_when_the_outcome_is_unknown_a_repeat_buys_no_second_label(practice: Practice, kind: FaultKind) -> None:
    async with opened(practice, patience_with(kind)) as desk:
        desk.simulator.faults.add(Fault(kind=kind, match=MAKES_LABELS, seconds=1.2))
        with pytest.raises(OutcomeUnknown):
            await desk.label(order())
        label = await desk.label(order(), again=True)
        await asyncio.wait_for(arrived(desk, 1 if kind is FaultKind.LOST_ANSWER else 2), 30)
        assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])
        assert label.tracking_number == desk.simulator.labels()[0].text


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.FAILED])
@pytest.mark.parametrize("service", ["usps_ground_advantage", "usps_priority_mail"])
async def test_neither_for_an_order_that_is_there_already(desk: Desk, kind: FaultKind, service: str) -> None:
    await desk.put_in(order())
    desk.simulator.faults.add(Fault(kind=kind, match=MAKES_LABELS))
    with pytest.raises(OutcomeUnknown):
        await desk.label(order(), service=service)
    await desk.label(order(), again=True, service=service)
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])


@pytest.mark.parametrize("kind", UNCLEAR)
async def test_when_the_outcome_is_unknown_a_repeat_puts_no_second_order_in(
    practice: Practice, kind: FaultKind
) -> None:
    async with opened(practice, patience_with(kind)) as desk:
        desk.simulator.faults.add(Fault(kind=kind, match="^POST /v2/shipments", seconds=1.2))
        with pytest.raises(OutcomeUnknown):
            await desk.put_in(order())
        await desk.put_in(order(), again=True)
        assert desk.numbers() == ["1001"]


async def test_an_attempt_that_was_overtaken_takes_what_the_faster_one_bought(desk: Desk) -> None:
    """The look-up says no, and then the number is taken: a slow earlier attempt has got through meanwhile."""
    desk.simulator.faults.add(Fault(kind=FaultKind.SLOW, match=MAKES_LABELS, seconds=0.4))
    slow, fast = await asyncio.gather(desk.label(order()), desk.label(order()))
    assert slow == fast
    assert desk.labelled() == ["1001"]


@pytest.mark.proves("errors")
async def test_when_shipstation_asks_to_slow_down_nothing_happened(desk: Desk) -> None:
    desk.simulator.faults.add(Fault(kind=FaultKind.RATE_LIMITED, match=MAKES_LABELS, seconds=70))
    with pytest.raises(Transient) as limited:
        await desk.label(order())
    assert limited.value.retry_after == timedelta(seconds=70)
    assert desk.labelled() == []


async def test_a_voided_label_may_be_replaced(desk: Desk) -> None:
    first = await desk.label(order())
    desk.simulator.void(first.id)
    second = await desk.label(order(), again=True)
    assert second.id != first.id
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])


async def test_a_label_that_is_still_made_is_waited_for(desk: Desk) -> None:
    label = await desk.label(order())
    desk.simulator.bought[label.id]["status"] = "processing"
    with pytest.raises(Transient, match="still making"):
        await desk.label(order(), again=True)
    desk.simulator.bought[label.id]["status"] = "completed"
    assert await desk.label(order(), again=True) == label


@pytest.mark.proves("errors")
async def test_too_little_postage_is_said_in_plain_words_and_mended_by_paying_in(desk: Desk) -> None:
    desk.simulator.balance = Decimal(1)
    with pytest.raises(Refused) as refused:
        await desk.label(order())
    assert refused.value.cause == "insufficient-funds"
    assert refused.value.sentence == "ShipStation didn't sell the label: there isn't enough postage balance."
    assert "Add funds" in refused.value.remedy
    desk.simulator.balance = Decimal(100)
    await desk.label(order())
    assert (desk.numbers(), desk.labelled()) == (["1001"], ["1001"])


NO_STREET = ADDRESS.model_copy(update={"line1": "", "postcode": ""})


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("changes", "cause", "sentence"),
    [
        ({"shipping": None}, "no-address", "Order 1001 has no shipping address."),
        (
            {"shipping": NO_STREET},
            "incomplete-address",
            "The shipping address of order 1001 has no street and no postcode.",
        ),
        (
            {"lines": (line(weight_grams=0),)},
            "no-weight",
            "The shop gives no weight for anything in order 1001.",
        ),
        ({"lines": (line(ships=False),)}, "nothing-to-ship", "Nothing of order 1001 has to be sent."),
    ],
)
async def test_what_cant_be_sent_is_refused_before_anything_is_put_in(
    desk: Desk, changes: dict[str, Any], cause: str, sentence: str
) -> None:
    for attempt in (desk.put_in, desk.label):
        with pytest.raises(Refused) as refused:
            await attempt(order(**changes))
        assert (refused.value.cause, refused.value.sentence) == (cause, sentence)
        assert refused.value.remedy
    assert desk.numbers() == []


async def test_gaps_that_carriers_mind_are_filled(desk: Desk) -> None:
    """German addresses have no state, and not everyone gives a telephone number."""
    berlin = Address(company="Teehaus", line1="Allee 1", city="Berlin", postcode="10117", country="DE")
    await desk.label(order(shipping=berlin, customer=None))
    (shipment,) = desk.simulator.shipments.values()
    sent = shipment["ship_to"]
    assert (sent["name"], sent["state_province"], sent["phone"]) == ("Teehaus", "Berlin", "+15125550100")


async def test_another_shops_order_with_the_same_number_never_gets_this_ones_label(desk: Desk) -> None:
    await desk.label(order())
    with pytest.raises(Refused) as refused:
        await desk.label(order(id="99"))
    assert refused.value.cause == "number-taken"
    assert "number_prefix" in refused.value.remedy


async def test_a_prefix_keeps_two_shops_apart(practice: Practice) -> None:
    here, there = Desk(practice), Desk(practice, number_prefix="EU/")
    await here.label(order())
    await there.label(order(id="99"))
    assert await there.label(order(id="99"), again=True)
    assert here.labelled() == ["1001", "EU/1001"]
    await here.connection.api.close()
    await there.connection.api.close()


async def test_an_order_that_was_cancelled_there_is_for_a_person(desk: Desk) -> None:
    there = await desk.put_in(order())
    desk.simulator.shipments[there.id]["shipment_status"] = "cancelled"
    with pytest.raises(Refused) as refused:
        await desk.label(order())
    assert refused.value.cause == "cancelled-there"


async def test_tracking_tells_whether_it_is_sent_and_how_to_follow_it(desk: Desk) -> None:
    there = await desk.put_in(order())
    assert await desk.tracking(there.id) == Tracking(shipped=False)
    label = await desk.label(order())
    tracking = await desk.tracking(there.id)
    assert tracking.shipped
    assert (tracking.carrier, tracking.tracking_number, tracking.tracking_url) == (
        label.carrier,
        label.tracking_number,
        label.tracking_url,
    )


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("environment", "key", "word"),
    [(Environment.SANDBOX, "live-key", "sandbox"), (Environment.PRODUCTION, "TEST_key", "test key")],
)
async def test_test_and_live_are_never_mixed(environment: Environment, key: str, word: str) -> None:
    """It is refused here, before anything is sent."""
    real = at_the_vendor(environment, key)
    for name, given in (
        ("shipping.upsert_order", UpsertOrder(order=order())),
        ("shipping.create_label", CreateLabel(order=order())),
    ):
        with pytest.raises(Refused) as refused:
            await actions[name](call(real), given)
        assert refused.value.cause == "wrong-environment"
        assert word in refused.value.sentence


def test_a_key_and_a_connection_that_agree_may_write(desk: Desk) -> None:
    assert mixed_up(at_the_vendor(Environment.SANDBOX, "TEST_key")) == ""
    assert mixed_up(at_the_vendor(Environment.PRODUCTION, "live-key")) == ""
    assert mixed_up(desk.connection) == ""


@pytest.mark.proves("errors")
async def test_a_key_that_is_no_longer_taken_signs_the_connection_out(desk: Desk) -> None:
    desk.simulator.faults.add(Fault(kind=FaultKind.SIGNED_OUT))
    with pytest.raises(SignedOut):
        await desk.tracking("se-1")


async def test_signing_in_shows_where_it_ships_from(desk: Desk) -> None:
    assert CONNECTOR.sign_in
    account = await CONNECTOR.sign_in(call(desk.connection))
    assert (account.name, account.warnings) == ("Practice warehouse", ())


async def test_signing_in_warns_of_settings_that_lead_nowhere(practice: Practice) -> None:
    assert CONNECTOR.sign_in
    lost = Desk(practice, warehouse_id="se-1", carrier_id="se-2")
    slow = Desk(practice, service_code="pigeon")
    account = await CONNECTOR.sign_in(call(lost.connection))
    assert account.warnings == (
        "There is no ship-from location 'se-1'. There are: Practice warehouse (se-100).",
        "There is no carrier 'se-2'. There are: Stamps.com (se-200).",
    )
    account = await CONNECTOR.sign_in(call(slow.connection))
    assert account.warnings == (
        "The carrier has no service 'pigeon'. It has: usps_ground_advantage, usps_priority_mail.",
    )
    await lost.connection.api.close()
    await slow.connection.api.close()


@pytest.mark.proves("spec")
@needs_shared
async def test_requests_and_answers_are_as_shipstation_describes_them(desk: Desk) -> None:
    assert CONNECTOR.sign_in
    await CONNECTOR.sign_in(call(desk.connection))
    await desk.label(order(note="Ring twice", shipping=ADDRESS.model_copy(update={"company": "Hill", "line2": "3b"})))
    await desk.label(order(), again=True)
    there = await desk.put_in(order(id="2", number="1002"))
    await desk.label(order(id="2", number="1002"))
    await desk.tracking(there.id)
    desk.simulator.balance = Decimal(0)
    for number in ("1003", "1003"):
        with pytest.raises(Refused):
            await desk.label(order(id="3", number=number))
    for kind in (FaultKind.RATE_LIMITED, FaultKind.FAILED, FaultKind.SIGNED_OUT):
        desk.simulator.faults.add(Fault(kind=kind, seconds=0))
        with pytest.raises(VendorError):
            await desk.tracking(there.id)
    description = described()
    received = desk.simulator.received
    assert {r.path.split("/")[2] for r in received} == {"warehouses", "carriers", "shipments", "labels"}
    assert [problem for r in received for problem in description.problems(r)] == []
    for refused in (r for r in received if r.failed and r.fault != FaultKind.FAILED):
        assert description.schema("error_response_body", refused.answer) == []


def at_the_vendor(environment: Environment, key: str) -> Connection:
    """To the vendor's own address."""
    settings = CONNECTOR.manifest.settings.model_validate(dict(ShipStationSimulator.settings))
    return connect("shipping", CONNECTOR, environment, settings, Secrets({"api_key": key}), clock=lambda: NOW)


async def arrived(desk: Desk, purchases: int) -> None:
    """Wait until that many purchases have been answered, or would have been."""
    while len(desk.sent("/v2/labels")) < purchases:  # noqa: ASYNC110 - it's another program that we wait for
        await asyncio.sleep(0.02)
