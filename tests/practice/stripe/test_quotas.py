"""Stripe lets 25 requests a second into a sandbox; our client sends no more."""

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("refunds")


async def test_the_next_request_of_a_second_is_refused_without_saying_for_how_long() -> None:
    async with account("stripe", heedless=True) as stripe:
        stripe.simulator.quotas[0].seconds = 60
        await stripe.ask([ask] * 26)
        assert stripe.statuses.count(200) == 25 and stripe.statuses.count(429) == 1
        assert not stripe.connection.api.gate.paused_for


async def test_our_client_is_never_refused() -> None:
    async with account("stripe", faster=4) as stripe:
        await stripe.ask([ask] * 90)
        assert stripe.statuses == [200] * 90
