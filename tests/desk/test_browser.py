"""What the desk does in a real browser: by keyboard, by itself, and without JavaScript."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bellwire.access import begin_session
from bellwire.desk import live
from bellwire.desk.gate import SESSION
from bellwire.ledger import AskState, Rows, people, processes
from tests.desk.browsing import CLIPPED, LAPTOP, PHONE, TOO_FAINT, in_chromium, window
from tests.desk.story import NOW, Place, a_day, open_desk, state_of
from tests.desk.test_answers import Link, asked
from tests.desk.visiting import give_account
from tests.ledgers import Ledgers

pytestmark = in_chromium


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_desk(tmp_path_factory.mktemp("desk"), business="Hill & Leaf Tea") as place:
        await place.ledger.write(a_day)
        yield place


@pytest.fixture
def shared_url(ledgers: Ledgers) -> str:
    """Of a ledger that several processes share."""
    return ledgers.postgres()


@pytest.mark.parametrize("width", [LAPTOP, PHONE])
async def test_the_processes_at_work_fit_the_screen_whatever_they_are_called(
    browser: Browser, tmp_path: Path, shared_url: str, width: int
) -> None:
    def enter(rows: Rows) -> None:
        for name in ("shed 11", "a-machine-in-the-cloud.with-a-name-of.63-letters.eu-central-1.example 4711", "x" * 63):
            processes.stay(rows, processes.enter(rows, name, "worker", "1.2", NOW), 1_234, NOW)

    async with open_desk(tmp_path, ledger_url=shared_url) as place, window(browser, width=width) as opened:
        await place.ledger.write(enter)
        await opened.page.goto(place.url)
        await expect(opened.page.locator("#processes tbody tr")).to_have_count(3)
        assert await opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.complaints == []


async def test_every_link_can_be_reached_with_the_keyboard_and_shows_it(browser: Browser, place: Place) -> None:
    async with window(browser) as opened:
        await opened.page.goto(place.url)
        wanted = await opened.page.locator("a[href]:visible").count()
        reached: list[str] = []
        for _ in range(wanted + 20):
            await opened.page.keyboard.press("Tab")
            if await opened.page.evaluate("document.activeElement.matches('a[href]')"):
                outline = await opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline == "solid"
                reached.append(await opened.focused())

        assert reached[0] == "#main"
        assert len(reached) >= wanted


async def test_the_skip_link_leads_to_the_content(browser: Browser, place: Place) -> None:
    async with window(browser) as opened:
        await opened.page.goto(place.url)
        await opened.page.keyboard.press("Tab")
        await opened.page.keyboard.press("Enter")

        assert await opened.page.evaluate("document.activeElement.id") == "main"


async def test_counts_change_without_a_reload_and_leave_focus_and_open_parts_alone(
    browser: Browser, tmp_path: Path
) -> None:
    async with open_desk(tmp_path) as place, window(browser) as opened:
        page = opened.page
        await place.write(lambda story: story.done(NOW - timedelta(minutes=5)))
        await page.goto(place.url)
        await expect(page.locator(".balance .done dd")).to_have_text("1")
        await page.evaluate("window.stillHere = true")
        await page.locator("#figures summary").click()
        await page.locator("#latest a").first.focus()

        await place.write(lambda story: replace(story, number=2000).dies(NOW))

        await expect(page.locator(".balance .dead dd")).to_have_text("1")
        await expect(page.locator("#verdict h2")).to_have_text("1 thing needs you")
        await expect(page.locator("#verdict")).to_have_class("verdict bad")
        await expect(page.locator("#flow-rows tbody td").nth(3)).to_have_text("1")
        await expect(page).to_have_title("1 thing needs you · Bellwire")
        assert await page.evaluate("window.stillHere")
        assert await page.evaluate("document.querySelector('#figures details').open")
        assert await page.evaluate("document.activeElement.closest('#latest') !== null")
        assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
async def test_a_question_is_answered_by_its_link_on_any_screen(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    async with (
        open_desk(tmp_path, business="Hill & Leaf Tea") as place,
        window(browser, width=width, scheme=scheme, scripts=False) as opened,
    ):
        page, link = opened.page, Link(place, await place.write(asked))
        await page.goto(place.url + link.path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate(CLIPPED) == [] == await page.evaluate(TOO_FAINT)
        await expect(page.get_by_label("Your name")).to_have_value("Dana")

        await page.get_by_role("button", name="No, don’t").click()
        await expect(page.get_by_role("alert")).to_have_text("Say why not: the team reads it.")
        await page.get_by_label("Why").fill("too dear")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("status")).to_contain_text("Dana, by a link said no")
        assert await page.evaluate(TOO_FAINT) == []
        assert [complaint for complaint in opened.complaints if "400 (Bad Request)" not in complaint] == []
        assert (await link.state())[0] is AskState.DECLINED


async def test_a_hidden_page_asks_nothing_and_holds_no_line(browser: Browser, place: Place) -> None:
    async with window(browser) as opened:
        page = opened.page
        await page.clock.install()
        await page.goto(place.url)
        await page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
        before = opened.asked.count(place.url + "/")
        await page.clock.run_for(60_000)
        assert opened.asked.count(place.url + "/") == before == 1
        async with asyncio.timeout(30):
            while place.desk._live._lines:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.02)

        await page.evaluate("Object.defineProperty(document, 'hidden', {get: () => false})")
        async with page.expect_request(place.url + "/"):
            await page.clock.run_for(4_000)


async def test_a_page_with_a_quiet_line_is_fetched_anew_only_now_and_then(
    browser: Browser, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_SAID_EVERY", 0.05)
    async with window(browser) as opened:
        page = opened.page
        await page.clock.install()
        await page.goto(place.url)
        fetched = []
        for _ in range(5):
            async with asyncio.timeout(30):
                while await page.evaluate("Date.now() - heard > 1000"):  # noqa: ASYNC110 - nothing tells it
                    await asyncio.sleep(0.02)
            await page.clock.run_for(14_000)
            fetched.append(opened.asked.count(place.url + "/"))
        assert fetched == [1, 1, 1, 1, 2]
        assert opened.asked.count(place.url + "/live") == 1


async def test_a_page_of_somebody_who_was_signed_out_leads_to_signing_in(browser: Browser, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as place, window(browser) as opened:
        dana = await give_account(place.ledger, "Dana")
        secret = await place.ledger.write(lambda rows: begin_session(rows, dana.id, place.now, "a browser"))
        await opened.page.context.add_cookies([{"name": SESSION, "value": secret, "url": place.url}])
        await opened.page.goto(f"{place.url}/exceptions")
        await expect(opened.page.get_by_role("heading", name="Exceptions")).to_be_visible()
        await place.ledger.write(lambda rows: people.end_all(rows, dana.id))
        await expect(opened.page).to_have_url(re.compile(r"/sign-in\?next=%2Fexceptions"))


async def test_the_page_says_when_bellwire_has_stopped(browser: Browser, tmp_path: Path) -> None:
    async with window(browser) as opened:
        async with open_desk(tmp_path) as place:
            await opened.page.goto(place.url)
            await expect(opened.page.locator("#offline")).to_be_hidden()

        await expect(opened.page.locator("#offline")).to_be_visible()


async def test_without_javascript_everything_is_there_and_the_page_reloads_itself(
    browser: Browser, place: Place
) -> None:
    async with window(browser, scripts=False) as opened:
        await opened.page.goto(place.url)

        await expect(opened.page.locator(".balance .received dd")).to_have_text("45")
        assert '<meta http-equiv="refresh" content="30">' in await opened.page.content()
        await opened.page.get_by_role("link", name="Order 1042").first.click()
        await expect(opened.page.get_by_role("heading", level=1)).to_have_text("Order 1042")
        await opened.page.get_by_text("Details for your developer").click()
        await expect(opened.page.get_by_text("shop/order/1042/paid")).to_be_visible()


async def test_a_run_is_given_up_in_the_browser_with_a_reason(browser: Browser, tmp_path: Path) -> None:
    async with open_desk(tmp_path) as place:
        await place.ledger.write(a_day)
        waiting = await state_of(place, "waiting")
        async with window(browser, width=PHONE) as opened:
            await opened.page.goto(f"{place.url}/runs/{waiting}")
            await opened.page.get_by_label("Why").fill("The customer called it off.")
            await opened.page.get_by_role("button", name="Give it up").click()

            await expect(opened.page.get_by_text("It is given up. What it did stays done.")).to_be_visible()
            await expect(opened.page.get_by_role("status", name="How it stands")).to_contain_text("Set aside")
