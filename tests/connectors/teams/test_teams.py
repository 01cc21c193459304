"""What the connector asks workflows for, and how it reads their answers."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from bellwire.capabilities.chat import Message, PostMessage
from bellwire.clock import system_clock
from bellwire.connectors.kit import Answer, Call
from bellwire.connectors.teams import CONNECTOR
from bellwire.connectors.teams.card import card
from bellwire.connectors.teams.errors import explain
from bellwire.errors import MissingCredential, OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.teams import TeamsSimulator
from tests.connecting import call, connection

POST = CONNECTOR.actions["chat.post_message"]
GOOD = "https://x.1.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/a/triggers/manual"


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["teams"]) as running:
        yield running


@pytest.fixture
def teams(practice: Practice) -> TeamsSimulator:
    simulator = practice.simulators["teams"]
    assert isinstance(simulator, TeamsSimulator)
    return simulator


@pytest.fixture
async def calling(practice: Practice) -> AsyncIterator[Callable[..., Call]]:
    made = connection("teams", practice, name="chat")

    def make(**changes: Any) -> Call:
        return dataclasses.replace(call(made, **changes), clock=system_clock)

    yield make
    await made.api.close()


async def post(made: Call, channel: str = "packing", text: str = "Order 1001 is paid") -> Message:
    result = await POST(made, PostMessage(channel=channel, text=text))
    assert isinstance(result, Message)
    return result


@pytest.mark.parametrize(
    ("spelling", "channel"), [("packing", "packing"), ("#Packing", "packing"), ("packing bench 2", "Packing bench 2")]
)
async def test_a_channel_may_be_named_with_or_without_a_hash_in_any_case(
    calling: Callable[..., Call], teams: TeamsSimulator, spelling: str, channel: str
) -> None:
    result = await post(calling(), spelling)
    assert (result.channel, result.id) == (spelling.removeprefix("#"), calling().key)
    assert [message.channel for message in teams.posted] == [channel]
    assert [(m.id, m.reference, m.text) for m in teams.messages()] == [(result.id, "1001", "Order 1001 is paid")]


async def test_the_workflow_is_called_by_exactly_its_url(calling: Callable[..., Call], teams: TeamsSimulator) -> None:
    await post(calling())
    (request,) = teams.received
    assert (request.method, request.status, request.answer) == ("POST", 202, "")
    assert request.path == f"/powerautomate/automations/direct/workflows/{1:032x}/triggers/manual/paths/invoke"
    assert request.query == {"api-version": "1", "sp": "/triggers/manual/run", "sv": "1.0"}


async def test_text_arrives_as_it_was_written(calling: Callable[..., Call], teams: TeamsSimulator) -> None:
    text = "**Robin** & [Sons](https://x.example) <at>everyone</at> *2 > 1*\n\n  - TEA-100\n  - Grüße ✓"
    await post(calling(), text=text)
    assert teams.messages()[0].text == text
    assert not teams.failed_runs


def test_a_message_is_a_card_of_plain_text_line_by_line() -> None:
    (attachment,) = card("One\nTwo")["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    assert [block["type"] for block in content["body"]] == ["RichTextBlock"] * 2
    assert [block["inlines"] for block in content["body"]] == [
        [{"type": "TextRun", "text": "One"}],
        [{"type": "TextRun", "text": "Two"}],
    ]


async def test_the_longest_message_is_posted_and_a_longer_one_refused_before_it_is_sent(
    calling: Callable[..., Call], teams: TeamsSimulator
) -> None:
    """A workflow takes any message, and fails at posting it where nobody looks."""
    longest = 28_000 - len(orjson.dumps(card("x"))) + 1
    await post(calling(), text="x" * longest)
    with pytest.raises(Refused) as caught:
        await post(calling(), text="x" * (longest + 1))
    assert caught.value.cause == "too-long"
    assert (len(teams.posted), len(teams.received), teams.failed_runs) == (1, 1, [])


async def test_a_lost_answer_leads_to_the_same_message_again(
    calling: Callable[..., Call], teams: TeamsSimulator
) -> None:
    """Nothing tells whether it was posted; that both posts are one message shows by their tracking id."""
    teams.faults.add(Fault(kind=FaultKind.LOST_ANSWER))
    with pytest.raises(OutcomeUnknown):
        await post(calling())
    again = await post(calling(again=True))
    assert [m.tracking_id for m in teams.posted] == [again.id, again.id]
    assert POST.repeatable


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("kind", "error", "copies"),
    [
        (FaultKind.RATE_LIMITED, Transient, 1),
        (FaultKind.FAILED, OutcomeUnknown, 1),
        (FaultKind.LOST_ANSWER, OutcomeUnknown, 2),
        (FaultKind.SIGNED_OUT, SignedOut, 1),
    ],
)
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    calling: Callable[..., Call], teams: TeamsSimulator, kind: FaultKind, error: type[VendorError], copies: int
) -> None:
    teams.faults.add(Fault(kind=kind, seconds=0))
    with pytest.raises(error):
        await post(calling())
    await post(calling(again=True))
    assert len(teams.posted) == copies


async def test_when_power_automate_says_slow_down_it_is_left_alone_for_as_long_as_it_says(
    calling: Callable[..., Call], teams: TeamsSimulator
) -> None:
    teams.faults.add(Fault(kind=FaultKind.RATE_LIMITED, seconds=2))
    with pytest.raises(Transient) as caught:
        await post(calling())
    assert caught.value.retry_after is not None and caught.value.retry_after.total_seconds() == 2
    began = time.monotonic()
    await post(calling())
    assert time.monotonic() - began > 1.9


async def test_a_channel_takes_a_message_a_second_and_no_other_waits_for_it(
    calling: Callable[..., Call], teams: TeamsSimulator
) -> None:
    began = time.monotonic()
    await asyncio.gather(post(calling()), post(calling(), "orders"), post(calling(), "alerts"))
    assert time.monotonic() - began < 2
    await post(calling())
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    ("change", "error", "cause", "sentence", "remedy"),
    [
        ({"state": "Disabled"}, Refused, "workflow-off", "The workflow for #packing is switched off.", "Switch it on"),
        ({"state": "Deleted"}, SignedOut, "no-workflow", "The workflow for #packing isn't there any more.", "new one"),
        (
            {"id": "f" * 32},
            SignedOut,
            "no-workflow",
            "The workflow for #packing isn't there any more.",
            "set chat work",
        ),
        ({"anyone": False}, SignedOut, "signed-out", "The workflow for #packing doesn't accept its URL.", "anyone"),
        ({"signature": "new"}, SignedOut, "signed-out", "The workflow for #packing doesn't accept its URL.", "again"),
    ],
)
async def test_a_workflow_that_doesnt_begin_is_named_and_what_to_do(
    calling: Callable[..., Call],
    teams: TeamsSimulator,
    change: dict[str, Any],
    error: type[VendorError],
    cause: str,
    sentence: str,
    remedy: str,
) -> None:
    for name, value in change.items():
        setattr(teams.workflows[0], name, value)
    with pytest.raises(VendorError) as caught:
        await post(calling())
    assert (type(caught.value), caught.value.cause, caught.value.sentence) == (error, cause, sentence)
    assert remedy in caught.value.remedy and "NAME" not in caught.value.remedy
    assert "_sig" not in caught.value.detail
    await post(calling(), "orders")
    assert len(teams.posted) == 1


def answer(status: int, code: str = "", message: str = "no") -> Answer:
    body = orjson.dumps({"error": {"code": code, "message": message}}) if code else b"<html>"
    return Answer(status, {}, body, "POST", "/powerautomate")


@pytest.mark.parametrize(
    ("status", "code", "error", "cause"),
    [
        (400, "TriggerInputSchemaMismatch", Refused, "other-workflow"),
        (400, "WorkflowTriggerIsNotEnabled", Refused, "workflow-off"),
        (401, "DirectApiAuthorizationRequired", SignedOut, "signed-out"),
        (401, "", SignedOut, "signed-out"),
        (404, "WorkflowNotFound", SignedOut, "no-workflow"),
        (404, "", SignedOut, "no-workflow"),
        (413, "", Refused, "too-long"),
    ],
)
def test_each_answer_has_its_error(status: int, code: str, error: type[VendorError], cause: str) -> None:
    found = explain(answer(status, code))
    assert found is not None
    assert (type(found), found.cause) == (error, cause)
    assert code in found.detail and found.sentence.startswith("The workflow ")


@pytest.mark.parametrize("status", [200, 202, 400, 429, 500, 503])
def test_what_the_status_says_already_is_left_to_it(status: int) -> None:
    assert explain(answer(status)) is None


# The credential


def with_urls(urls: str) -> Call:
    return call(connection("teams", name="chat", credentials={"workflows": urls}))


async def test_a_channel_without_a_workflow_is_named(calling: Callable[..., Call], teams: TeamsSimulator) -> None:
    with pytest.raises(Refused) as caught:
        await post(calling(), "#pakcing")
    assert caught.value.cause == "unknown-channel"
    assert caught.value.sentence == "There is no workflow that posts to the channel #pakcing."
    assert "bellwire secrets set chat workflows" in caught.value.remedy
    assert not teams.received


async def test_a_url_without_a_name_takes_the_messages_to_all_other_channels(practice: Practice) -> None:
    teams = practice.simulators["teams"]
    assert isinstance(teams, TeamsSimulator)
    urls = f"{teams.workflows[1].url} packing = {teams.workflows[0].url}"
    made = connection("teams", practice, credentials={"workflows": urls})
    for channel in ("packing", "anything", "#orders"):
        assert (await post(call(made), channel)).channel == channel.removeprefix("#")
    assert [message.channel for message in teams.posted] == ["packing", "orders", "orders"]
    await made.api.close()


@pytest.mark.parametrize(
    ("urls", "sentence", "remedy"),
    [
        ("packing=https://contoso.webhook.office.com/webhookb2/1", "have ended", "Make a workflow"),
        ("https://outlook.office.com/webhook/1", "for all other channels is a connector's", "Make a workflow"),
        (f"packing={GOOD}?api-version=1", "The URL for #packing has no signature", "In the workflow, let anyone"),
        ("packing=https://evil.example/?sig=x", "isn't a workflow's: its host doesn't end in", "Copy it again"),
        ("packing=https://environment.api.powerplatform.com.evil.example/?sig=x", "isn't a workflow's", "Copy"),
        (f"packing={GOOD}?sig=a Packing={GOOD}?sig=b", "There are two URLs for #Packing.", "Leave one"),
        ("packing=http://x.logic.azure.com/?sig=x", "The credential workflows can't be read.", "Write packing="),
        (f"packing {GOOD}?sig=a", "The credential workflows can't be read.", "Write packing="),
    ],
)
async def test_a_url_that_cant_be_used_says_why_and_nothing_is_sent(urls: str, sentence: str, remedy: str) -> None:
    with pytest.raises(SignedOut, match=sentence) as caught:
        await post(with_urls(urls))
    assert caught.value.remedy.startswith(remedy)
    assert "secrets set chat workflows" in caught.value.remedy
    assert "sig=a" not in str(caught.value)


async def test_without_its_credential_it_says_so() -> None:
    with pytest.raises(MissingCredential):
        await post(call(connection("teams", credentials={})))


async def test_signing_in_shows_the_channels_and_sends_nothing(
    calling: Callable[..., Call], teams: TeamsSimulator
) -> None:
    assert CONNECTOR.sign_in is not None
    account = await CONNECTOR.sign_in(calling())
    assert "#packing, #orders, #alerts" in account.detail
    assert (account.warnings, account.scopes) == ((), None)
    assert not teams.received


async def test_signing_in_warns_of_old_urls_and_of_a_token_that_isnt_one() -> None:
    assert CONNECTOR.sign_in is not None
    made = with_urls("https://prod-1.westeurope.logic.azure.com:443/workflows/a/triggers/manual/paths/invoke?sig=x")
    made.connection.credentials.store({"webhook_secret": f"{TeamsSimulator.credentials['webhook_secret']} token!"})
    old, no_token = (await CONNECTOR.sign_in(made)).warnings
    assert "all other channels is an old one" in old
    assert "isn't a security token" in no_token


async def test_signing_in_says_which_url_cant_be_used() -> None:
    assert CONNECTOR.sign_in is not None
    with pytest.raises(SignedOut, match="have ended"):
        await CONNECTOR.sign_in(with_urls("https://contoso.webhook.office.com/webhookb2/1"))
