"""Jobber lets 2,500 requests in every five minutes in; our client keeps to that."""

from datetime import timedelta

import pytest

from bellwire.connectors.kit.http import Api
from bellwire.practice.jobber import Jobber
from bellwire.practice.quota import take
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.request("POST", "graphql", json={"query": "{ account { id } }"}, writes=False)


async def test_one_too_many_is_refused_and_signing_in_does_not_count() -> None:
    (quota,) = Jobber().quotas
    assert all(take([quota], "POST /api/graphql ") == 0 for _ in range(2500))
    assert take([quota], "POST /api/graphql ") > 250
    assert take([quota], "POST /api/oauth/token ") == 0


async def test_a_refusal_says_when_to_come_back() -> None:
    async with account("jobber", heedless=True) as field:
        field.simulator.quotas[0].count = 3
        field.connection.api.timeout = timedelta()
        await field.ask([ask] * 4)
        assert sorted(field.statuses, key=str) == [200, 200, 200, 429]
        assert 250 < field.connection.api.gate.paused_for.total_seconds() <= 300


async def test_our_client_is_never_refused() -> None:
    """As one of fifty processes, so that a fiftieth of the limit is its own."""
    async with account("jobber", faster=300) as field:
        field.simulator.quotas[0].count = 50
        field.connection.api.gate.share(50)
        await field.ask([ask] * 110)
        assert field.statuses == [200] * 110
