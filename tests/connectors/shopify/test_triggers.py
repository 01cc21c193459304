import copy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import BadSignature
from bellwire.connectors.shopify.manifest import MANIFEST, ShopifySettings
from bellwire.connectors.shopify.triggers import TRIGGERS
from bellwire.errors import CannotNormalise, NotFound
from bellwire.events import DICTIONARY, Delivery, Environment, InventoryLevel, Product, Refund
from bellwire.practice import Sale, SaleLine
from bellwire.practice.shopify import Shopify
from tests.connecting import connection
from tests.connectors.shopify.deliveries import delivery, normalised, only, received, shop
from tests.samples import NOW
from tests.shared import needs_shared, payload

TEA = Sale("1001", [SaleLine("TEA-100", 2)])


def paid_order() -> tuple[Shopify, str]:
    simulator = Shopify()
    order_id = simulator.place(TEA)
    simulator.pay(order_id)
    return simulator, order_id


@needs_shared
@pytest.mark.parametrize(
    ("topic", "file", "event_type", "key"),
    [
        ("orders/create", "order", "order.created", "shop/order/450789469/created"),
        ("orders/paid", "order", "order.paid", "shop/order/450789469/paid"),
        ("orders/cancelled", "order", "order.cancelled", "shop/order/450789469/cancelled"),
        ("orders/fulfilled", "order", "order.fulfilled", "shop/order/450789469/fulfilled"),
        ("orders/updated", "order", "order.updated", "shop/order/450789469/updated/2008-01-10T16:00:00+00:00"),
        ("refunds/create", "refund", "order.refunded", "shop/refund/509562969"),
        ("products/create", "product", "product.updated", "shop/product/632910392/updated/"),
        ("products/update", "product", "product.updated", "shop/product/632910392/updated/"),
        ("products/delete", "product", "product.deleted", "shop/product/632910392/deleted"),
        (
            "inventory_levels/update",
            "inventory_level",
            "inventory.updated",
            "shop/inventory/49148385/655441491/updated/2025-04-02T16:29:59+00:00",
        ),
        (
            "customers/update",
            "customer",
            "customer.updated",
            "shop/customer/1073339462/updated/2025-04-02T16:27:00+00:00",
        ),
    ],
)
def test_an_official_example_becomes_the_event_of_its_topic(topic: str, file: str, event_type: str, key: str) -> None:
    event = only(normalised(topic, payload("shopify", f"resource_{file}.json")))
    assert (event.type, event.connection, event.environment) == (event_type, "shop", Environment.SANDBOX)
    assert event.business_key.startswith(key)
    assert isinstance(event.data, DICTIONARY[event_type].data)
    assert event.time.tzinfo is UTC


@needs_shared
@pytest.mark.parametrize(
    ("topic", "file"),
    [
        ("order_transactions/create", "transaction"),
        ("fulfillments/create", "fulfillment"),
        ("fulfillment_orders/order_routing_complete", "fulfillment_order"),
        ("inventory_items/update", "inventory_item"),
        ("carts/update", "order"),
    ],
)
def test_what_nobody_needs_is_skipped_with_a_reason(topic: str, file: str) -> None:
    found = normalised(topic, payload("shopify", f"resource_{file}.json"))
    assert found.events == ()
    assert found.reason.endswith(".")


@needs_shared
def test_a_failed_payment_says_so_in_its_reason() -> None:
    body = orjson.loads(payload("shopify", "resource_transaction.json")) | {"kind": "sale", "status": "failure"}
    assert "A payment failed" in normalised("order_transactions/create", body).reason


@needs_shared
def test_the_official_refund_example() -> None:
    found = only(normalised("refunds/create", payload("shopify", "resource_refund.json")))
    refund = found.data
    assert isinstance(refund, Refund)
    assert (str(refund.amount), refund.reason, found.subject) == (
        "209.00 USD",
        "it broke during shipping",
        "order/450789469",
    )
    assert [(line.line_id, line.quantity, str(line.amount), line.restock) for line in refund.lines] == [
        ("703073504", 1, "195.66 USD", True),
        ("466157049", 1, "195.67 USD", True),
    ]


@needs_shared
def test_the_official_product_and_stock_examples() -> None:
    product = only(normalised("products/update", payload("shopify", "resource_product.json"))).data
    assert isinstance(product, Product)
    assert product.tags == ("Emotive", "Flash Memory", "MP3", "Music")
    assert product.variants[0].sku == "IPOD2008PINK"
    assert product.variants[0].stock == 10
    assert product.variants[0].item_id == "808950810"
    level = only(normalised("inventory_levels/update", payload("shopify", "resource_inventory_level.json"))).data
    assert level == InventoryLevel(
        item_id="49148385",
        location_id="655441491",
        available=2,
        updated_at=datetime(2025, 4, 2, 16, 29, 59, tzinfo=UTC),
    )


