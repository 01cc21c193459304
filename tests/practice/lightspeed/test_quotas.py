"""Lightspeed lets 350 requests in five minutes in, of a store with one register; our client sends no more."""

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account


async def ask(api: Api) -> None:
    await api.get("outlets")


pytestmark = pytest.mark.proves("limits")


async def test_the_next_request_is_refused_with_a_date() -> None:
    async with account("lightspeed", heedless=True) as store:
        await store.ask([ask] * 350)
        assert store.statuses == [200] * 350
        await store.ask([lambda api: api.post("webhooks", {})])
        assert store.statuses[350:] == [429]


async def test_our_client_is_never_refused() -> None:
    async with account("lightspeed", faster=150) as store:
        await store.ask([ask] * 401)
        assert store.statuses == [200] * 401
