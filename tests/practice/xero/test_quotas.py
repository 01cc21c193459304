"""Xero lets 60 requests a minute in for each organisation, and 5,000 a day; our client keeps to that."""

from datetime import timedelta

import pytest

from bellwire.connectors.kit.http import Api
from bellwire.practice.quota import take
from bellwire.practice.xero import Xero
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")

TENANT = {"xero-tenant-id": Xero.settings["tenant_id"]}


async def ask(api: Api) -> None:
    await api.get("TaxRates", headers=TENANT)


async def test_the_sixty_first_request_of_a_minute_is_refused_with_when_to_come_back() -> None:
    async with account("xero", heedless=True) as books:
        await books.ask([ask] * 60)
        assert books.statuses == [200] * 60
        books.connection.api.timeout = timedelta()
        await books.ask([ask])
        assert books.statuses[60:] == [429]
        assert 55 < books.connection.api.gate.paused_for.total_seconds() <= 60


async def test_each_answer_says_how_many_are_left() -> None:
    async with account("xero", heedless=True) as books:
        answers = [await books.connection.api.get("TaxRates", headers=TENANT) for _ in range(3)]
        assert [answer.headers["X-MinLimit-Remaining"] for answer in answers] == ["59", "58", "57"]
        assert answers[-1].headers["X-DayLimit-Remaining"] == "4997"


async def test_the_five_thousand_and_first_of_a_day_is_refused_and_signing_in_does_not_count() -> None:
    _, day = Xero().quotas
    assert all(take([day], "GET /api.xro/2.0/Items ") == 0 for _ in range(5000))
    assert take([day], "GET /api.xro/2.0/Items ") > 86_000
    assert take([day], "POST /connect/token ") == 0


async def test_our_client_is_never_refused() -> None:
    async with account("xero", faster=30) as books:
        await books.ask([ask] * 130)
        assert books.statuses == [200] * 130