def test_an_update_of_a_paid_order_says_paid_under_the_same_key() -> None:
    simulator, order_id = paid_order()
    paid = only(TRIGGERS.normalise(received(simulator.webhook(order_id, "order.paid")), shop()))
    simulator.edit(order_id, "Ring twice")
    found = TRIGGERS.normalise(received(simulator.webhook(order_id, "order.updated")), shop())
    again, updated = found.events
    assert (again.type, updated.type) == ("order.paid", "order.updated")
    assert (again.business_key, again.subject) == (paid.business_key, paid.subject)
    assert again.data.note == "Ring twice"
    assert updated.version is not None
    assert paid.version is not None
    assert updated.version > paid.version


def test_an_update_of_an_unpaid_order_says_nothing_of_payment() -> None:
    simulator = Shopify()
    order_id = simulator.place(TEA)
    event = only(TRIGGERS.normalise(received(simulator.webhook(order_id, "order.updated")), shop()))
    assert event.type == "order.updated"


def test_two_states_of_an_order_have_two_keys_and_the_same_state_one() -> None:
    simulator, order_id = paid_order()
    keys: list[str] = []
    for note in ("a", "a", "b"):
        if not keys or note != "a":
            simulator.edit(order_id, note)
        found = TRIGGERS.normalise(received(simulator.webhook(order_id, "order.updated")), shop())
        keys.append(found.events[-1].business_key)
    assert keys[0] == keys[1] != keys[2]


@needs_shared
def test_two_changes_in_one_second_are_two_states() -> None:
    level = orjson.loads(payload("shopify", "resource_inventory_level.json"))
    levels = [normalised("inventory_levels/update", level | {"available": left}) for left in (2, 1, 1)]
    first, second, again = (only(found).business_key for found in levels)
    assert first != second == again
    simulator, order_id = paid_order()
    orders = [simulator.orders[order_id] | {"note": note} for note in ("a", "b", "b")]
    first, second, again = (normalised("orders/updated", body).events[-1].business_key for body in orders)
    assert first != second == again


@pytest.mark.parametrize("included", [False, True])
def test_a_refund_line_is_without_tax_whether_prices_contain_it_or_not(included: bool) -> None:
    simulator = Shopify()
    order_id = simulator.place(Sale("1", [SaleLine("POT-1L", 2)], taxes_included=included))
    simulator.pay(order_id)
    line_id = str(simulator.orders[order_id]["line_items"][0]["id"])
    simulator.refund(order_id, {line_id: 1})
    refund = only(TRIGGERS.normalise(received(simulator.webhook(order_id, "order.refunded")), shop())).data
    order = only(TRIGGERS.normalise(received(simulator.webhook(order_id, "order.updated")), shop())).data
    assert str(refund.lines[0].amount) == ("36.86 USD" if included else "39.90 USD")
    assert str(refund.amount) == ("39.90 USD" if included else "43.19 USD")
    assert order.refunds[0].model_copy(update={"order_number": ""}) == refund


def test_a_refund_in_another_currency_is_turned_back_at_the_rate_of_its_order() -> None:
    simulator = Shopify()
    order_id = simulator.place(Sale("1", [SaleLine("POT-1L")], tax_rate=Decimal(0)))
    simulator.pay(order_id)
    simulator.refund(order_id, {str(simulator.orders[order_id]["line_items"][0]["id"]): 1})
    body = copy.deepcopy(simulator.orders[order_id])
    seen = {"amount": "91.80", "currency_code": "CAD"}
    body["total_price_set"]["presentment_money"] = seen
    body["refunds"][0]["transactions"][0] |= {"amount": "79.80", "currency": "CAD"}
    order = only(normalised("orders/updated", body)).data
    assert str(order.refunded) == "39.90 USD"
    assert str(order.presentment_total) == "91.80 CAD"


def seen_as(shop: str, seen: str) -> dict[str, Any]:
    """An amount in US and in Canadian dollars."""
    return {
        "shop_money": {"amount": shop, "currency_code": "USD"},
        "presentment_money": {"amount": seen, "currency_code": "CAD"},
    }


def refund_in_another_currency(**parts: Any) -> bytes:
    """Twelve Canadian dollars, and no goods."""
    transaction = {"kind": "refund", "status": "success", "amount": "12.00", "currency": "CAD"}
    body = {"id": 5, "order_id": 9, "created_at": "2026-08-14T10:00:00Z", "total_duties_set": seen_as("0.00", "0.00")}
    return orjson.dumps(body | {"transactions": [transaction]} | parts)


