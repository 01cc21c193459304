"""What ShipStation signs is told from what it doesn't."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwire.connectors.kit import BadSignature
from bellwire.connectors.shipstation.signature import RsaSignature, as_secret
from bellwire.errors import ConfigurationError
from bellwire.events import Delivery
from bellwire.practice.shipstation.hooks import SECRET, published, signed
from tests.samples import NOW
from tests.shared import needs_shared, payload

pytestmark = pytest.mark.proves("signatures")

SCHEME = RsaSignature()
OTHER = as_secret({"kid": "another", "n": "AQAB", "e": "AQAB"})


def vector() -> tuple[Delivery, str, datetime]:
    """The delivery, the key as it is kept, and when it was sent."""
    given: dict[str, Any] = json.loads(payload("shipstation", "v2_signature_vector.json"))
    (key,) = given["jwks"]["keys"]
    sent = datetime(2026, 8, 14, 10, tzinfo=UTC)
    return delivery(given["headers"], given["body"].encode()), as_secret(key), sent


def delivery(headers: Mapping[str, str], body: bytes) -> Delivery:
    return Delivery("shipping", {name.lower(): value for name, value in headers.items()}, body, NOW)


@needs_shared
def test_a_genuine_delivery_is_taken_beside_other_keys() -> None:
    genuine, key, sent = vector()
    SCHEME.verify(genuine, [key], sent)
    SCHEME.verify(genuine, [OTHER, "nonsense", key], sent + timedelta(minutes=4))


@needs_shared
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-shipengine-timestamp", "2026-08-14T10:00:01Z"),
        ("x-shipengine-timestamp", "today"),
        ("x-shipengine-timestamp", ""),
        ("x-shipengine-rsa-sha256-key-id", "another"),
        ("x-shipengine-rsa-sha256-key-id", ""),
        ("x-shipengine-rsa-sha256-signature", "AAAA"),
        ("x-shipengine-rsa-sha256-signature", "ä"),
        ("x-shipengine-rsa-sha256-signature", ""),
    ],
)
def test_another_header_is_refused(header: str, value: str) -> None:
    genuine, key, sent = vector()
    with pytest.raises(BadSignature):
        SCHEME.verify(replace(genuine, headers={**genuine.headers, header: value}), [key, OTHER], sent)


@needs_shared
def test_a_changed_byte_is_refused() -> None:
    genuine, key, sent = vector()
    with pytest.raises(BadSignature, match="didn't make this signature"):
        SCHEME.verify(replace(genuine, body=genuine.body.replace(b"DE", b"EX")), [key], sent)


@needs_shared
@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_one_and_one_from_the_future_are_refused(minutes: int) -> None:
    genuine, key, sent = vector()
    with pytest.raises(BadSignature) as refused:
        SCHEME.verify(genuine, [key], sent + timedelta(minutes=minutes))
    assert refused.value.reason == "timestamp"


def test_a_key_that_isnt_known_says_how_to_fetch_it() -> None:
    sent = signed("TRACK_EVENT_V2", "https://api.shipstation.com/v2/labels/se-1/track", {})
    with pytest.raises(BadSignature, match="doesn't know the key 'practice'") as refused:
        SCHEME.verify(delivery(sent.headers, sent.body), [OTHER], datetime.now(UTC))
    assert "fetches them" in refused.value.remedy


def test_practice_and_we_sign_alike_and_the_published_key_checks_both() -> None:
    (key,) = published()["keys"]
    sent = signed("TRACK_EVENT_V2", "https://api.shipstation.com/v2/labels/se-1/track", {})
    SCHEME.verify(delivery(sent.headers, sent.body), [OTHER, as_secret(key)], datetime.now(UTC))
    ours = SCHEME.sign(b"{}", SECRET, delivery_id="", now=NOW)
    for secret in (SECRET, as_secret(key)):
        SCHEME.verify(delivery(ours, b"{}"), [secret], NOW)


def test_only_shipstation_can_sign_with_its_keys() -> None:
    with pytest.raises(ConfigurationError):
        SCHEME.sign(b"{}", OTHER, delivery_id="", now=NOW)


def test_a_repeat_is_known_by_its_bytes() -> None:
    first, again, other = (delivery({}, body) for body in (b"1", b"1", b"2"))
    assert SCHEME.delivery_id(first) == SCHEME.delivery_id(again) != SCHEME.delivery_id(other)
