"""Approvals and to-dos, for programs."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bellwire.access import Right
from bellwire.ledger import AskState, asks
from tests.desk.asked import question, to_do
from tests.desk.story import NOW, Place, open_desk
from tests.desk.visiting import program


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        await place.write(lambda story: (to_do(story), question(story, NOW - timedelta(hours=1)), to_do(story)))
        yield place


@pytest.fixture
async def robot(place: Place) -> AsyncIterator[aiohttp.ClientSession]:
    async with program(place, Right.SEE, Right.WORK) as session:
        yield session


async def test_open_ones_come_in_pages(robot: aiohttp.ClientSession) -> None:
    async with robot.get("asks?limit=2") as answer:
        first = await answer.json()
    async with robot.get(f"asks?limit=2&after={first['next']}") as answer:
        second = await answer.json()

    assert [each["id"] for each in first["items"]] == [1, 2] and first["next"] == 2
    assert [each["id"] for each in second["items"]] == [3] and second["next"] is None
    assert first["items"][0]["kind"] == "to-do" and first["items"][1]["asked"] == "Dana"
    async with robot.get("asks?kind=approval") as answer:
        assert [each["id"] for each in (await answer.json())["items"]] == [2]


async def test_closed_ones_come_newest_first_and_in_pages(place: Place, robot: aiohttp.ClientSession) -> None:
    def close(number: int, minutes: int) -> object:
        at = NOW + timedelta(minutes=minutes)
        return place.ledger.write(lambda rows: asks.close(rows, number, AskState.LEFT, at, who="Dana"))

    for number, minutes in ((3, 1), (1, 2), (2, 3)):
        await close(number, minutes)  # type: ignore[misc]

    async with robot.get("asks?state=closed&limit=2") as answer:
        first = await answer.json()
    async with robot.get(f"asks?state=closed&limit=2&after={first['next']}") as answer:
        second = await answer.json()
    assert [each["id"] for each in (*first["items"], *second["items"])] == [2, 1, 3]
    assert second["next"] is None


async def test_one_is_read_with_its_values_and_what_may_be_told(robot: aiohttp.ClientSession) -> None:
    async with robot.get("asks/1") as answer:
        whole = await answer.json()

    assert {"field": "order › total", "value": "24.40 USD"} in whole["values"]
    assert whole["given"]["memo"] == "Net 30"
    assert whole["result"] == [
        {"name": "id", "wanted_by": ["receipt"], "needed": True},
        {"name": "customer_id", "wanted_by": ["receipt"], "needed": True},
    ]
    async with robot.get("asks/99") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_each_answer_is_kept_with_the_tokens_name(place: Place, robot: aiohttp.ClientSession) -> None:
    async with robot.post("asks/2/approve", json={"reason": "fine"}) as answer:
        approved = await answer.json()
    async with robot.post("asks/1/done", json={"result": {"id": "7", "customer_id": "8"}}) as answer:
        done = await answer.json()
    async with robot.post("asks/3/skip", json={"reason": "paid in cash"}) as answer:
        left = await answer.json()

    assert [each["state"] for each in (approved, done, left)] == ["approved", "done", "left"]
    assert {each["who"] for each in (approved, done, left)} == {"robot (token 1)"}


async def test_what_later_actions_need_has_to_be_told(place: Place, robot: aiohttp.ClientSession) -> None:
    async with robot.post("asks/1/done", json={"result": {"id": "7"}}) as answer:
        told = await answer.json()

    assert answer.status == 409
    assert "receipt" in told["title"] and told["detail"] == "Tell also: customer_id."


async def test_an_answer_that_is_sent_again_with_its_key_is_given_once(robot: aiohttp.ClientSession) -> None:
    statuses = []
    for key in ("k", "k", "another"):
        headers = {"Idempotency-Key": key}
        async with robot.post("asks/2/decline", json={"reason": "too dear"}, headers=headers) as answer:
            statuses.append(answer.status)

    assert statuses == [200, 200, 409]


async def test_a_no_needs_a_reason_and_an_answer_the_right_to_work(place: Place, robot: aiohttp.ClientSession) -> None:
    async with robot.post("asks/2/decline", json={"reason": " "}) as answer:
        assert answer.status == 422
    async with program(place, Right.SEE) as looker, looker.post("asks/2/approve", json={}) as answer:
        assert answer.status == 403
