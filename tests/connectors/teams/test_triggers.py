"""Messages that mention the outgoing webhook: their signature, and what becomes of them."""

import dataclasses
from datetime import datetime, timedelta

import orjson
import pytest

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.kit import BadSignature
from bellwire.connectors.teams import CONNECTOR
from bellwire.errors import CannotNormalise, ConfigurationError
from bellwire.events import Delivery, Event
from bellwire.practice.simulator import Webhook
from bellwire.practice.teams import TeamsSimulator
from tests.connecting import connection

# The token is that of Microsoft's documentation; the rest was computed: ../shared/vendors/teams.md
TOKEN = "vqF0En+Z0ucuRTM/01o2GuhMH3hKKk/N2bOmlM31zaA="
BODY = (
    rb'{"type":"message","id":"1234567890","timestamp":"2026-01-31T10:00:00.0000000Z",'
    rb'"text":"<at>hook</at> stock SKU-1\n","from":{"id":"29:1","name":"Megan"},"channelData":{"tenant":{"id":"t"}}}'
)
SIGNATURE = "HMAC pMA9khNaugYslh7X9dL3kDlM9zNbBHxTWw9KpT0unVo="
SENT = parse_time("2026-01-31T10:00:00Z")

CHAT = connection("teams", name="chat", credentials=TeamsSimulator.credentials)


def verify(body: bytes = BODY, signature: str | None = SIGNATURE, *secrets: str, at: datetime = SENT) -> None:
    headers = {} if signature is None else {"authorization": signature}
    assert CHAT.webhook is not None
    CHAT.webhook.verify(Delivery("chat", headers, body, at), secrets or (TOKEN,), at)


def refusal(*args: str | bytes | None, at: datetime = SENT) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        verify(*args, at=at)  # type: ignore[arg-type]
    assert caught.value.status == 401
    return caught.value


@pytest.mark.proves("signatures")
def test_the_vector_is_accepted_and_made() -> None:
    verify()
    assert CHAT.webhook is not None
    assert CHAT.webhook.sign(BODY, TOKEN, delivery_id="", now=SENT) == {"Authorization": SIGNATURE}


def test_two_tokens_hold_while_one_is_changed() -> None:
    other = TeamsSimulator.credentials["webhook_secret"]
    verify(BODY, SIGNATURE, other, TOKEN)
    assert refusal(BODY, SIGNATURE, other).reason == "signature"


@pytest.mark.parametrize("token", ["not a token", "", "vqF0En+Z0ucuRTM/01o2GuhMH3hKKk/N2bOmlM31zaA"])
def test_what_isnt_a_token_accepts_and_signs_nothing(token: str) -> None:
    assert refusal(BODY, SIGNATURE, token).reason == "signature"
    verify(BODY, SIGNATURE, token, TOKEN)
    assert CHAT.webhook is not None
    with pytest.raises(ConfigurationError, match="isn't a security token"):
        CHAT.webhook.sign(BODY, token, delivery_id="", now=SENT)


@pytest.mark.parametrize(
    "signature", [SIGNATURE[:-2] + "8=", SIGNATURE.removeprefix("HMAC "), "HMAC", "HMAC !", f"Bearer {SIGNATURE[5:]}"]
)
def test_a_wrong_signature_is_refused(signature: str) -> None:
    assert refusal(BODY, signature).reason == "signature"


def test_a_changed_byte_and_a_missing_signature_are_refused() -> None:
    assert refusal(BODY.replace(b"SKU-1", b"SKU-2"), SIGNATURE).reason == "signature"
    assert refusal(BODY, None).reason == "signature-missing"


