"""QuickBooks lets 10 requests a second in, and 500 a minute, for each company; our client keeps to that."""

import pytest

from bellwire.connectors.kit.http import Api
from bellwire.practice.quota import take
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("query", params={"query": "SELECT * FROM Preferences"})


async def test_the_eleventh_request_of_a_second_is_refused_without_saying_when_to_come_back() -> None:
    async with account("quickbooks", heedless=True) as books:
        await books.ask([ask] * 10)
        assert books.statuses == [200] * 10
        await books.ask([ask])
        assert books.statuses[10:] == [429]
        # Intuit says to wait a minute.
        assert 55 < books.connection.api.gate.paused_for.total_seconds() <= 60


async def test_the_five_hundred_and_first_of_a_minute_is_refused_and_another_companys_is_not() -> None:
    async with account("quickbooks", heedless=True) as books:
        minute, _ = books.simulator.quotas
        mine, theirs = "GET /v3/company/1/query ", "GET /v3/company/2/query "
        assert all(take([minute], mine) == 0 for _ in range(500))
        assert take([minute], mine) > 0
        assert take([minute], theirs) == 0


async def test_our_client_is_never_refused() -> None:
    async with account("quickbooks") as books:
        await books.ask([ask] * 31)
        assert books.statuses == [200] * 31
