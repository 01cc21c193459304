import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bellwire.capabilities import Given
from bellwire.capabilities.storefront import (
    FlaggedProduct,
    FlagProduct,
    FoundOrder,
    ListOrdersSince,
    MarkedFulfilled,
    MarkFulfilled,
    OrderPage,
    ReadOrder,
)
from bellwire.connectors.kit import Connection, LookUp
from bellwire.connectors.shopify import CONNECTOR
from bellwire.connectors.shopify.manifest import API_VERSION
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.events import Customer, Environment, Order
from bellwire.practice import Fault, FaultKind, Practice, Sale, SaleLine
from bellwire.practice.shopify import Shopify
from bellwire.practice.shopify.points import Bucket
from tests.connecting import call, connection
from tests.connectors.shopify.deliveries import received
from tests.samples import usd

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def paid(vendor: Shopify, number: str = "1001", **sale: Any) -> str:
    order_id = vendor.place(Sale(number, **({"lines": [SaleLine("TEA-100", 2)]} | sale)))
    vendor.pay(order_id)
    return order_id


def sent(vendor: Shopify, operation: str) -> int:
    return sum(operation in str(call.body) for call in vendor.received)


async def read(shop: Connection, order_id: str) -> Order:
    found = await CONNECTOR.actions["storefront.read_order"](call(shop), ReadOrder(order_id=order_id))
    assert isinstance(found, FoundOrder)
    return found.order


async def listed(shop: Connection, **given: Any) -> OrderPage:
    values = {"since": LONG_AGO} | given
    found = await CONNECTOR.actions["storefront.list_orders_since"](call(shop), ListOrdersSince(**values))
    assert isinstance(found, OrderPage)
    return found


async def flag(shop: Connection, mapped: dict[tuple[str, str], str] | None = None, **given: Any) -> FlaggedProduct:
    found = await CONNECTOR.actions["storefront.flag_product"](call(shop, mapped=mapped), FlagProduct(**given))
    assert isinstance(found, FlaggedProduct)
    return found


async def fulfil(shop: Connection, order_id: str, *, again: bool = False, **given: Any) -> MarkedFulfilled:
    found = await CONNECTOR.actions["storefront.mark_fulfilled"](
        call(shop, again=again), MarkFulfilled(order_id=order_id, **given)
    )
    assert isinstance(found, MarkedFulfilled)
    return found


# Reading


@pytest.mark.parametrize(
    "sale",
    [
        {},
        {"taxes_included": True, "order_discount": Decimal("3.33"), "tip": Decimal("2.50"), "note": "🫖"},
        {"lines": [SaleLine("CLASS-01", 1, Decimal("0.01"))], "shipping": Decimal(0)},
        {"lines": [SaleLine("SCOOP-01", 3, Decimal("0.10"))] * 130, "tip": Decimal(1), "currency": "JPY"},
        {"customer": Customer(name="李 小龙", email="li@example.com")},
    ],
    ids=["plain", "discounts and tip", "digital", "130 lines", "guest"],
)
async def test_an_order_that_is_read_equals_its_webhook(vendor: Shopify, shop: Connection, sale: Any) -> None:
    order_id = paid(vendor, **sale)
    found = await read(shop, order_id)
    assert shop.connector.triggers is not None
    (event,) = shop.connector.triggers.normalise(received(vendor.webhook(order_id, "order.paid")), shop).events
    # Only the webhook tells when it was paid, and only the read by which payments.
    assert found == event.data.model_copy(update={"paid_at": found.paid_at, "payments": found.payments})
    assert event.data.payments is None
    assert found.total == vendor.total(order_id) == found.computed_total


@pytest.mark.parametrize(
    ("left", "told"), [("0", "0"), ("10.00", None), ("100.00", "24.40")], ids=["none", "a part", "all"]
)
async def test_reading_an_order_tells_what_gift_cards_paid(
    vendor: Shopify, shop: Connection, left: str, told: str | None
) -> None:
    order_id = paid(vendor, gift_card=Decimal(left))
    assert shop.connector.triggers is not None
    (event,) = shop.connector.triggers.normalise(received(vendor.webhook(order_id, "order.paid")), shop).events
    assert isinstance(event.data, Order)
    assert event.data.gift_cards == (None if told is None else usd(told))
    assert (await read(shop, order_id)).gift_cards == usd(told or left)