@pytest.mark.parametrize(
    ("field", "amount"), [("order_adjustments", "amount_set"), ("refund_shipping_lines", "subtotal_amount_set")]
)
def test_a_refund_without_goods_is_turned_back_by_what_it_is_made_up_of(field: str, amount: str) -> None:
    body = refund_in_another_currency(**{field: [{amount: seen_as("6.00", "12.00")}]})
    assert str(only(normalised("refunds/create", body)).data.amount) == "6.00 USD"


def test_a_refund_whose_rate_nobody_tells_is_kept_for_a_person() -> None:
    with pytest.raises(CannotNormalise, match="nothing tells their rate to USD"):
        normalised("refunds/create", refund_in_another_currency())


def test_an_order_that_was_paid_late_is_paid_when_its_webhook_says_so() -> None:
    simulator, order_id = paid_order()
    placed_long_ago = simulator.orders[order_id] | {"processed_at": "2026-01-02T10:00:00Z"}
    paid = only(normalised("orders/paid", placed_long_ago, x_shopify_triggered_at="2026-08-14T10:00:00.123456789Z"))
    assert paid.time == paid.data.paid_at == datetime(2026, 8, 14, 10, 0, 0, 123456, tzinfo=UTC)
    silent = only(normalised("orders/paid", placed_long_ago))
    assert silent.time == silent.data.updated_at


def test_an_update_doesnt_say_whether_an_order_from_before_going_live_was_paid_before_or_after() -> None:
    simulator, order_id = paid_order()
    body = simulator.orders[order_id] | {"processed_at": "2026-01-02T10:00:00Z"}
    live = replace(shop(), since=datetime(2026, 1, 3, tzinfo=UTC))
    updated = only(TRIGGERS.normalise(delivery("orders/updated", body), live))
    paid = only(TRIGGERS.normalise(delivery("orders/paid", body), live))
    assert (updated.type, paid.type) == ("order.updated", "order.paid")
    assert live.since is not None
    assert paid.time > live.since


def test_an_order_that_is_partly_sent_is_an_update() -> None:
    simulator, order_id = paid_order()
    found = normalised("orders/partially_fulfilled", simulator.orders[order_id]).events
    assert found[-1].type == "order.updated"


def test_stock_of_an_item_that_comes_to_a_location_or_leaves_it() -> None:
    ids = {"inventory_item_id": 1, "location_id": 2}
    body = ids | {"available": 4, "updated_at": "2026-08-14T10:00:00-04:00"}
    came = only(normalised("inventory_levels/connect", body))
    left = only(normalised("inventory_levels/disconnect", ids, x_shopify_triggered_at="2026-08-15T10:00:00Z"))
    assert (came.type, came.data.available) == ("inventory.updated", 4)
    assert (left.type, left.subject, left.data.available) == (came.type, came.subject, None)
    assert left.version == datetime(2026, 8, 15, 10, tzinfo=UTC)


def test_stock_of_another_location_is_skipped() -> None:
    body = {"inventory_item_id": 1, "location_id": 2, "available": None, "updated_at": "2026-08-14T10:00:00-04:00"}
    ours = TRIGGERS.normalise(delivery("inventory_levels/update", body), shop(location_id="2"))
    theirs = TRIGGERS.normalise(delivery("inventory_levels/update", body), shop(location_id="3"))
    assert only(ours).data.available is None
    assert "location 2" in theirs.reason


def test_a_removed_order_has_its_time_from_the_header_or_from_its_arrival() -> None:
    told = only(normalised("orders/delete", {"id": 9}, x_shopify_triggered_at="2026-08-14T10:00:00Z"))
    silent = only(normalised("orders/delete", {"id": 9}))
    assert (told.type, told.subject, told.data.id) == ("order.deleted", "order/9", "9")
    assert told.time == datetime(2026, 8, 14, 10, tzinfo=UTC)
    assert silent.time == NOW


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/paid", b"{}"),
        ("orders/paid", b"[]"),
        ("orders/paid", b"not json"),
        ("orders/paid", b'{"id": 1, "line_items": null}'),
        ("products/update", b'{"id": 1, "title": "x", "updated_at": "yesterday"}'),
        ("customers/update", b'"x"'),
        ("refunds/create", b'{"id": 1}'),
        ("inventory_levels/update", b"null"),
    ],
)
def test_a_body_that_cant_be_read_is_kept_for_a_person(topic: str, body: bytes) -> None:
    with pytest.raises(CannotNormalise, match=topic):
        normalised(topic, body)


def test_a_delivery_without_a_topic_is_kept_for_a_person() -> None:
    with pytest.raises(CannotNormalise, match="X-Shopify-Topic"):
        TRIGGERS.normalise(Delivery("shop", {}, b"{}", NOW), shop())


