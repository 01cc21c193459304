"""HubSpot lets 100 requests in every ten seconds in, and five searches a second; our client keeps to that."""

from datetime import timedelta

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def read(api: Api) -> None:
    await api.get("contacts/1")


async def search_contacts(api: Api) -> None:
    await api.request("POST", "contacts/search", json={"limit": 1}, writes=False)


async def search_deals(api: Api) -> None:
    await api.request("POST", "deals/search", json={"limit": 1}, writes=False)


async def test_the_hundred_and_first_is_refused_with_when_to_come_back() -> None:
    async with account("hubspot", heedless=True) as crm:
        await crm.ask([read] * 100)
        crm.connection.api.timeout = timedelta()
        await crm.ask([read])
        assert crm.statuses == [404] * 100 + [429]
        assert 5 < crm.connection.api.gate.paused_for.total_seconds() <= 10


async def test_the_sixth_search_of_a_second_is_refused() -> None:
    async with account("hubspot", heedless=True) as crm:
        crm.connection.api.timeout = timedelta()
        await crm.ask([search_contacts] * 6)
        assert sorted(crm.statuses, key=str) == [200] * 5 + [429]


async def test_our_client_is_never_refused() -> None:
    async with account("hubspot", faster=20) as crm:
        await crm.ask([read] * 130 + [search_contacts] * 12 + [search_deals] * 9)
        assert 429 not in crm.statuses and len(crm.statuses) == 151


async def test_answers_say_how_many_more_are_let_in() -> None:
    async with account("hubspot", heedless=True) as crm:
        answers = [await crm.connection.api.get("/crm/owners/2026-09") for _ in range(2)]
        assert [answer.headers["X-HubSpot-RateLimit-Remaining"] for answer in answers] == ["99", "98"]
