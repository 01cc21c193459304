"""The simulated account refuses what Calendly would refuse."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Bookings, Practice
from bellwire.practice.calendly import CalendlySimulator

pytestmark = pytest.mark.proves("practice")
ORGANIZATION = "https://api.calendly.com/organizations/PRACTICEORG"
HOOK = {
    "url": "https://x.example",
    "events": ["invitee.created"],
    "scope": "organization",
    "organization": ORGANIZATION,
    "signing_key": "k" * 32,
}


class Client:
    def __init__(self, session: aiohttp.ClientSession, base: str, simulator: CalendlySimulator) -> None:
        self.session, self.base, self.calendly, self.token = session, base, simulator, "practice-token"

    async def ask(self, method: str, path: str, json: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.request(method, f"{self.base}{path}", json=json, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    async def refresh(self, token: str) -> tuple[int, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        async with self.session.post(f"{self.base}/oauth/token", data=form) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Practice(["calendly"]) as practice, aiohttp.ClientSession() as session:
        simulator = practice.simulators["calendly"]
        assert isinstance(simulator, CalendlySimulator)
        yield Client(session, practice.base_url("calendly"), simulator)


async def test_a_refresh_token_is_good_for_one_use(client: Client) -> None:
    status, said = await client.refresh("practice-refresh-1")
    assert (status, said["expires_in"]) == (200, 7200)
    assert (await client.refresh("practice-refresh-1"))[0] == 400
    client.token = said["access_token"]
    assert (await client.ask("GET", "/users/me"))[0] == 200
    client.token = "guessed"
    assert (await client.ask("GET", "/users/me"))[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "json", "status"),
    [
        ("GET", "/scheduled_events", None, 400),
        ("GET", f"/scheduled_events?organization={ORGANIZATION}&count=101", None, 400),
        ("GET", f"/scheduled_events?organization={ORGANIZATION}&page_token=x", None, 400),
        ("GET", "/scheduled_events/NONE", None, 404),
        ("GET", "/scheduled_events/NONE/invitees/NONE", None, 404),
        ("POST", "/scheduling_links", {"max_event_count": 1, "owner": "x", "owner_type": "EventType"}, 400),
        ("POST", "/scheduling_links", {"max_event_count": 2, "owner": "x/BOILER", "owner_type": "EventType"}, 400),
        ("POST", "/webhook_subscriptions", {**HOOK, "events": []}, 400),
        ("POST", "/webhook_subscriptions", {**HOOK, "organization": "else"}, 400),
        ("DELETE", "/webhook_subscriptions/NONE", None, 404),
    ],
)
async def test_it_refuses_what_calendly_refuses(client: Client, method: str, path: str, json: Any, status: int) -> None:
    found, said = await client.ask(method, path, json)
    assert (found, set(said)) == (status, {"title", "message", "details"})


async def test_one_address_has_one_subscription(client: Client) -> None:
    assert (await client.ask("POST", "/webhook_subscriptions", HOOK))[0] == 201
    assert (await client.ask("POST", "/webhook_subscriptions", HOOK))[0] == 409


async def test_what_is_called_off_is_so_for_all_and_cant_be_called_off_again(client: Client) -> None:
    assert isinstance(client.calendly, Bookings)
    event = client.calendly.book("COURSE").partition("/")[0]
    client.calendly.book(into=event)
    path = f"/scheduled_events/{event}/cancellation"
    assert (await client.ask("POST", path, {"reason": "Ill"}))[0] == 201
    assert {each["status"] for each in client.calendly.invitees[event]} == {"canceled"}
    assert (await client.ask("POST", path, {"reason": "Ill"}))[0] == 403


async def test_of_a_group_one_may_go_and_the_others_stay(client: Client) -> None:
    first = client.calendly.book("COURSE")
    client.calendly.book(into=first.partition("/")[0])
    client.calendly.call_off(first)
    assert client.calendly.events[first.partition("/")[0]]["status"] == "active"