async def test_reading_an_order_tells_the_payments_that_took_its_money(vendor: Shopify, shop: Connection) -> None:
    order_id = vendor.place(Sale("1001", [SaleLine("TEA-100", 2)], gift_card=Decimal("10.00")))
    assert (await read(shop, order_id)).payments == ()
    vendor.pay(order_id, "card-gateway", "pay_7")
    vendor.payments[order_id].append(vendor.payments[order_id][1] | {"status": "failure"})
    card, money = (await read(shop, order_id)).payments or ()
    assert (card.gateway, card.gift_card, card.payment_id, card.amount) == ("gift_card", True, "", usd("10.00"))
    assert (money.gateway, money.gift_card, money.payment_id) == ("card-gateway", False, "pay_7")
    assert (money.reference, money.amount) == ("#1001.2", usd("14.40"))
    assert money.paid_at == datetime.fromisoformat(vendor.payments[order_id][1]["processed_at"])


@pytest.mark.parametrize("removed", [True, False], ids=["taken off", "given back"])
async def test_shipping_that_is_gone_is_read_like_its_webhook_tells_it(
    vendor: Shopify, shop: Connection, removed: bool
) -> None:
    order_id = paid(vendor)
    if removed:
        body = vendor.orders[order_id]
        body["shipping_lines"][0]["is_removed"] = True
        body["current_total_price_set"]["shop_money"]["amount"] = "18.40"
    else:
        vendor.refund_shipping(order_id)
    found = await read(shop, order_id)
    assert shop.connector.triggers is not None
    webhook = received(vendor.webhook(order_id, "order.updated"))
    told = shop.connector.triggers.normalise(webhook, shop).events[-1].data
    assert found == told.model_copy(update={"payments": found.payments})
    assert str(found.total) == ("18.40 USD" if removed else "24.40 USD")
    assert not found.adjustment


async def test_a_refunded_and_sent_order_that_is_read_equals_its_webhook(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor, lines=[SaleLine("SCOOP-01", 2)] * 60)
    ids = [str(line["id"]) for line in vendor.orders[order_id]["line_items"]]
    vendor.refund(order_id, dict.fromkeys(ids, 1))
    vendor.refund(order_id, {ids[0]: 1}, money=False)
    await fulfil(shop, order_id, carrier="USPS", tracking_number="1Z", tracking_url="https://example.com/1Z")
    found = await read(shop, order_id)
    assert shop.connector.triggers is not None
    (event,) = shop.connector.triggers.normalise(received(vendor.webhook(order_id, "order.updated")), shop).events
    # When and by what it was paid stands in no webhook.
    assert found == event.data.model_copy(update={"payments": found.payments, "paid_at": found.paid_at})
    assert [found.paid_at] == [datetime.fromisoformat(each["processed_at"]) for each in vendor.payments[order_id]]
    assert len(found.refunds[0].lines) == 60
    assert found.fulfilments[0].tracking_number == "1Z"


async def test_reading_an_order_that_isnt_there(shop: Connection) -> None:
    with pytest.raises(Refused) as caught:
        await read(shop, "1")
    assert caught.value.cause == "unknown-order"


async def test_an_order_that_changes_while_it_is_read_is_read_again_later(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor, lines=[SaleLine("SCOOP-01")] * 30)
    vendor.faults.add(Fault(kind=FaultKind.SLOW, match="MoreLines", seconds=0.3))
    reading = asyncio.create_task(read(shop, order_id))
    async with asyncio.timeout(30):
        while not sent(vendor, "query Order"):  # noqa: ASYNC110 - it happens at the server
            await asyncio.sleep(0.005)
    vendor.edit(order_id, "changed")
    with pytest.raises(Transient) as caught:
        await reading
    assert caught.value.cause == "changed-meanwhile"


