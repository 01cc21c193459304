"""Events as a subscriber gets them, checked by the reference library of Standard Webhooks."""

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from bellwire.capabilities.subscriber import SendEvent, SentEvent
from bellwire.clock import system_clock
from bellwire.connectors.kit import Call, Connection, StandardWebhooks, connect
from bellwire.connectors.subscriber import CONNECTOR
from bellwire.connectors.subscriber.manifest import SubscriberSettings
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient
from bellwire.events import Delivery, Environment
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.subscriber import SubscriberSimulator
from tests import faults
from tests.connecting import Secrets, call, connection
from tests.samples import NOW, order

SEND = CONNECTOR.actions["subscriber.send_event"]
EVENT = SendEvent(type="order.packed", data={"number": "1001", "note": "Grüße"})
OLD, NEW = SubscriberSimulator.credentials["signing_secret"], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Calling = Callable[..., Call]


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["subscriber"]) as running:
        yield running


@pytest.fixture
def subscriber(practice: Practice) -> SubscriberSimulator:
    simulator = practice.simulators["subscriber"]
    assert isinstance(simulator, SubscriberSimulator)
    return simulator


@pytest.fixture
async def calling(practice: Practice) -> AsyncIterator[Calling]:
    """Calls of now; what is given changes the connection's settings."""
    made: list[Call] = []

    def make(secrets: str = OLD, *, again: bool = False, **settings: Any) -> Call:
        values = {**SubscriberSimulator.settings, **settings}
        found = connection("subscriber", practice, settings=values, credentials={"signing_secret": secrets})
        made.append(dataclasses.replace(call(found, again=again), clock=system_clock))
        return made[-1]

    yield make
    for each in made:
        await each.connection.api.close()


@pytest.mark.proves("sdk", "signatures")
async def test_the_reference_library_accepts_what_arrives(calling: Calling, subscriber: SubscriberSimulator) -> None:
    sent = await SEND(calling(), EVENT)
    assert sent == SentEvent(id="msg_" + "0" * 31 + "1")
    (kept,) = subscriber.kept.values()
    told = Webhook(OLD).verify(kept.body, dict(kept.headers))
    assert (told["type"], told["data"]) == ("order.packed", {"number": "1001", "note": "Grüße"})
    assert abs(datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)) < timedelta(seconds=5)
    assert kept.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(kept.body.replace(b"1001", b"1002"), dict(kept.headers))


@pytest.mark.proves("sdk", "signatures")
def test_our_scheme_accepts_what_the_reference_library_signs() -> None:
    body, now = '{"test": "é"}', datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(NEW).sign("msg_1", now, body),
    }
    StandardWebhooks().verify(Delivery("pos", headers, body.encode(), now), [NEW], now)


