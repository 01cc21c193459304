"""The owner's journeys in a real browser, of systems that are at work: every webhook comes over HTTP, the engine does
the rest, and what counts in the end is what the vendors hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from bellwire.app import Bellwire, running
from bellwire.clock import system_clock
from bellwire.events import Delivery
from bellwire.ledger import asks
from bellwire.practice import Sale, SaleLine, Webhook
from bellwire.practice.driving import Answer, post, until_quiet
from bellwire.practice.stories.order_to_cash import UNKNOWN_SKU, Chapter
from tests.desk.browsing import LAPTOP, PHONE, Window, in_chromium, window
from tests.desk.visiting import PASSWORD, give_account
from tests.flows.returning import business
from tests.running import Town, ordinary, town
from tests.samples import usd

pytestmark = in_chromium

SECRET = "BELLWIRE_SHOP_WEBHOOK_SECRET"


@dataclass
class AtWork:
    """A shop and all that its orders set going, and the owner in front of the desk."""

    town: Town
    bellwire: Bellwire
    session: aiohttp.ClientSession
    window: Window

    @property
    def page(self) -> Page:
        return self.window.page

    @property
    def complaints(self) -> list[str]:
        """The browser's own; it also has a hint about a form with several secrets."""
        return [each for each in self.window.complaints if not each.startswith("[DOM] Multiple forms")]

    async def go_to(self, part: str) -> None:
        await self.page.get_by_role("navigation", name="Pages").get_by_role("link", name=part).click()

    async def sell(self, *chapters: Chapter) -> None:
        """Each is paid, and told to Bellwire; until nothing goes on any more."""
        for chapter in chapters:
            assert (await self.send(self.town.paid(chapter))).taken
        await self.quiet()

    async def send(self, webhook: Webhook, secret: str = "") -> Answer:
        """As the shop signed it, or as it would sign it with another secret."""
        url, now, headers = self.bellwire.hook_url("shop"), system_clock(), webhook.headers
        if secret:
            scheme = self.bellwire.project.connections["shop"].webhook
            assert scheme is not None
            headers = {name.lower(): value for name, value in headers.items()}
            delivery_id = scheme.delivery_id(Delivery("shop", headers, webhook.body, now, url))
            signature = scheme.sign(webhook.body, secret, delivery_id=delivery_id, now=now, url=url)
            headers |= {name.lower(): value for name, value in signature.items()}
        return await post(self.session, url, headers, webhook.body)

    async def quiet(self) -> None:
        await until_quiet(self.bellwire.ledger, self.bellwire.engine, 30)

    def all_is_had_once(self) -> bool:
        """Each effect of each order: at every vendor, and to the cent."""
        return all(verdict.held for verdict in self.town.verdicts())


@asynccontextmanager
async def at_work(browser: Browser, folder: Path, *, width: int = LAPTOP, without: str = "") -> AsyncIterator[AtWork]:
    """`without` one of its credentials."""
    async with (
        town(folder) as place,
        running(place.settings, {name: each for name, each in place.secrets.items() if name != without}) as bellwire,
        aiohttp.ClientSession() as session,
        window(browser, width=width) as opened,
    ):
        yield AtWork(place, bellwire, session, opened)


async def test_from_the_first_start_to_the_first_webhook(browser: Browser, tmp_path: Path) -> None:
    async with at_work(browser, tmp_path, without=SECRET) as shop:
        page = shop.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(shop.bellwire.url)
        await expect(page.locator("#latest")).to_contain_text("The first order will show up here by itself.")
        await shop.go_to("Settings")
        await page.get_by_role("link", name="People").click()
        await page.get_by_role("link", name="Make the owner’s account").click()
        await page.get_by_label("Your name").fill("Dana")
        await page.get_by_label("E-mail address").fill("dana@example.com")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Make the account").click()
        await expect(page.get_by_text("Welcome, Dana.")).to_be_visible()

        await shop.go_to("Connections")
        await page.locator('a[href="/connections/shop"]').click()
        await expect(page.locator("#lamp")).to_contain_text("These credentials are missing: webhook_secret.")
        await page.get_by_role("link", name="Set credentials").click()
        await page.get_by_label("webhook_secret").fill(shop.town.secrets[SECRET])
        await page.get_by_role("button", name="Try them, and keep them").click()
        await expect(page.locator("#lamp")).to_contain_text("Never heard of")
        await page.get_by_role("link", name="Get its first webhook").click()
        await page.get_by_role("button", name="Copy").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == shop.bellwire.hook_url("shop")
        await expect(page.locator("#arrived")).to_contain_text("Waiting for your first webhook")

        await shop.sell(ordinary("1001"))
        await expect(page.locator("#arrived")).to_contain_text("It has come")
        await expect(page.locator("#arrived")).to_have_class("verdict good")
        await shop.go_to("Today")
        await page.locator("#latest").get_by_role("link", name="Order 1001").click()
        await expect(page.get_by_role("status", name="How it stands")).to_contain_text("Done in")
        assert shop.all_is_had_once()
        assert shop.complaints == []


