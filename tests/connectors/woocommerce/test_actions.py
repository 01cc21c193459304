from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.responses import HTMLResponse, JSONResponse

from bellwire.capabilities.storefront import (
    FlaggedProduct,
    FlagProduct,
    FoundOrder,
    ListOrdersSince,
    MarkFulfilled,
    OrderPage,
    ReadOrder,
)
from bellwire.connectors import find_connector
from bellwire.connectors.kit import Answer
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.events import Environment, Order
from bellwire.practice import FaultKind
from tests.connecting import call, connection
from tests.connectors.woocommerce.conftest import Shop

TWICE = 2
"""An HTTP client may send a GET or PUT again by itself when its connection breaks off."""
EARLY = datetime(2020, 1, 1, tzinfo=UTC)


async def test_an_order_that_is_read_is_the_one_its_webhook_tells(shop: Shop) -> None:
    order_id = shop.sale()
    found = await shop.do("read_order", ReadOrder(order_id=order_id))
    assert isinstance(found, FoundOrder)
    assert (found.order.id, found.order.number) == (order_id, "1001")
    assert found.order.total == shop.simulator.total(order_id)


async def test_an_order_that_is_gone_is_refused_by_name(shop: Shop) -> None:
    with pytest.raises(Refused, match="no order 999999;") as refused:
        await shop.do("read_order", ReadOrder(order_id="999999"))
    assert refused.value.cause == "unknown-order"
    assert "woocommerce_rest_shop_order_invalid_id" in refused.value.detail


async def every_order(shop: Shop, since: datetime, limit: int) -> list[Order]:
    found: list[Order] = []
    cursor = ""
    while True:
        page = await shop.do("list_orders_since", ListOrdersSince(since=since, cursor=cursor, limit=limit))
        assert isinstance(page, OrderPage)
        found += page.orders
        cursor = page.next_cursor
        if not cursor:
            return found


@pytest.mark.proves("paging")
@pytest.mark.parametrize(("count", "limit", "requests"), [(0, 10, 1), (7, 3, 3), (6, 3, 2), (130, 250, 2)])
async def test_paging_goes_to_the_end_and_no_further(shop: Shop, count: int, limit: int, requests: int) -> None:
    placed = [shop.sale(str(number)) for number in range(count)]
    assert [order.id for order in await every_order(shop, EARLY, limit)] == placed
    assert len(shop.sent("GET")) == requests


async def test_an_order_of_the_very_second_is_listed_and_an_older_one_isnt(shop: Shop) -> None:
    old, new = shop.sale("1"), shop.sale("2")
    shop.simulator.orders[int(old)]["date_modified_gmt"] = "2026-08-01T11:59:59"
    shop.simulator.orders[int(new)]["date_modified_gmt"] = "2026-08-01T12:00:00"
    noon = datetime(2026, 8, 1, 14, tzinfo=UTC).astimezone().replace(hour=12, tzinfo=UTC)
    assert [order.number for order in await every_order(shop, noon, 100)] == ["2"]
    assert len(await every_order(shop, noon - timedelta(seconds=1), 100)) == 2


async def test_drafts_are_left_out_and_an_unreadable_order_is_named(shop: Shop) -> None:
    draft, broken = shop.sale("1"), shop.sale("2")
    shop.simulator.orders[int(draft)]["status"] = "checkout-draft"
    assert [order.number for order in await every_order(shop, EARLY, 100)] == ["2"]
    shop.simulator.orders[int(broken)]["line_items"][0]["quantity"] = 0.5
    with pytest.raises(Refused, match=f"Order {broken} has 0.5 of") as refused:
        await every_order(shop, EARLY, 100)
    assert refused.value.cause == "unreadable-order"


def tags(shop: Shop, sku: str) -> list[str]:
    (product,) = (p for p in shop.simulator.products.values() if p["sku"] == sku)
    return [tag["slug"] for tag in product["tags"]]