@pytest.mark.proves("paging")
async def test_all_orders_since_a_time_page_by_page(vendor: Shopify, shop: Connection) -> None:
    ids = [paid(vendor, str(number)) for number in range(60)]
    found: list[str] = []
    cursor, pages = "", 0
    while cursor or not pages:
        page = await listed(shop, cursor=cursor)
        found += [order.id for order in page.orders]
        cursor, pages = page.next_cursor, pages + 1
    assert sorted(found) == sorted(ids)
    assert pages == 3


async def test_older_changes_arent_listed_and_the_oldest_comes_first(vendor: Shopify, shop: Connection) -> None:
    first, second, third = (paid(vendor, str(number)) for number in range(3))
    for order_id, hours in ((first, 3), (second, 2), (third, 1)):
        time = datetime.now(UTC) - timedelta(hours=hours)
        vendor.orders[order_id]["updated_at"] = time.isoformat(timespec="seconds")
    found = await listed(shop, since=datetime.now(UTC) - timedelta(hours=2, minutes=30), limit=250)
    assert [order.id for order in found.orders] == [second, third]
    assert found.next_cursor == ""
    one = await listed(shop, limit=1)
    assert [order.id for order in one.orders] == [first]
    assert one.next_cursor


async def test_an_empty_list_has_no_next_page(shop: Connection) -> None:
    assert await listed(shop) == OrderPage(orders=())


# Flags


async def test_a_flag_goes_on_and_off_and_may_be_repeated(vendor: Shopify, shop: Connection) -> None:
    vendor.products["501"]["tags"] = ["tea"]
    for _ in range(2):
        found = await flag(shop, sku="TEA-100", flag="low-stock")
        assert found == FlaggedProduct(product_id="501", flags=("low-stock", "tea"))
    for _ in range(2):
        assert (await flag(shop, sku="TEA-100", flag="low-stock", on=False)).flags == ("tea",)


async def test_a_flag_has_one_day_and_goes_whatever_its_day(vendor: Shopify, shop: Connection) -> None:
    others = ["eta-soon", "low-stock", "meta-2026-12-03"]
    vendor.products["501"]["tags"] = list(others)
    await flag(shop, sku="TEA-100", flag="eta", day=date(2026, 12, 3))
    assert sorted(vendor.products["501"]["tags"]) == sorted([*others, "eta-2026-12-03"])
    found = await flag(shop, sku="TEA-100", flag="eta", day=date(2026, 12, 10))
    assert sorted(found.flags) == sorted([*others, "eta-2026-12-10"])
    assert sorted((await flag(shop, sku="TEA-100", flag="eta", on=False)).flags) == sorted(others)


@pytest.mark.parametrize("sku", ["TEA", "tea-100", "NOPE", '"', 'A" OR sku:*', "\\"])
async def test_only_the_exact_sku_counts(vendor: Shopify, shop: Connection, sku: str) -> None:
    with pytest.raises(Refused) as caught:
        await flag(shop, sku=sku, flag="low-stock")
    assert caught.value.cause == "unknown-sku"
    assert sku in caught.value.sentence
    assert not any(product["tags"] for product in vendor.products.values())


@pytest.mark.proves("paging")
async def test_a_sku_is_found_on_a_later_page(vendor: Shopify, shop: Connection) -> None:
    vendor.products = {
        str(number): {
            "id": number,
            "title": "x",
            "updated_at": "2026-01-01T00:00:00+00:00",
            "tags": [],
            "variants": [{"id": number, "sku": sku}],
        }
        for number, sku in [*((number, f"X-{number}") for number in range(1, 122)), (900, "X-")]
    }
    assert (await flag(shop, sku="X-", flag="low-stock")).product_id == "900"


async def test_a_sku_of_two_products_needs_a_person(vendor: Shopify, shop: Connection) -> None:
    vendor.products["502"]["variants"][0]["sku"] = "TEA-100"
    with pytest.raises(Refused) as caught:
        await flag(shop, sku="TEA-100", flag="low-stock")
    assert caught.value.cause == "ambiguous-sku"
    mapped = await flag(shop, {("product", "TEA-100"): "502"}, sku="TEA-100", flag="low-stock")
    assert mapped.product_id == "502"


