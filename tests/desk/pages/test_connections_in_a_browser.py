"""A sign-in at the vendor in a real browser."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.desk.browsing import in_chromium, window
from tests.desk.vendors import at_vendors

pytestmark = in_chromium


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