@pytest.mark.parametrize("late", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_message_may_be_five_minutes_old_or_early_and_no_more(late: timedelta) -> None:
    verify(at=SENT + late)
    assert refusal(BODY, SIGNATURE, at=SENT + late * 1.01).reason == "timestamp"


@pytest.mark.parametrize("body", [b"{}", b"[]", b"x", b'{"timestamp":"soon"}', b'{"timestamp":7}'])
def test_a_message_that_doesnt_say_when_it_was_sent_is_refused(body: bytes) -> None:
    assert CHAT.webhook is not None
    signed = CHAT.webhook.sign(body, TOKEN, delivery_id="", now=SENT)["Authorization"]
    assert refusal(body, signed).reason == "signature-malformed"


# What becomes of it


def delivery(webhook: Webhook) -> Delivery:
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    return Delivery("chat", headers, webhook.body, system_clock())


def but(webhook: Webhook, **changes: object) -> Webhook:
    body = orjson.loads(webhook.body) | changes
    return dataclasses.replace(webhook, body=orjson.dumps({k: v for k, v in body.items() if v is not None}))


def event(webhook: Webhook) -> Event:
    assert CONNECTOR.triggers is not None
    (made,) = CONNECTOR.triggers.normalise(delivery(webhook), CHAT).events
    return made


def test_a_mention_is_a_message() -> None:
    team = TeamsSimulator()
    webhook = team.mention("stock TEA-100", sender="Megan", at=SENT)
    assert CHAT.webhook is not None
    CHAT.webhook.verify(delivery(webhook), CHAT.secrets, SENT)
    made = event(webhook)
    thread = "19:practice@thread.tacv2"
    conversation = f"{thread};messageid=1769853600000"
    assert (made.type, made.time, made.subject) == ("message.received", SENT, f"conversation/{conversation}")
    assert made.business_key == f"chat/message/{conversation}/1769853600000"
    assert made.data.model_dump() == {
        "id": "1769853600000",
        "text": "stock TEA-100",
        "sender": "Megan",
        "sender_id": "b1f9c3a0-0000-4000-8000-000000000001",
        "conversation": conversation,
        "channel": thread,
        "sent_at": SENT,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<at>Bellwire</at> stock SKU-1\n", "stock SKU-1"),
        ("<at>Bellwire</at>&nbsp;stock &amp; <at>Ann</at>", "stock & Ann"),
        ("ask <at>Bellwire</at> for 2 < 3", "ask Bellwire for 2 < 3"),
        ("<at>Bellwire</at>", ""),
    ],
)
def test_the_mention_is_taken_off_the_words(text: str, words: str) -> None:
    assert event(but(TeamsSimulator().mention(""), text=text)).data.text == words


def test_the_same_message_has_the_same_names_and_another_one_others() -> None:
    team = TeamsSimulator()
    first, second = team.mention("stock"), team.mention("stock")
    assert CHAT.webhook is not None
    ids = [CHAT.webhook.delivery_id(delivery(each)) for each in (first, first, second)]
    keys = [event(each).business_key for each in (first, first, second)]
    for one, same, other in (ids, keys):
        assert one == same != other


def test_an_id_is_a_messages_own_only_within_its_conversation() -> None:
    first = TeamsSimulator().mention("stock")
    elsewhere = but(first, conversation={"id": "19:other@thread.tacv2;messageid=1"})
    assert CHAT.webhook is not None
    assert CHAT.webhook.delivery_id(delivery(first)) != CHAT.webhook.delivery_id(delivery(elsewhere))


def test_what_is_no_message_is_left_out() -> None:
    assert CONNECTOR.triggers is not None
    made = CONNECTOR.triggers.normalise(delivery(but(TeamsSimulator().mention(""), type="typing")), CHAT)
    assert (made.events, made.reason) == ((), "It is no message but a typing.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"text": None}, "'text' is missing"),
        ({"conversation": None}, "'conversation' is missing"),
        ({"timestamp": "soon"}, "soon"),
        ({"from": "Megan"}, "no attribute"),
    ],
)
def test_a_message_that_cant_be_read_says_why(change: dict[str, object], words: str) -> None:
    with pytest.raises(CannotNormalise, match=words):
        event(but(TeamsSimulator().mention("stock"), **change))


def test_a_made_up_message_can_be_signed_and_read() -> None:
    assert CONNECTOR.triggers is not None and CONNECTOR.triggers.sample is not None and CHAT.webhook is not None
    headers, body = CONNECTOR.triggers.sample("message.received", CHAT)
    signed = CHAT.webhook.sign(body, CHAT.secrets[0], delivery_id="", now=system_clock())
    made = delivery(Webhook("message", headers | signed, body))
    CHAT.webhook.verify(made, CHAT.secrets, system_clock())
    assert event(Webhook("message", headers, body)).data.text == "stock TEA-100"