async def test_a_customers_order_is_found_by_its_number_on_a_phone_and_where_it_is_can_be_said(
    browser: Browser, tmp_path: Path
) -> None:
    async with at_work(browser, tmp_path, width=PHONE) as shop:
        await shop.sell(ordinary("1001"), ordinary("1002"), Chapter(Sale("1003", [SaleLine(UNKNOWN_SKU)]), ""))
        page, verdict = shop.page, shop.page.get_by_role("status", name="How it stands")

        async def find(text: str) -> None:
            await shop.go_to("Runs")
            await page.get_by_label("Order number, customer or amount").fill(text)
            await page.keyboard.press("Enter")

        await page.goto(shop.bellwire.url)
        await find("#1002")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Order 1002")
        await expect(verdict).to_contain_text("Done in")
        await expect(verdict).to_be_in_viewport()
        (label,) = [each for each in shop.town.holdings.carrier.labels() if each.reference == "1002"]
        await expect(page.locator("#timeline")).to_contain_text(label.text)

        await find("1003")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Order 1003")
        await expect(verdict).to_contain_text("It needs you")
        await expect(verdict).to_be_in_viewport()
        await expect(page.locator("#exceptions")).to_contain_text(UNKNOWN_SKU)
        await expect(page.get_by_role("link", name="Deal with it")).to_be_visible()
        assert shop.complaints == []


async def test_fourteen_exceptions_are_cleared_at_once_from_today_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    async with at_work(browser, tmp_path) as shop:
        page, books = shop.page, shop.town.holdings.books
        await shop.sell(*(Chapter(Sale(str(1001 + each), [SaleLine(UNKNOWN_SKU)]), "") for each in range(14)))
        assert books.booked() == [], "they don't know what was sold"
        await page.goto(shop.bellwire.url)
        await expect(page.get_by_role("heading", level=2).first).to_have_text("14 things need you")

        await shop.window.tab_to("Deal with all 14")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("14 orders wait:")
        while not await page.evaluate("document.activeElement.id === 'theirs'"):
            await page.keyboard.press("Tab")
        await page.keyboard.type(books.item_for(UNKNOWN_SKU) or "")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("status")).to_have_text("14 are sent again.")
        await expect(page.locator("#causes")).to_contain_text("All is well")
        await shop.quiet()
        assert shop.all_is_had_once()
        await page.goto(shop.bellwire.url)
        await expect(page.locator("#exceptions li")).to_have_count(0)
        await expect(page.locator(".balance .done dd")).to_have_text("14")
        assert shop.complaints == []


