"""Signatures that say when: in a header of their own, or beside the signature."""

from datetime import UTC, datetime, timedelta

import pytest

from bellwire.connectors.kit import BadSignature, TimedSignature
from bellwire.events import Delivery

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
BODY = b'{"id": 1}'
APART = TimedSignature("X-Signature", time_header="X-Time", lead=b"v0:", between=b":", prefix="v0=", encoding="hex")
BESIDE = TimedSignature("X-Signature", encoding="hex")
ISO = TimedSignature("X-Signature", time_header="X-Time", between=b"", iso=True)
SCHEMES = pytest.mark.parametrize("scheme", [APART, BESIDE, ISO], ids=["apart", "beside", "iso"])


def delivery(headers: dict[str, str], body: bytes = BODY) -> Delivery:
    return Delivery("acme", {name.lower(): value for name, value in headers.items()}, body, NOW)


def signed(scheme: TimedSignature, secret: str = "key") -> dict[str, str]:
    return scheme.sign(BODY, secret, delivery_id="1", now=NOW)


@SCHEMES
def test_what_one_of_the_secrets_signed_is_accepted(scheme: TimedSignature) -> None:
    scheme.verify(delivery(signed(scheme)), ["key"], NOW)
    scheme.verify(delivery(signed(scheme)), ["next", "key"], NOW)


@SCHEMES
def test_another_body_secret_or_time_is_refused(scheme: TimedSignature) -> None:
    headers = signed(scheme)
    later = scheme.sign(BODY, "other", delivery_id="1", now=NOW + timedelta(seconds=1))
    moved = {**headers, "X-Time": later.get("X-Time", "")}
    if not scheme.time_header:
        moved = {"X-Signature": later["X-Signature"].partition(",")[0] + "," + headers["X-Signature"].partition(",")[2]}
    for given, body, secret in ((headers, BODY + b" ", "key"), (headers, BODY, "other"), (moved, BODY, "key")):
        with pytest.raises(BadSignature, match="None of the secrets of connection 'acme'"):
            scheme.verify(delivery(given, body), [secret], NOW)


@SCHEMES
@pytest.mark.parametrize(("minutes", "words"), [(6, "too old"), (-6, "far in the future")])
def test_what_was_sent_at_another_time_is_refused(scheme: TimedSignature, minutes: int, words: str) -> None:
    with pytest.raises(BadSignature, match=words) as refused:
        scheme.verify(delivery(signed(scheme)), ["key"], NOW + timedelta(minutes=minutes))
    assert refused.value.reason == "timestamp"
    scheme.verify(delivery(signed(scheme)), ["key"], NOW + timedelta(minutes=minutes) * 4 / 5)


@SCHEMES
def test_without_signature_or_time_it_is_refused(scheme: TimedSignature) -> None:
    for headers in ({}, {"X-Signature": "v1=00"}, {"X-Time": "1"}):
        with pytest.raises(BadSignature) as refused:
            scheme.verify(delivery(headers), ["key"], NOW)
        assert refused.value.reason == "signature-missing"


@SCHEMES
@pytest.mark.parametrize("time", ["now", "-1", "1e9", "9" * 12, "2026-13-01T00:00:00Z", "2026-11-24T09:30:00", "１"])
def test_a_time_that_is_none_is_refused(scheme: TimedSignature, time: str) -> None:
    headers = {"X-Signature": f"t={time},v1=00", "X-Time": time}
    with pytest.raises(BadSignature) as refused:
        scheme.verify(delivery(headers), ["key"], NOW)
    assert refused.value.reason == "signature-malformed"


@SCHEMES
@pytest.mark.parametrize("text", ["zz", "ä", "v0=zz", "v1=00", "="])
def test_a_signature_that_is_none_is_refused(scheme: TimedSignature, text: str) -> None:
    headers = signed(scheme)
    headers["X-Signature"] = text if scheme.time_header else f"t={int(NOW.timestamp())},v1={text}"
    with pytest.raises(BadSignature):
        scheme.verify(delivery(headers), ["key"], NOW)


def test_beside_the_time_there_may_be_several_signatures() -> None:
    """While a sender changes its secret, it signs with both."""
    one, other = (signed(BESIDE, secret)["X-Signature"].partition(",")[2] for secret in ("old", "new"))
    header = {"X-Signature": f"t={int(NOW.timestamp())}, {one}, {other}, v0=00"}
    for secret in ("old", "new"):
        BESIDE.verify(delivery(header), [secret], NOW)
