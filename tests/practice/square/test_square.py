"""The practice server refuses what Square refuses, in Square's words: stock and versions."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Fault, FaultKind, Practice, Till
from bellwire.practice.square import SquareSimulator

CHANGE: dict[str, Any] = {
    "type": "ADJUSTMENT",
    "adjustment": {
        "catalog_object_id": "VAR-TEA-100",
        "location_id": "LPRACTICE",
        "quantity": "2",
        "from_state": "IN_STOCK",
        "to_state": "SOLD",
        "occurred_at": "2026-11-24T09:30:00Z",
    },
}


class Client:
    def __init__(self, practice: Practice, session: aiohttp.ClientSession) -> None:
        simulator = practice.simulators["square"]
        assert isinstance(simulator, SquareSimulator)
        self.simulator = simulator
        self._url, self._session = practice.base_url("square"), session

    async def post(self, path: str, body: Any, token: str = "EAAApractice", version: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} | ({"Square-Version": version} if version else {})
        async with self._session.post(self._url + path, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def change(self, key: str = "k-1", **changes: Any) -> tuple[int, Any]:
        change = {**CHANGE, "adjustment": {**CHANGE["adjustment"], **changes}}
        return await self.post("/v2/inventory/changes/batch-create", {"idempotency_key": key, "changes": [change]})


@pytest.fixture
async def square() -> AsyncIterator[Client]:
    async with Practice(["square"]) as practice, aiohttp.ClientSession() as session:
        yield Client(practice, session)


def code(answer: tuple[int, Any]) -> tuple[int, str, str]:
    (error,) = answer[1]["errors"]
    return answer[0], error["category"], error["code"]


async def test_a_change_answers_with_what_is_there_now(square: Client) -> None:
    status, answer = await square.change()
    assert (status, answer["counts"][0]["quantity"]) == (200, "118")
    assert isinstance(square.simulator, Till)
    assert square.simulator.stock()["TEA-100"] == 118


async def test_the_same_key_gives_the_first_answer_again(square: Client) -> None:
    assert await square.change() == await square.change()
    assert square.simulator.stock()["TEA-100"] == 118


async def test_the_same_key_with_other_content_is_refused(square: Client) -> None:
    await square.change()
    assert code(await square.change(quantity="3")) == (400, "INVALID_REQUEST_ERROR", "IDEMPOTENCY_KEY_REUSED")
    assert square.simulator.stock()["TEA-100"] == 118


async def test_a_version_is_a_day(square: Client) -> None:
    path = "/v2/inventory/counts/batch-retrieve"
    assert (await square.post(path, {}, version="2025-08-20"))[0] == 200
    refused = code(await square.post(path, {}, version="v2"))
    assert refused == (400, "INVALID_REQUEST_ERROR", "INVALID_SQUARE_VERSION_FORMAT")


async def test_a_strange_token_is_refused(square: Client) -> None:
    answer = await square.post("/v2/inventory/counts/batch-retrieve", {}, token="EAAAother")
    assert code(answer) == (401, "AUTHENTICATION_ERROR", "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"quantity": ""}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"quantity": "two"}, 400, "EXPECTED_STRING"),
        ({"quantity": "-1"}, 400, "INVALID_VALUE"),
        ({"occurred_at": None}, 400, "MISSING_REQUIRED_PARAMETER"),
        ({"from_state": "SOLD", "to_state": "IN_STOCK"}, 400, "INVALID_VALUE"),
        ({"catalog_object_id": "GONE"}, 404, "NOT_FOUND"),
        ({"location_id": "GONE"}, 404, "NOT_FOUND"),
    ],
)
async def test_a_change_that_square_wouldnt_make_changes_nothing(
    square: Client, changes: dict[str, Any], status: int, expected: str
) -> None:
    assert code(await square.change(**changes)) == (status, "INVALID_REQUEST_ERROR", expected)
    assert square.simulator.goods.changes == []


async def test_one_bad_change_stops_the_whole_batch(square: Client) -> None:
    bad = {"type": "ADJUSTMENT", "adjustment": {**CHANGE["adjustment"], "quantity": "0"}}
    body = {"idempotency_key": "k", "changes": [CHANGE, bad]}
    assert code(await square.post("/v2/inventory/changes/batch-create", body))[2] == "INVALID_VALUE"
    assert square.simulator.stock()["TEA-100"] == 120


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"changes": [CHANGE]}, "MISSING_REQUIRED_PARAMETER"),
        ({"idempotency_key": "k", "changes": []}, "ARRAY_EMPTY"),
        ({"idempotency_key": "k", "changes": [CHANGE] * 101}, "ARRAY_LENGTH_TOO_LONG"),
    ],
)
async def test_a_batch_needs_a_key_and_one_to_a_hundred_changes(square: Client, body: Any, expected: str) -> None:
    assert code(await square.post("/v2/inventory/changes/batch-create", body))[2] == expected


async def test_too_many_requests_and_failures_have_squares_shape(square: Client) -> None:
    square.simulator.faults.add(Fault(kind=FaultKind.RATE_LIMITED))
    square.simulator.faults.add(Fault(kind=FaultKind.FAILED))
    assert code(await square.change()) == (429, "RATE_LIMIT_ERROR", "RATE_LIMITED")
    assert code(await square.change()) == (500, "API_ERROR", "INTERNAL_SERVER_ERROR")
    assert square.simulator.goods.changes == []
