"""Exceptions over the API."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from bellwire.access import Right, issue_token
from bellwire.ledger import Rows, audit, crosswalk, edits, errands, exceptions
from tests.desk.pages.test_exceptions import many
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.visiting import give_account


@dataclass
class Program:
    """Calls the API with a token."""

    place: Place
    session: aiohttp.ClientSession

    async def __call__(self, method: str, path: str, json: Any = None, key: str = "", wanted: int = 200) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        url = f"{self.place.url}/api/v1{path}"
        async with self.session.request(method, url, json=json, headers=headers) as got:
            text = await got.text()
            assert got.status == wanted, text
            return orjson.loads(text)

    async def over(self, number: int) -> Any:
        """The work with this number, once it is over."""
        for _ in range(600):
            work = await self("GET", f"/exceptions/work/{number}")
            if work["state"] != "going on":
                return work
            await asyncio.sleep(0.05)
        raise AssertionError("it doesn't come to its end")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


async def program_of(place: Place, *rights: Right) -> aiohttp.ClientSession:
    def issue(rows: Rows) -> tuple[int, str]:
        return issue_token(rows, "a script", rights, NOW, who="Dana")

    _, token = await place.ledger.write(issue)
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
async def call(place: Place) -> AsyncIterator[Program]:
    async with await program_of(place, Right.SEE, Right.WORK) as session:
        yield Program(place, session)


async def test_they_are_listed_page_by_page_and_by_cause(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 5))
    await place.write(lambda story: story.unreadable(NOW))
    first = await call("GET", "/exceptions?limit=4")
    later = await call("GET", f"/exceptions?limit=4&after={first['next']}")
    assert [each["number"] for each in first["items"] + later["items"]] == [1, 2, 3, 4, 5, 6]
    assert later["next"] is None
    assert [each["number"] for each in (await call("GET", "/exceptions?search=1003"))["items"]] == [3]
    causes = (await call("GET", "/exceptions/causes"))["items"]
    assert [(each["cause"], each["count"]) for each in causes] == [("unknown-sku", 5), ("unreadable", 1)]


async def test_closed_ones_come_newest_first(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 4))
    for number in (1, 2, 3):
        await call("POST", f"/exceptions/{number}/dismiss", {"reason": "no matter"})
    first = await call("GET", "/exceptions?state=closed&limit=2")
    later = await call("GET", f"/exceptions?state=closed&limit=2&after={first['next']}")
    assert [each["number"] for each in first["items"] + later["items"]] == [3, 2, 1]
    assert later["next"] is None


async def test_one_says_how_it_stands_with_its_run_and_what_people_said(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 1))
    await call("POST", "/exceptions/1/comments", {"text": "I wrote to Kim."}, wanted=201)
    found = await call("GET", "/exceptions/1")
    assert (found["state"], found["assignee"], found["action"]) == ("open", None, "stock")
    assert found["needed"] == {} and found["unknown"]["ours"] == "TEA-100"
    assert [(each["who"], each["text"]) for each in found["comments"]] == [("a script (token 1)", "I wrote to Kim.")]
    assert found["situation"]["done"][0]["action"] == "invoice"


async def test_it_is_retried_once_for_each_key(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 1))
    for _ in range(2):
        assert (await call("POST", "/exceptions/1/retry", {}, key="k"))["state"] == "retried"
    assert "closed already" in (await call("POST", "/exceptions/1/retry", {}, wanted=409))["title"]
    await call("POST", "/exceptions/7/retry", {}, wanted=404)
    found = await place.ledger.read(lambda rows: audit.newest(rows, limit=9, target="exception 1"))
    assert [(act.who, act.what) for act in found] == [("a script (token 1)", "retry")]


async def test_an_input_is_read_changed_checked_and_sent_again(place: Place, call: Program) -> None:
    run = (await place.write(lambda story: many(story, 1)))[0]
    given = await call("GET", "/exceptions/1/input")
    assert given["operation"] == "stock.adjust" and given["values"]["lines"][0]["sku"] == "TEA-100"
    wrong = await call("POST", "/exceptions/1/edit", {"changes": {"lines[0].quantity": []}}, wanted=409)
    assert "'lines[0].quantity' doesn't fit" in wrong["title"]
    changed = await call("POST", "/exceptions/1/edit", {"changes": {"lines[0].quantity": 5}})
    assert changed["state"] == "retried"
    (edit,) = await place.ledger.read(lambda rows: edits.of_run(rows, run))
    assert list(edit.fields) == ["lines[0].quantity"]


async def test_it_is_done_by_hand_or_left_with_a_reason(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 2))
    assert (await call("POST", "/exceptions/1/resolve", {"result": {"id": "7"}}))["state"] == "resolved"
    await call("POST", "/exceptions/2/dismiss", {"reason": " "}, wanted=422)
    assert (await call("POST", "/exceptions/2/dismiss", {"reason": "no matter"}))["reason"] == "no matter"


async def test_many_are_done_in_the_background_once_for_each_key(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 450))
    asked = {"do": "dismiss", "chosen": {"cause": "unknown-sku"}, "reason": "a test"}
    begun = await call("POST", "/exceptions/work", asked, key="k", wanted=202)
    again = await call("POST", "/exceptions/work", asked, key="k", wanted=202)
    assert begun["number"] == again["number"] and begun["total"] == 450
    work = await call.over(begun["number"])
    assert (work["state"], work["done"], work["failed"]) == ("done", 450, 0)
    assert await place.ledger.read(lambda rows: exceptions.count(rows, exceptions.EVERY_OPEN_ONE)) == 0


async def test_work_says_what_it_couldnt_do(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 1))
    begun = await call("POST", "/exceptions/work", {"do": "retry", "numbers": [1, 9]}, wanted=202)
    work = await call.over(begun["number"])
    assert [each["number"] for each in work["refused"]] == [9]
    assert "There is no exception 9." in work["refused"][0]["why"]


@pytest.mark.parametrize(
    "asked", [{"do": "retry"}, {"do": "retry", "numbers": [1], "chosen": {}}, {"do": "dismiss", "numbers": [1]}]
)
async def test_work_that_doesnt_say_enough_isnt_begun(place: Place, call: Program, asked: Any) -> None:
    await place.write(lambda story: many(story, 1))
    await call("POST", "/exceptions/work", asked, wanted=409)
    assert await place.ledger.read(lambda rows: exceptions.count(rows, exceptions.EVERY_OPEN_ONE)) == 1


async def test_work_that_was_stopped_goes_on_when_asked(place: Place, call: Program) -> None:
    def asked(story: Story) -> None:
        many(story, 2)
        errands.stop(story.rows, errands.plan(story.rows, "retry", "{}", "Dana", [1, 2], NOW), "a fault")

    await place.write(asked)
    assert (await call("GET", "/exceptions/work/1"))["stopped"] == "a fault"
    for _ in range(2):
        assert (await call("POST", "/exceptions/work/1/go-on", key="k", wanted=202))["stopped"] == ""
    assert (await call.over(1))["done"] == 2
    await call("POST", "/exceptions/work/1/go-on", wanted=409)
    await call("POST", "/exceptions/work/9/go-on", wanted=404)


async def test_who_may_only_look_changes_nothing(place: Place) -> None:
    await place.write(lambda story: many(story, 1))
    async with await program_of(place, Right.SEE) as session:
        call = Program(place, session)
        await call("GET", "/exceptions/1")
        for path, body in (("retry", {}), ("dismiss", {"reason": "x"}), ("comments", {"text": "x"})):
            await call("POST", f"/exceptions/1/{path}", body, wanted=403)
        await call("POST", "/exceptions/work", {"do": "retry", "numbers": [1]}, wanted=403)


async def test_work_that_is_asked_for_again_with_its_key_isnt_begun_again(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 1))
    await give_account(place.ledger, "Kim")
    asked = {"do": "assign", "numbers": [1], "assignee": 1}
    for _ in range(2):
        await call("POST", "/exceptions/work", asked, key="k", wanted=202)
    later = await call("POST", "/exceptions/work", {"do": "retry", "numbers": [1]}, wanted=202)
    await call.over(later["number"])  # Behind the others.
    found = await place.ledger.read(lambda rows: audit.newest(rows, limit=9, target="exception 1"))
    assert [act.what for act in found] == ["retry", "assign"]


async def test_one_is_given_to_somebody_who_has_an_account_and_to_nobody_else(place: Place, call: Program) -> None:
    await place.write(lambda story: many(story, 2))
    kim = {"id": (await give_account(place.ledger, "Kim")).id, "name": "Kim"}
    assert (await call("GET", "/exceptions/assignees"))["items"] == [kim]
    assert (await call("POST", "/exceptions/1/assign", {"assignee": kim["id"]}))["assignee"] == kim
    for whose, wanted in ((kim["id"], [1]), (0, [2])):
        listed = (await call("GET", f"/exceptions?assignee={whose}"))["items"]
        assert [each["number"] for each in listed] == wanted
    assert (await call("POST", "/exceptions/1/assign", {"assignee": None}))["assignee"] is None
    refused = await call("POST", "/exceptions/1/assign", {"assignee": 9}, wanted=404)
    assert refused["detail"] == "There are: Kim (1)."


async def test_what_is_called_otherwise_there_is_said_once_and_all_that_wait_for_it_are_sent_again(
    place: Place, call: Program
) -> None:
    await place.write(lambda story: many(story, 3))
    for _ in range(2):
        begun = await call("POST", "/exceptions/2/map", {"theirs": "TEA-0100"}, key="k", wanted=202)
    work = await call.over(begun["number"])
    assert (work["do"], work["done"], work["failed"]) == ("retry", 3, 0)
    found = await place.ledger.read(crosswalk.everything)
    assert [(each.connection, each.ours, each.theirs) for each in found] == [("stock", "TEA-100", "TEA-0100")]
    await call("POST", "/exceptions/2/map", {"theirs": "TEA-0100"}, wanted=409)
