"""The first account and the second step, in a real browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect
from pyotp import TOTP

from bellwire.access import setup_code
from bellwire.ledger import asks
from tests.desk.browsing import Window, in_chromium, window
from tests.desk.story import Place, open_desk, settings_in
from tests.desk.visiting import PASSWORD

pytestmark = in_chromium


@pytest_asyncio.fixture(loop_scope="session")
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A desk that is bound beyond loopback, as far as it knows."""
    settings = settings_in(tmp_path)
    async with open_desk(tmp_path, business="Hill & Leaf Tea", host="0.0.0.0", settings=settings) as place:  # noqa: S104
        await place.ledger.write(lambda rows: asks.keep_link_key(rows, "a key"))
        yield place


async def sign_in(opened: Window, place: Place) -> None:
    await opened.page.goto(f"{place.url}/sign-in")
    await opened.page.get_by_label("E-mail address").fill("dana@example.com")
    await opened.page.get_by_label("Password").fill(PASSWORD)
    await opened.page.get_by_role("button", name="Sign in").click()


async def test_an_owner_makes_the_first_account_and_signs_in_with_a_one_time_code(
    browser: Browser, place: Place
) -> None:
    code = await place.ledger.read(setup_code)
    async with window(browser) as opened:
        page = opened.page
        # What a browser on another machine is shown: behind a proxy here, it comes from elsewhere.
        await page.context.set_extra_http_headers({"X-Forwarded-For": "203.0.113.7"})
        await page.goto(place.url)
        await expect(page.get_by_role("heading", name="The owner’s account")).to_be_visible()
        await page.get_by_label("Code").fill(code)
        await page.get_by_label("Your name").fill("Dana")
        await page.get_by_label("E-mail address").fill("dana@example.com")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Make the account").click()
        await expect(page.get_by_text("Welcome, Dana.")).to_be_visible()

        await page.goto(f"{place.url}/settings/me")
        await page.get_by_role("button", name="Set them up").click()
        await expect(page.get_by_role("img", name="QR code")).to_be_visible()
        assert await page.get_by_role("img", name="QR code").evaluate("image => image.naturalWidth") > 100
        phone = TOTP((await page.locator("code.named").inner_text()).replace(" ", ""))
        await page.get_by_label("The code that it shows now").fill(phone.at(place.now))
        await page.get_by_label("Present password").fill(PASSWORD)
        await page.get_by_role("button", name="Switch them on").click()
        await expect(page.locator(".secrets li")).to_have_count(10)
        recovery = await page.locator(".secrets li").first.inner_text()
        await page.get_by_role("link", name="I have kept them").click()
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await expect(page.get_by_text("You are signed out.")).to_be_visible()

        await sign_in(opened, place)
        await expect(page.get_by_role("heading", name="One-time code")).to_be_visible()
        assert await page.evaluate("document.activeElement.id") == "code"
        await page.get_by_label("Code").fill(phone.at(place.now))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("used already")
        await page.get_by_label("Code").fill(recovery)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
        await page.goto(f"{place.url}/settings/me")
        await expect(page.get_by_text("9 recovery codes are left")).to_be_visible()
        assert [line for line in opened.complaints if "403" not in line] == []
