"""The simulated workspace refuses what Slack would refuse."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Chat, Practice

pytestmark = pytest.mark.proves("practice")


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["slack"]) as running:
        yield running


async def ask(practice: Practice, method: str, token: str | None = "xoxb-practice", **arguments: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{practice.base_url('slack')}/api/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, **arguments) as response:
        return await response.json()


@pytest.mark.parametrize("way", ["json", "data"])
async def test_it_takes_json_and_forms(practice: Practice, way: str) -> None:
    said = await ask(
        practice, "chat.postMessage", "xoxb-practice", **{way: {"channel": "#packing", "text": "Order 7 is paid"}}
    )
    assert said["ok"]
    chat = practice.simulators["slack"]
    assert isinstance(chat, Chat)
    assert [(m.id, m.reference) for m in chat.messages()] == [(said["ts"], "7")]
    assert chat.state()["messages"][0]["text"] == "Order 7 is paid"


@pytest.mark.parametrize(("token", "error"), [(None, "not_authed"), ("xoxb-other", "invalid_auth")])
async def test_it_wants_its_token(practice: Practice, token: str | None, error: str) -> None:
    assert (await ask(practice, "auth.test", token))["error"] == error


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "#warehouse", "text": "x"}, "not_in_channel"),
        ({"channel": "#packing", "text": ""}, "no_text"),
        ({"channel": "#packing", "text": "x", "metadata": {"event_payload": {}}}, "invalid_metadata_schema"),
        ({"channel": "#packing", "text": "x", "metadata": "{"}, "invalid_metadata_format"),
    ],
)
async def test_it_refuses_what_slack_refuses(practice: Practice, message: dict[str, Any], error: str) -> None:
    assert await ask(practice, "chat.postMessage", json=message) == {"ok": False, "error": error}


async def test_broken_json_is_refused(practice: Practice) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-practice"}
    url = f"{practice.base_url('slack')}/api/chat.postMessage"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers, data=b"{") as response:
        assert (await response.json())["error"] == "invalid_json"


async def test_two_messages_never_have_the_same_id(practice: Practice) -> None:
    ids = [(await ask(practice, "chat.postMessage", json={"channel": "packing", "text": "x"}))["ts"] for _ in range(5)]
    assert len(set(ids)) == 5
