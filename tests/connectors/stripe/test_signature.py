"""How deliveries are signed: by vectors, by Stripe's own library, and by what a thief would try."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
import stripe as sdk

from bellwire.connectors.kit import BadSignature
from bellwire.connectors.stripe.signature import StripeSignature
from bellwire.events import Delivery
from bellwire.practice.stripe import StripeSimulator
from tests.shared import FOLDER, needs_shared

pytestmark = pytest.mark.proves("signatures")

SCHEME = StripeSignature()
SECRET = "whsec_test_secret"
BODY = b'{"id":"evt_1Vec","object":"event","type":"invoice.payment_failed","created":1700000000}'
VECTOR = "t=1700000000,v1=7ae481fec1d1941d48ec543db8eb6edf236be09f0a6b0ea1de0ccb40159e0720"
THEN = datetime.fromtimestamp(1_700_000_000, UTC)


def verify(header: str | None, body: bytes = BODY, *secrets: str, now: datetime = THEN) -> None:
    headers = {} if header is None else {"stripe-signature": header}
    SCHEME.verify(Delivery("pay", headers, body, now), secrets or (SECRET,), now)


@needs_shared
def test_the_vectors_are_accepted() -> None:
    vectors = orjson.loads((FOLDER / "payloads" / "signature_vectors_commerce.json").read_bytes())
    ours = [each for each in vectors if each["vendor"] == "stripe"]
    assert len(ours) == 2
    for each in ours:
        verify(each["headers"]["Stripe-Signature"], each["body"].encode(), each["secret"])


def test_either_of_two_secrets_will_do_and_either_of_two_signatures() -> None:
    verify(VECTOR, BODY, "whsec_next", SECRET)
    verify(VECTOR.replace("v1=", f"v1={'0' * 64},v1="))
    verify(VECTOR + ",v0=ignored")


@pytest.mark.parametrize(
    ("header", "body", "secret", "reason"),
    [
        (VECTOR, BODY + b" ", SECRET, "signature"),
        (VECTOR, BODY.replace(b"failed", b"fixed"), SECRET, "signature"),
        (VECTOR, BODY, "whsec_other", "signature"),
        (VECTOR.replace("1700000000", "1700000001"), BODY, SECRET, "signature"),
        (VECTOR.replace("v1", "v0"), BODY, SECRET, "signature-malformed"),
        ("v1=00", BODY, SECRET, "signature-malformed"),
        ("t=1700000000,v1=é", BODY, SECRET, "signature"),
        ("t=now,v1=00", BODY, SECRET, "signature-malformed"),
        ("", BODY, SECRET, "signature-malformed"),
        (None, BODY, SECRET, "signature-missing"),
    ],
)
def test_anything_else_is_refused(header: str | None, body: bytes, secret: str, reason: str) -> None:
    with pytest.raises(BadSignature) as caught:
        verify(header, body, secret)
    assert caught.value.reason == reason


def test_an_old_signature_is_refused_and_its_age_said() -> None:
    verify(VECTOR, now=THEN + timedelta(minutes=5))
    with pytest.raises(BadSignature, match="0:05:01") as caught:
        verify(VECTOR, now=THEN + timedelta(minutes=5, seconds=1))
    assert caught.value.reason == "timestamp"


@pytest.mark.proves("sdk")
def test_stripes_own_library_agrees_both_ways() -> None:
    now = datetime.now(UTC)
    ours = SCHEME.sign(BODY, SECRET, delivery_id="", now=now)["Stripe-Signature"]
    event = sdk.Webhook.construct_event(BODY, ours, SECRET)
    assert event.id == "evt_1Vec"
    seconds = int(now.timestamp())
    signed = f"{seconds}.{BODY.decode()}"
    theirs = sdk.WebhookSignature._compute_signature(signed, SECRET)
    verify(f"t={seconds},v1={theirs}", now=now)


def test_what_the_practice_account_sends_is_accepted() -> None:
    simulator = StripeSimulator()
    simulator.account.take(2440, "usd")
    sent = simulator.webhook("payment_intent.succeeded")
    header = sent.headers["Stripe-Signature"]
    verify(header, sent.body, simulator.credentials["webhook_secret"], now=datetime.now(UTC))


@pytest.mark.parametrize(("body", "same"), [(BODY, "evt_1Vec"), (b"[]", ""), (b'{"id": 7}', ""), (b'{"id": ""}', "")])
def test_a_delivery_is_known_by_its_event(body: bytes, same: str) -> None:
    found = SCHEME.delivery_id(Delivery("pay", {}, body, THEN))
    assert found == same if same else len(found) == 64
