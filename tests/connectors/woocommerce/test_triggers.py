from typing import Any

import orjson
import pytest

from bellwire.errors import CannotNormalise
from bellwire.events import DICTIONARY, Delivery, InventoryLevel, Product, Refund
from bellwire.practice import Sale, SaleLine
from bellwire.practice.woocommerce import WooCommerce
from tests.connectors.woocommerce.deliveries import (
    SECRET,
    arrived,
    delivery,
    line,
    normalise,
    order_body,
    order_in,
    shop,
)
from tests.samples import NOW
from tests.shared import needs_shared, payload


def types(given: Delivery) -> list[str]:
    return [event.type for event in normalise(given).events]


@needs_shared
@pytest.mark.parametrize(
    ("name", "topic", "brought"),
    [
        ("resource_order.json", "order.updated", ["order.updated", "order.paid"]),
        ("resource_order.json", "order.created", ["order.created", "order.paid"]),
        ("resource_order.json", "order.restored", ["order.updated", "order.paid"]),
        ("resource_product.json", "product.created", ["product.updated"]),
        ("resource_product_variation.json", "product.updated", ["product.updated"]),
        ("resource_customer.json", "customer.created", ["customer.updated"]),
        ("deleted.json", "order.deleted", ["order.deleted"]),
        ("deleted.json", "product.deleted", ["product.deleted"]),
        ("deleted.json", "customer.deleted", []),
        ("resource_refund.json", "refund.created", []),
        ("action.json", "action.woocommerce_low_stock", []),
    ],
)
def test_official_examples_become_events_or_say_why_not(name: str, topic: str, brought: list[str]) -> None:
    normalised = normalise(delivery(payload("woocommerce", name), topic))
    assert [event.type for event in normalised.events] == brought
    assert bool(normalised.reason) is not bool(brought)
    assert all(isinstance(event.data, DICTIONARY[event.type].data) for event in normalised.events)


@needs_shared
def test_the_official_order_is_read_to_the_cent() -> None:
    order = order_in(normalise(delivery(payload("woocommerce", "resource_order.json"))))
    assert order.computed_total == order.total
    assert str(order.total) == "29.35 USD"
    assert [line.name for line in order.lines] == ["Woo Single #1", "Ship Your Idea – Color: Black, Size: M Test"]
    assert not order.adjustment


@pytest.mark.parametrize(
    ("changes", "brought"),
    [
        ({}, ["order.updated", "order.paid"]),
        ({"status": "pending", "date_paid_gmt": None}, ["order.updated"]),
        ({"status": "on-hold", "date_paid_gmt": None}, ["order.updated"]),
        ({"status": "processing", "date_paid_gmt": None}, ["order.updated"]),  # cash on delivery
        ({"status": "shipped"}, ["order.updated"]),  # a plugin's own status
        ({"status": "completed"}, ["order.updated", "order.paid", "order.fulfilled"]),
        ({"status": "cancelled"}, ["order.updated", "order.cancelled"]),
        ({"status": "failed", "date_paid_gmt": None}, ["order.updated", "order.payment_failed"]),
        (
            {"refunds": [{"id": 1, "reason": "", "total": "-5.00"}, {"id": 2, "reason": "", "total": "-1.00"}]},
            ["order.updated", "order.paid", "order.refunded", "order.refunded"],
        ),
        ({"status": "checkout-draft"}, []),
    ],
)
def test_what_an_order_shows_decides_which_facts_it_brings(changes: dict[str, Any], brought: list[str]) -> None:
    assert types(delivery(order_body(**changes))) == brought


def test_a_plugins_status_means_paid_where_the_settings_say_so() -> None:
    mine = shop(paid_statuses=["processing", "completed", "packing"])
    packing = delivery(order_body(status="packing"))
    assert [event.type for event in normalise(packing, mine).events] == ["order.updated", "order.paid"]
    unpaid = delivery(order_body(status="packing", date_paid_gmt=None))
    assert [event.type for event in normalise(unpaid, mine).events] == ["order.updated"]


def test_paid_is_one_fact_whatever_delivery_brings_it() -> None:
    first = normalise(delivery(order_body(), "order.created")).events[1]
    later = order_body(status="completed", date_modified_gmt="2026-11-24T11:00:00")
    again = normalise(delivery(later, "order.updated")).events[1]
    assert first.business_key == again.business_key == "shop/order/727/paid"
    assert first.subject == "order/727"
    assert first.time.isoformat() == "2026-11-24T09:05:00+00:00"
    assert first.version is not None
    assert first.version.isoformat() == "2026-11-24T09:10:00+00:00"


def test_who_took_the_money_is_no_other_state_of_an_order() -> None:
    bodies = (order_body(), order_body(transaction_id="pay_7"))
    told = [event for body in bodies for event in normalise(delivery(body)).events]
    first, second = (event for event in told if event.type == "order.updated")
    assert first.data.payments != second.data.payments
    assert first.business_key == second.business_key


def test_two_states_of_one_second_are_two_facts_and_one_state_sent_twice_is_one() -> None:
    def key(**changes: Any) -> str:
        return normalise(delivery(order_body(**changes))).events[0].business_key

    assert key() == key()
    assert key() != key(customer_note="Please ring")