def test_the_newer_header_names_are_understood() -> None:
    simulator, order_id = paid_order()
    webhook = simulator.webhook(order_id, "order.paid")
    headers = {name.lower().removeprefix("x-"): value for name, value in webhook.headers.items()}
    arrived = Delivery("shop", headers, webhook.body, NOW)
    scheme = shop().webhook
    assert scheme is not None
    scheme.verify(arrived, [simulator.credentials["webhook_secret"]], NOW)
    assert scheme.delivery_id(arrived) == webhook.headers["X-Shopify-Webhook-Id"]
    assert only(TRIGGERS.normalise(arrived, shop())).type == "order.paid"
    assert TRIGGERS.belongs(arrived, shop(shop="other")) != ""


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("ours", "sender", "belongs"),
    [
        ("practice", "practice.myshopify.com", True),
        ("practice", "Practice.MyShopify.com", True),
        ("practice", "other.myshopify.com", False),
        ("practice", "", True),
        ("", "other.myshopify.com", True),
    ],
)
def test_another_shops_delivery_is_refused(ours: str, sender: str, belongs: bool) -> None:
    arrived = delivery("orders/paid", {}, x_shopify_shop_domain=sender)
    said = TRIGGERS.belongs(arrived, shop(shop=ours))
    assert (said == "") is belongs
    assert belongs or ("other.myshopify.com" in said and "practice.myshopify.com" in said)


@pytest.mark.proves("signatures")
@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        ("test_secret_key", b'{"foo": "bar"}', "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="),
        (
            "hush_shop",
            rb'{"inventory_item_id":271878346596884015,"location_id":24826418,"available":4,'
            rb'"updated_at":"2026-08-14T10:00:00-04:00","admin_graphql_api_id":'
            rb'"gid:\/\/shopify\/InventoryLevel\/24826418?inventory_item_id=271878346596884015"}',
            "mjrq28Du0E9JmcRSvsURQ5otm4SazxBwVAiWY7snGRg=",
        ),
    ],
)
@pytest.mark.parametrize("name", ["x-shopify-hmac-sha256", "shopify-hmac-sha256"])
def test_the_signature_vectors(secret: str, body: bytes, signature: str, name: str) -> None:
    scheme = shop().webhook
    assert scheme is not None
    scheme.verify(Delivery("shop", {name: signature}, body, NOW), ["older", secret], NOW)
    assert scheme.sign(body, secret, delivery_id="d", now=NOW) == {
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Webhook-Id": "d",
    }
    with pytest.raises(BadSignature):
        scheme.verify(Delivery("shop", {name: signature}, body + b" ", NOW), [secret], NOW)
    with pytest.raises(BadSignature):
        scheme.verify(Delivery("shop", {}, body, NOW), [secret], NOW)


@pytest.mark.parametrize("event_type", TRIGGERS.event_types)
def test_a_sample_becomes_the_event_that_was_asked_for(event_type: str) -> None:
    assert TRIGGERS.sample is not None
    found = []
    for _ in range(2):
        headers, body = TRIGGERS.sample(event_type, shop())
        arrived = Delivery("shop", {name.lower(): value for name, value in headers.items()}, body, NOW)
        assert TRIGGERS.belongs(arrived, shop()) == ""
        found.append(TRIGGERS.normalise(arrived, shop()).events[-1])
    assert [event.type for event in found] == [event_type] * 2
    assert found[0].business_key != found[1].business_key
    if event_type == "order.paid":
        assert found[0].data.computed_total == found[0].data.total


def test_there_is_no_sample_of_what_shopify_doesnt_send() -> None:
    assert TRIGGERS.sample is not None
    with pytest.raises(NotFound, match=r"order\.payment_failed"):
        TRIGGERS.sample("order.payment_failed", shop())


@pytest.mark.parametrize("written", ["tea-shop", "tea-shop.myshopify.com", "https://Tea-Shop.myshopify.com/"])
def test_the_shop_may_be_written_as_people_copy_it(written: str) -> None:
    assert ShopifySettings.model_validate({"shop": written}).domain == "tea-shop.myshopify.com"


def test_the_shops_name_is_its_address_and_the_version_is_pinned() -> None:
    live = connection("shopify", settings={"shop": "tea-shop"}, environment=Environment.PRODUCTION)
    assert live.manifest.base_urls[Environment.PRODUCTION].format(shop="tea-shop") == "https://tea-shop.myshopify.com"
    assert MANIFEST.root == f"/admin/api/{MANIFEST.api_version}/"
    assert MANIFEST.sunset is not None


def test_every_event_type_is_in_the_dictionary() -> None:
    assert set(TRIGGERS.event_types) <= set(DICTIONARY)