async def test_a_flag_joins_the_tags_that_are_there_and_leaves_them_when_it_goes(shop: Shop) -> None:
    for flag in ("sale", "low-stock"):
        await shop.do("flag_product", FlagProduct(sku="TEA-100", flag=flag))
    assert tags(shop, "TEA-100") == ["sale", "low-stock"]
    again = await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="low-stock"))
    assert isinstance(again, FlaggedProduct)
    assert again.flags == ("sale", "low-stock")
    assert len(shop.sent("PUT")) == 2
    await shop.do("flag_product", FlagProduct(sku="TEA-250", flag="low-stock"))
    assert len(shop.simulator.tags) == 2
    off = await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="low-stock", on=False))
    assert isinstance(off, FlaggedProduct)
    assert off.flags == ("sale",)
    assert tags(shop, "TEA-100") == ["sale"]


async def test_a_flag_has_one_day_and_goes_whatever_its_day(shop: Shop) -> None:
    for other in ("eta-soon", "low-stock", "meta-2026-12-03"):
        await shop.do("flag_product", FlagProduct(sku="TEA-100", flag=other))
    others = tags(shop, "TEA-100")
    await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="eta", day=date(2026, 12, 3)))
    assert tags(shop, "TEA-100") == [*others, "eta-2026-12-03"]
    for _ in range(2):
        await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="eta", day=date(2026, 12, 10)))
        assert tags(shop, "TEA-100") == [*others, "eta-2026-12-10"]
    await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="eta", on=False))
    assert tags(shop, "TEA-100") == others


async def test_a_variations_flag_goes_to_its_product(shop: Shop) -> None:
    flagged = await shop.do("flag_product", FlagProduct(sku="MUG-RED", flag="low-stock"))
    assert isinstance(flagged, FlaggedProduct)
    product = shop.simulator.products[int(flagged.product_id)]
    assert (product["type"], [tag["slug"] for tag in product["tags"]]) == ("variable", ["low-stock"])


async def test_an_unknown_sku_is_refused_unless_somebody_mapped_it(shop: Shop) -> None:
    for sku in ("NOPE", "TEA-100,TEA-250"):
        with pytest.raises(Refused, match=f"no product with the SKU '{sku}'") as refused:
            await shop.do("flag_product", FlagProduct(sku=sku, flag="low-stock"))
        assert refused.value.cause == "unknown-sku"
        assert refused.value.remedy
    (number,) = (str(p["id"]) for p in shop.simulator.products.values() if p["sku"] == "TEA-100")
    await shop.do("flag_product", FlagProduct(sku="NOPE", flag="low-stock"), mapped={("product", "NOPE"): number})
    assert tags(shop, "TEA-100") == ["low-stock"]


async def test_a_flag_whose_answer_was_lost_is_put_once(shop: Shop) -> None:
    given = FlagProduct(sku="TEA-100", flag="low-stock")
    shop.fail(FaultKind.LOST_ANSWER, "POST .*/products/tags")
    with pytest.raises(OutcomeUnknown):
        await shop.do("flag_product", given)
    await shop.do("flag_product", given, again=True)
    assert tags(shop, "TEA-100") == ["low-stock"]
    assert len(shop.simulator.tags) == 1


PARCEL = {"tracking_number": "1Z999", "carrier": "UPS", "tracking_url": "https://track.example/1Z999"}


async def test_a_sent_order_is_completed_with_its_tracking_as_a_note(shop: Shop) -> None:
    order_id = shop.sale()
    await shop.do("mark_fulfilled", MarkFulfilled(order_id=order_id, notify_customer=True, **PARCEL))
    assert shop.simulator.fulfilled() == [order_id]
    (note,) = shop.simulator.notes[int(order_id)]
    assert (note["note"], note["customer_note"]) == ("UPS 1Z999 https://track.example/1Z999", True)


async def test_the_customer_isnt_written_to_unless_asked_and_without_tracking_there_is_no_note(shop: Shop) -> None:
    quiet, plain = shop.sale("1"), shop.sale("2")
    await shop.do("mark_fulfilled", MarkFulfilled(order_id=quiet, **PARCEL))
    await shop.do("mark_fulfilled", MarkFulfilled(order_id=plain))
    assert [note["customer_note"] for note in shop.simulator.notes[int(quiet)]] == [False]
    assert shop.simulator.notes[int(plain)] == []
    assert shop.simulator.fulfilled() == [quiet, plain]


