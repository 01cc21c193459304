"""Approvals and to-dos: what is open, and how it is answered."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from bellwire.ledger import AskRow, AskState, Outcome, RunState, asks, audit, runs
from tests.desk.asked import question, to_do
from tests.desk.story import NOW, Place, open_desk
from tests.desk.visiting import Visitor, visit


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, business="Hill & Leaf Tea") as place:
        yield place


@pytest.fixture
async def visitor(place: Place) -> AsyncIterator[Visitor]:
    async with visit(place) as visitor:
        yield visitor


async def the_ask(place: Place, number: int) -> AskRow:
    found = await place.ledger.read(lambda rows: asks.find(rows, number))
    assert found is not None
    return found


async def test_nothing_to_do_is_said(visitor: Visitor) -> None:
    text = await visitor.read("/asks")
    assert "Nobody has anything to do" in text
    assert "Answered in the last 7 days None." in text


async def test_what_is_oldest_comes_first_with_how_long_it_has_waited(place: Place, visitor: Visitor) -> None:
    await place.write(
        lambda story: (
            to_do(story, NOW - timedelta(days=9), "The oldest"),
            question(story, NOW - timedelta(days=3), "The middle one"),
            to_do(story, NOW - timedelta(hours=2), "The newest"),
        )
    )

    text = await visitor.read("/asks")

    places = [
        text.index(each)
        for each in ("more than a week", "The oldest", "more than a day", "The middle one", "less than a day", "newest")
    ]
    assert places == sorted(places)
    assert "Order 1001" in text and "9 days" in text and "until Nov 26, 2:41 PM" in text


async def test_the_list_is_narrowed_by_flow_and_by_kind(place: Place, visitor: Visitor) -> None:
    await place.write(lambda story: (to_do(story, text="An invoice"), question(story, text="A question")))

    assert "A question" not in await visitor.read("/asks?kind=to-do")
    assert "An invoice" not in await visitor.read("/asks?kind=approval")
    assert "An invoice" in await visitor.read("/asks?flow=order_to_cash")
    assert "Nothing of this kind is open" in await visitor.read("/asks?flow=another")


async def test_a_question_shows_what_it_is_about_and_what_each_answer_does(place: Place, visitor: Visitor) -> None:
    number = await place.write(question)

    text = await visitor.read(f"/asks/{number}")

    assert "Send 1001 for $24.40?" in text and "A yes or a no, by Dana" in text
    assert "order › number 1001" in text
    assert "Yes: Parcel Hub is asked at once to buy" in text and "No: it is left out for good" in text


async def test_a_yes_is_kept_with_the_name_and_lets_the_run_go_on(place: Place, visitor: Visitor) -> None:
    number = await place.write(question)

    shown = await visitor.send(f"/asks/{number}", answer="approve", reason="a good customer")

    assert (shown.status, shown.path) == (303, "/asks")
    assert "Noted: yes. The run goes on." in shown.words and "a good customer" in shown.words
    ask = await the_ask(place, number)
    assert (ask.state, ask.who, ask.reason) == (AskState.APPROVED, "somebody at this machine", "a good customer")
    attempts = await place.ledger.read(lambda rows: runs.attempts(rows, ask.run))
    assert attempts[-1].outcome is Outcome.APPROVED
    run = await place.ledger.read(lambda rows: runs.find(rows, ask.run))
    assert run is not None and run.state is RunState.WAITING and run.due_at == NOW
    assert "somebody at this machine said yes" in await visitor.read(f"/asks/{number}")


async def test_a_no_needs_a_reason_and_what_was_written_stays(place: Place, visitor: Visitor) -> None:
    number = await place.write(question)

    shown = await visitor.send(f"/asks/{number}", answer="decline")
    assert shown.status == 400 and "Say why not" in shown.words
    assert (await the_ask(place, number)).state is AskState.OPEN
    shown = await visitor.send(f"/asks/{number}", answer="decline", reason="too dear")
    assert shown.status == 303 and "Noted: no." in shown.words and "too dear" in shown.words
    assert (await the_ask(place, number)).state is AskState.DECLINED


async def test_a_to_do_shows_every_value_and_asks_for_what_later_actions_need(place: Place, visitor: Visitor) -> None:
    number = await place.write(to_do)

    page = (await visitor.get(f"/asks/{number}")).page

    assert '<span id="value-2" class="value">24.40 USD</span>' in page
    assert page.count("data-copy=") == 3 and "copy.js" in page
    text = await visitor.read(f"/asks/{number}")
    assert "Its number there" in text and "Customer id" in text
    assert "Needed later, to " in text
    assert "Make an invoice, in Tidy Books" in text


async def test_what_later_actions_need_has_to_be_told(place: Place, visitor: Visitor) -> None:
    number = await place.write(to_do)

    shown = await visitor.send(f"/asks/{number}", answer="done", id="1045")

    assert shown.status == 400
    assert (
        "What comes later (receipt) can't be done without more" in shown.words
        and "Tell also: customer_id." in shown.words
    )
    assert (await the_ask(place, number)).state is AskState.OPEN


async def test_a_to_do_that_is_done_gives_the_run_what_was_told(place: Place, visitor: Visitor) -> None:
    number = await place.write(to_do)

    shown = await visitor.send(f"/asks/{number}", answer="done", id="1045", customer_id="58", secret="not asked for")

    assert (shown.status, shown.path) == (303, "/asks") and "Ticked off" in shown.words
    ask = await the_ask(place, number)
    attempts = await place.ledger.read(lambda rows: runs.attempts(rows, ask.run))
    assert attempts[-1].outcome is Outcome.BY_HAND
    assert orjson.loads(attempts[-1].result or "") == {"id": "1045", "customer_id": "58"}
    (act,) = await place.ledger.read(lambda rows: audit.newest(rows, limit=1))
    assert (act.who, act.what, act.target) == ("somebody at this machine", "tick off", f"to-do {number}")


async def test_a_to_do_that_nobody_is_to_do_is_left_out_with_a_reason(place: Place, visitor: Visitor) -> None:
    number = await place.write(to_do)

    shown = await visitor.send(f"/asks/{number}", answer="skip")
    assert shown.status == 400 and "Say why nobody is to do it" in shown.words
    shown = await visitor.send(f"/asks/{number}", answer="skip", reason="paid in cash")
    assert shown.status == 303
    ask = await the_ask(place, number)
    assert (ask.state, ask.reason) == (AskState.LEFT, "paid in cash")


async def test_who_was_slower_is_told_who_was_quicker(place: Place, visitor: Visitor) -> None:
    number, other = await place.write(lambda story: (question(story), question(story)))
    await visitor.send(f"/asks/{number}", answer="approve")

    shown = await visitor.send(f"/asks/{number}", at=f"/asks/{other}", answer="decline", reason="no")

    assert shown.status == 400
    assert f"To-do {number} isn't open any more: it is approved by somebody at this machine." in shown.words
    assert (await the_ask(place, number)).state is AskState.APPROVED


@pytest.mark.parametrize("number", ["99", str(2**63)])
async def test_what_isnt_there_is_a_404(visitor: Visitor, number: str) -> None:
    shown = await visitor.get(f"/asks/{number}")
    assert shown.status == 404


async def test_what_earlier_actions_made_elsewhere_is_linked(place: Place, visitor: Visitor) -> None:
    number = await place.write(question)
    run = (await the_ask(place, number)).run
    await place.write(
        lambda story: runs.done_by_hand(
            story.rows, run, "invoice", 0, '{"id": "7", "url": "https://books.test/7"}', NOW
        )
    )

    page = (await visitor.get(f"/asks/{number}")).page

    assert '<a href="https://books.test/7" rel="noreferrer">' in page
