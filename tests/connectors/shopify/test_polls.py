"""What Shopify lists brings the same facts as its webhooks, under the same keys."""

import dataclasses
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import POLLED, Connection, Listed, Page
from bellwire.connectors.shopify.triggers import TRIGGERS
from bellwire.errors import Transient
from bellwire.events import Delivery, Event
from bellwire.practice import Practice, Sale, SaleLine
from bellwire.practice.shopify import Shopify
from tests.connecting import call, connection
from tests.connectors.shopify.deliveries import received
from tests.samples import NOW

pytestmark = pytest.mark.proves("reconcile")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
POLLS = {poll.name: poll for poll in TRIGGERS.polls}


async def page(shop: Connection, name: str, cursor: str = "", since: datetime = LONG_AGO) -> Page:
    return await POLLS[name].page(call(shop), since, cursor)


async def pages(practice: Practice, name: str, **settings: str) -> AsyncIterator[Page]:
    """To the last, each asked for by a process that has only the cursor."""
    cursor, more = "", True
    while more:
        shop = connection("shopify", practice, name="shop", settings={"shop": "practice"} | settings)
        found = await page(shop, name, cursor)
        await shop.api.close()
        cursor, more = found.next_cursor, bool(found.next_cursor)
        yield found


def events(shop: Connection, name: str, records: Iterable[Listed]) -> list[Event]:
    deliveries = (Delivery("shop", {POLLED: name}, record.body, NOW) for record in records)
    return [event for delivery in deliveries for event in TRIGGERS.normalise(delivery, shop).events]


def from_webhooks(shop: Connection, *webhooks: Any) -> dict[str, Event]:
    found = [event for webhook in webhooks for event in TRIGGERS.normalise(received(webhook), shop).events]
    return {event.business_key: event for event in found}


def sold(vendor: Shopify, number: str = "1001") -> str:
    order_id = vendor.place(Sale(number, [SaleLine("TEA-100", 2), SaleLine("POT-1L")]))
    vendor.pay(order_id)
    return order_id