async def test_what_shopify_says_no_to_is_told_in_its_words(shop: Connection) -> None:
    with pytest.raises(Refused, match="Product does not exist") as caught:
        await flag(shop, {("product", "TEA-100"): "999"}, sku="TEA-100", flag="low-stock")
    assert caught.value.cause == "not-accepted"


# Fulfilment


async def test_fulfilling_gives_shopify_the_tracking(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    await fulfil(shop, order_id, tracking_number="1Z", carrier="USPS", notify_customer=True)
    made = vendor.orders[order_id]["fulfillments"]
    assert [(entry["tracking_number"], entry["tracking_company"], entry["tracking_url"]) for entry in made] == [
        ("1Z", "USPS", None)
    ]
    assert vendor.fulfilled() == [order_id]
    assert "'notifyCustomer': True" in str(vendor.received[-1].body)


async def test_a_lost_answer_makes_no_second_fulfilment(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    vendor.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="mutation Fulfil"))
    with pytest.raises(OutcomeUnknown):
        await fulfil(shop, order_id)
    found = await fulfil(shop, order_id, again=True)
    assert [str(entry["id"]) for entry in vendor.orders[order_id]["fulfillments"]] == [found.id]
    assert sent(vendor, "mutation Fulfil") == 1


async def test_looking_first_finds_a_fulfilment_when_nothing_is_left_to_fulfil(
    vendor: Shopify, shop: Connection
) -> None:
    order_id = paid(vendor)
    repeat = CONNECTOR.actions["storefront.mark_fulfilled"].repeat
    assert isinstance(repeat, LookUp)
    assert await repeat.find(call(shop), MarkFulfilled(order_id=order_id)) is None
    made = await fulfil(shop, order_id)
    assert await repeat.find(call(shop), MarkFulfilled(order_id=order_id)) == made


async def test_a_failure_before_anything_was_done_is_mended_by_the_repeat(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    vendor.faults.add(Fault(kind=FaultKind.FAILED, match="mutation Fulfil"))
    with pytest.raises(OutcomeUnknown):
        await fulfil(shop, order_id)
    await fulfil(shop, order_id, again=True)
    assert len(vendor.orders[order_id]["fulfillments"]) == 1


async def test_what_is_fulfilled_already_stays_as_it_is(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    first = await fulfil(shop, order_id)
    assert await fulfil(shop, order_id) == first
    assert len(vendor.orders[order_id]["fulfillments"]) == 1


async def test_each_location_has_its_own_fulfilment_and_a_repeat_makes_the_missing_one(
    vendor: Shopify, shop: Connection
) -> None:
    order_id = paid(vendor)
    vendor.fulfilment_orders[order_id] += [
        {"id": 21, "status": "open", "location_id": "2"},
        {"id": 22, "status": "in_progress", "location_id": "2"},
        {"id": 23, "status": "closed", "location_id": "2"},
    ]
    vendor.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="mutation Fulfil", skip=1))
    with pytest.raises(OutcomeUnknown):
        await fulfil(shop, order_id)
    assert vendor.fulfilled() == [order_id]
    await fulfil(shop, order_id, again=True)
    assert len(vendor.orders[order_id]["fulfillments"]) == 2


async def test_a_connection_of_one_location_fulfils_only_there(practice: Practice, vendor: Shopify) -> None:
    order_id = paid(vendor)
    vendor.fulfilment_orders[order_id].append({"id": 21, "status": "open", "location_id": "2"})
    here = connection("shopify", practice, settings={"shop": "practice", "location_id": "2"})
    await fulfil(here, order_id)
    await here.api.close()
    assert [entry["status"] for entry in vendor.fulfilment_orders[order_id]] == ["open", "closed"]


