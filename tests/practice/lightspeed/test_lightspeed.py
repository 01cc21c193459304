"""The practice server refuses what Lightspeed refuses, and signs what it sends."""

from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.lightspeed import LightspeedSimulator, product_id

OUTLET = LightspeedSimulator.settings["outlet_id"]
CHANGE = {"product_id": product_id("TEA-100"), "outlet_id": OUTLET, "quantity": "-2", "reason": "DAMAGE"}
HOOK = {"type": "sale.update", "url": "https://bell.example/hooks/till", "active": True}


class Client:
    def __init__(self, practice: Practice, session: aiohttp.ClientSession) -> None:
        simulator = practice.simulators["lightspeed"]
        assert isinstance(simulator, LightspeedSimulator)
        self.simulator = simulator
        self._url, self._session = practice.base_url("lightspeed"), session

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": "Bearer practice-access-token", "User-Agent": "Test"} | headers
        async with self._session.request(method, self._url + path, json=body, headers=sent) as response:
            self.headers = response.headers
            return response.status, await response.json()

    async def adjust(self, *changes: Any) -> tuple[int, Any]:
        return await self.ask("POST", "/api/2026-07/stock_adjustments", {"stock_adjustments": list(changes)})

    async def renew(self, **changes: str) -> tuple[int, Any]:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": "practice-refresh-token",
            "client_id": "practice-client",
            "client_secret": "practice-client-secret",
        }
        async with self._session.post(self._url + "/api/1.0/token", data=form | changes) as response:
            return response.status, await response.json()


@pytest.fixture
async def store() -> AsyncIterator[Client]:
    async with Practice(["lightspeed"]) as practice, aiohttp.ClientSession() as session:
        yield Client(practice, session)


async def test_adjustments_are_answered_in_their_order_and_change_the_stock(store: Client) -> None:
    found = {**CHANGE, "quantity": "3", "reason": "STOCK_FOUND"}
    status, answer = await store.adjust(CHANGE, found)
    assert status == 201
    assert [each["quantity"] for each in answer["data"]] == ["-2", "3"]
    assert store.simulator.stock()["TEA-100"] == 121
    status, listed = await store.ask("GET", "/api/2026-07/stock_adjustments?after=0")
    assert (status, listed["data"]) == (200, answer["data"])
    assert listed["version"]["max"] == answer["data"][1]["version"]


async def test_a_repeat_is_done_again(store: Client) -> None:
    """There is no key."""
    await store.adjust(CHANGE)
    await store.adjust(CHANGE)
    assert store.simulator.stock()["TEA-100"] == 116


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"quantity": -2}, "quantity"),
        ({"quantity": "two"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "2"}, "quantity"),
        ({"quantity": ""}, "quantity"),
        ({"reason": "SALE"}, "reason"),
        ({"reason": "CUSTOM"}, "custom_inventory_adjustment_reason_id"),
        ({"custom_inventory_adjustment_reason_id": "x"}, "reason"),
        ({"note": "order 1001"}, "note"),
        ({"product_id": str(uuid4())}, "product_id"),
        ({"outlet_id": str(uuid4())}, "outlet_id"),
    ],
)
async def test_one_bad_adjustment_stops_all_of_a_request(store: Client, changes: dict[str, Any], where: str) -> None:
    status, answer = await store.adjust(CHANGE, CHANGE | changes)
    assert (status, list(answer)) == (422, [f"stock_adjustments[1].{where}"])
    assert store.simulator.stock()["TEA-100"] == 120


@pytest.mark.parametrize("number", [0, 1001])
async def test_a_request_has_one_to_a_thousand_adjustments(store: Client, number: int) -> None:
    assert (await store.adjust(*[CHANGE] * number))[0] == 422


async def test_reasons_of_ones_own_have_a_sign_and_a_name_that_is_theirs_alone(store: Client) -> None:
    path, reason = "/api/2026-07/custom_inventory_adjustment_reasons", {"name": "Sold", "type": "NEGATIVE"}
    assert (await store.ask("POST", path, reason))[0] == 422
    assert (await store.ask("POST", path, reason | {"enabled": True, "name": "x" * 31}))[0] == 422
    status, made = await store.ask("POST", path, reason | {"enabled": True})
    assert status == 200
    assert (await store.ask("POST", path, reason | {"enabled": True}))[0] == 409
    own = CHANGE | {"reason": "CUSTOM", "custom_inventory_adjustment_reason_id": made["data"]["id"]}
    assert (await store.adjust(own))[0] == 201
    assert (await store.adjust(own | {"quantity": "2"}))[0] == 422


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/2026-07/outlets", {"Authorization": "Bearer other"}, 401),
        ("/api/2026-07/outlets", {"User-Agent": ""}, 403),
        ("/api/2024-01/outlets", {}, 404),
        ("/api/2026-07/stock_adjustments?page_size=1001", {}, 400),
    ],
)
async def test_token_integration_version_and_page_size_are_checked(
    store: Client, path: str, headers: dict[str, str], status: int
) -> None:
    answered, said = await store.ask("GET", path, None, **headers)
    assert answered == status
    assert said["error"]
    assert said["message"]


async def test_what_the_application_may_not_do_is_refused(store: Client) -> None:
    store.simulator.scopes.remove("inventory:write")
    assert (await store.adjust(CHANGE))[0] == 403


async def test_a_refresh_token_works_once(store: Client) -> None:
    status, granted = await store.renew()
    assert (status, granted["domain_prefix"], granted["expires_in"]) == (200, "practice", 86_400)
    assert (await store.renew())[0] == 400
    assert (await store.renew(refresh_token=granted["refresh_token"]))[0] == 200
    assert (await store.renew(client_secret="other"))[0] == 400
    token = f"Bearer {granted['access_token']}"
    assert (await store.ask("GET", "/api/2026-07/outlets", Authorization=token))[0] == 200


async def test_too_many_requests_name_a_date_and_failures_have_the_stores_shape(store: Client) -> None:
    store.simulator.faults.add(Fault(kind=FaultKind.RATE_LIMITED))
    store.simulator.faults.add(Fault(kind=FaultKind.FAILED))
    assert (await store.adjust(CHANGE))[0] == 429
    assert parsedate_to_datetime(store.headers["Retry-After"]).tzinfo is not None
    assert (await store.adjust(CHANGE))[0] == 500
    assert store.simulator.adjustments == []


async def test_every_answer_tells_what_is_left_of_the_limit(store: Client) -> None:
    left = []
    for _ in range(2):
        await store.ask("GET", "/api/2026-07/outlets")
        assert store.headers["X-RateLimit-Limit"] == "350"
        left.append(store.headers["X-RateLimit-Remaining"])
    assert left == ["349", "348"]


async def test_webhooks_are_registered_once_for_each_type_and_url(store: Client) -> None:
    path = "/api/2026-07/webhooks"
    status, made = await store.ask("POST", path, HOOK)
    assert (status, made["data"]["type"]) == (201, "sale.update")
    assert (await store.ask("POST", path, HOOK))[0] == 409
    assert (await store.ask("POST", path, HOOK | {"type": "refund.create"}))[0] == 400
    one = f"{path}/{made['data']['id']}"
    assert (await store.ask("PUT", one, {"active": False}))[1]["data"]["active"] is False
    assert len((await store.ask("GET", path))[1]["data"]) == 1
    assert (await store.ask("DELETE", one))[0] == 200
    assert (await store.ask("GET", one))[0] == 404
