"""The simulated calendar refuses what Google would refuse, and keeps its limits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from bellwire.practice import Practice
from bellwire.practice.google_calendar import GoogleCalendar
from tests.practice.quotas import Asking, account

EVENTS = f"/calendars/{quote('owner@tea.example', safe='')}/events"
AT_NINE = {"dateTime": "2026-11-30T09:00:00Z"}
AT_TEN = {"dateTime": "2026-11-30T10:00:00Z"}


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["google_calendar"]) as running:
        yield running


async def ask(
    practice: Practice, method: str, path: str, body: Any = None, token: str = "practice-access-token"
) -> tuple[int, str]:
    """The status, and the reason of a refusal."""
    url = f"{practice.base_url('google_calendar')}/calendar/v3{path}"
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.request(method, url, json=body) as response,
    ):
        told = await response.json() if response.status != 204 else {}
        return response.status, told["error"]["errors"][0]["reason"] if "error" in told else ""


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("POST", EVENTS, {"id": "UPPER", "start": AT_NINE, "end": AT_TEN}, (400, "invalid")),
        ("POST", EVENTS, {"id": "wxyz1", "start": AT_NINE, "end": AT_TEN}, (400, "invalid")),
        ("POST", EVENTS, {"start": AT_NINE}, (400, "required")),
        ("POST", EVENTS, {"start": AT_NINE | {"date": "2026-11-30"}, "end": AT_TEN}, (400, "required")),
        ("POST", EVENTS, {"start": AT_TEN, "end": AT_NINE}, (400, "timeRangeEmpty")),
        ("GET", f"{EVENTS}/nobody", None, (404, "notFound")),
        ("DELETE", f"{EVENTS}/nobody", None, (404, "notFound")),
        ("GET", "/calendars/nobody/events", None, (404, "notFound")),
        ("GET", f"{EVENTS}?syncToken=sync-0&updatedMin=2026-01-01T00:00:00Z", None, (400, "invalid")),
        ("POST", f"{EVENTS}/watch", {"id": "c1", "type": "pigeon", "address": "https://x"}, (400, "invalid")),
        ("POST", "/channels/stop", {"id": "c1", "resourceId": "r"}, (404, "notFound")),
    ],
)
async def test_it_refuses_what_google_refuses(
    practice: Practice, method: str, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    assert await ask(practice, method, path, body) == refusal
    assert practice.simulators["google_calendar"].state() == {"owner@tea.example": []}


async def test_it_wants_its_token_and_that_the_calendar_may_be_changed(practice: Practice) -> None:
    assert await ask(practice, "GET", EVENTS, token="old") == (401, "authError")
    simulator = practice.simulators["google_calendar"]
    assert isinstance(simulator, GoogleCalendar)
    simulator.calendars["owner@tea.example"].role = "reader"
    assert await ask(practice, "POST", EVENTS, {"start": AT_NINE, "end": AT_TEN}) == (403, "requiredAccessLevel")


async def test_an_id_stays_taken_when_its_event_is_deleted(practice: Practice) -> None:
    event = {"id": "abcde", "start": AT_NINE, "end": AT_TEN}
    told = [
        await ask(practice, "POST", EVENTS, event),
        await ask(practice, "DELETE", f"{EVENTS}/abcde"),
        await ask(practice, "DELETE", f"{EVENTS}/abcde"),
        await ask(practice, "POST", EVENTS, event),
        await ask(practice, "PATCH", f"{EVENTS}/abcde", {"status": "confirmed"}),
    ]
    assert told == [(200, ""), (204, ""), (410, "deleted"), (409, "duplicate"), (200, "")]


# Limits


def reading() -> Asking:
    return lambda api: api.get("calendars/primary/events", params={"maxResults": "1"})


@pytest.mark.proves("limits")
async def test_the_601st_request_of_a_minute_is_refused_and_nobody_says_for_how_long() -> None:
    async with account("google_calendar", heedless=True) as visits:
        visits.simulator.quotas[0].count = 20
        await asyncio.wait_for(visits.ask([reading()] * 21), 30)
        assert sorted(map(str, visits.statuses)) == ["200"] * 20 + ["403"]
        assert not visits.connection.api.gate.paused_for


@pytest.mark.proves("limits")
async def test_our_client_is_never_refused() -> None:
    async with account("google_calendar", faster=120) as visits:
        await visits.ask([reading()] * 620)
        assert visits.statuses == [200] * 620