@pytest.mark.parametrize("lost", ["PUT .*/orders/", "POST .*/notes"])
async def test_a_lost_answer_never_makes_a_second_note(shop: Shop, lost: str) -> None:
    order_id = shop.sale()
    given = MarkFulfilled(order_id=order_id, **PARCEL)
    shop.fail(FaultKind.LOST_ANSWER, lost, times=TWICE)
    with pytest.raises(OutcomeUnknown):
        await shop.do("mark_fulfilled", given)
    shop.simulator.faults.clear()
    for _ in range(2):
        result = await shop.do("mark_fulfilled", given, again=True)
        assert result.model_dump() == {"id": order_id}
    assert len(shop.simulator.notes[int(order_id)]) == 1


async def test_asking_anew_for_what_is_done_makes_no_second_note_either(shop: Shop) -> None:
    order_id = shop.sale()
    for status in ("processing", "completed"):
        await shop.do("mark_fulfilled", MarkFulfilled(order_id=order_id, **PARCEL))
        shop.simulator.set_status(order_id, status)
    assert len(shop.simulator.notes[int(order_id)]) == 1


async def test_a_second_parcel_gets_a_note_of_its_own(shop: Shop) -> None:
    order_id = shop.sale()
    for number in ("1Z1", "1Z2"):
        await shop.do("mark_fulfilled", MarkFulfilled(order_id=order_id, tracking_number=number), again=True)
    assert [note["note"] for note in shop.simulator.notes[int(order_id)]] == ["1Z2", "1Z1"]


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed"])
async def test_an_order_that_was_called_off_isnt_marked_as_sent(shop: Shop, status: str) -> None:
    order_id = shop.sale()
    shop.simulator.set_status(order_id, status)
    with pytest.raises(Refused, match=f"Order 1001 is {status}") as refused:
        await shop.do("mark_fulfilled", MarkFulfilled(order_id=order_id, **PARCEL))
    assert refused.value.cause == "order-closed"
    assert shop.simulator.notes[int(order_id)] == []


@pytest.mark.proves("errors")
async def test_a_host_that_asks_to_slow_down_is_obeyed(shop: Shop) -> None:
    shop.fail(FaultKind.RATE_LIMITED, seconds=70)
    with pytest.raises(Transient, match="slow down") as error:
        await shop.do("read_order", ReadOrder(order_id=shop.sale()))
    assert (error.value.cause, error.value.retry_after) == ("rate-limited", timedelta(seconds=70))


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("kind", "match", "error"),
    [
        (FaultKind.FAILED, "GET", Transient),
        (FaultKind.FAILED, "PUT", OutcomeUnknown),
        (FaultKind.LOST_ANSWER, "GET", Transient),
        (FaultKind.LOST_ANSWER, "PUT", OutcomeUnknown),
        (FaultKind.SIGNED_OUT, "GET", SignedOut),
    ],
)
async def test_each_fault_has_its_class_and_afterwards_all_is_well(
    shop: Shop, kind: FaultKind, match: str, error: type[VendorError]
) -> None:
    given = MarkFulfilled(order_id=shop.sale(), **PARCEL)
    shop.fail(kind, match, times=TWICE)
    with pytest.raises(error):
        await shop.do("mark_fulfilled", given)
    shop.simulator.faults.clear()
    await shop.do("mark_fulfilled", given, again=True)
    assert len(shop.simulator.notes[int(given.order_id)]) == 1


async def test_a_maintenance_page_is_temporary(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = shop.sale()
    for status in (200, 403, 404, 503):
        page = HTMLResponse("<h1>Briefly unavailable for scheduled maintenance.</h1>", status)
        monkeypatch.setattr(shop.simulator, "failed", lambda page=page: page)
        shop.fail(FaultKind.FAILED)
        with pytest.raises(Transient):
            await shop.do("read_order", ReadOrder(order_id=order_id))
    page = HTMLResponse("<h1>Blocked</h1>", 403)
    monkeypatch.setattr(shop.simulator, "failed", lambda: page)
    shop.fail(FaultKind.FAILED, "PUT")
    with pytest.raises(Transient, match="a firewall, or maintenance"):
        await shop.do("mark_fulfilled", MarkFulfilled(order_id=order_id))
    assert shop.simulator.fulfilled() == []


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("status", "body", "error", "cause"),
    [
        (401, b'{"code":"woocommerce_rest_authentication_error","message":"x"}', SignedOut, "signed-out"),
        (401, b'{"code":"woocommerce_rest_cannot_view","message":"x"}', SignedOut, "signed-out"),
        (403, b'{"code":"woocommerce_rest_cannot_edit","message":"x"}', Refused, "missing-rights"),
        (404, b'{"code":"rest_no_route","message":"x"}', Refused, "no-api"),
        (404, b'{"code":"woocommerce_rest_product_invalid_id","message":"x"}', Refused, "unknown-product"),
        (400, b'{"code":"rest_invalid_param","message":"Invalid parameter(s): status"}', Refused, "rest_invalid_param"),
        (400, b'{"code":"term_exists","message":"x"}', Transient, "tag-exists"),
        (301, b"<html>", Refused, "shop-moved"),
        (406, b"[]", Transient, "not-json"),
    ],
)
def test_the_shops_errors_are_told_apart(status: int, body: bytes, error: type[VendorError], cause: str) -> None:
    explained = find_connector("woocommerce").explain(Answer(status, {}, body, "PUT", "products/7"))
    assert isinstance(explained, error)
    assert explained.cause == cause
    assert explained.detail.startswith(f"PUT products/7: {status}")


