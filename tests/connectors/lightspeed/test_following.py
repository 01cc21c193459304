"""Keeping up with a store: webhooks that are made and mended, and lists that are read by version."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qsl

import aiohttp
import orjson
import pytest
import pytest_asyncio

from bellwire.connectors.kit import (
    POLLED,
    Connection,
    Page,
    Poll,
    ask_consent,
    redeem_consent,
    repair,
)
from bellwire.connectors.lightspeed.following import POLLS, SUBSCRIBING
from bellwire.connectors.lightspeed.triggers import TRIGGERS, normalise
from bellwire.events import Delivery, Event
from bellwire.practice import Practice
from bellwire.practice.lightspeed import LightspeedSimulator, product_id
from tests.connecting import call, connection
from tests.samples import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRODUCTS, STOCK = POLLS
HOOK = "https://hooks.example.com/hooks/till"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["lightspeed"]) as running:
        running.simulators["lightspeed"].quotas.clear()
        yield running


@pytest.fixture
def simulator(practice: Practice) -> LightspeedSimulator:
    found = practice.simulators["lightspeed"]
    assert isinstance(found, LightspeedSimulator)
    found.webhooks.clear()
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def store(practice: Practice) -> AsyncIterator[Connection]:
    made = connection("lightspeed", practice, name="till")
    yield made
    await made.api.close()


async def pages(store: Connection, poll: Poll, cursor: str = "") -> list[Page]:
    found = [await poll.page(call(store), NOW - timedelta(days=3650), cursor)]
    while found[-1].next_cursor:
        found.append(await poll.page(call(store), NOW, found[-1].next_cursor))
    return found


def events(store: Connection, poll: Poll, found: list[Page]) -> list[Event]:
    deliveries = [Delivery("till", {POLLED: poll.name}, record.body, NOW) for page in found for record in page.records]
    return [event for delivery in deliveries for event in normalise(delivery, store).events]


@pytest.mark.proves("subscriptions")
class TestSubscriptions:
    async def test_what_is_missing_is_made_once(self, store: Connection, simulator: LightspeedSimulator) -> None:
        for _ in range(2):
            await repair(SUBSCRIBING, call(store), HOOK, TRIGGERS.topics)
        made = [(each["type"], each["url"], each["active"]) for each in simulator.webhooks.values()]
        assert sorted(made) == sorted((topic, HOOK, True) for topic in TRIGGERS.topics)

    async def test_what_was_turned_off_is_made_anew_and_other_peoples_left_alone(
        self, store: Connection, simulator: LightspeedSimulator
    ) -> None:
        other = {"active": False, "type": "sale.update", "url": "https://elsewhere.example/"}
        await call(store).api.post("webhooks", other)
        await repair(SUBSCRIBING, call(store), HOOK, TRIGGERS.topics)
        ours = next(each for each in simulator.webhooks.values() if each["url"] == HOOK)
        ours["active"] = False
        await repair(SUBSCRIBING, call(store), HOOK, TRIGGERS.topics)
        made = {(each["url"], each["active"]) for each in simulator.webhooks.values()}
        assert made == {(HOOK, True), ("https://elsewhere.example/", False)}
        assert len(simulator.webhooks) == len(TRIGGERS.topics) + 1


@pytest.mark.proves("reconcile", "paging")
class TestLists:
    async def test_products_are_read_to_the_last_page_and_then_from_there(
        self, store: Connection, simulator: LightspeedSimulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bellwire.connectors.lightspeed.following._SIZE", 4)
        found = await pages(store, PRODUCTS)
        assert len(found) == 3
        assert {event.data.id for event in events(store, PRODUCTS, found)} == set(simulator.products)
        assert events(store, PRODUCTS, await pages(store, PRODUCTS, found[-1].resume)) == []

    async def test_stock_is_read_from_where_it_was_and_has_the_keys_of_its_webhooks(
        self, store: Connection, simulator: LightspeedSimulator
    ) -> None:
        (start,) = await pages(store, STOCK)
        assert start.records == ()
        sent = simulator.stock_webhook("TEA-100")
        told = Delivery("till", {"content-type": "application/x-www-form-urlencoded"}, sent.body, NOW)
        (by_webhook,) = normalise(told, store).events
        (by_list,) = events(store, STOCK, await pages(store, STOCK, start.resume))
        assert by_list.business_key == by_webhook.business_key
        assert (by_list.data.item_id, by_list.data.available) == (product_id("TEA-100"), by_webhook.data.available)

    async def test_more_changes_than_a_page_has_are_all_read(
        self, store: Connection, simulator: LightspeedSimulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bellwire.connectors.lightspeed.following._SIZE", 2)
        (start,) = await pages(store, STOCK)
        skus = ("TEA-100", "TEA-250", "MUG-RED", "MUG-BLUE", "POT-1L")
        for sku in skus:
            simulator.stock_webhook(sku)
        found = events(store, STOCK, await pages(store, STOCK, start.resume))
        assert [event.data.item_id for event in found] == [product_id(sku) for sku in skus]


@pytest.mark.proves("access")
async def test_the_owner_allows_it_in_the_browser(practice: Practice, simulator: LightspeedSimulator) -> None:
    client = {name: simulator.credentials[name] for name in ("client_id", "client_secret")}
    store = connection("lightspeed", practice, name="till", credentials=client)
    asked = ask_consent(store, "http://localhost:8788/oauth/callback")
    assert dict(parse_qsl(asked.url.partition("?")[2]))["scope"].split() == list(store.manifest.scopes)
    async with aiohttp.ClientSession() as browser, browser.get(asked.url, allow_redirects=False) as answer:
        await redeem_consent(store, asked, answer.headers["Location"])
    assert store.credentials.get("refresh_token") in simulator.tokens.refresh
    assert set(store.credentials.get("granted_scopes").split()) == set(store.manifest.scopes)
    assert orjson.loads((await store.api.get("retailer")).body)["data"]["name"]
    await store.api.close()
