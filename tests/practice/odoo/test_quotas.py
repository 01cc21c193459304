"""Odoo Online asks for about a call a second; our client makes no more, and one after the other."""

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.request("POST", "res.partner/search_read", json={"limit": 1}, writes=False)


async def test_the_next_call_is_refused_by_the_web_server() -> None:
    async with account("odoo", heedless=True) as odoo:
        await odoo.ask([ask] * 60)
        assert odoo.statuses == [200] * 60
        await odoo.ask([lambda api: api.post("purchase.order/create", {"vals_list": []})])
        assert odoo.statuses[60:] == [429]


async def test_our_client_is_never_refused() -> None:
    async with account("odoo", faster=60) as odoo:
        await odoo.ask([ask] * 70)
        assert odoo.statuses == [200] * 70