@pytest.mark.parametrize(
    ("status", "cause"), [("on_hold", "on-hold"), ("scheduled", "on-hold"), ("closed", "nothing-to-fulfil")]
)
async def test_what_cant_be_fulfilled_needs_a_person(
    vendor: Shopify, shop: Connection, status: str, cause: str
) -> None:
    order_id = paid(vendor)
    vendor.fulfilment_orders[order_id][0]["status"] = status
    for again in (False, True):
        with pytest.raises(Refused) as caught:
            await fulfil(shop, order_id, again=again)
        assert caught.value.cause == cause


async def test_fulfilling_an_order_that_isnt_there(shop: Connection) -> None:
    with pytest.raises(Refused) as caught:
        await fulfil(shop, "1")
    assert caught.value.cause == "unknown-order"


# Sign-in, limits, failures


async def test_signing_in_shows_the_shop_and_what_the_app_may_do(vendor: Shopify, shop: Connection) -> None:
    assert CONNECTOR.sign_in is not None
    found = await CONNECTOR.sign_in(call(shop))
    assert (found.name, found.detail) == ("Practice Tea Shop", "practice.myshopify.com, plan Developer Preview")
    assert found.warnings == ()
    assert sent(vendor, "mutation") == 0


@pytest.mark.parametrize(
    ("scope", "operation", "given"),
    [
        ("read_orders", "read_order", ReadOrder(order_id="9")),
        ("write_products", "flag_product", FlagProduct(sku="TEA-100", flag="low-stock")),
    ],
)
async def test_what_the_app_may_not_do_is_said_in_words(
    vendor: Shopify, shop: Connection, scope: str, operation: str, given: Given
) -> None:
    vendor.scopes = tuple(entry for entry in vendor.scopes if entry != scope)
    with pytest.raises(Refused, match="isn't allowed") as refused:
        await shop.connector.actions[f"storefront.{operation}"](call(shop), given)
    assert refused.value.cause == "access-denied"
    assert scope in refused.value.detail


@pytest.mark.proves("access")
async def test_signing_in_tells_which_scopes_are_missing_and_which_are_needless(
    vendor: Shopify, shop: Connection
) -> None:
    """Leave to read that comes with leave to write is neither."""
    assert CONNECTOR.sign_in is not None
    needed = set(CONNECTOR.manifest.scopes)
    assert "read_products" in vendor.scopes
    assert set((await CONNECTOR.sign_in(call(shop))).scopes or ()) == needed
    vendor.scopes = ("read_all_orders", *(scope for scope in vendor.scopes if scope != "read_orders"))
    assert set((await CONNECTOR.sign_in(call(shop))).scopes or ()) ^ needed == {"read_all_orders", "read_orders"}


@pytest.mark.proves("access")
async def test_signing_in_warns_where_shopify_keeps_customers_to_itself(vendor: Shopify, shop: Connection) -> None:
    assert CONNECTOR.sign_in is not None
    order_id = paid(vendor)
    vendor.personal = False
    (warning,) = (await CONNECTOR.sign_in(call(shop))).warnings
    assert "protected customer data" in warning
    found = await read(shop, order_id)
    assert (found.number, found.customer, found.shipping) == ("1001", None, None)


@pytest.mark.proves("environments")
@pytest.mark.parametrize(("development", "told"), [(True, Environment.SANDBOX), (False, Environment.PRODUCTION)])
async def test_a_development_store_is_the_sandbox(
    vendor: Shopify, shop: Connection, development: bool, told: Environment
) -> None:
    assert CONNECTOR.sign_in is not None
    vendor.development = development
    assert (await CONNECTOR.sign_in(call(shop))).environment is told


@pytest.mark.proves("version")
async def test_the_version_is_pinned_and_another_one_in_the_answer_is_noticed(
    vendor: Shopify, shop: Connection
) -> None:
    await read(shop, paid(vendor))
    asked = [received.path for received in vendor.received if received.path.endswith("graphql.json")]
    assert set(asked) == {f"/admin/api/{API_VERSION}/graphql.json"}
    assert shop.api.notices == {}
    vendor.versions = ("2027-01", "2027-04")
    await listed(shop)
    assert shop.api.notices == {"X-Shopify-API-Version": f"2027-01 was used instead of {API_VERSION}"}


