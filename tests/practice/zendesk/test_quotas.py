"""Zendesk's smallest plan lets 200 requests a minute in, and 30 changes of a ticket in ten; our client keeps to it."""

import pytest

from bellwire.connectors.kit.http import Api
from bellwire.practice.quota import take
from bellwire.practice.zendesk import ZendeskSimulator
from tests.practice.quotas import account

pytestmark = pytest.mark.proves("limits")


async def ask(api: Api) -> None:
    await api.get("users/me")


async def change(api: Api) -> None:
    await api.request("PUT", "tickets/35436", json={"ticket": {"status": "open"}}, paced_by="35436")


async def list_changes(api: Api) -> None:
    await api.get("incremental/tickets/cursor", params={"start_time": "1"})


def test_the_thirty_first_change_of_a_ticket_is_refused_and_those_of_others_are_not() -> None:
    quotas = ZendeskSimulator().quotas
    assert all(take(quotas, "PUT /api/v2/tickets/7 ") == 0 for _ in range(30))
    assert take(quotas, "PUT /api/v2/tickets/7 ") > 500
    assert take(quotas, "PUT /api/v2/tickets/8 ") == 0


async def test_a_refusal_says_when_to_come_back_and_each_answer_how_many_are_left() -> None:
    async with account("zendesk", heedless=True) as helpdesk:
        told = await helpdesk.connection.api.get("users/me")
        assert told.headers["X-Rate-Limit-Remaining"] == "199"
        await helpdesk.ask([list_changes] * 10)
        helpdesk.connection.api.timeout = helpdesk.connection.api.timeout / 100
        await helpdesk.ask([list_changes])
        assert helpdesk.statuses.count(429) == 1
        assert helpdesk.connection.api.gate.paused_for.total_seconds() > 50


async def test_our_client_is_never_refused() -> None:
    async with account("zendesk", faster=600) as helpdesk:
        simulator = helpdesk.simulator
        assert isinstance(simulator, ZendeskSimulator)
        simulator.write("Help", "Please")
        await helpdesk.ask([*[ask] * 250, *[change] * 61, *[list_changes] * 21])
        assert set(helpdesk.statuses) == {200}
