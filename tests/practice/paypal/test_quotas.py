"""PayPal's limits aren't published: those of practice are assumed, and our client keeps well below them."""

import pytest

from bellwire.connectors.kit.http import Api
from bellwire.practice.paypal import PayPalSimulator
from bellwire.practice.quota import take
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("v1/notifications/webhooks")


async def test_one_request_too_many_is_refused_without_saying_for_how_long() -> None:
    async with account("paypal", heedless=True) as paypal:
        paypal.simulator.quotas[0].seconds = 60
        await paypal.ask([ask] * 21)
        assert paypal.statuses.count(429) == 1
        assert not paypal.connection.api.gate.paused_for


def test_signing_in_does_not_count() -> None:
    (quota,) = PayPalSimulator().quotas
    assert all(take([quota], "POST /v1/oauth2/token ") == 0 for _ in range(50))
    assert all(take([quota], "GET /v2/payments/captures/1 ") == 0 for _ in range(20))
    assert take([quota], "GET /v1/notifications/webhooks ") > 0


async def test_our_client_is_never_refused() -> None:
    async with account("paypal", faster=5) as paypal:
        await paypal.ask([ask] * 60)
        assert set(paypal.statuses) == {200}