@pytest.mark.proves("version")
async def test_what_shopify_says_about_a_call_that_will_end_is_noticed(vendor: Shopify, shop: Connection) -> None:
    vendor.deprecation = "https://shopify.dev/changelog"
    await listed(shop)
    assert shop.api.notices == {"X-Shopify-API-Deprecated-Reason": "https://shopify.dev/changelog"}


async def test_signing_in_warns_of_another_shop(practice: Practice) -> None:
    other = connection("shopify", practice, settings={"shop": "other"})
    assert CONNECTOR.sign_in is not None
    (warning,) = (await CONNECTOR.sign_in(call(other))).warnings
    await other.api.close()
    assert "practice.myshopify.com" in warning
    assert "other.myshopify.com" in warning


@pytest.mark.proves("access")
async def test_a_token_that_ended_is_asked_for_anew(practice: Practice, vendor: Shopify) -> None:
    order_id = paid(vendor)
    made = connection("shopify", practice)
    await read(made, order_id)
    vendor.sign_out()
    assert (await read(made, order_id)).id == order_id
    await made.api.close()
    assert sent(vendor, "client_credentials") == 2


async def test_a_permanent_token_needs_no_client(practice: Practice, vendor: Shopify) -> None:
    made = connection("shopify", practice, credentials={"access_token": "shpat_practice"})
    assert (await read(made, paid(vendor))).number == "1001"
    await made.api.close()
    assert sent(vendor, "client_credentials") == 0


@pytest.mark.parametrize(
    "credentials", [{"access_token": "wrong"}, {"client_id": "practice-app", "client_secret": "wrong"}]
)
async def test_wrong_credentials_are_signed_out(practice: Practice, credentials: dict[str, str]) -> None:
    made = connection("shopify", practice, credentials=credentials)
    with pytest.raises(SignedOut):
        await read(made, "1")
    await made.api.close()


@pytest.mark.proves("limits")
async def test_a_throttled_query_waits_as_long_as_its_points_take(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    vendor.faults.add(Fault(kind=FaultKind.RATE_LIMITED, match="query Order", seconds=0.3))
    began = time.monotonic()
    assert (await read(shop, order_id)).id == order_id
    assert time.monotonic() - began > 0.29


@pytest.mark.proves("limits")
async def test_an_empty_bucket_throttles_and_a_mutation_that_met_it_did_nothing(
    vendor: Shopify, shop: Connection
) -> None:
    order_id = paid(vendor)
    vendor.bucket = Bucket(size=205, refill=1)
    with pytest.raises(Transient) as caught:
        await read(shop, order_id)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=500) < caught.value.retry_after < timedelta(seconds=754)


@pytest.mark.proves("limits")
async def test_the_next_query_waits_until_its_points_are_back(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    vendor.bucket = Bucket(size=760, refill=300)
    for _ in range(3):
        await read(shop, order_id)
    assert all(received.status == 200 for received in vendor.received)


@pytest.mark.proves("errors")
async def test_failures_of_reads_are_transient_and_of_writes_unknown(vendor: Shopify, shop: Connection) -> None:
    order_id = paid(vendor)
    vendor.faults.add(Fault(kind=FaultKind.FAILED, match="query Order"))
    with pytest.raises(Transient):
        await read(shop, order_id)
    vendor.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="query Order", times=2))
    with pytest.raises(Transient):
        await read(shop, order_id)
    vendor.faults.add(Fault(kind=FaultKind.FAILED, match="mutation AddTags"))
    with pytest.raises(OutcomeUnknown):
        await flag(shop, sku="TEA-100", flag="low-stock")


@pytest.mark.proves("access")
async def test_two_callers_share_one_token(vendor: Shopify, practice: Practice) -> None:
    made = connection("shopify", practice)
    order_id = paid(vendor)
    await asyncio.gather(read(made, order_id), read(made, order_id))
    await made.api.close()
    assert sent(vendor, "client_credentials") == 1


def test_sandbox_and_production_have_the_same_form_of_address() -> None:
    assert set(CONNECTOR.manifest.base_urls) == set(Environment)