async def test_signing_in_tells_the_shop_and_changes_nothing(shop: Shop) -> None:
    before = shop.simulator.state()
    account = await shop.sign_in()
    assert (account.name, account.scopes, account.warnings) == ("tea.example", ("read_write",), ())
    assert shop.simulator.state() == before


@pytest.mark.proves("access")
async def test_signing_in_warns_of_a_key_that_may_only_read(shop: Shop) -> None:
    shop.simulator.permission = "read"
    account = await shop.sign_in()
    assert account.scopes == ("read",)
    assert ["may only read" in warning for warning in account.warnings] == [True]
    with pytest.raises(Refused, match="may not do this") as refused:
        await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="low-stock"))
    assert refused.value.cause == "missing-rights"


async def test_signing_in_warns_of_a_user_without_the_role(shop: Shop) -> None:
    shop.simulator.shop_manager = False
    warnings = (await shop.sign_in()).warnings
    assert ["orders" in warning or "products" in warning for warning in warnings] == [True, True, True]


async def test_signing_in_with_a_wrong_key_fails(shop: Shop) -> None:
    wrong = connection("woocommerce", shop.practice, credentials={"consumer_key": "ck_x", "consumer_secret": "cs_x"})
    assert wrong.connector.sign_in is not None
    with pytest.raises(SignedOut, match="no longer accepts its key"):
        await wrong.connector.sign_in(call(wrong))
    await wrong.api.close()


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("url", "environment", "warned"),
    [
        ("https://staging.tea.example", Environment.PRODUCTION, True),
        ("https://tea-dev.example/shop", Environment.PRODUCTION, True),
        ("https://tea.example/test", Environment.PRODUCTION, False),
        ("https://staging.tea.example", Environment.SANDBOX, False),
    ],
)
async def test_signing_in_to_a_copy_in_production_is_warned_of(
    shop: Shop, url: str, environment: Environment, warned: bool
) -> None:
    live = connection("woocommerce", shop.practice, environment=environment, settings={"url": url})
    assert live.connector.sign_in is not None
    warnings = (await live.connector.sign_in(call(live))).warnings
    await live.api.close()
    assert ["looks like a copy" in each for each in warnings] == [True] * warned


@pytest.mark.proves("version")
async def test_each_call_goes_to_the_pinned_version(shop: Shop) -> None:
    order_id = shop.sale()
    await shop.sign_in()
    await shop.do("mark_fulfilled", MarkFulfilled(order_id=order_id, carrier="UPS", tracking_number="1Z1"))
    await shop.do("flag_product", FlagProduct(sku="TEA-100", flag="low-stock"))
    version = shop.connection.manifest.api_version
    assert all(received.path.startswith(f"/wp-json/{version}/") for received in shop.simulator.received)


@pytest.mark.proves("version")
async def test_what_the_shop_announces_in_standard_headers_is_noticed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sunset = "Sat, 31 Jan 2032 23:59:59 GMT"
    monkeypatch.setattr(shop.simulator, "failed", lambda: JSONResponse({}, 500, {"Sunset": sunset}))
    shop.fail(FaultKind.FAILED)
    with pytest.raises(Transient):
        await shop.do("read_order", ReadOrder(order_id="1"))
    assert shop.connection.api.notices == {"Sunset": sunset}
