"""The simulated team refuses what Power Automate would refuse, and takes what it would take."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from bellwire.practice import Chat, Practice
from bellwire.practice.teams import TeamsSimulator

Answer = tuple[int, str]
TEXT = {"type": "TextBlock", "text": "Order 7 is paid"}


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["teams"]) as running:
        yield running


@pytest.fixture
def teams(practice: Practice) -> TeamsSimulator:
    simulator = practice.simulators["teams"]
    assert isinstance(simulator, TeamsSimulator)
    return simulator


async def ask(practice: Practice, url: str, **more: Any) -> Answer:
    """Status, and the error's code."""
    parts = urlsplit(url)
    address = f"{practice.base_url('teams')}{parts.path}?{parts.query}"
    async with aiohttp.ClientSession() as session, session.post(address, **more) as response:
        body = await response.read()
        return response.status, (await response.json())["error"]["code"] if body else ""


def message(*blocks: Any, **changes: Any) -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": "1.4", "body": list(blocks)} | changes
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}],
    }


async def test_a_card_is_posted_to_the_channel_of_its_workflow(practice: Practice, teams: TeamsSimulator) -> None:
    runs = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": t} for t in ("to ", "pack")]}
    assert await ask(practice, teams.workflows[1].url, json=message(TEXT, runs)) == (202, "")
    assert isinstance(teams, Chat)
    assert [(m.reference, m.text) for m in teams.messages()] == [("7", "Order 7 is paid\nto pack")]
    assert teams.state()["messages"][0]["channel"] == "orders"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("sig=practice-1-_sig", "sig=other", (401, "AuthorizationFailed")),
        ("&sig=practice-1-_sig", "", (401, "DirectApiAuthorizationRequired")),
        ("sv=1.0&", "", (401, "AuthorizationFailed")),
        ("api-version=1&", "", (400, "InvalidApiVersionParameter")),
        (f"{1:032x}", "f" * 32, (404, "WorkflowNotFound")),
        ("/paths/invoke", "", (404, "ResourceNotFound")),
    ],
)
async def test_it_wants_the_whole_url(
    practice: Practice, teams: TeamsSimulator, old: str, new: str, expected: Answer
) -> None:
    url = teams.workflows[0].url
    assert old in url
    assert await ask(practice, url.replace(old, new), json=message(TEXT)) == expected
    assert not teams.posted


@pytest.mark.parametrize("state", ["Disabled", "Deleted"])
async def test_a_workflow_that_is_off_or_gone_doesnt_begin(
    practice: Practice, teams: TeamsSimulator, state: str
) -> None:
    teams.workflows[0].state = state
    assert await ask(practice, teams.workflows[0].url, json=message(TEXT)) == (400, "WorkflowTriggerIsNotEnabled")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"{", "application/json", "InvalidRequestContent"),
        (b"[]", "application/json", "TriggerInputSchemaMismatch"),
        (b'{"text": "x"}', "application/json", "TriggerInputSchemaMismatch"),
        (b'{"attachments": []}', "text/plain", "TriggerInputSchemaMismatch"),
    ],
)
async def test_what_isnt_a_message_with_cards_doesnt_begin(
    practice: Practice, teams: TeamsSimulator, body: bytes, kind: str, code: str
) -> None:
    url = teams.workflows[0].url
    assert await ask(practice, url, data=body, headers={"Content-Type": kind}) == (400, code)
    assert not teams.failed_runs


@pytest.mark.parametrize(
    "wrong",
    [
        message(TEXT) | {"type": "card"},
        message(TEXT) | {"attachments": []},
        message(TEXT) | {"attachments": [{"contentType": "text/plain", "content": {}}]},
        message(TEXT, version="2.0"),
        message(TEXT, type="MessageCard"),
        message(),
        message("Order 7"),
        message({"type": "TextBlock", "text": ""}),
        message({"type": "RichTextBlock", "inlines": []}),
        message({"type": "Video"}),
        message({"type": "TextBlock", "text": "x" * 28 * 1024}),
    ],
)
async def test_a_card_that_cant_be_posted_is_taken_and_only_the_history_says_so(
    practice: Practice, teams: TeamsSimulator, wrong: dict[str, Any]
) -> None:
    assert await ask(practice, teams.workflows[0].url, json=wrong) == (202, "")
    assert (len(teams.failed_runs), teams.posted) == (1, [])


async def test_signatures_are_not_remembered(practice: Practice, teams: TeamsSimulator) -> None:
    await ask(practice, teams.workflows[0].url, json=message(TEXT))
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{practice.url}/practice/teams/calls") as calls,
        session.get(f"{practice.url}/practice/teams/state") as state,
    ):
        assert "_sig" not in await calls.text() + await state.text()
    assert teams.received[0].query == {"api-version": "1", "sp": "/triggers/manual/run", "sv": "1.0"}
