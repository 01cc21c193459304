"""Connections in a real browser: the first webhook, another secret while webhooks come, and a sign-in at the vendor."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.desk.test_browser import ARGUMENTS, CHROMIUM, LAPTOP, PHONE, TOO_FAINT, window
from tests.desk.vendors import NEW, OLD, at_vendors, send

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists() and not os.environ.get("CI"), reason="there is no Chromium"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


async def test_from_nothing_to_the_first_webhook(browser: Browser, tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, _, _), window(browser) as opened:
        page = opened.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"{place.url}/connections")
        await page.get_by_role("link", name="Signed webhook").click()
        await expect(page.locator("#lamp")).to_contain_text("These credentials are missing: webhook_secret.")
        await page.get_by_role("link", name="Set credentials").click()
        await page.get_by_label("webhook_secret").fill(NEW)
        await page.get_by_role("button", name="Try them, and keep them").click()
        await expect(page.locator("#lamp")).to_contain_text("Never heard of")
        await page.get_by_role("link", name="Get its first webhook").click()

        await page.get_by_role("button", name="Copy").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == f"{place.url}/hooks/site"
        await expect(page.locator("#arrived")).to_contain_text("Waiting for your first webhook")
        assert (await send(place, NEW, 1)).taken

        await expect(page.locator("#arrived")).to_contain_text("It has come", timeout=15_000)
        await expect(page.locator("#arrived")).to_have_class("verdict good")
        assert opened.complaints == []


async def test_another_secret_is_brought_in_and_no_webhook_is_lost(browser: Browser, tmp_path: Path) -> None:
    async with at_vendors(tmp_path, webhook_secret=OLD) as (place, _, _), window(browser) as opened:
        page, numbers = opened.page, iter(range(1, 20))

        async def taken(*secrets: str) -> list[bool]:
            return [(await send(place, secret, next(numbers))).taken for secret in secrets]

        await page.goto(f"{place.url}/connections/site")
        await page.get_by_role("link", name="Replace the webhook secret").click()
        assert await taken(OLD, OLD) == [True, True]
        await page.get_by_label("New secret").fill(NEW)
        await page.get_by_role("button", name="Accept both").click()
        await expect(page.locator("#seen")).to_contain_text(
            "No webhook that is signed with the new secret has come yet."
        )
        assert await taken(OLD, OLD) == [True, True]
        await expect(page.locator("#seen")).to_contain_text("signed with the old secret came", timeout=15_000)
        assert await taken(NEW, OLD, NEW) == [True, True, True]
        await expect(page.locator("#seen")).to_contain_text("signed with the new secret came", timeout=15_000)
        await page.get_by_role("button", name="Drop the old secret").click()
        await expect(page.locator(".said")).to_contain_text("only the new one is accepted from now on")
        assert await taken(NEW, OLD) == [True, False]
        assert OLD not in await page.content() and NEW not in await page.content()
        assert opened.complaints == []


async def test_the_owner_goes_to_the_vendor_and_comes_back_signed_in(browser: Browser, tmp_path: Path) -> None:
    async with at_vendors(tmp_path) as (place, acme, vault), window(browser) as opened:
        vault.store("desk", {"client_id": "app", "client_secret": "s3cret"})
        page = opened.page
        await page.goto(f"{place.url}/connections/desk")
        await page.get_by_role("button", name="Sign in at Acme Desk").click()
        await expect(page.get_by_text(f"{place.url}/connections/callback")).to_be_visible()
        await page.get_by_role("link", name="Go on to Acme Desk").click()
        await expect(page.locator(".said")).to_contain_text("Signed in to Tea & Co, sandbox.")
        assert page.url == f"{place.url}/connections/desk"
        assert acme.asked["state"] and vault.find("desk", "refresh_token") is not None
        assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
async def test_every_page_of_connections_fits_its_screen(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    async with (
        at_vendors(tmp_path, webhook_secret=OLD) as (place, _, vault),
        window(browser, width=width, scheme=scheme) as opened,
    ):
        vault.store("desk", {"client_id": "app", "client_secret": "s3cret", "refresh_token": "g00d"})
        await send(place, OLD, 1)
        page = opened.page
        await page.goto(f"{place.url}/connections/desk")
        await page.get_by_role("button", name="Ask it now").click()
        await page.get_by_role("button", name="Sign in at Acme Desk").click()
        for path in ("", "/desk", "/site", "/desk/credentials", "/desk/first", "/site/rotate", "/desk/sign-in"):
            await page.goto(f"{place.url}/connections{path}")
            for details in await page.locator("summary").all():
                await details.click()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert await page.evaluate(TOO_FAINT) == [], path
            if folder := os.environ.get("SHOTS"):
                name = path.strip("/").replace("/", "-") or "all"
                await page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)
        assert opened.complaints == []
