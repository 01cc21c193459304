"""The practice server refuses what ShipStation refuses, in ShipStation's words."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Carrier, Fault, FaultKind, Practice
from bellwire.practice.shipstation import ShipStationSimulator

ADDRESS = {
    "name": "Robin Hill",
    "phone": "+15125550123",
    "address_line1": "1 Main St",
    "city_locality": "Austin",
    "state_province": "TX",
    "postal_code": "78701",
    "country_code": "US",
    "address_residential_indicator": "unknown",
}
SHIPMENT = {
    "external_shipment_id": "1001",
    "ship_to": ADDRESS,
    "ship_from": ADDRESS,
    "packages": [{"weight": {"value": 240, "unit": "gram"}}],
}
WITH_SERVICE = {**SHIPMENT, "carrier_id": "se-200", "service_code": "usps_ground_advantage"}


class Client:
    def __init__(self, practice: Practice, session: aiohttp.ClientSession) -> None:
        simulator = practice.simulators["shipstation"]
        assert isinstance(simulator, ShipStationSimulator)
        self.simulator = simulator
        self._url, self._session = practice.base_url("shipstation"), session

    async def ask(self, method: str, path: str, body: Any = None, key: str = "practice-key") -> tuple[int, Any, Any]:
        url, headers = f"{self._url}/v2/{path}", {"api-key": key}
        async with self._session.request(method, url, json=body, headers=headers) as response:
            content = await response.json() if response.content_type == "application/json" else await response.text()
            return response.status, content, response.headers


@pytest.fixture
async def account() -> AsyncIterator[Client]:
    async with Practice(["shipstation"]) as practice, aiohttp.ClientSession() as session:
        yield Client(practice, session)


def code(answer: tuple[int, Any, Any]) -> tuple[int, str]:
    (error,) = answer[1]["errors"]
    return answer[0], error["error_code"]


async def test_a_label_has_a_tracking_number_of_its_own_and_costs_postage(account: Client) -> None:
    numbers = set()
    for external in ("1001", "1002"):
        body = {"shipment": {**WITH_SERVICE, "external_shipment_id": external}}
        status, label, _ = await account.ask("POST", "labels", body)
        assert status == 200
        numbers.add(label["tracking_number"])
    assert len(numbers) == 2
    assert account.simulator.balance == 1000 - 2 * Decimal("4.25")
    assert isinstance(account.simulator, Carrier)
    assert [(sent.reference, sent.text in numbers) for sent in account.simulator.labels()] == [
        ("1001", True),
        ("1002", True),
    ]


async def test_a_shipments_own_id_is_unique(account: Client) -> None:
    assert (await account.ask("POST", "shipments", {"shipments": [SHIPMENT]}))[0] == 200
    assert code(await account.ask("POST", "shipments", {"shipments": [SHIPMENT]})) == (400, "identifier_conflict")
    assert code(await account.ask("POST", "labels", {"shipment": WITH_SERVICE})) == (400, "identifier_conflict")
    assert (len(account.simulator.shipments), account.simulator.labels()) == (1, [])


async def test_a_shipment_can_be_found_by_its_own_id(account: Client) -> None:
    assert (await account.ask("GET", "shipments/external_shipment_id/1001"))[0] == 404
    await account.ask("POST", "shipments", {"shipments": [SHIPMENT]})
    status, found, _ = await account.ask("GET", "shipments/external_shipment_id/1001")
    assert (status, found["shipment_number"], found["shipment_status"]) == (200, "1001", "pending")


async def test_it_sells_a_second_label_to_whoever_asks_for_one(account: Client) -> None:
    """So that a connector that doesn't look first is found out."""
    _, label, _ = await account.ask("POST", "labels", {"shipment": WITH_SERVICE})
    await account.ask("POST", f"labels/shipment/{label['shipment_id']}", {})
    assert len(account.simulator.labels()) == 2


async def test_a_strange_key_is_refused(account: Client) -> None:
    assert code(await account.ask("GET", "carriers", key="other")) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ship_to": None}, "field_value_required"),
        ({"ship_to": {**ADDRESS, "phone": ""}}, "field_value_required"),
        ({"ship_from": None}, "field_value_required"),
        ({"packages": []}, "field_value_required"),
        ({"packages": [{"weight": {"value": 0, "unit": "gram"}}]}, "invalid_field_value"),
        ({"carrier_id": None}, "field_value_required"),
        ({"carrier_id": "se-9"}, "carrier_not_connected"),
        ({"service_code": None}, "field_value_required"),
        ({"service_code": "pigeon"}, "invalid_field_value"),
    ],
)
async def test_a_label_that_shipstation_wouldnt_sell_isnt_sold(
    account: Client, changes: dict[str, Any], expected: str
) -> None:
    answer = await account.ask("POST", "labels", {"shipment": {**WITH_SERVICE, **changes}})
    assert code(answer) == (400, expected)
    assert account.simulator.labels() == []


async def test_a_shipment_without_a_service_has_rates_but_no_label_of_its_own(account: Client) -> None:
    await account.ask("POST", "shipments", {"shipments": [SHIPMENT]})
    assert code(await account.ask("POST", "labels/shipment/se-1001", {})) == (400, "field_value_required")
    _, rates, _ = await account.ask("GET", "shipments/se-1001/rates")
    dearest = max(rates["rates"], key=lambda rate: float(rate["shipping_amount"]["amount"]))
    _, label, _ = await account.ask("POST", f"labels/rates/{dearest['rate_id']}", {})
    assert (label["service_code"], label["shipment_cost"]["amount"]) == ("usps_priority_mail", 8.7)


async def test_without_postage_nothing_is_sold(account: Client) -> None:
    account.simulator.balance = Decimal(4)
    assert code(await account.ask("POST", "labels", {"shipment": WITH_SERVICE})) == (400, "insufficient_funds")
    assert account.simulator.balance == 4
    assert account.simulator.labels() == []


async def test_too_many_requests_come_with_a_time_to_wait(account: Client) -> None:
    account.simulator.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=2.5))
    answer = await account.ask("GET", "carriers")
    assert code(answer) == (429, "rate_limit_exceeded")
    assert answer[2]["Retry-After"] == "3"


async def test_there_is_one_webhook_for_each_event_and_address(account: Client) -> None:
    path, hook = "environment/webhooks", {"event": "track", "url": "https://a.example/hook"}
    status, made, _ = await account.ask("POST", path, hook)
    assert status == 200
    assert code(await account.ask("POST", path, hook)) == (400, "webhook_event_type_conflict")
    assert code(await account.ask("POST", path, hook | {"event": "label"})) == (400, "invalid_field_value")
    assert code(await account.ask("POST", path, hook | {"url": ""})) == (400, "field_value_required")
    assert (await account.ask("GET", path))[1] == [made]
    assert (await account.ask("DELETE", f"{path}/{made['webhook_id']}"))[0] == 204
    assert code(await account.ask("DELETE", f"{path}/{made['webhook_id']}")) == (404, "invalid_identifier")
