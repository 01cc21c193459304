"""What customers send back: webhooks say that something happened, and the list that they wake says what."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import POLLED, Connection
from bellwire.connectors.shopify.triggers import TRIGGERS
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Condition, Customer, Delivery, Event, Order, Return
from bellwire.money import Money, total
from bellwire.practice import Returns, Sale, SaleLine
from bellwire.practice.shopify import Shopify
from tests.connecting import call
from tests.connectors.shopify.deliveries import normalised, received, shop
from tests.connectors.shopify.test_actions import read
from tests.connectors.shopify.test_polls import LONG_AGO, POLLS
from tests.samples import NOW, usd

Body = dict[str, Any]


def sold(vendor: Shopify, **sale: Any) -> str:
    order_id = vendor.place(Sale("1001", **({"lines": [SaleLine("TEA-100", 3), SaleLine("POT-1L")]} | sale)))
    vendor.pay(order_id, "card-gateway", "pay_7")
    return order_id


def line_ids(vendor: Shopify, order_id: str) -> list[str]:
    return [str(line["id"]) for line in vendor.orders[order_id]["line_items"]]


async def bodies(connection: Connection) -> list[Body]:
    """What the list has, to its last page."""
    found: list[Body] = []
    cursor = ""
    while True:
        page = await POLLS["returns"].page(call(connection), LONG_AGO, cursor)
        found += [orjson.loads(record.body) for record in page.records]
        cursor = page.next_cursor
        if not cursor:
            return found


def told(body: Body) -> list[Event]:
    return list(TRIGGERS.normalise(Delivery("shop", {POLLED: "returns"}, orjson.dumps(body), NOW), shop()).events)


async def listed(connection: Connection) -> dict[str, Event]:
    """By type, of a shop with one return."""
    (body,) = await bodies(connection)
    return {event.type: event for event in told(body)}


def outcome(event: Event) -> list[tuple[str, int, str]]:
    assert isinstance(event.data, Return)
    return [(line.line_id, line.quantity, line.condition.value) for line in event.data.lines]


@pytest.mark.proves("reconcile")
async def test_a_return_is_created_and_once_everything_was_looked_at_received(
    vendor: Shopify, shop: Connection
) -> None:
    order_id = sold(vendor)
    tea, pot = line_ids(vendor, order_id)
    assert await bodies(shop) == []
    return_id = vendor.announce(order_id, {tea: 2, pot: 1})
    vendor.returns[return_id]["return_line_items"][0]["customer_note"] = "Too green"
    (created,) = (await listed(shop)).values()
    assert (created.type, created.subject) == ("return.created", f"return/{return_id}")
    assert created.business_key == f"shop/return/{return_id}/created"
    assert created.time.isoformat() == vendor.returns[return_id]["created_at"]
    assert outcome(created) == [(tea, 2, "unknown"), (pot, 1, "unknown")]
    announced = created.data
    assert (announced.number, announced.order_id, announced.order_number) == ("1001-R1", order_id, "1001")
    assert (announced.status, announced.currency, announced.payment_id) == ("open", "USD", "pay_7")
    assert (announced.fees, announced.refund_shipping, announced.received_at) == (usd("0"), None, None)
    assert announced.customer == Customer(id="7", name="Robin Hill", email="robin@example.com", phone="+15125550123")
    first = announced.lines[0]
    assert (first.sku, first.reason, first.note) == ("TEA-100", "unwanted", "Too green")

    vendor.receive(return_id, Condition.SELLABLE, {tea: 1})
    vendor.receive(return_id, Condition.UNKNOWN)
    assert list(await listed(shop)) == ["return.created"], "it is back, and nobody has looked at it to the end"
    vendor.receive(return_id, Condition.DAMAGED, {tea: 1})
    vendor.receive(return_id, Condition.MISSING)
    back = (await listed(shop))["return.received"]
    assert back.business_key == f"shop/return/{return_id}/received"
    assert outcome(back) == [(tea, 1, "sellable"), (tea, 1, "damaged"), (pot, 1, "missing")]
    dispositions = [each for item in vendor.returns[return_id]["to_look_at"] for each in item["dispositions"]]
    assert back.time == back.data.received_at
    assert back.time.isoformat() == max(each["created_at"] for each in dispositions)
    assert back.data.lines[0].reason == "unwanted"


@pytest.mark.parametrize("included", [False, True], ids=["tax on top", "tax in the price"])
async def test_its_units_are_worth_what_the_shop_itself_would_give_back(
    vendor: Shopify, shop: Connection, included: bool
) -> None:
    sale = {"taxes_included": included, "order_discount": Decimal("5.55")}
    order_id = sold(vendor, **sale)
    units = dict(zip(line_ids(vendor, order_id), (2, 1), strict=True))
    vendor.announce(order_id, units)
    (created,) = (await listed(shop)).values()
    vendor.refund(order_id, units)
    refund = TRIGGERS.normalise(received(vendor.webhook(order_id, "order.refunded")), shop).events[0].data
    lines = created.data.lines
    assert [line.amount for line in lines] == [line.amount for line in refund.lines]
    assert total((line.amount + line.tax for line in lines), "USD") == refund.amount
    assert all(line.tax for line in lines)


async def test_from_a_return_one_gets_at_the_order_and_at_its_payments(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor, gift_card=Decimal("10.00"))
    vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1})
    found = (await listed(shop))["return.created"].data
    assert found.payment_id == "pay_7", "a gift card is none of the processor's"
    vendor.payments[order_id].append(vendor.payments[order_id][1] | {"authorization": "pay_8"})
    assert (await listed(shop))["return.created"].data.payment_id == "", "it was two payments: the order has both"
    order: Order = await read(shop, found.order_id)
    assert [payment.payment_id for payment in order.payments or ()] == ["", "pay_7", "pay_8"]


async def test_what_a_customer_asks_for_counts_from_then_on_and_once(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    return_id = vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1}, asked=True)
    asked = (await listed(shop))["return.created"]
    vendor.approve(return_id)
    agreed = (await listed(shop))["return.created"]
    assert (asked.data.status, agreed.data.status) == ("requested", "open")
    assert (asked.business_key, asked.time) == (agreed.business_key, agreed.time)
    vendor.receive(return_id)
    assert "return.received" in await listed(shop)


@pytest.mark.parametrize("status", ["declined", "canceled"])
async def test_what_was_declined_or_called_off_is_no_return(vendor: Shopify, shop: Connection, status: str) -> None:
    order_id = sold(vendor)
    tea, pot = line_ids(vendor, order_id)
    other = vendor.announce(order_id, {pot: 1})
    vendor.close_return(vendor.announce(order_id, {tea: 1}, asked=True), status)
    found = {body["status"]: told(body) for body in await bodies(shop)}
    assert found[status] == []
    assert [event.subject for event in found["open"]] == [f"return/{other}"]


async def test_one_that_is_closed_is_received_as_far_as_somebody_has_looked(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    tea, pot = line_ids(vendor, order_id)
    return_id = vendor.announce(order_id, {tea: 2, pot: 1})
    vendor.receive(return_id, Condition.SELLABLE, {tea: 1})
    vendor.close_return(return_id)
    back = (await listed(shop))["return.received"]
    assert outcome(back) == [(tea, 1, "sellable"), (tea, 1, "unknown"), (pot, 1, "unknown")]
    nothing_came = vendor.announce(order_id, {tea: 1})
    vendor.close_return(nothing_came)
    events = [event for body in await bodies(shop) if body["id"] == nothing_came for event in told(body)]
    assert [event.type for event in events] == ["return.created"]


async def test_what_the_shop_keeps_is_told(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    return_id = vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1})
    vendor.returns[return_id]["shipping_fee"] = "4.90"
    vendor.returns[return_id]["return_line_items"][0]["restocking_fee"] = "0.85"
    assert (await listed(shop))["return.created"].data.fees == usd("5.75")


async def test_goods_that_no_parcel_of_the_shop_brought_are_told_without_their_worth(
    vendor: Shopify, shop: Connection
) -> None:
    order_id = sold(vendor)
    return_id = vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1})
    vendor.receive(return_id)
    (body,) = await bodies(shop)
    body["return_line_items"][0]["line_item"] = None
    body["looked_at"][0]["line_id"] = ""
    created, back = told(body)
    for event in (created, back):
        (line,) = event.data.lines
        assert (line.line_id, line.quantity, line.reason, line.amount, line.tax) == ("", 1, "unwanted", None, None)
    assert back.data.lines[0].condition is Condition.SELLABLE


async def test_a_return_from_which_everything_was_taken_off_is_none(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    return_id = vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1})
    vendor.returns[return_id]["return_line_items"] = []
    (body,) = await bodies(shop)
    assert told(body) == []


async def test_one_that_is_received_tells_what_had_come_back_before(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    tea, pot = line_ids(vendor, order_id)
    first, second = vendor.announce(order_id, {tea: 2, pot: 1}), vendor.announce(order_id, {tea: 1})
    vendor.receive(first, Condition.DAMAGED, {tea: 2})
    vendor.receive(first, Condition.MISSING)
    early = await bodies(shop)
    vendor.receive(second)
    late = await bodies(shop)
    before = {
        (event.data.id, event.type): [(line.line_id, line.sku, line.quantity) for line in event.data.returned_before]
        for body in late
        for event in told(body)
    }
    assert before == {
        (first, "return.created"): [],
        (first, "return.received"): [],
        (second, "return.created"): [],
        (second, "return.received"): [(tea, "TEA-100", 2)],
    }
    assert early[0] == late[0], "what comes later changes nothing about what was there"


@pytest.mark.proves("reconcile")
async def test_a_webhook_wakes_the_list_that_tells_what_it_is_about(vendor: Shopify, shop: Connection) -> None:
    assert isinstance(vendor, Returns)
    order_id = sold(vendor)
    return_id = vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1}, asked=True)
    sent = [vendor.return_webhook(return_id, "return.created")]
    vendor.approve(return_id)
    sent.append(vendor.return_webhook(return_id, "return.created"))
    vendor.receive(return_id)
    sent.append(vendor.return_webhook(return_id, "return.received"))
    assert [webhook.headers["X-Shopify-Topic"] for webhook in sent] == [
        "returns/request",
        "returns/approve",
        "returns/process",
    ]
    scheme = shop.webhook
    assert scheme is not None
    for webhook in sent:
        scheme.verify(received(webhook), [vendor.credentials["webhook_secret"]], NOW)
        found = TRIGGERS.normalise(received(webhook), shop)
        assert (found.events, found.wake) == ((), ("returns",))
        assert found.reason.endswith(".")
        assert set(POLLS) >= set(found.wake)


@pytest.mark.parametrize("topic", ["returns/close", "reverse_fulfillment_orders/dispose"])
@pytest.mark.parametrize("body", [b'{"id": 1}', b'[{"id": 1}]'], ids=["one", "several"])
def test_other_news_of_a_return_wakes_it_too(topic: str, body: bytes) -> None:
    assert topic in TRIGGERS.topics
    assert normalised(topic, body).wake == ("returns",)


def test_a_list_that_says_something_else_is_kept_for_a_person() -> None:
    with pytest.raises(CannotNormalise, match="returns"):
        told({"looked_at": [], "status": "open", "return_line_items": [{}], "id": 1})


@pytest.mark.proves("paging")
async def test_returns_and_their_lines_are_read_to_the_last_page(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor, lines=[SaleLine("SCOOP-01")] * 70)
    ids = line_ids(vendor, order_id)
    big = vendor.announce(order_id, dict.fromkeys(ids, 1))
    vendor.receive(big)
    small = [vendor.announce(order_id, {ids[0]: 1}) for _ in range(51)]
    found = {body["id"]: body for body in await bodies(shop)}
    assert set(found) == {big, *small}
    created, back = told(found[big])
    assert [line.line_id for line in created.data.lines] == ids
    assert [line.line_id for line in back.data.lines] == ids


@pytest.mark.proves("access")
async def test_without_leave_to_see_returns_it_says_so(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1})
    vendor.scopes = tuple(scope for scope in vendor.scopes if scope != "read_returns")
    with pytest.raises(Refused) as caught:
        await bodies(shop)
    assert caught.value.cause == "access-denied"


async def test_without_leave_to_see_customers_the_rest_is_told(vendor: Shopify, shop: Connection) -> None:
    order_id = sold(vendor)
    vendor.announce(order_id, {line_ids(vendor, order_id)[0]: 1})
    vendor.personal = False
    found = (await listed(shop))["return.created"].data
    assert found.customer is None
    assert found.lines[0].amount == Money.of("8.50", "USD")
