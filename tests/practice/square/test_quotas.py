"""Square is assumed to let 20 requests a second in; our client sends fewer."""

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("locations")


async def test_the_twenty_first_request_of_a_second_is_refused() -> None:
    async with account("square", heedless=True) as till:
        await till.ask([ask] * 20)
        assert till.statuses == [200] * 20
        await till.ask([ask])
        assert till.statuses[20:] == [429]


async def test_our_client_is_never_refused() -> None:
    async with account("square", faster=6) as till:
        await till.ask([ask] * 61)
        assert till.statuses == [200] * 61
