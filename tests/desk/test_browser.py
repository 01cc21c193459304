"""The pages in a real browser, on a laptop and on a phone, in light and dark."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bellwire.desk.about import about
from bellwire.ledger import AskState, Rows, RunState, Wanted, events, finding, processes, runs
from tests.desk.story import NOW, Place, a_day, open_desk
from tests.desk.test_answers import Link, asked
from tests.ledgers import Ledgers

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAPTOP, PHONE = 1280, 390

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists() and not os.environ.get("CI"), reason="there is no Chromium"),
]


@dataclass
class Window:
    """A page that is open; `complaints` are the browser's own, `asked` all addresses it asked for."""

    page: Page
    complaints: list[str]
    asked: list[str]

    async def focused(self) -> str:
        """What the keyboard is on: its address or text."""
        found: str = await self.page.evaluate(
            "(document.activeElement.getAttribute('href') || document.activeElement.innerText || '').trim()"
        )
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with open_desk(tmp_path_factory.mktemp("desk"), business="Hill & Leaf Tea") as place:
        await place.ledger.write(a_day)
        yield place


@pytest.fixture
def shared_url(ledgers: Ledgers) -> str:
    """Of a ledger that several processes share."""
    return ledgers.postgres()


@asynccontextmanager
async def window(
    browser: Browser, *, width: int = LAPTOP, scheme: str = "light", scripts: bool = True
) -> AsyncIterator[Window]:
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=scripts,
    )
    page = await context.new_page()
    opened = Window(page, [], [])
    page.on("console", lambda message: opened.complaints.append(message.text))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    await context.close()


async def state_of(place: Place, state: str) -> int:
    """The newest run in this state."""
    found = await place.ledger.read(lambda rows: finding.newest_runs(rows, Wanted(state=RunState(state)), limit=1))
    return found[0].id


async def paths(place: Place) -> list[str]:
    stuck, waiting = await state_of(place, "dead"), await state_of(place, "waiting")
    found = ["/runs", "/runs?q=hill", "/runs?q=nobody", "/deliveries", "/deliveries/1", "/events/1"]
    return ["/", "/flows/order_to_cash", f"/runs/{stuck}", f"/runs/{waiting}", *found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
async def test_every_page_fits_its_screen_and_the_browser_has_no_complaint(
    browser: Browser, place: Place, width: int, scheme: str
) -> None:
    async with window(browser, width=width, scheme=scheme) as opened:
        for path in await paths(place):
            await opened.page.goto(place.url + path)
            for details in await opened.page.locator("summary").all():
                await details.click()

            assert await opened.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert await opened.page.evaluate(_CLIPPED) == [], path
            background = await opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert background == ("rgb(19, 25, 26)" if scheme == "dark" else "rgb(246, 246, 243)")

        assert opened.complaints == []
        assert all(address.startswith(place.url) for address in opened.asked)


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


# Words of a flow's picture that reach beyond their box.
_CLIPPED = """
[...document.querySelectorAll("svg.flow g[transform]")].filter((box) => box.getBoundingClientRect().width).flatMap(
  (box) => [...box.querySelectorAll("text")]
    .filter((text) => text.getBoundingClientRect().right > box.querySelector("rect").getBoundingClientRect().right)
    .map((text) => text.textContent))
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_stands_out_from_its_background(browser: Browser, place: Place, scheme: str) -> None:
    async with window(browser, scheme=scheme) as opened:
        for path in await paths(place):
            await opened.page.goto(place.url + path)
            for details in await opened.page.locator("summary").all():
                await details.click()

            assert await opened.page.evaluate(TOO_FAINT) == [], path


# Every piece of text with a contrast below 4.5 : 1 (WCAG 2.2, 1.4.3), against the nearest background that is set.
TOO_FAINT = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    const box = element.closest("g[transform]")?.querySelector("rect");
    if (box) return parts(getComputedStyle(box).fill);
    for (let at = element; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
  };
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("body"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = light(parts(element instanceof SVGElement ? style.fill : style.color));
    const paper = light(behind(element));
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < 4.5) found.push([element.textContent.trim(), contrast]);
  }
  return found;
})()
"""


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

        await expect(page.locator(".balance .dead dd")).to_have_text("1", timeout=15_000)
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
        assert await page.evaluate(_CLIPPED) == [] == await page.evaluate(TOO_FAINT)
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


async def test_a_hidden_page_asks_nothing(browser: Browser, place: Place) -> None:
    async with window(browser) as opened:
        page = opened.page
        await page.clock.install()
        await page.goto(place.url)
        await page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
        before = opened.asked.count(place.url + "/")
        await page.clock.run_for(60_000)
        assert opened.asked.count(place.url + "/") == before == 1

        await page.evaluate("Object.defineProperty(document, 'hidden', {get: () => false})")
        async with page.expect_request(place.url + "/"):
            await page.clock.run_for(4_000)


async def test_the_page_says_when_bellwire_has_stopped(browser: Browser, tmp_path: Path) -> None:
    async with window(browser) as opened:
        async with open_desk(tmp_path) as place:
            await opened.page.goto(place.url)
            await expect(opened.page.locator("#offline")).to_be_hidden()

        await expect(opened.page.locator("#offline")).to_be_visible(timeout=15_000)


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


async def test_a_customers_order_is_found_by_its_number_on_a_phone_and_where_it_is_can_be_read(
    browser: Browser, place: Place
) -> None:
    stuck = await state_of(place, "dead")
    event = await place.ledger.read(lambda rows: runs.find(rows, stuck))
    assert event is not None
    number = await place.ledger.read(lambda rows: about(events.find(rows, event.event)).title.removeprefix("Order "))  # type: ignore[arg-type]
    async with window(browser, width=PHONE) as opened:
        page = opened.page
        await page.goto(place.url)
        await page.get_by_role("link", name="Runs", exact=True).click()
        await page.get_by_label("Order number, customer or amount").fill(f"#{number}")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("heading", level=1)).to_have_text(f"Order {number}")
        verdict = page.get_by_role("status", name="How it stands")
        await expect(verdict).to_contain_text("It needs you")
        await expect(verdict).to_contain_text("5 of 6 steps are done.")
        await expect(verdict).to_be_in_viewport()
        await expect(page.get_by_role("link", name="Deal with it")).to_be_visible()
        assert opened.complaints == []


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
