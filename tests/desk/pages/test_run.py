"""What the page of a run offers to do, and what it shows of the requests."""

import html
import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bellwire.access import Role, add_person, begin_session
from bellwire.connectors.kit.answer import Answer
from bellwire.connectors.kit.exchanges import Asked, Exchanges, Secrets
from bellwire.ledger import ExceptionState, Rows, RunState, exceptions, exchanges, runs
from tests.connecting import Secrets as Values
from tests.desk.story import NOW, Place, Story, open_desk, the_flow
from tests.desk.test_pages import NASTY, shown
from tests.desk.visiting import words


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_desk(tmp_path) as place:
        yield place


async def submit(place: Place, page: str, action: str, fields: Mapping[str, str]) -> tuple[int, str, str]:
    """Fill in a form of a page: the status, the text, and the page that it leads to (without its address)."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(place.url + page) as got:
            token = re.search(r'name="form_token" value="([^"]+)"', await got.text())
        assert token is not None
        data = {"form_token": token[1], **fields}
        async with session.post(place.url + action, data=data, headers={"Origin": place.url}) as got:
            return got.status, await got.text(), str(got.url).removeprefix(place.url)


async def state_of(place: Place, run: int) -> RunState:
    found = await place.ledger.read(lambda rows: runs.find(rows, run))
    assert found is not None
    return found.state


async def test_a_stuck_run_leads_to_its_exception_and_says_how_far_it_is(place: Place) -> None:
    run = await place.write(lambda story: story.dies(NOW))

    page = await shown(place, f"/runs/{run}")

    assert "It needs you 5 of 6 steps are done." in words(page)
    assert 'href="/exceptions/1"' in page


async def test_a_stuck_run_is_tried_again(place: Place) -> None:
    run = await place.write(lambda story: story.dies(NOW))

    status, text, at = await submit(place, f"/runs/{run}", f"/runs/{run}/retry", {})

    assert (status, at) == (200, f"/runs/{run}")
    assert "It goes on now. What is done already isn’t done again." in words(text)
    assert await state_of(place, run) is RunState.WAITING
    closed = await place.ledger.read(lambda rows: exceptions.of_run(rows, run))
    assert [each.state for each in closed] == [ExceptionState.RETRIED]


async def test_it_goes_on_with_the_flow_of_today_if_so_chosen(place: Place) -> None:
    def tell(story: Story) -> int:
        run = story.dies(NOW)
        story.rows.run("UPDATE runs SET flow_hash = 'old'")
        return run

    run = await place.write(tell)
    await submit(place, f"/runs/{run}", f"/runs/{run}/retry", {"with": "today"})

    found = await place.ledger.read(lambda rows: runs.find(rows, run))
    assert found is not None and found.flow_hash == the_flow().hash


async def test_a_run_is_given_up_with_a_reason_and_not_without(place: Place) -> None:
    run = await place.write(lambda story: story.waits(NOW, NOW + timedelta(hours=1)))

    status, text, _ = await submit(place, f"/runs/{run}", f"/runs/{run}/cancel", {"reason": " "})
    assert status == 400 and "Say why: it stays on record." in words(text)
    assert await state_of(place, run) is RunState.WAITING

    status, text, _ = await submit(place, f"/runs/{run}", f"/runs/{run}/cancel", {"reason": "The customer called."})
    assert status == 200 and "Set aside The customer called." in words(text)
    assert await state_of(place, run) is RunState.SKIPPED
    who = await place.ledger.read(lambda rows: rows.one("SELECT what, target FROM audit ORDER BY id DESC LIMIT 1"))
    assert who == ("cancel", f"run {run}")


async def test_all_of_it_is_done_again_after_telling_what_that_is(place: Place) -> None:
    run = await place.write(lambda story: story.done(NOW))
    text = words(await shown(place, f"/runs/{run}"))
    assert "Do all of it again The flow as it is now is carried out once more, from its beginning:" in text
    assert "Tidy Books" in text[text.index("Do all of it again") :]

    status, text, at = await submit(place, f"/runs/{run}", f"/runs/{run}/again", {})

    assert (status, at) == (200, f"/runs/{run + 1}")
    assert "This run does all of it once more." in words(text) and "Started again by a person" in words(text)


async def test_what_cannot_be_done_now_is_told(place: Place) -> None:
    run = await place.write(lambda story: story.done(NOW))

    page = await shown(place, f"/runs/{run}")
    assert "Try it again" not in page and "Give it up" not in page
    status, text, _ = await submit(place, f"/runs/{run}", f"/runs/{run}/retry", {})
    assert status == 400 and "there is nothing to retry" in words(text)
    assert (await submit(place, f"/runs/{run}", "/runs/999/again", {}))[0] == 404


TOKEN = "tok-4711-secret"


def asked(story: Story, run: int, action: str, body: bytes, answer: bytes, number: int = 1) -> None:
    """Keep a request, as the engine does."""
    found = Exchanges()
    said = Answer(201, {"content-type": "application/json"}, answer, "POST", "/invoices")
    secrets = Secrets(Values({"access_token": TOKEN}), ())
    headers, signed = {"Content-Type": "application/json", "Request-Id": "k1"}, {"Authorization": f"Bearer {TOKEN}"}
    found.add(Asked("POST", "https://books.example.com/invoices", {}, headers, signed, body, 0.2, said, "", secrets))
    packed = found.packed()
    attempt = next(row for row in runs.attempts(story.rows, run) if (row.action, row.number) == (action, number))
    assert packed is not None
    exchanges.keep(story.rows, attempt, packed)


async def test_requests_and_answers_are_shown_and_can_be_sent_again_by_hand(place: Place) -> None:
    def tell(story: Story) -> int:
        run = story.done(NOW)
        asked(story, run, "invoice", b'{"note":"it\'s"}', b'{"id":"i7"}')
        return run

    run = await place.write(tell)
    page = await shown(place, f"/runs/{run}")

    text = words(page)
    assert "invoice, 1st try POST https://books.example.com/invoices answered with 201 in 200 ms" in text
    assert '{ "note": "it\'s" }' in text and '{ "id": "i7" }' in text
    assert TOKEN not in page
    curl = html.unescape(page[page.index('<code id="curl-1-1">') + 20 :].partition("</code>")[0])
    assert curl == (
        "curl -X POST https://books.example.com/invoices \\\n"
        '  -H "Authorization: Bearer $BOOKS_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        "  -H 'Request-Id: k1' \\\n"
        '  --data-binary \'{"note":"it\'"\'"\'s"}\''
    )


async def test_what_a_vendor_answers_is_text_and_never_markup(place: Place) -> None:
    def tell(story: Story) -> int:
        run = story.done(NOW)
        asked(story, run, "invoice", NASTY.encode(), NASTY.encode())
        return run

    page = await shown(place, f"/runs/{await place.write(tell)}")

    assert "<img" not in page and "<script>" not in page


async def test_a_person_without_the_right_to_work_is_offered_nothing_and_may_do_nothing(place: Place) -> None:
    run = await place.write(lambda story: story.dies(NOW))

    def to_viewer(rows: Rows) -> str:
        olive = {"name": "Olive", "email": "olive@example.com", "password": "x", "now": NOW, "who": "test"}
        add_person(rows, role=Role.OWNER, **olive)  # type: ignore[arg-type]
        vera = {"name": "Vera", "email": "vera@example.com", "password": "x", "now": NOW, "who": "test"}
        return begin_session(rows, add_person(rows, role=Role.VIEWER, **vera).id, NOW, "test")  # type: ignore[arg-type]

    secret = await place.ledger.write(to_viewer)
    async with aiohttp.ClientSession(headers={"Cookie": f"bellwire_session={secret}"}) as session:
        async with session.get(f"{place.url}/runs/{run}") as got:
            page = await got.text()
        async with session.post(f"{place.url}/runs/{run}/retry", data={}, headers={"Origin": place.url}) as got:
            status = got.status

    assert "What you can do" not in page and "It needs you" in page
    assert status == 403 and await state_of(place, run) is RunState.DEAD
