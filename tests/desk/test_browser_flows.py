"""The owner's journeys in a real browser: a flow is switched to manual and a to-do worked; a refund is approved."""

from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from bellwire.app import running
from bellwire.ledger import AskState, PilotRow, asks, pilots
from bellwire.practice.driving import until_quiet
from tests.desk.asked import question, to_do
from tests.desk.story import NOW, Place, Story, a_day, open_desk, the_flow
from tests.desk.test_browser import _CLIPPED, LAPTOP, PHONE, TOO_FAINT, browser, pytestmark, window
from tests.running import ordinary, town

__all__ = ["browser", "pytestmark"]

PATHS = [
    "/asks",
    "/asks/1",
    "/asks/2",
    "/flows",
    "/flows/order_to_cash",
    "/flows/order_to_cash/mode",
    "/flows/order_to_cash/mode?to=live",
    "/flows/order_to_cash/versions",
    "/flows/order_to_cash/pilot",
]


async def _fill(place: Place) -> None:
    def tell(story: Story) -> None:
        a_day(story.rows)
        story.number = 3000
        to_do(story, NOW - timedelta(days=9))
        question(story, NOW - timedelta(hours=2), "Refund $61.00 for order 1002 to Ada Meyer?")
        pilots.record(
            story.rows, PilotRow("order_to_cash", the_flow().hash, "practice", False, 9, 10, NOW, "somebody else")
        )

    await place.write(tell)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [LAPTOP, PHONE])
async def test_every_page_fits_its_screen_and_can_be_read(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    async with open_desk(tmp_path, project=tmp_path) as place, window(browser, width=width, scheme=scheme) as opened:
        await _fill(place)
        for path in PATHS:
            await opened.page.goto(place.url + path)
            for details in await opened.page.locator("summary").all():
                await details.click()
            assert await opened.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert await opened.page.evaluate(_CLIPPED) == [], path
            assert await opened.page.evaluate(TOO_FAINT) == [], path
        assert opened.complaints == []


async def test_a_flow_is_switched_to_manual_and_its_to_dos_are_worked(browser: Browser, tmp_path: Path) -> None:
    async with (
        town(tmp_path) as place,
        running(place.settings, place.secrets) as bellwire,
        aiohttp.ClientSession() as session,
        window(browser) as opened,
    ):
        page = opened.page
        await page.goto(f"{bellwire.url}/flows")
        await page.get_by_role("link", name="Order to cash").click()
        await page.get_by_role("link", name="Mode: live").click()
        await page.get_by_role("link", name="Switch it: people do it").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("people do it")
        await page.get_by_label("Why").fill("The books are being moved")
        await page.get_by_role("button", name="Switch it: people do it").click()
        await expect(page.get_by_role("status").first).to_contain_text("Order to cash is switched: people do it.")

        letter = place.paid(ordinary("1001"))
        await session.post(bellwire.hook_url("shop"), data=letter.body, headers=dict(letter.headers))
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        await page.get_by_role("link", name="To-dos").click()
        found = await bellwire.ledger.read(asks.open_ones)
        invoice = next(each for each in found if each.action == "invoice")
        assert place.holdings.books.booked() == []
        await page.locator(f'a[href="/asks/{invoice.id}"]').click()
        await page.get_by_role("button", name="Copy").first.click()
        await expect(page.locator("[data-copy]").first).not_to_have_text("Copy")
        await page.get_by_label("Its number there").fill("1045")
        await page.get_by_label("Customer id").fill("58")
        await page.get_by_role("button", name="It’s done").click()

        await expect(page.locator(".said")).to_have_text("Ticked off. The run goes on.")
        await until_quiet(bellwire.ledger, bellwire.engine, 30)
        after = await bellwire.ledger.read(asks.open_ones)
        receipt = next(each for each in after if each.action == "receipt")
        await expect(page.locator(f'#open a[href="/asks/{receipt.id}"]')).to_be_visible(timeout=20_000)
        await page.locator(f'#open a[href="/asks/{receipt.id}"]').click()
        await expect(page.locator(".values")).to_contain_text("1045")
        assert opened.complaints == []


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_refund_is_approved_on_a_phone(browser: Browser, tmp_path: Path, scripts: bool) -> None:
    async with open_desk(tmp_path) as place, window(browser, width=PHONE, scripts=scripts) as opened:
        await _fill(place)
        page = opened.page
        await page.goto(f"{place.url}/asks?kind=approval")
        await page.get_by_role("link", name="Refund $61.00 for order 1002 to Ada Meyer?").click()
        assert await page.get_by_role("button", name="Copy").count() == (1 if scripts else 0)
        await page.get_by_label("Why").fill("It came back today")
        await page.get_by_role("button", name="Yes, do it").click()

        await expect(page.locator(".said")).to_have_text("Noted: yes. The run goes on.")
        ask = await place.ledger.read(lambda rows: asks.find(rows, 2))
        assert ask is not None
        assert (ask.state, ask.reason, ask.who) == (
            AskState.APPROVED,
            "It came back today",
            "somebody at this machine",
        )
