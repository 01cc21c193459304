"""What Slack sends and lists, how it is signed, and signing in by consent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import orjson
import pytest
import pytest_asyncio
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import Clock, SignatureVerifier

from bellwire.capabilities.chat import PostMessage
from bellwire.clock import system_clock
from bellwire.connectors.kit import (
    POLLED,
    BadSignature,
    Connection,
    Normalised,
    OAuth2,
    TimedSignature,
)
from bellwire.connectors.slack import CONNECTOR
from bellwire.connectors.slack.manifest import MANIFEST
from bellwire.connectors.slack.triggers import TRIGGERS, normalise
from bellwire.errors import CannotNormalise, SignedOut
from bellwire.events import Delivery, Event
from bellwire.practice import Practice, Webhook
from bellwire.practice.slack import SlackSimulator
from tests.connecting import Secrets, call, connecting
from tests.shared import needs_shared, payload, spec

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SENT = "1531420618"
THEN = datetime.fromtimestamp(int(SENT) + 1, UTC)
COMMAND = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNED = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
VERIFICATION = (
    b'{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",'
    b'"type":"url_verification"}'
)
ROTATED = {"client_id": "1.2", "client_secret": "s", "access_token": "old", "refresh_token": "xoxe-1-practice-1"}
Connect = Callable[..., Connection]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["slack"]) as running:
        running.simulators["slack"].quotas.clear()
        yield running


@pytest.fixture
def slack(practice: Practice) -> SlackSimulator:
    """The simulated workspace as it is at first."""
    simulator, fresh = practice.simulators["slack"], SlackSimulator()
    assert isinstance(simulator, SlackSimulator)
    for name in ("posted", "scopes", "page_size", "tokens", "refresh_token"):
        setattr(simulator, name, getattr(fresh, name))
    simulator.received.clear()
    return simulator


@pytest_asyncio.fixture(loop_scope="module")
async def connect(practice: Practice) -> AsyncIterator[Connect]:
    async with connecting("slack", practice, "team") as team:
        yield team


def arrived(webhook: Webhook) -> Delivery:
    return Delivery("team", {k.lower(): v for k, v in webhook.headers.items()}, webhook.body, system_clock())


def only(result: Normalised) -> Event:
    (event,) = result.events
    return event


def scheme() -> TimedSignature:
    assert isinstance(MANIFEST.webhook, TimedSignature)
    return MANIFEST.webhook


@pytest.mark.proves("signatures")
class TestSignatures:
    def verify(self, body: bytes, signature: str, *secrets: str, now: datetime = THEN) -> None:
        headers = {"x-slack-signature": signature, "x-slack-request-timestamp": SENT}
        scheme().verify(Delivery("team", headers, body, now), secrets or (SECRET,), now)

    @pytest.mark.parametrize(
        ("body", "signature"),
        [(COMMAND, SIGNED), (VERIFICATION, "v0=f9bd80929259f3f6d5fe3a3186c453c89cd1ad4862815a15837584f31c993652")],
    )
    async def test_the_vectors_are_accepted_and_made_alike(self, body: bytes, signature: str) -> None:
        self.verify(body, signature)
        self.verify(body, signature, "the next secret", SECRET)
        made = scheme().sign(body, SECRET, delivery_id="", now=THEN - timedelta(seconds=1))
        assert made == {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": SENT}

    @pytest.mark.parametrize(
        ("body", "signature", "secret"),
        [
            (COMMAND + b" ", SIGNED, SECRET),
            (COMMAND, SIGNED, "another"),
            (COMMAND, SIGNED.replace("a211", "a212"), SECRET),
            (COMMAND, SIGNED.removeprefix("v0="), SECRET),
            (COMMAND, "", SECRET),
        ],
    )
    async def test_anything_else_is_refused(self, body: bytes, signature: str, secret: str) -> None:
        with pytest.raises(BadSignature):
            self.verify(body, signature, secret)

    async def test_after_five_minutes_it_is_too_late(self) -> None:
        with pytest.raises(BadSignature) as refused:
            self.verify(COMMAND, SIGNED, now=THEN + timedelta(minutes=5))
        assert refused.value.reason == "timestamp"

    @pytest.mark.proves("sdk")
    async def test_slacks_own_verifier_agrees(self, connect: Connect, slack: SlackSimulator) -> None:
        class Then(Clock):
            def now(self) -> float:
                return THEN.timestamp()

        theirs = SignatureVerifier(SECRET, Then())
        ours = scheme().sign(VERIFICATION, SECRET, delivery_id="", now=THEN)
        assert theirs.is_valid_request(VERIFICATION, ours)
        text = theirs.generate_signature(timestamp=SENT, body=VERIFICATION)
        assert text is not None
        self.verify(VERIFICATION, text)
        team, sent = connect(), slack.webhook(slack.write("<@U0PRACTICE> hi"))
        assert SignatureVerifier(slack.credentials["webhook_secret"]).is_valid_request(sent.body, sent.headers)
        scheme().verify(arrived(sent), team.secrets, system_clock())

    async def test_a_try_of_the_address_is_answered_with_its_challenge(self) -> None:
        answer = scheme().handshake(Delivery("team", {}, VERIFICATION, THEN))
        assert answer is not None
        assert answer.body == b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
        assert answer.content_type == "text/plain"
        long = scheme().handshake(Delivery("team", {}, VERIFICATION.replace(b"3eZb", b"x" * 10_000), THEN))
        assert long is not None and len(long.body) == 200

    @pytest.mark.parametrize("body", [b"url_verification", b'["url_verification"]', b'{"text":"url_verification"}'])
    async def test_what_only_speaks_of_it_is_no_try(self, body: bytes) -> None:
        assert scheme().handshake(Delivery("team", {}, body, THEN)) is None

    async def test_each_of_slacks_tries_is_the_same_delivery(self, slack: SlackSimulator) -> None:
        sent = arrived(slack.webhook(slack.write("<@U0PRACTICE> hi")))
        again = {**sent.headers, "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
        name = scheme().delivery_id(sent)
        assert (
            name == scheme().delivery_id(Delivery("team", again, sent.body, sent.received_at)) == sent.json["event_id"]
        )
        assert scheme().delivery_id(Delivery("team", {}, b"[]", THEN))


class TestEvents:
    async def test_a_mention_is_a_message_without_the_mention(self, connect: Connect, slack: SlackSimulator) -> None:
        said = slack.write("<@U0PRACTICE> stock TEA-100 &amp; <#C1|orders>, <https://a.example|here> <@U7> <!here>")
        event = only(normalise(arrived(slack.webhook(said)), connect()))
        assert event.data.text == "stock TEA-100 & #orders, here (https://a.example) @U7 @here"
        assert (event.data.sender, event.data.channel, event.data.id) == ("U0ROBIN", said.channel, said.ts)
        assert event.time == datetime.fromtimestamp(float(said.ts), UTC)

    async def test_both_of_slacks_events_about_one_message_are_one_fact(
        self, connect: Connect, slack: SlackSimulator
    ) -> None:
        said = slack.write("<@U0PRACTICE> stock TEA-100")
        one, other = (only(normalise(arrived(slack.webhook(said, k)), connect())) for k in ("app_mention", "message"))
        assert one == other
        assert one.business_key == f"team/message/{said.channel}/{said.ts}"

    async def test_an_answer_belongs_to_what_it_answers(self, connect: Connect, slack: SlackSimulator) -> None:
        first = slack.write("<@U0PRACTICE> stock TEA-100")
        answer = slack.write("<@U0PRACTICE> and TEA-500?", thread=first.ts)
        events = [only(normalise(arrived(slack.webhook(each)), connect())) for each in (first, answer)]
        assert {event.data.conversation for event in events} == {first.ts}
        assert len({event.subject for event in events}) == 1 and len({event.business_key for event in events}) == 2

    async def test_which_messages_count_is_a_setting(self, connect: Connect, slack: SlackSimulator) -> None:
        sent = arrived(slack.webhook(slack.write("Coffee?"), "message"))
        assert "doesn't mention the app" in normalise(sent, connect()).reason
        assert only(normalise(sent, connect(messages="all"))).data.text == "Coffee?"
        body = orjson.loads(sent.body)
        body["event"]["channel_type"] = "im"
        assert only(normalise(Delivery("team", {}, orjson.dumps(body), THEN), connect())).data.text == "Coffee?"

    async def test_what_programs_write_starts_nothing(self, connect: Connect, slack: SlackSimulator) -> None:
        await CONNECTOR.actions["chat.post_message"](call(connect()), PostMessage(channel="packing", text="Hi"))
        own = arrived(slack.webhook(slack.posted[0], "message"))
        assert not normalise(own, connect(messages="all")).events
        body = orjson.loads(slack.webhook(slack.write("Hi"), "message").body)
        for change in ({"bot_id": "B1"}, {"user": "U0PRACTICE"}):
            other = orjson.dumps(body | {"event": body["event"] | change})
            assert "A program" in normalise(Delivery("team", {}, other, THEN), connect(messages="all")).reason

    @needs_shared
    async def test_what_is_no_message_has_a_reason(self, connect: Connect, slack: SlackSimulator) -> None:
        reaction = Delivery("team", {}, payload("slack", "reaction_added.json"), THEN)
        assert "reaction_added" in normalise(reaction, connect()).reason
        body = orjson.loads(slack.webhook(slack.write("Hi"), "message").body)
        edited = orjson.dumps(body | {"event": body["event"] | {"subtype": "message_changed"}})
        assert "message_changed" in normalise(Delivery("team", {}, edited, THEN), connect()).reason

    async def test_when_slack_left_some_out_the_histories_are_read(self, connect: Connect) -> None:
        body = b'{"type": "app_rate_limited", "team_id": "T0PRACTICE", "minute_rate_limited": 1531420618}'
        assert normalise(Delivery("team", {}, body, THEN), connect()).wake == ("messages",)

    @pytest.mark.proves("environments")
    async def test_another_workspaces_is_refused(self, connect: Connect, slack: SlackSimulator) -> None:
        sent = arrived(slack.webhook(slack.write("<@U0PRACTICE> hi")))
        assert TRIGGERS.belongs(sent, connect()) == TRIGGERS.belongs(sent, connect(team_id="")) == ""
        assert "of the workspace T0PRACTICE, not of T0OTHER" in TRIGGERS.belongs(sent, connect(team_id="T0OTHER"))
        assert TRIGGERS.belongs(Delivery("team", {}, b"[]", THEN), connect())

    @pytest.mark.parametrize(
        "body", [b"[]", b'{"type": "event_callback"}', b'{"type": "x", "event": {"type": "message"}}']
    )
    async def test_what_cannot_be_read_is_said(self, connect: Connect, body: bytes) -> None:
        with pytest.raises(CannotNormalise, match="isn't what Slack describes"):
            normalise(Delivery("team", {}, body, THEN), connect())

    @pytest.mark.proves("spec")
    @needs_shared
    async def test_practice_events_are_as_slack_describes(self, slack: SlackSimulator) -> None:
        """Its description is of when `authed_users` stood in the place of `authorizations`."""
        described = spec("slack_events_api")["components"]["schemas"]["GenericEventWrapper"]
        for kind in ("app_mention", "message"):
            body = orjson.loads(slack.webhook(slack.write("<@U0PRACTICE> hi"), kind).body)
            users = [each["user_id"] for each in body["authorizations"]]
            jsonschema.validate(body | {"authed_users": users}, described)


@pytest.mark.proves("reconcile", "paging")
class TestPoll:
    async def events(self, team: Connection, cursor: str = "", *, pages: int = 30) -> tuple[list[Event], str]:
        """What comes of the last hour, and where it goes on."""
        (poll,) = TRIGGERS.polls
        found: list[Event] = []
        while pages:
            team.api.gate.recover(timedelta(minutes=1))  # how many a minute may bring is tested with Slack's limits
            page = await poll.page(call(team), system_clock() - timedelta(hours=1), cursor)
            for each in page.records:
                found += normalise(Delivery("team", {POLLED: poll.name}, each.body, system_clock()), team).events
            pages, cursor = pages - 1, page.next_cursor
            if not cursor:
                break
        return found, cursor

    async def test_it_goes_through_all_its_channels_page_by_page(self, connect: Connect, slack: SlackSimulator) -> None:
        slack.page_size = 2
        for number in range(5):
            slack.write(f"<@U0PRACTICE> {number}", "packing")
            slack.write(f"<@U0PRACTICE> {number}", "orders")
        slack.write("<@U0PRACTICE> not for us", "warehouse")
        found, end = await self.events(connect())
        assert (len(found), len({event.business_key for event in found}), end) == (10, 10, "")

    async def test_it_goes_on_where_another_process_stopped(self, connect: Connect, slack: SlackSimulator) -> None:
        slack.page_size = 2
        said = [slack.write(f"<@U0PRACTICE> {number}", "general") for number in range(5)]
        found: list[Event] = []
        cursor, turns = "", 0
        while turns == 0 or cursor:
            some, cursor = await self.events(connect(), cursor, pages=1)
            found, turns = found + some, turns + 1
        assert sorted(event.data.id for event in found) == [each.ts for each in said] and turns > 4

    async def test_a_cursor_that_slack_forgot_begins_its_channel_anew(
        self, connect: Connect, slack: SlackSimulator
    ) -> None:
        said = slack.write("<@U0PRACTICE> hi")
        found, _ = await self.events(connect(), f"{said.channel} forgotten")
        assert [event.data.id for event in found] == [said.ts]

    async def test_private_channels_are_read_where_the_app_may(self, connect: Connect, slack: SlackSimulator) -> None:
        slack.write("<@U0PRACTICE> hi", "management")
        assert (await self.events(connect()))[0] == []
        slack.scopes |= {"groups:read", "groups:history"}
        assert [event.data.text for event in (await self.events(connect()))[0]] == ["hi"]

    async def test_a_channel_that_the_app_has_left_is_passed_over(
        self, connect: Connect, slack: SlackSimulator
    ) -> None:
        slack.write("<@U0PRACTICE> hi")
        assert await self.events(connect(), "ZZZ 2") == ([], "")

    async def test_the_same_facts_have_the_keys_of_their_webhooks(
        self, connect: Connect, slack: SlackSimulator
    ) -> None:
        team = connect()
        said = slack.write("<@U0PRACTICE> stock TEA-100")
        slack.write("Coffee?")
        await CONNECTOR.actions["chat.post_message"](call(team), PostMessage(channel="packing", text="<@U0PRACTICE>"))
        listed, _ = await self.events(team)
        assert listed == [only(normalise(arrived(slack.webhook(said)), team))]


@pytest.mark.proves("access")
class TestAccess:
    async def test_a_token_of_another_workspace_is_refused(self, connect: Connect) -> None:
        assert CONNECTOR.sign_in is not None
        account = await CONNECTOR.sign_in(call(connect()))
        assert account.scopes is not None and set(account.scopes) == set(MANIFEST.scopes)
        with pytest.raises(SignedOut, match=r"for the workspace Practice workspace \(T0PRACTICE\), not for T0OTHER"):
            await CONNECTOR.sign_in(call(connect(team_id="T0OTHER")))

    async def test_a_token_that_is_rotated_is_renewed_once_for_all_and_the_next_one_kept(
        self, connect: Connect, slack: SlackSimulator
    ) -> None:
        team = connect(credentials=ROTATED | {"access_token_expires_at": "2026-11-24T09:34:00+00:00"})
        assert isinstance(team.credentials, Secrets)
        await asyncio.gather(*(team.api.request("POST", "auth.test", writes=False) for _ in range(5)))
        assert (team.credentials.stored, team.credentials.values["refresh_token"]) == (1, slack.refresh_token)

    async def test_a_token_that_ended_early_is_renewed(self, connect: Connect, slack: SlackSimulator) -> None:
        slack.tokens["old"] = system_clock() - timedelta(minutes=1)
        team = connect(credentials=ROTATED)
        assert (await team.api.request("POST", "auth.test", writes=False)).json()["ok"]

    async def test_a_refresh_token_that_was_used_up_is_signed_out(
        self, connect: Connect, slack: SlackSimulator
    ) -> None:
        """Slack says so with status 200."""
        slack.refresh_token = "used-up"
        with pytest.raises(SignedOut):
            await connect(credentials=ROTATED).api.request("POST", "auth.test", writes=False)

    async def test_consent_is_asked_for_in_the_browser(self) -> None:
        auth = MANIFEST.auth
        assert isinstance(auth, OAuth2) and auth.consent is not None
        assert (auth.consent.url, auth.consent.scope_separator) == ("https://slack.com/oauth/v2/authorize", ",")


@pytest.mark.proves("sdk")
async def test_slacks_own_sdk_is_at_home_in_practice(practice: Practice, slack: SlackSimulator) -> None:
    slack.page_size = 1

    def drive() -> tuple[Any, ...]:
        client = WebClient("xoxb-practice", base_url=f"{practice.base_url('slack')}/api/")
        posted = client.chat_postMessage(
            channel="#packing", text="Hi", metadata={"event_type": "test", "event_payload": {"key": "1"}}
        )
        listed = [channel["name"] for page in client.conversations_list(limit=1) for channel in page["channels"]]
        members = [channel["name"] for page in client.users_conversations() for channel in page["channels"]]
        history = client.conversations_history(channel=posted["channel"], include_all_metadata=True)
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel="#spring-sale", text="Hi")
        return client.auth_test()["team"], posted, listed, members, history, caught.value.response["error"]

    team, posted, listed, members, history, error = await asyncio.to_thread(drive)
    assert (team, error, set(listed) - set(members)) == ("Practice workspace", "is_archived", {"warehouse"})
    (message,) = history["messages"]
    assert (message["ts"], message["metadata"]["event_payload"]) == (posted["ts"], {"key": "1"})
