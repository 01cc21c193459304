"""Calendly's paid plans let 500 requests a minute in; our client keeps to it, and to what a smaller plan leaves."""

from datetime import timedelta

import pytest

from bellwire.connectors.kit.http import Api
from bellwire.practice.calendly import CalendlySimulator
from bellwire.practice.quota import take
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("users/me")


def test_the_five_hundred_and_first_request_of_a_minute_is_refused() -> None:
    quotas = CalendlySimulator().quotas
    assert all(take(quotas, "GET /users/me ") == 0 for _ in range(500))
    assert take(quotas, "GET /event_types ") > 50
    assert take(quotas, "POST /oauth/token ") == 0


async def test_a_refusal_says_when_to_come_back() -> None:
    async with account("calendly", heedless=True) as diary:
        diary.simulator.quotas[0].count = 1
        answer = await diary.connection.api.get("users/me")
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        diary.connection.api.timeout = timedelta()
        await diary.ask([ask])
        assert diary.statuses == [200, 429]
        assert 50 < diary.connection.api.gate.paused_for.total_seconds() <= 60


async def test_our_client_is_never_refused() -> None:
    async with account("calendly", faster=600) as diary:
        await diary.ask([ask] * 600)
        assert diary.statuses == [200] * 600
