"""Exceptions in a real browser: by keyboard, on any screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from bellwire.ledger import ExceptionState
from tests.desk.pages.test_exceptions import GROUP, many, states
from tests.desk.story import NOW, open_desk
from tests.desk.test_browser import ARGUMENTS, CHROMIUM, LAPTOP, PHONE, TOO_FAINT, Window, pytestmark, window

__all__ = ["pytestmark"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


async def tab_to(opened: Window, text: str) -> None:
    for _ in range(80):
        await opened.page.keyboard.press("Tab")
        if (await opened.page.evaluate("document.activeElement.innerText || ''")).strip() == text:
            return
    raise AssertionError(f"the keyboard doesn't come to '{text}'")


async def test_fourteen_of_one_cause_are_cleared_at_once_from_today_by_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    async with open_desk(tmp_path, business="Hill & Leaf Tea") as place, window(browser) as opened:
        await place.write(many)
        page = opened.page
        await page.goto(place.url)
        await expect(page.get_by_role("heading", level=2).first).to_have_text("14 things need you")

        await tab_to(opened, "Deal with all 14")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "14 orders wait: Shelf Count has no product TEA-100."
        )
        await tab_to(opened, "Send all 14 again")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("status")).to_have_text("14 are sent again.")
        await expect(page.locator("#causes")).to_contain_text("All is well")
        assert await states(place) == [ExceptionState.RETRIED] * 14
        await page.goto(place.url)
        await expect(page.locator("#exceptions li")).to_have_count(0)
        assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
async def test_every_page_fits_its_screen_and_can_be_read(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    async with (
        open_desk(tmp_path, business="Hill & Leaf Tea") as place,
        window(browser, width=width, scheme=scheme) as opened,
    ):
        await place.write(many)
        number = await place.write(lambda story: story.unreadable(NOW))
        edit, unread = "/exceptions/1/edit", f"/exceptions/{number}"
        for path in ("/exceptions", "/exceptions?state=closed", GROUP, "/exceptions/1", edit, unread):
            await opened.page.goto(place.url + path)
            await opened.page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
            assert await opened.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert await opened.page.evaluate(TOO_FAINT) == [], path
            unlabelled = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter("
            unlabelled += "(it) => !it.labels.length && !it.ariaLabel).map((it) => it.outerHTML)"
            assert await opened.page.evaluate(unlabelled) == [], path
        assert opened.complaints == []
