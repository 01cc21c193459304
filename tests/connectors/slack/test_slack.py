"""What the connector asks Slack for, and how it reads the answers."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwire.capabilities.chat import Message, PostMessage
from bellwire.clock import system_clock
from bellwire.connectors.kit import Answer, Call
from bellwire.connectors.slack import CONNECTOR
from bellwire.connectors.slack.errors import explain
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.slack import Channel, SlackSimulator
from tests import faults
from tests.connecting import call, connection
from tests.connectors.slack.described import problems
from tests.shared import needs_shared, payload

POST = CONNECTOR.actions["chat.post_message"]


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["slack"]) as running:
        yield running


@pytest.fixture
def slack(practice: Practice) -> SlackSimulator:
    simulator = practice.simulators["slack"]
    assert isinstance(simulator, SlackSimulator)
    simulator.scopes |= {"groups:read", "groups:history"}  # for private channels
    return simulator


@pytest.fixture
async def calling(practice: Practice) -> AsyncIterator[Callable[..., Call]]:
    made = connection("slack", practice)

    def make(**changes: Any) -> Call:
        return dataclasses.replace(call(made, **changes), clock=system_clock)

    yield make
    await made.api.close()


async def post(made: Call, channel: str = "packing", text: str = "Order 1001 is paid") -> Message:
    result = await POST(made, PostMessage(channel=channel, text=text))
    assert isinstance(result, Message)
    return result


@pytest.mark.parametrize("spelling", ["packing", "#packing", "ID"])
async def test_a_channel_may_be_named_with_or_without_a_hash_or_by_its_id(
    calling: Callable[..., Call], slack: SlackSimulator, spelling: str
) -> None:
    channel = slack.channels[1]
    result = await post(calling(), channel.id if spelling == "ID" else spelling)
    assert (result.channel, result.id) == (channel.id, slack.posted[0].ts)
    assert [(m.reference, m.text) for m in slack.messages()] == [("1001", "Order 1001 is paid")]


async def test_text_arrives_as_it_was_written(calling: Callable[..., Call], slack: SlackSimulator) -> None:
    text = "Robin & Sons <!channel> *2 > 1* &amp;"
    await post(calling(), text=text)
    assert slack.posted[0].text == "Robin &amp; Sons &lt;!channel&gt; *2 &gt; 1* &amp;amp;"
    assert slack.messages()[0].text == text
    assert slack.received[0].body["mrkdwn"] is False


async def test_a_lost_answer_leads_to_one_message(calling: Callable[..., Call], slack: SlackSimulator) -> None:
    slack.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="postMessage"))
    with pytest.raises(OutcomeUnknown):
        await post(calling())
    again = await post(calling(again=True))
    assert [m.ts for m in slack.posted] == [again.id]
    assert again.channel == slack.posted[0].channel


@pytest.mark.proves("paging")
async def test_the_message_is_found_behind_many_others(calling: Callable[..., Call], slack: SlackSimulator) -> None:
    slack.page_size = 5
    first = await post(calling(key="a" * 32), "management")
    for number in range(12):
        await post(calling(key=f"{number:032x}"), "management", f"Order {number} is paid")
    assert await post(calling(key="a" * 32, again=True), "management") == first
    assert len(slack.posted) == 13


async def test_looking_goes_back_to_the_first_attempt_and_asks_for_the_channel_once(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    """Many look at once after an outage: each request of theirs counts against the limit."""
    await post(calling())
    began = system_clock() - timedelta(minutes=5)
    for _ in range(3):
        await post(dataclasses.replace(calling(again=True), since=began))
    asked = [request.path.rpartition("/")[2] for request in slack.received]
    assert (asked.count("conversations.list"), asked.count("conversations.history")) == (1, 3)
    oldest = [float(each.query["oldest"]) for each in slack.received if each.path.endswith("history")]
    assert all(timedelta() < began - datetime.fromtimestamp(each, UTC) <= timedelta(minutes=6) for each in oldest)
    assert len(slack.posted) == 1


async def test_many_that_look_at_once_share_what_is_read(calling: Callable[..., Call], slack: SlackSimulator) -> None:
    """Each page counts against the limit, and after an outage hundreds look."""
    slack.page_size = 5
    keys = [f"{number:032x}" for number in range(8)]
    first = [await post(calling(key=key), "general" if key < keys[4] else "packing") for key in keys]
    missing = ["a" * 32, "b" * 32]
    slack.received.clear()
    again = await asyncio.gather(
        *(post(calling(key=key, again=True), "general" if key < keys[4] else "packing") for key in keys + missing)
    )
    assert list(again[:8]) == first
    assert len(slack.posted) == 10
    # In each channel one reading for who came first, and one for all the others.
    assert sum(request.path.endswith("history") for request in slack.received) <= 5


async def test_a_message_that_never_arrived_is_posted_again(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    await post(calling(key="b" * 32))
    await post(calling(again=True))
    assert len(slack.posted) == 2


async def test_without_permission_to_read_it_is_posted_again(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    slack.scopes = {"chat:write"}
    await post(calling())
    await post(calling(again=True))
    assert len(slack.posted) == 2


async def test_with_permission_for_public_channels_only_they_are_looked_through(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    slack.scopes -= {"groups:read", "groups:history"}
    first = await post(calling())
    assert await post(calling(again=True)) == first
    assert len(slack.posted) == 1


async def test_an_outage_while_looking_is_not_taken_for_a_no(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    await post(calling())
    slack.faults.add(Fault(kind=FaultKind.FAILED, match="history"))
    with pytest.raises(Transient):
        await post(calling(again=True))
    assert len(slack.posted) == 1


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("channel", "cause", "sentence"),
    [
        ("pakcing", "unknown-channel", "The channel #pakcing doesn't exist, or the app isn't in it."),
        ("warehouse", "unknown-channel", "The channel #warehouse doesn't exist, or the app isn't in it."),
        ("#spring-sale", "archived-channel", "The channel #spring-sale is archived."),
    ],
)
async def test_a_channel_that_takes_no_message_is_named(
    calling: Callable[..., Call], channel: str, cause: str, sentence: str
) -> None:
    with pytest.raises(Refused) as caught:
        await post(calling(), channel)
    assert (caught.value.cause, caught.value.sentence) == (cause, sentence)
    assert caught.value.remedy


@pytest.mark.proves("errors")
async def test_a_missing_permission_is_named(calling: Callable[..., Call], slack: SlackSimulator) -> None:
    slack.scopes.remove("chat:write")
    with pytest.raises(Refused, match="lacks the permission chat:write") as caught:
        await post(calling())
    assert caught.value.cause == "missing-scope"


async def test_too_long_a_message_is_refused(calling: Callable[..., Call]) -> None:
    with pytest.raises(Refused) as caught:
        await post(calling(), text="x" * 40_001)
    assert caught.value.cause == "too-long"


@pytest.mark.proves("errors")
@faults.each_of_a_write
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    calling: Callable[..., Call], slack: SlackSimulator, kind: FaultKind, error: type[VendorError]
) -> None:
    slack.faults.add(Fault(kind=kind, seconds=0))
    with pytest.raises(error):
        await post(calling())
    await post(calling(again=True))
    assert len(slack.posted) == 1


async def test_when_slack_says_slow_down_it_is_left_alone_for_as_long_as_it_says(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    slack.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=1))
    with pytest.raises(Transient) as caught:
        await post(calling())
    assert caught.value.retry_after is not None and caught.value.retry_after.total_seconds() == 1
    began = time.monotonic()
    await post(calling())
    assert time.monotonic() - began > 0.9


def answer(code: str, *, writes: bool = True) -> Answer:
    body = f'{{"ok": false, "error": "{code}"}}'.encode()
    return Answer(200, {}, body, "POST", "chat.postMessage", writes)


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("code", "error"),
    [
        *(
            (code, Refused)
            for code in ("channel_not_found", "not_in_channel", "is_archived", "msg_too_long", "no_text")
        ),
        *((code, Refused) for code in ("invalid_blocks", "restricted_action", "something_new")),
        *((code, SignedOut) for code in ("invalid_auth", "not_authed", "account_inactive", "token_revoked")),
        *((code, Transient) for code in ("ratelimited", "rate_limited", "service_unavailable", "invalid_cursor")),
        *((code, OutcomeUnknown) for code in ("internal_error", "fatal_error")),
    ],
)
def test_each_code_has_its_error(code: str, error: type[VendorError]) -> None:
    found = explain(answer(code))
    assert type(found) is error
    assert code in found.detail
    assert found.sentence.endswith((".", ")."))


def test_a_failure_of_a_read_is_transient() -> None:
    assert type(explain(answer("fatal_error", writes=False))) is Transient


@pytest.mark.proves("access")
async def test_signing_in_shows_the_workspace_and_what_the_app_may_do(
    calling: Callable[..., Call], slack: SlackSimulator
) -> None:
    assert CONNECTOR.sign_in is not None
    account = await CONNECTOR.sign_in(calling())
    assert account.name == "Practice workspace"
    assert account.scopes is not None and set(account.scopes) == slack.scopes
    assert set(CONNECTOR.manifest.scopes) <= slack.scopes


@pytest.mark.proves("errors")
async def test_a_wrong_token_is_signed_out(practice: Practice) -> None:
    made = connection("slack", practice, credentials={"access_token": "xoxb-old"})
    with pytest.raises(SignedOut, match="no longer accepts"):
        await post(call(made))
    await made.api.close()


# Against Slack's own description


async def some_traffic(calling: Callable[..., Call]) -> None:
    assert CONNECTOR.sign_in is not None
    await CONNECTOR.sign_in(calling())
    await post(calling())
    await post(calling(key="c" * 32, again=True))
    await post(calling(key="d" * 32), "management")
    await post(calling(again=True), "management")
    assert CONNECTOR.triggers is not None
    # Its description has no history without a message.
    await CONNECTOR.triggers.polls[0].page(calling(), system_clock() - timedelta(hours=1), Channel("packing").id)


@pytest.mark.proves("spec")
@needs_shared
async def test_requests_and_answers_are_as_slack_describes(calling: Callable[..., Call], slack: SlackSimulator) -> None:
    await some_traffic(calling)
    with pytest.raises(Refused):
        await post(calling(), "spring-sale")
    assert {(each.path.removeprefix("/api/"), each.answer["ok"]) for each in slack.received} == {
        ("auth.test", True),
        ("chat.postMessage", True),
        ("chat.postMessage", False),
        ("conversations.list", True),
        ("conversations.history", True),
        ("users.conversations", True),
    }
    assert [problem for each in slack.received for problem in problems(each)] == []


@needs_shared
def test_slacks_own_example_answer_is_read() -> None:
    example = Answer(200, {}, payload("slack", "chat_postMessage_response.json"), "POST", "chat.postMessage")
    assert explain(example) is None
    assert example.json()["ts"] == "1503435956.000247"
