"""Asana lets 150 requests a minute in to a free workspace; our client keeps to that."""

from datetime import timedelta

import pytest

from bellwire.connectors.kit.http import Api
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("users/me")


async def test_one_too_many_is_refused_with_when_to_come_back() -> None:
    async with account("asana", heedless=True) as team:
        await team.ask([ask] * 150)
        team.connection.api.timeout = timedelta()
        await team.ask([ask])
        assert team.statuses == [200] * 150 + [429]
        assert 50 < team.connection.api.gate.paused_for.total_seconds() <= 60


async def test_our_client_is_never_refused() -> None:
    async with account("asana", faster=100) as team:
        await team.ask([ask] * 250)
        assert team.statuses == [200] * 250
