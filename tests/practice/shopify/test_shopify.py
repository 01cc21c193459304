import asyncio
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import fixture

from bellwire.events import Condition
from bellwire.practice import Practice, Returns, Sale, SaleLine, Shop
from bellwire.practice.shopify import SIMULATOR, Shopify
from bellwire.practice.shopify.points import Bucket
from bellwire.practice.shopify.sales import Till
from tests.shared import needs_shared, payload

TOKEN = {"X-Shopify-Access-Token": "shpat_practice"}


@fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["shopify"]) as practice:
        yield practice


@fixture
async def shop(practice: Practice) -> Shopify:
    found = practice.simulators["shopify"]
    assert isinstance(found, Shopify)
    return found


async def post(practice: Practice, path: str, body: Any, **headers: str) -> tuple[int, Any, Mapping[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(practice.base_url("shopify") + path, json=body, headers=headers) as answer,
    ):
        return answer.status, orjson.loads(await answer.read()), answer.headers


async def query(practice: Practice, text: str, version: str = "2026-07", **variables: Any) -> tuple[int, Any, str]:
    path = f"/admin/api/{version}/graphql.json"
    status, said, headers = await post(practice, path, {"query": text, "variables": variables}, **TOKEN)
    return status, said, headers.get("X-Shopify-API-Version", "")


def test_it_is_a_shop_that_takes_things_back() -> None:
    assert isinstance(SIMULATOR(), Shop)
    assert isinstance(SIMULATOR(), Returns)


async def test_a_client_gets_a_token_for_its_secret_only(practice: Practice) -> None:
    given = {"client_id": "practice-app", "client_secret": "practice-app-secret", "grant_type": "client_credentials"}
    status, said, _ = await post(practice, "/admin/oauth/access_token", given)
    assert (status, said["expires_in"], said["access_token"][:6]) == (200, 86399, "shpat_")
    status, said, _ = await post(practice, "/admin/oauth/access_token", given | {"client_secret": "guess"})
    assert (status, "access_token" in said) == (400, False)


async def test_without_a_token_nothing_is_answered(practice: Practice) -> None:
    status, said, _ = await post(practice, "/admin/api/2026-07/graphql.json", {"query": "{ shop { name } }"})
    assert (status, said["errors"][:5]) == (401, "[API]")


@pytest.mark.parametrize(
    ("asked", "status", "served"),
    [
        ("2026-07", 200, "2026-07"),
        ("2026-01", 200, "2026-01"),
        ("2024-10", 200, "2026-01"),
        ("2031-01", 404, ""),
        ("soon", 404, ""),
    ],
)
async def test_an_old_version_is_answered_by_the_oldest_there_is(
    practice: Practice, asked: str, status: int, served: str
) -> None:
    assert (await query(practice, "{ shop { name } }", asked))[::2] == (status, served)


async def test_documents_are_checked(practice: Practice) -> None:
    for wrong in ("{ shop { colour } }", "{ shop", "{ nothing }"):
        status, said, _ = await query(practice, wrong)
        assert status == 200
        assert said["errors"][0]["message"]


async def test_a_query_may_not_ask_for_too_much(practice: Practice) -> None:
    _, said, _ = await query(practice, "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } }")
    assert said["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


async def test_what_is_found_is_paid_and_an_empty_bucket_fills_up_again(practice: Practice, shop: Shopify) -> None:
    shop.bucket = Bucket(size=15, refill=100)
    asked = "{ productVariants(first: 10) { nodes { id } } }"
    _, said, _ = await query(practice, asked)
    assert said["extensions"]["cost"]["requestedQueryCost"] == 12
    assert said["extensions"]["cost"]["actualQueryCost"] == 11
    _, said, _ = await query(practice, asked)
    assert (said["data"], said["errors"][0]["extensions"]["code"]) == (None, "THROTTLED")
    async with asyncio.timeout(30):
        while "errors" in (await query(practice, asked))[1]:  # noqa: ASYNC110 - it happens at the server
            await asyncio.sleep(0.01)


async def test_fulfilment_orders_are_closed_once(practice: Practice, shop: Shopify) -> None:
    order_id = shop.place(Sale("1", [SaleLine("TEA-100")]))
    number = shop.fulfilment_orders[order_id][0]["id"]
    text = (
        "mutation M($f: FulfillmentInput!) "
        "{ fulfillmentCreate(fulfillment: $f) { fulfillment { status } userErrors { message } } }"
    )
    given = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{number}"}]}
    _, said, _ = await query(practice, text, f=given)
    assert said["data"]["fulfillmentCreate"] == {"fulfillment": {"status": "SUCCESS"}, "userErrors": []}
    _, said, _ = await query(practice, text, f=given)
    assert "unfulfillable" in said["data"]["fulfillmentCreate"]["userErrors"][0]["message"]
    shop.fulfilment_orders[order_id] += [
        {"id": 2, "status": "open", "location_id": "1"},
        {"id": 3, "status": "open", "location_id": "2"},
    ]
    both = {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{n}"} for n in (2, 3)]
    }
    _, said, _ = await query(practice, text, f=both)
    assert "same location" in said["data"]["fulfillmentCreate"]["userErrors"][0]["message"]
    assert len(shop.orders[order_id]["fulfillments"]) == 1


def test_every_webhook_has_an_id_of_its_own_and_every_state_a_time_of_its_own() -> None:
    shop = SIMULATOR()
    order_id = shop.place(Sale("1", [SaleLine("TEA-100")]))
    first = shop.webhook(order_id, "order.created")
    shop.pay(order_id)
    shop.edit(order_id, "a")
    second, third = (shop.webhook(order_id, "order.updated") for _ in range(2))
    assert len({webhook.headers["X-Shopify-Webhook-Id"] for webhook in (first, second, third)}) == 3
    assert second.body == third.body
    assert orjson.loads(first.body)["updated_at"] < orjson.loads(second.body)["updated_at"]
    assert orjson.loads(second.body)["financial_status"] == "paid"


async def test_a_return_goes_its_way_and_its_order_with_it(practice: Practice, shop: Shopify) -> None:
    order_id = shop.place(Sale("1001", [SaleLine("TEA-100", 2)]))
    line = str(shop.orders[order_id]["line_items"][0]["id"])
    document = """query($order: ID!, $return: ID!, $reverse: ID!) {
      order(id: $order) { returnStatus updatedAt returns(first: 9) { nodes { id } } }
      return(id: $return) { name status }
      reverseFulfillmentOrder(id: $reverse) { lineItems(first: 9) { nodes { dispositions { type quantity } } } }
    }"""

    async def seen(return_id: str) -> Any:
        kinds = {"order": "Order", "return": "Return", "reverse": "ReverseFulfillmentOrder"}
        ids = {"order": order_id, "return": return_id, "reverse": return_id}
        variables = {name: f"gid://shopify/{kind}/{ids[name]}" for name, kind in kinds.items()}
        return (await query(practice, document, **variables))[1]["data"]

    none = await seen("1")
    assert none == {
        "order": {"returnStatus": "NO_RETURN", "updatedAt": none["order"]["updatedAt"], "returns": {"nodes": []}},
        "return": None,
        "reverseFulfillmentOrder": None,
    }
    return_id = shop.announce(order_id, {line: 2}, asked=True)
    asked = await seen(return_id)
    assert (asked["order"]["returnStatus"], asked["return"]["status"]) == ("RETURN_REQUESTED", "REQUESTED")
    assert asked["reverseFulfillmentOrder"]["lineItems"]["nodes"] == [], "nothing to look at before the shop agrees"
    shop.approve(return_id)
    shop.receive(return_id, Condition.DAMAGED, {line: 1})
    agreed = await seen(return_id)
    assert (agreed["order"]["returnStatus"], agreed["return"]) == (
        "IN_PROGRESS",
        {"name": "#1001-R1", "status": "OPEN"},
    )
    (item,) = agreed["reverseFulfillmentOrder"]["lineItems"]["nodes"]
    assert item["dispositions"] == [{"type": "NOT_RESTOCKED", "quantity": 1}]
    shop.receive(return_id)
    shop.receive(return_id)
    (item,) = (await seen(return_id))["reverseFulfillmentOrder"]["lineItems"]["nodes"]
    assert [each["type"] for each in item["dispositions"]] == ["NOT_RESTOCKED", "RESTOCKED"]
    shop.close_return(return_id)
    closed = await seen(return_id)
    assert closed["order"]["returnStatus"] == "RETURNED"
    times = [each["order"]["updatedAt"] for each in (none, asked, agreed, closed)]
    assert times == sorted(set(times))
    assert shop.returns[shop.announce(order_id, {line: 1})]["name"] == "#1001-R2"
    assert len(shop.state()["returns"]) == 2


def test_the_sale_that_everybody_knows() -> None:
    """Two packets of tea with shipping and US sales tax: 17.00 + 6.00 + 1.40 = 24.40."""
    shop = SIMULATOR()
    assert str(shop.total(shop.place(Sale("1", [SaleLine("TEA-100", 2)])))) == "24.40 USD"


def test_prices_with_tax_in_them_add_up_without_it() -> None:
    shop = SIMULATOR()
    order_id = shop.place(Sale("1", [SaleLine("TEA-250")], taxes_included=True, tax_rate=Decimal("0.2")))
    assert str(shop.total(order_id)) == "24.00 USD"
    assert shop.orders[order_id]["total_tax"] == "3.00"


def test_nothing_that_ships_means_no_shipping() -> None:
    shop = SIMULATOR()
    order = shop.orders[shop.place(Sale("1", [SaleLine("CLASS-01")]))]
    assert (order["shipping_lines"], order["shipping_address"]) == ([], None)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=250))
def test_what_is_spread_adds_up_exactly(amount: int, over: list[int]) -> None:
    till = Till("USD")
    parts = till.spread(Decimal(amount) / 100, [Decimal(part) / 100 for part in over])
    assert len(parts) == len(over)
    assert sum(parts) == (Decimal(amount) / 100 if any(over) else 0)
    assert all(part >= 0 for part in parts)


@needs_shared
def test_its_orders_have_the_fields_of_the_official_example() -> None:
    """Those that anything could be worked out from; the others tell of browsers and referrers."""
    theirs = orjson.loads(payload("shopify", "resource_order.json"))
    shop = SIMULATOR()
    ours = shop.orders[shop.place(Sale("1", [SaleLine("TEA-100", discount=Decimal(1))], order_discount=Decimal(1)))]
    for part in ("line_items", "shipping_lines", "discount_applications", "tax_lines"):
        assert set(ours[part][0]) <= set(theirs[part][0]) | {"title", "description"}, part
    assert set(ours) <= set(theirs)
    assert {name for name in theirs if "price" in name or "tax" in name} - set(ours) <= {
        "estimated_taxes",
        "tax_exempt",
    }
