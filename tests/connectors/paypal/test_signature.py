"""How deliveries are signed: by the vector, and by what a thief would try."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from cryptography import x509

from bellwire.connectors.kit import BadSignature
from bellwire.connectors.paypal.signature import TransmissionSignature
from bellwire.connectors.paypal.words import certificate_word, read_words
from bellwire.errors import ConfigurationError, Refusal
from bellwire.events import Delivery
from bellwire.practice.paypal import PayPalSimulator
from bellwire.practice.paypal.keys import Identity, make_identity, practice_identity
from tests.shared import needs_shared, payload

pytestmark = pytest.mark.proves("signatures")

SECRETS = PayPalSimulator.credentials["webhook_secret"].split()
WEBHOOK = read_words(SECRETS).webhooks[0]
BODY = b'{"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED"}'


@pytest.fixture(scope="module")
def other() -> Identity:
    return make_identity("CERT-OTHER")


def sent(identity: Identity | None = None) -> dict[str, str]:
    simulator = PayPalSimulator(identity=identity or practice_identity())
    return {name.lower(): value for name, value in simulator.signed("x", BODY).headers.items()}


def verify(
    headers: Mapping[str, str],
    body: bytes = BODY,
    secrets: list[str] | None = None,
    *,
    scheme: TransmissionSignature | None = None,
    now: datetime | None = None,
) -> None:
    now = now or datetime.now(UTC)
    (scheme or TransmissionSignature()).verify(Delivery("pay", headers, body, now), secrets or SECRETS, now)


@needs_shared
def test_the_vector_is_accepted_and_no_byte_of_it_may_change() -> None:
    vector = orjson.loads(payload("paypal", "signature_vector.json"))
    certificate = x509.load_pem_x509_certificate(vector["certificate_pem"].encode())
    secrets = [vector["webhook_id"], certificate_word("CERT-TEST", certificate)]
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    body, then = vector["body"].encode(), datetime(2026, 8, 14, 10, tzinfo=UTC)
    verify(headers, body, secrets, now=then)
    for changed in (body + b" ", body.replace(b"WH-TEST-1", b"WH-TEST-2")):
        with pytest.raises(BadSignature):
            verify(headers, changed, secrets, now=then)


def test_what_is_signed_for_either_of_two_webhooks_is_accepted() -> None:
    verify(sent())
    _, certificate = SECRETS
    verify(sent(), secrets=["NEWWEBHOOK", WEBHOOK, certificate])
    with pytest.raises(BadSignature, match="didn't sign this for the webhook"):
        verify(sent(), secrets=["NEWWEBHOOK", certificate])


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("paypal-transmission-id", "another", "signature"),
        ("paypal-transmission-time", "2026-01-01T00:00:00Z", "signature"),
        ("paypal-transmission-sig", "AAAA", "signature"),
        ("paypal-transmission-sig", "not base64!", "signature"),
        ("paypal-auth-algo", "SHA1withRSA", "signature"),
        ("paypal-auth-algo", "", "signature-missing"),
        ("paypal-cert-url", "", "signature-missing"),
        *(
            ("paypal-cert-url", url, "certificate")
            for url in (
                "http://api.paypal.com/v1/notifications/certs/CERT-PRACTICE",
                "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-PRACTICE",
                "https://evil.paypal.com/v1/notifications/certs/CERT-PRACTICE",
                "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-PRACTICE",
                "https://api.paypal.com/v1/notifications/certs/../CERT-PRACTICE",
                "https://api.paypal.com/v1/notifications/certs/CERT-PRACTICE?x=1",
                "https://api.paypal.com:8443/v1/notifications/certs/CERT-PRACTICE",
            )
        ),
    ],
)
def test_anything_else_is_refused(name: str, value: str, reason: str) -> None:
    scheme = TransmissionSignature()
    with pytest.raises(BadSignature) as caught:
        verify({**sent(), name: value}, scheme=scheme)
    assert caught.value.reason == reason
    assert not scheme.wanted, "and nothing is fetched for it"


def test_a_certificate_that_is_not_known_puts_the_delivery_off_and_is_kept_in_mind(other: Identity) -> None:
    scheme = TransmissionSignature()
    with pytest.raises(Refusal) as caught:
        verify(sent(other), scheme=scheme)
    assert (caught.value.status, caught.value.reason) == (503, "certificate-unknown")
    assert list(scheme.wanted) == ["https://api.sandbox.paypal.com/v1/notifications/certs/CERT-OTHER"]
    verify(sent(other), secrets=[*SECRETS, other.word], scheme=scheme)


def test_a_signature_by_another_key_is_refused_whatever_certificate_it_names(other: Identity) -> None:
    ours = sent()["paypal-cert-url"]
    with pytest.raises(BadSignature):
        verify({**sent(other), "paypal-cert-url": ours})


def test_made_up_certificates_fill_no_memory() -> None:
    scheme = TransmissionSignature()
    for number in range(50):
        address = f"https://api.paypal.com/v1/notifications/certs/CERT-{number}"
        with pytest.raises(Refusal):
            verify({**sent(), "paypal-cert-url": address}, scheme=scheme)
    assert len(scheme.wanted) == 4


def test_a_certificate_counts_only_while_it_is_valid() -> None:
    for now in (datetime(2025, 12, 31, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)):
        with pytest.raises(BadSignature, match="isn't valid") as caught:
            verify(sent(), now=now)
        assert caught.value.reason == "certificate"
    verify(sent(), now=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1))


def test_words_that_make_no_sense_verify_nothing() -> None:
    for word in ("CERT-PRACTICE=AAAA", "CERT-PRACTICE=not base64!", "a:b:not base64!", "a:b:c:d"):
        with pytest.raises(Refusal) as caught:
            verify(sent(), secrets=[WEBHOOK, word])
        assert caught.value.reason == "certificate-unknown"


def test_only_practice_can_sign() -> None:
    scheme, now = TransmissionSignature(), datetime.now(UTC)
    headers = scheme.sign(BODY, SECRETS[0], delivery_id="1", now=now)
    verify({name.lower(): value for name, value in headers.items()})
    with pytest.raises(ConfigurationError, match="Only PayPal"):
        scheme.sign(BODY, "1JE4291016473214C", delivery_id="1", now=now)


def test_a_delivery_is_known_by_its_event() -> None:
    scheme, now = TransmissionSignature(), datetime.now(UTC)
    assert scheme.delivery_id(Delivery("pay", {}, BODY, now)) == "WH-1"
    assert len(scheme.delivery_id(Delivery("pay", {}, b"[]", now))) == 64
