"""ShipStation lets 200 requests a minute in; our client keeps to that."""

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("carriers")


async def test_the_two_hundred_and_first_request_of_a_minute_is_refused_and_told_when_to_come_back() -> None:
    async with account("shipstation", heedless=True) as shipping:
        await shipping.ask([ask] * 200)
        assert shipping.statuses == [200] * 200
        await shipping.ask([ask])
        assert shipping.statuses[200:] == [429]
        assert 50 < shipping.connection.api.gate.paused_for.total_seconds() <= 60


async def test_our_client_is_never_refused() -> None:
    async with account("shipstation", faster=60) as shipping:
        await shipping.ask([ask] * 601)
        assert shipping.statuses == [200] * 601