async def test_an_order_that_is_listed_brings_what_its_webhooks_bring(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    line = str(vendor.orders[order_id]["line_items"][0]["id"])
    vendor.refund(order_id, {line: 1})
    vendor.orders[order_id] |= {"fulfillment_status": "fulfilled", "cancelled_at": "2026-11-24T10:00:00+00:00"}
    types = ("order.created", "order.updated", "order.fulfilled", "order.cancelled", "order.refunded")
    sent = from_webhooks(shop, *(vendor.webhook(order_id, each) for each in types))
    listed = {event.business_key: event for event in events(shop, "orders", (await page(shop, "orders")).records)}
    assert set(listed) == set(sent)
    for key, event in listed.items():
        # What gift cards paid, when and by what it was paid stand in the list alone; a refund's webhook has no number.
        known = {"gift_cards", "paid_at", "payments", "order_number"}
        told, theirs = (each.data.model_dump(exclude=known) for each in (event, sent[key]))
        assert (event.type, event.subject, event.time, told) == (
            sent[key].type,
            sent[key].subject,
            sent[key].time,
            theirs,
        )


async def test_an_order_that_was_paid_is_found_to_be_paid_then(vendor: Shopify, shop: Connection) -> None:
    """Weeks after it was placed, perhaps: an order from before the connection went live, then, is paid after."""
    order_id = sold(vendor)
    vendor.payments[order_id][0]["processed_at"] = "2030-01-31T09:30:00+00:00"
    shop = dataclasses.replace(shop, since=datetime(2030, 1, 1, tzinfo=UTC))
    (paid,) = [
        each for each in events(shop, "orders", (await page(shop, "orders")).records) if each.type == "order.paid"
    ]
    assert paid.business_key in from_webhooks(shop, vendor.webhook(order_id, "order.paid"))
    assert paid.time.isoformat() == "2030-01-31T09:30:00+00:00"


async def test_a_product_that_is_listed_brings_what_its_webhook_brings(vendor: Shopify, shop: Connection) -> None:
    vendor.products["501"]["tags"] = ["tea", "green"]
    sent = from_webhooks(shop, *map(vendor.product_webhook, vendor.products))
    listed = events(shop, "products", (await page(shop, "products")).records)
    assert {event.business_key: event for event in listed} == sent


async def test_stock_that_is_listed_brings_what_its_webhook_brings(vendor: Shopify, shop: Connection) -> None:
    vendor.count(701, 7)
    vendor.count(702, 0, "99")
    sent = from_webhooks(shop, *(vendor.stock_webhook(*known) for known in vendor.levels))
    first = await page(shop, "stock")
    second = await page(shop, "stock", first.next_cursor)
    listed = events(shop, "stock", [*first.records, *second.records])
    assert {event.business_key: event for event in listed} == sent


@pytest.mark.proves("paging")
async def test_a_poll_goes_from_page_to_page_across_restarts(practice: Practice, vendor: Shopify) -> None:
    orders = [sold(vendor, str(number)) for number in range(27)]
    for order_id in orders:
        vendor.orders[order_id]["updated_at"] = "2026-01-01T00:00:00+00:00"
    for order_id in orders[:3]:
        vendor.announce(order_id, {str(vendor.orders[order_id]["line_items"][0]["id"]): 1})
    vendor.products = {
        str(number): vendor.products["501"] | {"id": number, "updated_at": f"2026-01-01T00:{number:02}:00+00:00"}
        for number in range(52)
    }
    for number in range(230):
        vendor.count(1000 + number, number, str(number % 2))
    # Those of which something comes back changed last.
    expected = {"orders": [25, 2], "returns": [1, 2], "products": [25, 25, 2], "stock": [100, 15, 100, 15, 8]}
    for name, sizes in expected.items():
        found = [each async for each in pages(practice, name)]
        assert [len(each.records) for each in found] == sizes
        assert len({record.id for each in found for record in each.records}) == sum(sizes)
    assert len(orders) == 27


@pytest.mark.proves("paging")
async def test_a_product_with_more_variants_than_a_page_has_comes_with_all(vendor: Shopify, shop: Connection) -> None:
    product = vendor.products["501"]
    product["variants"] = [product["variants"][0] | {"id": number, "sku": f"T-{number}"} for number in range(250)]
    sent = from_webhooks(shop, vendor.product_webhook("501"))
    listed = events(shop, "products", (await page(shop, "products")).records)
    assert set(sent) <= {event.business_key for event in listed}


async def test_a_product_that_changes_while_it_is_read_is_read_again_later(vendor: Shopify, shop: Connection) -> None:
    product = vendor.products["501"]
    product["variants"] = [product["variants"][0] | {"id": number, "sku": f"T-{number}"} for number in range(50)]
    send = shop.api.request

    async def meanwhile(*given: Any, **more: Any) -> Any:
        if "MoreVariants" in str(more):
            vendor.count(701, 1)
        return await send(*given, **more)

    shop.api.request = meanwhile  # type: ignore[method-assign]
    with pytest.raises(Transient, match="changed while"):
        await page(shop, "products")


@pytest.mark.parametrize("name", sorted(POLLS))
async def test_a_cursor_that_shopify_forgot_leads_to_the_first_page(
    vendor: Shopify, shop: Connection, name: str
) -> None:
    order_id = sold(vendor)
    vendor.announce(order_id, {str(vendor.orders[order_id]["line_items"][0]["id"]): 1})
    anew = await page(shop, name, "gone?")
    assert anew == await page(shop, name)
    assert anew.records


async def test_only_what_changed_is_listed_and_a_later_state_is_another_record(
    vendor: Shopify, shop: Connection
) -> None:
    old, new = sold(vendor, "1"), sold(vendor, "2")
    vendor.orders[old]["updated_at"] = "2026-01-01T00:00:00+00:00"
    since = datetime.fromisoformat(vendor.orders[new]["updated_at"])
    (before,) = (await page(shop, "orders", since=since)).records
    assert before.id.startswith(f"order/{new}/")
    vendor.orders[new]["note"] = "changed in the same second"
    (after,) = (await page(shop, "orders", since=since)).records
    assert before.id != after.id
    assert (await page(shop, "orders", since=since + timedelta(seconds=1))).records == ()


async def test_a_connection_of_one_location_lists_its_stock_alone(practice: Practice, vendor: Shopify) -> None:
    vendor.count(701, 7, "99")
    (only,) = [each async for each in pages(practice, "stock", location_id="99")]
    assert [orjson.loads(record.body)["available"] for record in only.records] == [7]
    assert [each.records async for each in pages(practice, "stock", location_id="100")] == [()]
