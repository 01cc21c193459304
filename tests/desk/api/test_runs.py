"""Runs, events and deliveries for programs."""

import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from bellwire.access import Right, issue_token
from bellwire.connectors.kit.exchanges import Exchange
from bellwire.events import Customer
from bellwire.ledger import Rows, RunState, deliveries, exchanges, runs
from tests.desk.story import NOW, Place, Story, open_desk


@dataclass
class Program:
    place: Place
    tokens: Mapping[Right, str]

    async def ask(
        self, method: str, path: str, body: Any = None, *, right: Right = Right.SEE, key: str = ""
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.tokens[right]}", **({"Idempotency-Key": key} if key else {})}
        address = f"{self.place.url}/api/v1{path}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, address, json=body) as got,
        ):
            return got.status, await got.json()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with open_desk(tmp_path) as place:
        await place.write(tell)
        made = {right: await place.ledger.write(lambda rows, right=right: a_token(rows, right)) for right in Right}  # type: ignore[misc]
        yield Program(place, made)


def a_token(rows: Rows, right: Right) -> str:
    return issue_token(rows, f"to {right}", {right, Right.SEE}, NOW, who="test")[1]


def tell(story: Story) -> None:
    story.done(NOW, customer=Customer(name="Ada Meyer"))
    story.dies(NOW, customer=Customer(name="Robin Hill"))
    story.done(NOW, customer=Customer(name="Robin Hill"))


async def test_a_run_is_found_by_name_page_by_page(program: Program) -> None:
    status, first = await program.ask("GET", "/runs?q=hill&limit=1")
    assert status == 200 and [run["id"] for run in first["items"]] == [3]

    _, second = await program.ask("GET", f"/runs?q=hill&limit=1&after={first['next']}")
    assert [(run["id"], run["state"]) for run in second["items"]] == [(2, "dead")] and second["next"] is None


async def test_the_other_filters(program: Program) -> None:
    async def ids(query: str) -> list[int]:
        return [each["id"] for each in (await program.ask("GET", query))[1]["items"]]

    assert await ids("/runs?state=done") == [3, 1]
    assert await ids("/runs?flow=another") == await ids("/runs?until=2026-01-01T00:00:00Z") == []
    assert await ids("/events?q=1002&type=order.paid&connection=shop") == [2]
    assert await ids("/deliveries?state=done&since=2026-01-01T00:00:00Z") == [3, 2, 1]
    assert (await program.ask("GET", "/runs?state=nonsense"))[0] == 422
    assert (await program.ask("GET", "/runs?limit=0"))[0] == 422


async def test_one_of_each_is_read_whole(program: Program) -> None:
    _, run = await program.ask("GET", "/runs/2")
    assert {each["action"]: each["outcome"] for each in run["attempts"]}["stock"] == "failed"
    _, event = await program.ask("GET", "/events/2")
    assert event["data"]["number"] == "1002" and [each["id"] for each in event["runs"]] == [2]
    _, delivery = await program.ask("GET", "/deliveries/2")
    assert delivery["headers"]["x-signature"] == "[hidden]" and delivery["body"] == "{}"
    assert [each["id"] for each in delivery["events"]] == [2]
    for path in ("/runs/9", "/events/9", "/deliveries/9"):
        assert (await program.ask("GET", path))[0] == 404


async def test_a_stuck_run_is_tried_again_once_for_each_key(program: Program) -> None:
    for _ in range(2):
        status, run = await program.ask("POST", "/runs/2/retry", right=Right.WORK, key="k1")
        assert (status, run["state"]) == (200, "waiting")

    assert (await program.ask("POST", "/runs/1/retry", right=Right.WORK))[0] == 409
    assert (await program.ask("POST", "/runs/9/retry", right=Right.WORK))[0] == 404


async def test_a_run_is_given_up_with_a_reason(program: Program) -> None:
    assert (await program.ask("POST", "/runs/2/cancel", {"reason": " "}, right=Right.WORK))[0] == 422

    status, run = await program.ask("POST", "/runs/2/cancel", {"reason": "by hand"}, right=Right.WORK)

    assert (status, run["state"], run["reason"]) == (200, "skipped", "by hand")


async def test_an_event_is_sent_through_again_once_for_each_key(program: Program) -> None:
    for _ in range(2):
        status, made = await program.ask("POST", "/events/1/replay", {}, right=Right.WORK, key="k2")
        assert status == 201 and [(run["id"], run["again"]) for run in made["runs"]] == [(4, True)]

    assert (await program.ask("POST", "/events/1/replay", {"flow": "another"}, right=Right.WORK))[0] == 404
    found = await program.place.ledger.read(lambda rows: runs.of_event(rows, 1))
    assert [run.state for run in found] == [RunState.DONE, RunState.WAITING]


async def test_who_may_only_see_changes_nothing(program: Program) -> None:
    for path, body in (("/runs/2/retry", None), ("/runs/2/cancel", {"reason": "x"}), ("/events/1/replay", {})):
        assert (await program.ask("POST", path, body))[0] == 403


async def test_what_vendors_were_asked_in_a_run_is_told(program: Program) -> None:
    def keep(rows: Rows) -> None:
        (first, *_) = runs.attempts(rows, 1)
        asked = Exchange("POST", "https://books.example/v1", {"Accept": "json"}, {}, '{"a": 1}', 12, 200, {}, "ok")
        packed = zlib.compress(orjson.dumps({"left_out": 2, "exchanges": [vars(asked)]}))
        exchanges.keep(rows, first, packed)

    await program.place.ledger.write(keep)
    _, told = await program.ask("GET", "/runs/1/exchanges")
    (attempt,) = told["items"]
    assert attempt["left_out"] == 2
    (exchange,) = attempt["exchanges"]
    assert (exchange["method"], exchange["body"], exchange["status"]) == ("POST", '{"a": 1}', 200)
    assert (await program.ask("GET", "/runs/2/exchanges"))[1]["items"] == []
    assert (await program.ask("GET", "/runs/9/exchanges"))[0] == 404


async def test_what_was_turned_away_is_counted_with_its_reason(program: Program) -> None:
    day = NOW.date()
    await program.place.ledger.write(lambda rows: deliveries.count_refusals(rows, day, {("shop", "signature"): 3}))
    (refused,) = (await program.ask("GET", "/deliveries/refusals"))[1]["items"]
    assert refused == {
        "connection": "shop",
        "reason": "signature",
        "meaning": "with a wrong signature",
        "count": 3,
    }
