"""The practice shop against plain HTTP, as a stranger to Bellwire would use it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bellwire.practice import Practice, Sale, SaleLine, Shop
from bellwire.practice.woocommerce import WooCommerce


def key(pair: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


KEY = key("ck_practice:cs_practice")


class Client:
    def __init__(self, practice: Practice, session: aiohttp.ClientSession) -> None:
        simulator = practice.simulators["woocommerce"]
        assert isinstance(simulator, WooCommerce)
        self.simulator = simulator
        self._url = practice.base_url("woocommerce") + "/wp-json/wc/v3/"
        self._session = session

    async def ask(self, method: str, path: str, json: Any = None, headers: Mapping[str, str] = KEY) -> tuple[int, Any]:
        async with self._session.request(method, self._url + path, json=json, headers=headers) as answer:
            return answer.status, await answer.json()

    async def headers(self, path: str) -> dict[str, str]:
        async with self._session.get(self._url + path, headers=KEY) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Practice(["woocommerce"]) as practice, aiohttp.ClientSession() as session:
        yield Client(practice, session)


def test_it_is_a_shop() -> None:
    assert isinstance(WooCommerce(), Shop)


@pytest.mark.parametrize(
    ("sale", "parts"),
    [
        # https://woocommerce.com/document/setting-up-taxes-in-woocommerce/
        (Sale("1", [SaleLine("TEA-100", 2)]), {"total": "24.90", "total_tax": "1.90", "shipping_tax": "0.50"}),
        (Sale("1", [SaleLine("CLASS-01")], shipping=Decimal(0)), {"total": "27.06", "shipping_lines": []}),
        (Sale("1", [SaleLine("TEA-100")], tip=Decimal(3), shipping=Decimal(0)), {"total": "12.20"}),
        (
            Sale("1", [SaleLine("TEA-100", 2)], shipping=Decimal(0), order_discount=Decimal(2)),
            {"total": "16.24", "discount_total": "2.00"},
        ),
        # a price of 8.50 with 20 % in it: 7.08 and 1.42
        (
            Sale("1", [SaleLine("TEA-100")], shipping=Decimal(0), tax_rate=Decimal("0.2"), taxes_included=True),
            {"total": "8.50", "total_tax": "1.42"},
        ),
    ],
)
def test_totals_are_worked_out_as_the_shop_does(sale: Sale, parts: dict[str, Any]) -> None:
    shop = WooCommerce()
    order = shop.orders[int(shop.place(sale))]
    assert {name: order[name] for name in parts} == parts


async def test_a_wrong_key_a_missing_one_and_a_wrong_path_are_told_apart(client: Client) -> None:
    _, wrong = await client.ask("GET", "orders", headers=key("ck_practice:cs_wrong"))
    assert wrong["code"] == "woocommerce_rest_authentication_error"
    _, missing = await client.ask("GET", "orders", headers={})
    assert missing["code"] == "woocommerce_rest_cannot_view"
    assert await client.ask("GET", "eggs") == (
        404,
        {
            "code": "rest_no_route",
            "message": "No route was found matching the URL and request method.",
            "data": {"status": 404},
        },
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "orders/9999", None, 404, "woocommerce_rest_shop_order_invalid_id"),
        ("GET", "products/9999", None, 404, "woocommerce_rest_product_invalid_id"),
        ("GET", "webhooks/9999", None, 404, "woocommerce_rest_shop_webhook_invalid_id"),
        ("GET", "orders?per_page=101", None, 400, "rest_invalid_param"),
        ("GET", "orders?orderby=modified", None, 400, "rest_invalid_param"),
        ("PUT", "orders/ORDER", {"status": "eaten"}, 400, "rest_invalid_param"),
        ("POST", "orders/ORDER/notes", {}, 400, "rest_missing_callback_param"),
        ("POST", "products/tags", {}, 400, "rest_missing_callback_param"),
        ("POST", "webhooks", {"topic": "order.updated"}, 400, "rest_missing_callback_param"),
    ],
)
async def test_what_the_shop_would_refuse_is_refused_in_its_words(
    client: Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    order_id = client.simulator.place(Sale("1", [SaleLine("TEA-100")]))
    answered, error = await client.ask(method, path.replace("ORDER", order_id), body)
    assert (answered, error["code"], error["data"]["status"]) == (status, code, status)
    assert error["message"]


async def test_pages_say_how_many_there_are_and_where_the_next_is(client: Client) -> None:
    for number in range(3):
        client.simulator.place(Sale(str(number), [SaleLine("TEA-100")]))
    first = await client.headers("orders?per_page=2")
    assert (first["x-wp-total"], first["x-wp-totalpages"]) == ("3", "2")
    assert "page=2" in first["link"]
    assert "link" not in await client.headers("orders?per_page=2&page=2")


async def test_a_tag_exists_once_and_a_products_list_is_replaced(client: Client) -> None:
    _, tag = await client.ask("POST", "products/tags", {"name": "Low stock"})
    assert tag["slug"] == "low-stock"
    status, error = await client.ask("POST", "products/tags", {"name": "Low stock"})
    assert (status, error["code"], error["data"]["resource_id"]) == (400, "term_exists", tag["id"])
    _, (product,) = await client.ask("GET", "products?sku=TEA-100")
    for tags in ([{"id": tag["id"]}], []):
        _, changed = await client.ask("PUT", f"products/{product['id']}", {"tags": tags})
        assert [t["id"] for t in changed["tags"]] == [t["id"] for t in tags]


async def test_a_paid_order_has_its_time_of_payment_once(client: Client) -> None:
    order_id = client.simulator.place(Sale("1", [SaleLine("TEA-100")]))
    client.simulator.pay(order_id)
    _, paid = await client.ask("GET", f"orders/{order_id}")
    _, completed = await client.ask("PUT", f"orders/{order_id}", {"status": "completed"})
    assert paid["date_paid_gmt"] == completed["date_paid_gmt"] is not None
    assert paid["date_modified_gmt"] < completed["date_modified_gmt"]
    assert client.simulator.fulfilled() == [order_id]


class Listener:
    """An address that webhooks are sent to."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def hear(self, request: web.Request) -> web.Response:
        await self.heard.put((request.content_type, await request.text()))
        return web.Response()


async def test_a_new_webhook_pings_its_address_and_keeps_its_secret(client: Client) -> None:
    listener, app = Listener(), web.Application()
    app.router.add_post("/hooks", listener.hear)
    async with TestServer(app) as server:
        given = {"topic": "order.updated", "delivery_url": str(server.make_url("/hooks")), "secret": "abc123"}
        status, webhook = await client.ask("POST", "webhooks", given)
        assert (status, webhook["status"], "secret" in webhook) == (201, "active", False)
        ping = ("application/x-www-form-urlencoded", f"webhook_id={webhook['id']}")
        assert listener.heard.get_nowait() == ping
        await client.ask("PUT", f"webhooks/{webhook['id']}", {"status": "paused"})
        assert listener.heard.empty()
        await client.ask("PUT", f"webhooks/{webhook['id']}", {"status": "active"})
        assert listener.heard.get_nowait() == ping
        assert "abc123" not in str(client.simulator.state())


async def test_a_webhook_whose_address_is_dead_is_kept_all_the_same(client: Client) -> None:
    status, webhook = await client.ask(
        "POST", "webhooks", {"topic": "order.updated", "delivery_url": "http://127.0.0.1:9/hooks"}
    )
    assert status == 201
    assert [listed["id"] for listed in (await client.ask("GET", "webhooks"))[1]] == [webhook["id"]]
    assert (await client.ask("GET", f"webhooks/{webhook['id']}"))[1] == webhook
