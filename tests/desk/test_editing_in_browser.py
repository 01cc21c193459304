"""The flow editor in a real browser, of a system that is at work."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, expect

from bellwire.app import running
from bellwire.ledger import RunState, figures, pilots
from tests.cli.test_going_live import set_environment
from tests.desk.browsing import in_chromium, window
from tests.running import ordinary, town, until

pytestmark = in_chromium


async def test_a_flow_is_made_from_nothing_seen_for_a_real_order_published_piloted_and_goes_live(
    browser: Browser, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(town(tmp_path))
        set_environment(place.folder, "sandbox", "production")
        bellwire = await stack.enter_async_context(running(place.settings, place.secrets))
        session = await stack.enter_async_context(aiohttp.ClientSession(bellwire.url))
        opened = await stack.enter_async_context(window(browser))

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

        await page.get_by_text("Stop waiting when …").click()
        await page.get_by_label("Stop waiting when").select_option("shop.order.cancelled")
        await page.get_by_label("It has to have the same", exact=True).select_option("number")
        await expect(page.locator('[data-value="ends_on.0.same"]')).to_have_text("For this one: 1001")
        await page.locator("#second").get_by_text("If it fails, try again").click()
        await page.locator('[name="second.retry.attempts"]').fill("3")
        await page.locator('[name="second.retry.first"]').fill("30s")
        tried = page.locator('[data-value="second.retry"]')
        await expect(tried).to_have_text("Tried 3 times, the last at most 1 min 30 s after the first.")
        await page.get_by_role("button", name="Move up second").click()
        await expect(page.locator("section.action").first).to_have_id("second")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator("section.action").first).to_have_id("office")

        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Word to the office")
        await expect(page.locator(".said")).to_contain_text("it holds for the next event")
        written = (place.folder / "flows" / "word_to_the_office.yaml").read_text()
        assert "ends_on: [{event: shop.order.cancelled, same: number}]\n" in written
        assert "retry: {attempts: 3, first: 30s}\n" in written

        async def ended(state: RunState) -> bool:
            newest = await bellwire.ledger.read(
                lambda rows: figures.newest_of_flow(rows, "word_to_the_office", limit=5)
            )
            return any(run.state is state for run in newest)

        await pay("1002")
        await until(lambda: ended(RunState.DONE))
        assert place.holdings.chat.messages() == [], "until it is live, what it would do is only noted"

        await page.get_by_role("link", name="Pilot", exact=True).click()
        await page.get_by_role("button", name="Try it on 10 made-up records").click()
        await expect(page.get_by_role("heading", name="Ready: 10 of 10 as expected")).to_be_visible(timeout=120_000)
        (pilot,) = await bellwire.ledger.read(lambda rows: pilots.of_flow(rows, "word_to_the_office", limit=5))
        assert pilot.ready
        await page.get_by_role("link", name="Go live …").click()
        await expect(page.get_by_text("It passed")).to_be_visible()
        await page.get_by_role("button", name="Switch it: live").click()
        await expect(page.locator(".said")).to_contain_text("is switched")

        await pay("1003")

        async def told() -> bool:
            return len(place.holdings.chat.messages()) == 2

        await until(told)
        assert "1003" in place.holdings.chat.messages()[0].text
        assert opened.complaints == []
        assert all(address.startswith(bellwire.url) for address in opened.asked)