@pytest.mark.proves("signatures")
async def test_the_first_vector_of_the_reference_library_comes_out_the_same() -> None:
    when, body = datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    signed = StandardWebhooks().sign(body, NEW, delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek", now=when)
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.proves("signatures")
async def test_two_secrets_both_sign_while_one_is_changed(calling: Calling, subscriber: SubscriberSimulator) -> None:
    both = calling(f"{NEW} {OLD}")
    for known in (OLD, NEW):
        subscriber.secret = known
        await SEND(both.part(known), EVENT)
    first, second = subscriber.kept.values()
    for secret in (OLD, NEW):
        for kept in (first, second):
            Webhook(secret).verify(kept.body, dict(kept.headers))
    subscriber.secret = NEW
    with pytest.raises(SignedOut, match="doesn't accept our signature"):
        await SEND(calling(OLD), EVENT)


async def test_every_attempt_says_the_same_under_the_same_id(calling: Calling, subscriber: SubscriberSimulator) -> None:
    subscriber.faults.add(Fault(kind=FaultKind.LOST_ANSWER))
    attempt = calling()
    with pytest.raises(OutcomeUnknown):
        await SEND(attempt, EVENT)
    later = system_clock() + timedelta(hours=3)
    subscriber.clock = lambda: later
    again = dataclasses.replace(attempt, again=True, since=NOW, clock=lambda: later)
    await SEND(again, EVENT)
    bodies = [request.body for request in subscriber.received]
    assert len(subscriber.kept) == 1
    assert bodies[1]["timestamp"] == "2026-11-24T09:30:00.000Z", "when the first attempt began"
    assert {**bodies[0], "timestamp": ""} == {**bodies[1], "timestamp": ""}


async def test_events_and_results_are_sent_as_json(calling: Calling, subscriber: SubscriberSimulator) -> None:
    await SEND(calling(), SendEvent(type="order.packed", data={"order": order()}))
    (kept,) = subscriber.kept.values()
    assert orjson.loads(kept.body)["data"]["order"] == order().model_dump(mode="json")


@pytest.mark.proves("errors")
async def test_gone_is_refused_for_good(calling: Calling, subscriber: SubscriberSimulator) -> None:
    subscriber.gone = True
    with pytest.raises(Refused, match="wants no more events") as caught:
        await SEND(calling(), EVENT)
    assert (caught.value.cause, bool(caught.value.remedy)) == ("gone", True)


@pytest.mark.proves("errors")
async def test_a_redirect_is_not_followed(calling: Calling, subscriber: SubscriberSimulator) -> None:
    with pytest.raises(Refused, match="has moved") as caught:
        await SEND(calling(url="http://127.0.0.1/moved"), EVENT)
    assert caught.value.cause == "moved" and caught.value.remedy
    assert not subscriber.kept


@pytest.mark.proves("errors")
@faults.each_of_a_write
async def test_what_fails_is_tried_again_or_told(
    calling: Calling, subscriber: SubscriberSimulator, kind: FaultKind, error: type[Exception]
) -> None:
    subscriber.faults.add(Fault(kind=kind))
    with pytest.raises(error):
        await SEND(calling(), EVENT)


@pytest.mark.proves("errors")
@pytest.mark.parametrize("secret", ["whsec_***", "   "])
async def test_a_secret_that_is_none_is_said_before_anything_is_sent(
    calling: Calling, subscriber: SubscriberSimulator, secret: str
) -> None:
    with pytest.raises(Refused, match="isn't one of Standard Webhooks"):
        await SEND(calling(secret), EVENT)
    assert not subscriber.received


@asynccontextmanager
async def elsewhere(url: str, environment: Environment, *, allow_private: bool = False) -> AsyncIterator[Connection]:
    """A connection to an address itself, not to practice."""
    made = connect(
        "subscriber",
        CONNECTOR,
        environment,
        SubscriberSettings(url=url, allow_private=allow_private),
        Secrets({"signing_secret": OLD}),
        timeout=timedelta(seconds=2),
    )
    yield made
    await made.api.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:9/x",
        "https://[::1]:9/x",
        "https://[::ffff:127.0.0.1]:9/x",
        "https://localhost:9/x",
        "https://10.0.0.7/x",
        "https://192.168.1.7/x",
        "https://169.254.169.254/latest",
        "https://[fe80::1]/x",
        "https://0.0.0.0/x",
    ],
)
async def test_an_address_that_isnt_public_is_refused_in_production(url: str) -> None:
    async with elsewhere(url, Environment.PRODUCTION) as made:
        with pytest.raises(Refused, match="isn't a public address") as caught:
            await SEND(call(made), EVENT)
        assert "allow_private" in caught.value.remedy
        assert made.api.answered.total() == 0


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/x", "https://localhost:9/x"])
@pytest.mark.parametrize(("environment", "allow"), [(Environment.SANDBOX, False), (Environment.PRODUCTION, True)])
async def test_this_machine_is_called_in_sandbox_or_when_it_is_allowed(
    url: str, environment: Environment, allow: bool
) -> None:
    async with elsewhere(url, environment, allow_private=allow) as made:
        with pytest.raises(Transient, match="can't be reached"):
            await SEND(call(made), EVENT)


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "ftp://example.com", "https://user@example.com/", "example.com"]
)
def test_an_address_that_isnt_encrypted_or_none_is_no_setting(url: str) -> None:
    with pytest.raises(ValidationError):
        SubscriberSettings(url=url)


async def test_a_query_of_the_address_is_sent_with_each_event(
    calling: Calling, subscriber: SubscriberSimulator
) -> None:
    await SEND(calling(url="http://127.0.0.1/events?token=a%20b&empty="), EVENT)
    assert subscriber.received[0].query == {"token": "a b", "empty": ""}
