"""The practice database refuses what Odoo refuses, in its words."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bellwire.practice import Practice
from bellwire.practice.odoo import product_id

pytestmark = [pytest.mark.proves("practice"), pytest.mark.asyncio(loop_scope="module")]
KEY = {"Authorization": "bearer practice-api-key"}
LINE = [0, 0, {"product_id": product_id("TEA-100"), "product_qty": 2}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    async with Practice(["odoo"]) as practice:
        practice.simulators["odoo"].quotas.clear()
        yield practice.base_url("odoo")


async def ask(url: str, path: str, given: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(headers=KEY if headers is None else headers) as session,
        session.post(f"{url}/json/2/{path}", json=given) as answer,
    ):
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else await answer.text()


async def test_records_are_searched_as_odoo_does(url: str) -> None:
    domain = [
        "|",
        ["default_code", "=", "TEA-100"],
        "&",
        ["default_code", "=", "MUG-RED"],
        ["uom_id.name", "=", "Units"],
    ]
    given = {"domain": domain, "fields": ["default_code", "uom_id"], "order": "id desc", "limit": 1}
    status, found = await ask(url, "product.product/search_read", given)
    assert status == 200
    assert found == [{"id": product_id("MUG-RED"), "default_code": "MUG-RED", "uom_id": [1, "Units"]}]


@pytest.mark.parametrize(
    ("path", "given", "status", "name"),
    [
        ("res.partner/search_read", {"domein": []}, 422, "UnprocessableEntity"),
        ("res.partner/search_read", {"domain": [["naam", "=", "x"]]}, 500, "ValueError"),
        ("res.partner/read", {"ids": [4711]}, 404, "MissingError"),
        ("res.partner/burn", {}, 404, "NotFound"),
        ("no.model/read", {"ids": []}, 404, "NotFound"),
        ("ir.config_parameter/get_param", {"key": "database.is_neutralized"}, 403, "AccessError"),
        ("res.partner/create", {"vals_list": [{}]}, 403, "AccessError"),
        ("purchase.order/create", {"vals_list": [{"origin": "x"}]}, 422, "ValidationError"),
        ("purchase.order/create", {"vals_list": [{"partner_id": 9}, {"partner_id": 4711}]}, 422, "ValidationError"),
        ("purchase.order/create", {"vals_list": [{"partner_id": 9, "colour": "red"}]}, 500, "ValueError"),
        (
            "purchase.order/create",
            {"vals_list": [{"partner_id": 9, "order_line": [LINE, [0, 0, {"product_id": 4711, "product_qty": 1}]]}]},
            422,
            "ValidationError",
        ),
    ],
)
async def test_what_odoo_refuses(url: str, path: str, given: Any, status: int, name: str) -> None:
    """And nothing of it is done: a call is one transaction."""
    got, told = await ask(url, path, given)
    assert got == status and name in str(told)
    assert (await ask(url, "purchase.order/search_read", {}))[1] == []


async def test_without_a_key_nobody_gets_in(url: str) -> None:
    for headers in ({}, {"Authorization": "bearer other"}, {"Authorization": "Basic practice-api-key"}):
        status, told = await ask(url, "res.partner/read", {"ids": [9]}, headers)
        assert (status, told["message"]) == (401, "Invalid apikey")


async def test_another_database_is_not_there(url: str) -> None:
    assert (await ask(url, "res.partner/read", {"ids": [9]}, {**KEY, "X-Odoo-Database": "other"}))[0] == 404
