"""Approvals and to-dos, for programs."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.access import Right
from bellwire.ledger import AskState, asks
from tests.desk.api.calling import Program, program
from tests.desk.asked import question, to_do
from tests.desk.story import NOW, Place, open_desk


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        await place.write(lambda story: (to_do(story), question(story, NOW - timedelta(hours=1)), to_do(story)))
        yield place


@pytest.fixture
async def robot(place: Place) -> AsyncIterator[Program]:
    async with program(place, {Right.SEE, Right.WORK}) as session:
        yield session


async def test_open_ones_come_in_pages(robot: Program) -> None:
    _, first = await robot("GET", "/asks?limit=2")
    _, second = await robot("GET", f"/asks?limit=2&after={first['next']}")

    assert [each["id"] for each in first["items"]] == [1, 2] and first["next"] == 2
    assert [each["id"] for each in second["items"]] == [3] and second["next"] is None
    assert first["items"][0]["kind"] == "to-do" and first["items"][1]["asked"] == "Dana"
    assert [each["id"] for each in (await robot("GET", "/asks?kind=approval"))[1]["items"]] == [2]


async def test_closed_ones_come_newest_first_and_in_pages(place: Place, robot: Program) -> None:
    def close(number: int, minutes: int) -> object:
        at = NOW + timedelta(minutes=minutes)
        return place.ledger.write(lambda rows: asks.close(rows, number, AskState.LEFT, at, who="Dana"))

    for number, minutes in ((3, 1), (1, 2), (2, 3)):
        await close(number, minutes)  # type: ignore[misc]

    _, first = await robot("GET", "/asks?state=closed&limit=2")
    _, second = await robot("GET", f"/asks?state=closed&limit=2&after={first['next']}")
    assert [each["id"] for each in (*first["items"], *second["items"])] == [2, 1, 3]
    assert second["next"] is None


async def test_one_is_read_with_its_values_and_what_may_be_told(place: Place, robot: Program) -> None:
    _, whole = await robot("GET", "/asks/1")

    assert {"field": "order › total", "value": "24.40 USD"} in whole["values"]
    assert whole["given"]["memo"] == "Net 30"
    assert whole["result"] == [
        {"name": "id", "wanted_by": ["receipt"], "needed": True},
        {"name": "customer_id", "wanted_by": ["receipt"], "needed": True},
    ]
    async with robot.session.get(f"{place.url}/api/v1/asks/99") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_each_answer_is_kept_with_the_tokens_name(place: Place, robot: Program) -> None:
    _, approved = await robot("POST", "/asks/2/approve", {"reason": "fine"})
    _, done = await robot("POST", "/asks/1/done", {"result": {"id": "7", "customer_id": "8"}})
    _, left = await robot("POST", "/asks/3/skip", {"reason": "paid in cash"})

    assert [each["state"] for each in (approved, done, left)] == ["approved", "done", "left"]
    assert {each["who"] for each in (approved, done, left)} == {"the till (token 1)"}


async def test_what_later_actions_need_has_to_be_told(place: Place, robot: Program) -> None:
    status, told = await robot("POST", "/asks/1/done", {"result": {"id": "7"}})

    assert status == 409
    assert "receipt" in told["title"] and told["detail"] == "Tell also: customer_id."


async def test_an_answer_that_is_sent_again_with_its_key_is_given_once(robot: Program) -> None:
    statuses = []
    for key in ("k", "k", "another"):
        status, _ = await robot("POST", "/asks/2/decline", {"reason": "too dear"}, **{"Idempotency-Key": key})
        statuses.append(status)

    assert statuses == [200, 200, 409]


async def test_a_no_needs_a_reason_and_an_answer_the_right_to_work(place: Place, robot: Program) -> None:
    assert (await robot("POST", "/asks/2/decline", {"reason": " "}))[0] == 422
    async with program(place, {Right.SEE}) as looker:
        assert (await looker("POST", "/asks/2/approve", {}))[0] == 403