def test_each_refund_is_a_fact_of_its_own_with_a_positive_amount() -> None:
    refunds = [{"id": 81, "reason": "Broken &amp; late", "total": "-5.00"}, {"id": 82, "reason": None, "total": "-1"}]
    events = normalise(delivery(order_body(refunds=refunds))).events[2:]
    assert [event.business_key for event in events] == ["shop/order/727/refund/81", "shop/order/727/refund/82"]
    first = events[0].data
    assert isinstance(first, Refund)
    assert (str(first.amount), first.reason, first.order_number) == ("5.00 USD", "Broken & late", "1001")


def test_a_product_whose_stock_is_counted_brings_its_stock_too() -> None:
    body = {
        "id": 794,
        "name": "Tea &amp; cup",
        "status": "publish",
        "sku": "TEA",
        "date_modified_gmt": "2026-11-24T09:10:00",
        "manage_stock": True,
        "stock_quantity": 4,
        "tags": [{"id": 1, "name": "Low stock", "slug": "low-stock"}],
    }
    product, stock = (event.data for event in normalise(delivery(body, "product.updated")).events)
    assert isinstance(product, Product)
    assert isinstance(stock, InventoryLevel)
    assert (product.name, product.tags, product.variants[0].stock) == ("Tea & cup", ("low-stock",), 4)
    assert (stock.item_id, stock.sku, stock.available) == ("794", "TEA", 4)
    less = normalise(delivery(body | {"stock_quantity": 3}, "product.updated")).events[1]
    assert less.business_key != normalise(delivery(body, "product.updated")).events[1].business_key
    # a variation whose parent counts for it
    assert types(delivery(body | {"manage_stock": "parent"}, "product.updated")) == ["product.updated"]


@pytest.mark.parametrize("topic", ["coupon.created", "subscription.switched", "", "order.eaten"])
def test_an_unknown_topic_is_skipped_with_a_reason(topic: str) -> None:
    assert topic in normalise(delivery(b"[]", topic)).reason


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "isn't JSON"),
        (b"[]", "empty body"),
        (b'{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot view this resource."}', "cannot view"),
        (b'{"id":1}', "Order 1 can't be read"),
        (orjson.dumps(order_body(total="a lot")), "Order 727 can't be read"),
        (orjson.dumps(order_body(line_items=[line(quantity=0.25)])), "0.25 of 'Green tea, 100 g'"),
        (orjson.dumps(order_body(date_modified_gmt=None, date_created_gmt=None)), "has no time"),
    ],
)
def test_what_cant_be_read_says_so_and_is_kept(body: bytes, said: str) -> None:
    with pytest.raises(CannotNormalise, match=said):
        normalise(delivery(body))


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ("https://tea.example/", True),
        ("http://www.TEA.example", True),
        ("", True),
        ("https://staging.tea.example/", False),
        ("https://tea.example/staging/", False),
    ],
)
def test_a_copied_site_is_told_apart_from_the_shop(source: str, ours: bool) -> None:
    connection = shop()
    assert connection.connector.triggers is not None
    said = connection.connector.triggers.belongs(delivery(order_body(), x_wc_webhook_source=source), connection)
    assert (said == "") is ours
    assert ours or source in said


def test_every_event_type_has_a_sample_that_brings_it_and_belongs_here() -> None:
    connection = shop()
    triggers = connection.connector.triggers
    assert triggers is not None
    assert triggers.sample is not None
    for event_type in triggers.event_types:
        headers, body = triggers.sample(event_type, connection)
        sent = Delivery("shop", {name.lower(): value for name, value in headers.items()}, body, NOW)
        assert event_type in types(sent), event_type
        assert triggers.belongs(sent, connection) == ""
        assert triggers.sample(event_type, connection)[1] != body


def test_the_practice_shops_deliveries_are_signed_and_tell_its_life() -> None:
    practice, connection = WooCommerce(), shop()
    assert connection.webhook is not None
    order_id = practice.place(Sale("1001", [SaleLine("TEA-100", 2)]))
    lived: list[str] = []
    placed = practice.webhook(order_id, "order.created")
    practice.pay(order_id)
    paid = practice.webhook(order_id, "order.paid")
    practice.edit(order_id, "Ring twice")
    edited = practice.webhook(order_id, "order.updated")
    refund_id = practice.refund(order_id, "5.00")
    refunded = practice.webhook(order_id, "order.refunded")
    deleted = practice.webhook(order_id, "order.deleted")
    for webhook in (placed, paid, edited, refunded, deleted):
        connection.webhook.verify(arrived(webhook), [SECRET], NOW)
        lived += [event.business_key for event in normalise(arrived(webhook)).events if event.type != "order.updated"]
    assert lived == [
        f"shop/order/{order_id}/{fact}"
        for fact in ("created", "paid", "paid", "paid", f"refund/{refund_id}", "deleted")
    ]
    older, newer = (normalise(arrived(webhook)).events[0].version for webhook in (paid, edited))
    assert older is not None
    assert newer is not None
    assert older < newer
