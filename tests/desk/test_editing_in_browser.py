"""The flow editor in a real browser, of a system that is at work."""

from pathlib import Path

import aiohttp
from playwright.async_api import Browser, expect

from bellwire.app import running
from bellwire.ledger import RunState, figures
from tests.desk.browsing import in_chromium, window
from tests.running import ordinary, town, until

pytestmark = in_chromium


async def test_a_flow_is_made_from_nothing_seen_for_a_real_order_published_and_carried_out(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        town(tmp_path) as place,
        running(place.settings, place.secrets) as bellwire,
        aiohttp.ClientSession(bellwire.url) as session,
        window(browser) as opened,
    ):

        async def pay(number: str) -> None:
            webhook = place.paid(ordinary(number))
            async with session.post("/hooks/shop", data=webhook.body, headers=webhook.headers) as answer:
                assert answer.status == 200

        await pay("1001")
        page = opened.page
        await page.goto(bellwire.url + "/flows/new")
        await page.get_by_label("What it is called").fill("Word to the office")
        await page.get_by_label("It begins when").select_option("shop.order.paid")
        await page.get_by_label("Then it does first").select_option("chat.post_message")
        await page.get_by_label("A short name for that").fill("office")
        await page.get_by_role("button", name="Go on").click()

        await page.locator('[name="office.with.channel"]').select_option("own")
        await page.locator('[name="office.with.channel.own"]').fill("packing")
        await page.locator('[name="office.with.text"]').select_option(value="{{ event.number }}")
        await expect(page.locator('[data-value="office.with.text"]')).to_have_text("1001")
        await page.locator('[name="new.do"]').select_option("chat.post_message")
        await page.locator('[name="new.name"]').fill("second")
        await page.get_by_role("button", name="Add", exact=True).click()

        await page.locator('[name="second.with.channel"]').select_option("own")
        await page.locator('[name="second.with.channel.own"]').fill("packing")
        await page.locator('[name="second.with.text"]').select_option("own")
        text = page.locator('[name="second.with.text.own"]')
        await text.press_sequentially("{{ event.nummer }}")
        await expect(page.locator('[data-findings="second.with.text"]')).to_contain_text("no field 'nummer'")
        await text.fill("Message {{ office.id }} is about ")
        await page.locator("#second").get_by_label("Put a field into the text").last.select_option("{{ event.number }}")
        await expect(page.locator('[data-value="second.with.text"]')).to_have_text("Message ‹office.id› is about 1001")
        await expect(page.locator("#kept")).to_have_text("Kept as a draft.")

        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Word to the office")
        await expect(page.locator(".said")).to_contain_text("it holds for the next event")
        await page.goto(bellwire.url + "/")
        await expect(page.get_by_text("Word to the office").first).to_be_visible()

        await pay("1002")

        async def done() -> bool:
            newest = await bellwire.ledger.read(
                lambda rows: figures.newest_of_flow(rows, "word_to_the_office", limit=5)
            )
            return any(run.state is RunState.DONE for run in newest)

        await until(done)
        assert opened.complaints == []
        assert all(address.startswith(bellwire.url) for address in opened.asked)