async def test_a_flow_is_switched_to_manual_and_its_to_dos_are_worked(browser: Browser, tmp_path: Path) -> None:
    async with at_work(browser, tmp_path) as shop:
        page, ledger = shop.page, shop.bellwire.ledger
        await page.goto(f"{shop.bellwire.url}/flows")
        await page.get_by_role("link", name="Order to cash").click()
        await page.get_by_role("link", name="Mode: live").click()
        await page.get_by_role("link", name="Switch it: people do it").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("people do it")
        await page.get_by_label("Why").fill("The books are being moved")
        await page.get_by_role("button", name="Switch it: people do it").click()
        await expect(page.get_by_role("status").first).to_contain_text("Order to cash is switched: people do it.")

        await shop.sell(ordinary("1001"))
        await shop.go_to("To-dos")
        invoice = next(each for each in await ledger.read(asks.open_ones) if each.action == "invoice")
        await page.locator(f'a[href="/asks/{invoice.id}"]').click()
        await page.get_by_role("button", name="Copy").first.click()
        await expect(page.locator("[data-copy]").first).not_to_have_text("Copy")
        await page.get_by_label("Its number there").fill("1045")
        await page.get_by_label("Customer id").fill("58")
        await page.get_by_role("button", name="It’s done").click()

        await expect(page.locator(".said")).to_have_text("Ticked off. The run goes on.")
        await shop.quiet()
        receipt = next(each for each in await ledger.read(asks.open_ones) if each.action == "receipt")
        await expect(page.locator(f'#open a[href="/asks/{receipt.id}"]')).to_be_visible()
        await page.locator(f'#open a[href="/asks/{receipt.id}"]').click()
        await expect(page.locator(".values")).to_contain_text("1045")
        holdings = shop.town.holdings
        assert holdings.books.booked() == [] == holdings.carrier.labels() == holdings.chat.messages()
        assert shop.complaints == []


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_refund_is_approved_on_a_phone_and_given_once(browser: Browser, tmp_path: Path, scripts: bool) -> None:
    async with business(tmp_path) as shop, window(browser, width=PHONE, scripts=scripts) as opened:
        await give_account(shop.bellwire.ledger, "Dana")
        await shop.sell(3)
        await shop.send_back(3)
        await shop.question()
        assert (shop.refunds, shop.credits) == ([], [])

        page = opened.page
        await page.goto(f"{shop.bellwire.url}/asks")
        await page.get_by_label("E-mail address").fill("dana@example.com")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="Give $135.58 back to Robin Hill for return 1001-R1 of order 1001?").click()
        why = page.get_by_role("heading", level=1)
        await expect(why).to_contain_text("Of $135.58 that were paid, $0.00 were given back before.")
        await expect(page.locator(".values")).to_contain_text("135.58 USD")
        assert await page.get_by_role("button", name="Copy").count() == (4 if scripts else 0)
        await page.get_by_label("Why").fill("It came back today")
        await page.get_by_role("button", name="Yes, do it").click()

        await expect(page.locator(".said")).to_have_text("Noted: yes. The run goes on.")
        await shop.ended()
        assert shop.refunds == [(shop.payment_id, usd("135.58"))]
        assert shop.credits == [("1001-R1", "1001", usd("135.58"), True)]
        await page.reload()
        await page.locator("#closed").get_by_role("link", name="Give $135.58 back").click()
        await expect(page.get_by_role("status", name="How it stands")).to_contain_text("Dana said yes")
        await expect(page.get_by_role("status", name="How it stands")).to_contain_text("It came back today")
        assert opened.complaints == []


async def test_a_secret_is_rotated_and_no_webhook_is_lost(browser: Browser, tmp_path: Path) -> None:
    async with at_work(browser, tmp_path, without=SECRET) as shop:
        page, old, new = shop.page, shop.town.secrets[SECRET], "n3w-s3cret"
        await page.goto(f"{shop.bellwire.url}/connections/shop/credentials")
        await page.get_by_label("webhook_secret").fill(old)
        await page.get_by_role("button", name="Try them, and keep them").click()
        webhooks = [shop.town.paid(ordinary(str(1001 + each))) for each in range(6)]

        async def taken(*secrets: str) -> list[bool]:
            return [(await shop.send(webhooks[0], secret)).taken and bool(webhooks.pop(0)) for secret in secrets]

        await page.get_by_role("link", name="Replace the webhook secret").click()
        assert await taken(old) == [True]
        await page.get_by_label("New secret").fill(new)
        await page.get_by_role("button", name="Accept both").click()
        await expect(page.locator("#seen")).to_contain_text(
            "No webhook that is signed with the new secret has come yet."
        )
        assert await taken(old) == [True]
        await expect(page.locator("#seen")).to_contain_text("signed with the old secret came")
        assert await taken(new, old, new) == [True, True, True]
        await expect(page.locator("#seen")).to_contain_text("signed with the new secret came")
        await page.get_by_role("button", name="Drop the old secret").click()
        await expect(page.locator(".said")).to_contain_text("only the new one is accepted from now on")
        assert await taken(old, new) == [False, True]
        assert old not in await page.content() and new not in await page.content()

        await shop.quiet()
        assert webhooks == [] and shop.all_is_had_once()
        assert shop.complaints == []
