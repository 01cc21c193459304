"""What the shop lists brings the same facts as its webhooks, under the same keys."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from bellwire.connectors.kit import POLLED, Listed, Page
from bellwire.connectors.woocommerce.triggers import TRIGGERS
from bellwire.events import Delivery, Event
from bellwire.practice import Webhook
from tests.connecting import call, connection
from tests.connectors.woocommerce.conftest import Shop
from tests.connectors.woocommerce.deliveries import arrived
from tests.connectors.woocommerce.deliveries import shop as nowhere
from tests.samples import NOW

pytestmark = pytest.mark.proves("reconcile")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
POLLS = {poll.name: poll for poll in TRIGGERS.polls}


async def page(shop: Shop, name: str, cursor: str = "", since: datetime = LONG_AGO) -> Page:
    return await POLLS[name].page(call(shop.connection), since, cursor)


async def pages(shop: Shop, name: str) -> AsyncIterator[Page]:
    """To the last, each asked for by a process that has only the cursor."""
    cursor, more = "", True
    while more:
        anew = connection("woocommerce", shop.practice, name="shop")
        found = await POLLS[name].page(call(anew), LONG_AGO, cursor)
        await anew.api.close()
        cursor, more = found.next_cursor, bool(found.next_cursor)
        yield found


def facts(deliveries: Iterable[Delivery]) -> dict[str, Event]:
    found = (event for delivery in deliveries for event in TRIGGERS.normalise(delivery, nowhere()).events)
    return {event.business_key: event for event in found}


def listed(name: str, records: Iterable[Listed]) -> dict[str, Event]:
    return facts(Delivery("shop", {POLLED: name}, record.body, NOW) for record in records)


def sent(webhooks: Iterable[Webhook]) -> dict[str, Event]:
    return facts(map(arrived, webhooks))


async def test_an_order_that_is_listed_brings_what_its_webhooks_bring(shop: Shop) -> None:
    order_id, webhooks = shop.sale(), []
    shop.simulator.pay(order_id)
    shop.simulator.set_status(order_id, "completed")
    shop.simulator.refund(order_id, "5.00", "cracked")
    webhooks = [shop.simulator.webhook(order_id, f"order.{what}") for what in ("created", "updated")]
    found, told = listed("orders", (await page(shop, "orders")).records), sent(webhooks)
    assert {event.type for event in found.values()} == {
        "order.created",
        "order.paid",
        "order.updated",
        "order.fulfilled",
        "order.refunded",
    }
    assert found == told


async def test_a_refund_is_of_when_it_was_made_however_late_the_order_is_read(shop: Shop) -> None:
    order_id = shop.sale()
    shop.simulator.refund(order_id, "5.00")
    before = sent([shop.simulator.webhook(order_id, "order.updated")])
    shop.simulator.edit(order_id, "later")
    (refunded,) = (
        event
        for event in listed("orders", (await page(shop, "orders")).records).values()
        if event.type == "order.refunded"
    )
    assert refunded == before[refunded.business_key].model_copy(update={"version": refunded.version})


async def test_an_order_that_nobody_changed_since_it_was_placed_was_not_updated(shop: Shop) -> None:
    shop.sale()
    assert [event.type for event in listed("orders", (await page(shop, "orders")).records).values()] == [
        "order.created"
    ]


async def test_products_and_variations_that_are_listed_bring_what_their_webhooks_bring(shop: Shop) -> None:
    products = shop.simulator.products
    found = listed("products", (await page(shop, "products")).records)
    assert found == sent(shop.simulator.deliver("product.updated", product) for product in products.values())
    assert any(product["type"] == "variation" for product in products.values())
    assert {event.type for event in found.values()} == {"product.updated", "inventory.updated"}


async def test_only_what_changed_is_listed_and_a_later_state_is_another_record(shop: Shop) -> None:
    (mug,) = (product for product in shop.simulator.products.values() if product["type"] == "variable")
    for product in shop.simulator.products.values():
        product["date_modified_gmt"] = "2026-01-01T00:00:00"
    shop.simulator.edit_product(mug["id"], name="Cup")
    changed = shop.simulator.edit_product(mug["variations"][0], stock_quantity=3)
    since = datetime(2026, 1, 2, tzinfo=UTC)
    records = (await page(shop, "products", since=since)).records
    assert [record.id.split("/")[1] for record in records] == [str(mug["id"]), str(changed["id"])]
    changed["stock_quantity"] = 2
    again = (await page(shop, "products", since=since)).records
    assert (again[0].id == records[0].id, again[1].id == records[1].id) == (True, False)


@pytest.mark.proves("paging")
async def test_a_poll_goes_from_page_to_page_across_restarts(shop: Shop) -> None:
    for number in range(230):
        shop.sale(str(number))
    (mug,) = (product for product in shop.simulator.products.values() if product["type"] == "variable")
    template: dict[str, Any] = dict(next(iter(shop.simulator.products.values())))
    for number in range(5000, 5000 + 120):
        shop.simulator.products[number] = template | {"id": number, "type": "variation"}
        mug["variations"].append(number)
    found = [each async for each in pages(shop, "orders")]
    assert [len(each.records) for each in found] == [100, 100, 30]
    assert len({record.id for each in found for record in each.records}) == 230
    every = [record.id async for each in pages(shop, "products") for record in each.records]
    assert len(every) == len(set(every)) == len(shop.simulator.products)


async def test_a_page_that_is_no_more_is_empty(shop: Shop) -> None:
    """Orders became fewer while the list was read; the next poll begins at its first page."""
    shop.sale()
    assert await page(shop, "orders", "7") == Page(())
    assert len((await page(shop, "orders")).records) == 1
