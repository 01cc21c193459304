"""The page behind a link that answers what a flow asks."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bellwire.engine import signature
from bellwire.ledger import AskKind, AskState, AttemptRow, Outcome, RunState, asks, audit, runs
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.visiting import words

KEY = "a key of the ledger"
ORDER = '{"number": "1001", "total": {"amount": "240.00", "currency": "USD"}, "note": ""}'
GIVEN = f'{{"order": {ORDER}, "lines": [{{"sku": "TEA"}}]}}'


@dataclass
class Link:
    place: Place
    run: int

    @property
    def path(self) -> str:
        return f"/answers/{self.run}/label/{signature(KEY, self.run, 'label')}"

    async def get(self, path: str = "", host: str = "hooks.example.com") -> tuple[int, str]:
        async with aiohttp.ClientSession() as session:
            headers = {"Host": host, "X-Forwarded-For": "203.0.113.9"}
            async with session.get(self.place.url + (path or self.path), headers=headers) as answer:
                return answer.status, words(await answer.text())

    async def post(self, path: str = "", **fields: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.place.url + (path or self.path), data=fields) as answer,
        ):
            return answer.status, words(await answer.text())

    async def state(self) -> tuple[AskState, str]:
        ask = await self.place.ledger.read(lambda rows: asks.of_action(rows, self.run, "label"))
        assert ask is not None
        return ask.state, ask.who


@pytest.fixture
async def link(tmp_path: Path) -> AsyncIterator[Link]:
    async with open_desk(tmp_path, business="Hill & Leaf Tea") as place:
        yield Link(place, await place.write(asked))


def asked(story: Story) -> int:
    run = story.starts(NOW)
    due = NOW + timedelta(days=2)
    assert runs.checkpoint(story.rows, AttemptRow(run, "label", 0, 1, Outcome.ASKED, NOW, NOW, next_at=due), 1)
    asks.ask(
        story.rows,
        run=run,
        flow=story.flow.id,
        action="label",
        item=0,
        kind=AskKind.APPROVAL,
        text="Send 1001 for $240.00?",
        given=GIVEN,
        asked="Dana",
        now=NOW,
        expires_at=due,
    )
    assert runs.leave(story.rows, run, 1, RunState.WAITING, now=NOW, due_at=due, held_for=runs.A_PERSON)
    asks.keep_link_key(story.rows, KEY)
    return run


async def test_it_shows_the_question_and_its_values_to_whoever_has_the_link_and_decides_nothing(link: Link) -> None:
    status, text = await link.get()
    assert status == 200
    assert "Hill & Leaf Tea asks Dana: Send 1001 for $240.00?" in text
    assert "order › number 1001 order › total 240.00 USD lines 1 › sku TEA" in text and "note" not in text
    assert await link.state() == (AskState.OPEN, "")


async def test_a_yes_lets_the_run_go_on_and_says_who_said_it(link: Link) -> None:
    status, text = await link.post(answer="yes", who="Dana", reason="")
    assert status == 200 and "Dana, by a link said yes" in text
    assert await link.state() == (AskState.APPROVED, "Dana, by a link")
    run = await link.place.ledger.read(lambda rows: runs.find(rows, link.run))
    assert run is not None and (run.state, run.held_for) == (RunState.WAITING, "")
    (entry,) = await link.place.ledger.read(lambda rows: audit.newest(rows, limit=1))
    assert (entry.who, entry.what) == ("Dana, by a link", "approve")


async def test_a_no_needs_a_reason(link: Link) -> None:
    status, text = await link.post(answer="no", who="Dana", reason=" ")
    assert status == 400 and "Say why not" in text
    assert await link.state() == (AskState.OPEN, "")
    status, text = await link.post(answer="no", who="Dana", reason="too dear")
    assert status == 200 and "Dana, by a link said no" in text and "too dear" in text
    assert await link.state() == (AskState.DECLINED, "Dana, by a link")


async def test_what_is_answered_is_answered(link: Link) -> None:
    await link.post(answer="yes", who="Dana", reason="")
    status, text = await link.post(answer="no", who="Robin", reason="too late")
    assert status == 200 and "Dana, by a link said yes" in text and "Robin" not in text
    assert (await link.get())[1].count("Yes, do it") == 0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"answer": "yes", "who": ""}, "Write your name"),
        ({"answer": "yes", "who": "x" * 101}, "Write your name"),
        ({"answer": "perhaps", "who": "Dana"}, "Choose Yes or No."),
        ({"who": "Dana"}, "Choose Yes or No."),
        ({"answer": "yes", "who": "Dana", "reason": "x" * 501}, "at most 500 characters"),
    ],
)
async def test_what_is_lacking_is_said_and_decides_nothing(link: Link, fields: dict[str, str], says: str) -> None:
    status, text = await link.post(**fields)
    assert status == 400 and says in text
    assert await link.state() == (AskState.OPEN, "")


async def test_too_much_text_is_refused(link: Link) -> None:
    status, text = await link.post(answer="yes", who="Dana", reason="x" * 9_000)
    assert status == 413 and "too much text" in text
    assert await link.state() == (AskState.OPEN, "")


async def test_a_link_that_is_made_up_shows_nothing(link: Link) -> None:
    other = signature(KEY, link.run + 1, "label")
    paths = [link.path[:-1] + ("0" if link.path[-1] != "0" else "1"), f"/answers/{link.run}/label/{other}"]
    paths += [f"/answers/{link.run}/stock/{signature(KEY, link.run, 'stock')}", f"/answers/{10**30}/label/{other}"]
    for path in paths:
        assert (await link.get(path)) == (404, (await link.get(paths[0]))[1])
        assert (await link.post(path, answer="yes", who="Dana"))[0] == 404
    assert "1001" not in (await link.get(paths[0]))[1]
    assert await link.state() == (AskState.OPEN, "")


async def test_text_in_a_name_is_text(link: Link) -> None:
    nasty = "<script>alert(1)</script>"
    async with aiohttp.ClientSession() as session:
        fields = {"answer": "no", "who": nasty, "reason": nasty}
        async with session.post(link.place.url + link.path, data=fields) as answer:
            page = await answer.text()
    assert "<script" not in page and html.escape(nasty) in page


async def test_the_page_loads_nothing_from_elsewhere_and_sends_nothing_there(link: Link) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(link.place.url + link.path) as answer:
            policy, page = answer.headers["Content-Security-Policy"], await answer.text()
            assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"
        (style,) = re.findall('<link rel="stylesheet" href="([^"]+)"', page)
        async with session.get(link.place.url + style, headers={"Host": "hooks.example.com"}) as answer:
            assert answer.status == 200 and answer.content_type == "text/css"
    assert "form-action 'self'" in policy and "script-src 'self'" in policy and "<script" not in page


async def test_the_desk_itself_stays_closed_to_those_elsewhere(link: Link) -> None:
    _, text = await link.get("/")
    assert "The owner’s account" in text and "1001" not in text
