"""Signatures: the senders' own vectors, every way to get one wrong, and a second opinion."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from bellwire.connectors.kit import AddressToken, BadSignature, HmacSignature, StandardWebhooks
from bellwire.errors import ConfigurationError
from bellwire.events import Delivery
from tests.samples import NOW
from tests.shared import FOLDER, needs_shared

STANDARD = StandardWebhooks()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PUBLIC_KEY = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
PRIVATE_KEY = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="

MESSAGE_ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
RIGHT = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
WRONG = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


def delivery(
    signature: str | None = RIGHT,
    *,
    body: bytes = BODY,
    message_id: str = MESSAGE_ID,
    timestamp: int | str = TIMESTAMP,
    prefix: str = "webhook",
) -> Delivery:
    headers = {f"{prefix}-id": message_id, f"{prefix}-timestamp": str(timestamp)}
    if signature is not None:
        headers[f"{prefix}-signature"] = signature
    return Delivery("pos", headers, body, NOW)


def verify(one: Delivery, *secrets: str, late: timedelta = timedelta()) -> None:
    STANDARD.verify(one, secrets or (SECRET,), datetime.fromtimestamp(TIMESTAMP, UTC) + late)


def refusal(one: Delivery, *secrets: str, late: timedelta = timedelta()) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        verify(one, *secrets, late=late)
    assert caught.value.status == 401
    return caught.value


# Standard Webhooks: the vectors of its specification and libraries (../shared/vendors/standard_webhooks.md)


@pytest.mark.parametrize(
    ("secret", "message_id", "timestamp", "body", "signature"),
    [
        (SECRET, MESSAGE_ID, TIMESTAMP, BODY, RIGHT),
        (
            OTHER_SECRET,
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1649367553,
            b'{"email":"test@example.com","username":"test_user"}',
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1731705121,
            b'{"event_type":"ping","data":{"success":true}}',
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
        (
            SECRET,
            MESSAGE_ID,
            TIMESTAMP,
            '{"note":"Grüße"}'.encode(),
            "v1,PdjBvly3JZpJDYV5ezWxqYuw+1RZGjMSYgpsDR+aOQU=",
        ),
        (
            PUBLIC_KEY,
            MESSAGE_ID,
            TIMESTAMP,
            BODY,
            "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw==",
        ),
    ],
)
def test_official_vectors_are_accepted(
    secret: str, message_id: str, timestamp: int, body: bytes, signature: str
) -> None:
    one = delivery(signature, body=body, message_id=message_id, timestamp=timestamp)
    now = datetime.fromtimestamp(timestamp, UTC)
    STANDARD.verify(one, [secret], now)
    with pytest.raises(BadSignature):
        STANDARD.verify(one, ["whsec_AAAA"], now)
    signer = PRIVATE_KEY if secret == PUBLIC_KEY else secret
    assert STANDARD.sign(body, signer, delivery_id=message_id, now=now)["webhook-signature"] == signature


def test_a_signature_in_a_list_with_wrong_ones_is_found() -> None:
    verify(delivery(f"{WRONG} v2,{WRONG[3:]} {WRONG} {RIGHT}  v1,abc garbage"))


@pytest.mark.parametrize("secret", [SECRET.removeprefix("whsec_"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr"])
def test_secrets_without_prefix_or_padding_are_taken(secret: str) -> None:
    one = STANDARD.sign(BODY, secret, delivery_id="m", now=NOW)
    STANDARD.verify(Delivery("pos", one, BODY, NOW), [secret], NOW)


def test_the_other_header_names_are_taken_but_no_mixture() -> None:
    verify(delivery(prefix="svix"))
    mixed = delivery(None)
    assert refusal(Delivery("pos", {**mixed.headers, "svix-signature": RIGHT}, BODY, NOW)).reason == "signature-missing"


@pytest.mark.parametrize(
    "signature",
    [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
        "garbage",
        "v1,abc",
        "v1,",
        "v1",
        ",",
        "v2," + RIGHT[3:],
        "v1a," + RIGHT[3:],
        "v1,ü",
        RIGHT[3:],
        "v1," + RIGHT[3:-1],
        # The same bits, written otherwise: the decoder would drop the last two.
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=",
    ],
)
def test_a_wrong_or_malformed_signature_is_refused(signature: str) -> None:
    error = refusal(delivery(signature))
    assert (error.reason, "connection 'pos'" in error.sentence) == ("signature", True)
    assert "secret" in error.remedy


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"", BODY + b" "])
def test_a_body_that_wasnt_signed_is_refused_whatever_its_bytes(body: bytes) -> None:
    assert refusal(delivery(body=body)).reason == "signature"


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(missing: str) -> None:
    headers = {name: value for name, value in delivery().headers.items() if name != missing}
    assert refusal(Delivery("pos", headers, BODY, NOW)).reason == "signature-missing"


@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_five_minutes_either_way_are_tolerated(minutes: int) -> None:
    verify(delivery(), late=timedelta(minutes=minutes))


@pytest.mark.parametrize(("minutes", "says"), [(6, "too old"), (-6, "too far in the future")])
def test_older_and_younger_timestamps_are_refused(minutes: int, says: str) -> None:
    error = refusal(delivery(), late=timedelta(minutes=minutes))
    assert (error.reason, says in error.sentence) == ("timestamp", True)
    assert "clock" in error.remedy


@pytest.mark.parametrize("timestamp", ["", "1614265330.5", "-1", "+1614265330", "١٦١٤٢٦٥٣٣٠", "9" * 12, "1" * 13])
def test_a_timestamp_is_a_plain_number_of_seconds(timestamp: str) -> None:
    assert refusal(delivery(timestamp=timestamp)).reason in ("signature-malformed", "signature-missing", "timestamp")


def test_a_dot_in_the_id_would_make_the_signed_text_ambiguous() -> None:
    headers = STANDARD.sign(BODY, SECRET, delivery_id="a.b", now=NOW)
    with pytest.raises(BadSignature, match="malformed"):
        STANDARD.verify(Delivery("pos", headers, BODY, NOW), [SECRET], NOW)


def test_while_a_secret_is_changed_both_are_accepted() -> None:
    verify(delivery(), OTHER_SECRET, SECRET)
    verify(delivery(), SECRET, OTHER_SECRET)
    refusal(delivery(), OTHER_SECRET)


@pytest.mark.parametrize("secret", ["whsec_", "", "not base64!", "whpk_", "whpk_AAAA"])
def test_a_broken_secret_accepts_nothing(secret: str) -> None:
    empty_key = base64.b64encode(b"\0" * 32).decode()
    refusal(delivery(f"v1,{empty_key} v1a,{empty_key}"), secret)
    by_nobody = StandardWebhooks().sign(BODY, SECRET, delivery_id=MESSAGE_ID, now=NOW)
    with pytest.raises(BadSignature):
        STANDARD.verify(Delivery("pos", by_nobody, BODY, NOW), [secret], NOW)


def test_a_public_key_is_no_hmac_key() -> None:
    """Whoever knows the public key could otherwise sign with it."""
    forged = STANDARD.sign(BODY, "whsec_" + PUBLIC_KEY.removeprefix("whpk_"), delivery_id="m", now=NOW)
    with pytest.raises(BadSignature):
        STANDARD.verify(Delivery("pos", forged, BODY, NOW), [PUBLIC_KEY], NOW)
    with pytest.raises(ConfigurationError, match="only its owner"):
        STANDARD.sign(BODY, PUBLIC_KEY, delivery_id="m", now=NOW)


def test_an_empty_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        STANDARD.sign(BODY, "whsec_", delivery_id="m", now=NOW)


def test_the_delivery_id_is_the_senders() -> None:
    assert STANDARD.delivery_id(delivery()) == MESSAGE_ID
    assert STANDARD.handshake(delivery()) is None


def changed(data: st.DataObject, content: bytes) -> bytes:
    """`content` with one byte replaced."""
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    return content[:place] + bytes([byte]) + content[place + 1 :]


@given(body=st.binary(min_size=1, max_size=200), data=st.data())
def test_any_changed_byte_of_the_body_is_refused(body: bytes, data: st.DataObject) -> None:
    headers = STANDARD.sign(body, SECRET, delivery_id="m", now=NOW)
    STANDARD.verify(Delivery("pos", headers, body, NOW), [SECRET], NOW)
    with pytest.raises(BadSignature):
        STANDARD.verify(Delivery("pos", headers, changed(data, body), NOW), [SECRET], NOW)


@given(secret=st.sampled_from([SECRET, PRIVATE_KEY]), header=st.integers(0, 2), data=st.data())
def test_any_changed_byte_of_a_header_is_refused(secret: str, header: int, data: st.DataObject) -> None:
    headers = STANDARD.sign(BODY, secret, delivery_id="message", now=NOW)
    name = ("webhook-id", "webhook-timestamp", "webhook-signature")[header]
    spoiled = changed(data, headers[name].encode()).decode("latin-1")
    with pytest.raises(BadSignature):
        STANDARD.verify(Delivery("pos", {**headers, name: spoiled}, BODY, NOW), [SECRET, PUBLIC_KEY], NOW)


@given(body=st.text(), message_id=st.text(st.characters(codec="ascii", exclude_characters=".\r\n"), min_size=1))
def test_what_we_sign_the_reference_library_accepts_and_the_other_way_round(body: str, message_id: str) -> None:
    now = datetime.now(UTC)
    reference = standardwebhooks.Webhook(SECRET)
    ours = STANDARD.sign(body.encode(), SECRET, delivery_id=message_id, now=now)
    reference.verify(body.encode(), ours, json_parse=False)
    theirs = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": reference.sign(message_id, now, body),
    }
    STANDARD.verify(Delivery("pos", theirs, body.encode(), now), [SECRET], now)
    assert theirs == ours


# An HMAC in a header

PLAIN = HmacSignature("X-Signature", id_header="X-Delivery")


def hmac_delivery(scheme: HmacSignature, body: bytes = BODY, secret: str = "hush", **headers: str) -> Delivery:
    signed = scheme.sign(body, secret, delivery_id="d-1", now=NOW)
    return Delivery("shop", {n.lower(): v for n, v in {**signed, **headers}.items()}, body, NOW)


def _vectors() -> list[Any]:
    names = ("signature_vectors_commerce.json", "signature_vectors_business.json")
    files = [FOLDER / "payloads" / name for name in names]
    return [vector for file in files if file.is_file() for vector in json.loads(file.read_text())]


SCHEMES: dict[str, tuple[Any, Callable[[Delivery], bytes]]] = {
    r"base64\(HMAC-SHA256\([^,]+, ?body\)\)": ("base64", lambda delivery: delivery.body),
    r"hex\(HMAC-SHA256\([^,]+, ?body\)\)": ("hex", lambda delivery: delivery.body),
    r"base64\(HMAC-SHA256\([^,]+, notification url \+ body\)\)": (
        "base64",
        lambda delivery: delivery.url.encode() + delivery.body,
    ),
}


def _fitting() -> list[Any]:
    """The vectors of vendors that put a plain HMAC into a header."""
    found = []
    for vector in _vectors():
        for algorithm, (encoding, signed) in SCHEMES.items():
            if re.fullmatch(algorithm, vector.get("algorithm", "")):
                (header,) = (
                    n for n, v in vector["headers"].items() if re.fullmatch(r"[A-Za-z0-9+/]{43}=|[0-9a-f]{64}", v)
                )
                scheme = HmacSignature(header, encoding=encoding, signed=signed)
                found.append(pytest.param(scheme, vector, id=f"{vector['vendor']}: {vector['name']}"))
    return found


@needs_shared
def test_there_are_vectors() -> None:
    assert len(_fitting()) >= 10


@pytest.mark.parametrize(("scheme", "vector"), _fitting())
def test_the_vendors_own_vectors(scheme: HmacSignature, vector: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    body, url, secret = vector["body"].encode(), vector.get("url", ""), vector["secret"]
    scheme.verify(Delivery("shop", headers, body, NOW, url), ["old", secret], NOW)
    assert scheme.sign(body, secret, delivery_id="", now=NOW, url=url) == {
        scheme.header: vector["headers"][scheme.header]
    }
    for spoiled in (
        Delivery("shop", headers, body + b" ", NOW, url),
        Delivery("shop", headers, body.replace(b'"', b"'"), NOW, url),
    ):
        with pytest.raises(BadSignature):
            scheme.verify(spoiled, [secret], NOW)
    with pytest.raises(BadSignature):
        scheme.verify(Delivery("shop", headers, body, NOW, url), [secret + "x"], NOW)


@pytest.mark.parametrize("encoding", ["base64", "hex"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_it_accepts_what_it_signs(encoding: Any, algorithm: Any, prefix: str) -> None:
    scheme = HmacSignature("X-Signature", encoding=encoding, algorithm=algorithm, prefix=prefix)
    scheme.verify(hmac_delivery(scheme), ["hush"], NOW)


@pytest.mark.parametrize(
    ("scheme", "value", "says"),
    [
        (PLAIN, "garbage", "isn't base64"),
        (PLAIN, "ü" * 44, "isn't base64"),
        (PLAIN, "v1,abc", "isn't base64"),
        (PLAIN, "AAAA", "None of the secrets of connection 'shop'"),
        (HmacSignature("X-Signature", encoding="hex"), "xyz", "isn't hex"),
        (HmacSignature("X-Signature", encoding="hex", prefix="sha256="), "abcd", "doesn't begin with 'sha256='"),
    ],
)
def test_each_way_to_fail_has_its_sentence(scheme: HmacSignature, value: str, says: str) -> None:
    with pytest.raises(BadSignature) as caught:
        scheme.verify(Delivery("shop", {"x-signature": value}, BODY, NOW), ["hush"], NOW)
    assert says in caught.value.sentence


def test_a_missing_signature_is_named() -> None:
    with pytest.raises(BadSignature, match="header X-Signature is missing") as caught:
        PLAIN.verify(Delivery("shop", {}, BODY, NOW), ["hush"], NOW)
    assert caught.value.reason == "signature-missing"


def test_without_any_secret_nothing_is_accepted() -> None:
    with pytest.raises(BadSignature):
        PLAIN.verify(hmac_delivery(PLAIN), [], NOW)


def test_the_header_may_have_another_spelling() -> None:
    scheme = HmacSignature("X-Signature", also_headers=("Signature",))
    value = hmac_delivery(scheme).headers["x-signature"]
    scheme.verify(Delivery("shop", {"signature": value}, BODY, NOW), ["hush"], NOW)


def test_a_delivery_without_a_name_is_known_by_its_body() -> None:
    assert PLAIN.delivery_id(hmac_delivery(PLAIN)) == "d-1"
    unnamed = HmacSignature("X-Signature")
    first, again = hmac_delivery(unnamed), hmac_delivery(unnamed)
    assert unnamed.delivery_id(first) == unnamed.delivery_id(again)
    assert unnamed.delivery_id(first) != unnamed.delivery_id(hmac_delivery(unnamed, b"{}"))


@given(encoding=st.sampled_from(["base64", "hex"]), of_body=st.booleans(), data=st.data(), body=st.binary(min_size=1))
def test_any_changed_byte_of_body_or_signature_is_refused(
    encoding: Any, of_body: bool, data: st.DataObject, body: bytes
) -> None:
    scheme = HmacSignature("X-Signature", encoding=encoding)
    right = hmac_delivery(scheme, body)
    scheme.verify(right, ["hush"], NOW)
    if of_body:
        spoiled = Delivery("shop", right.headers, changed(data, body), NOW)
    else:
        signature = changed(data, right.headers["x-signature"].encode()).decode("latin-1")
        if encoding == "hex" and signature.lower() == right.headers["x-signature"]:
            return  # the same number
        spoiled = Delivery("shop", {"x-signature": signature}, body, NOW)
    with pytest.raises(BadSignature):
        scheme.verify(spoiled, ["hush"], NOW)


def test_a_secret_may_stand_for_a_key_and_one_that_stands_for_none_signs_nothing() -> None:
    scheme = HmacSignature("X-Signature", key=lambda secret: base64.b64decode(secret, validate=True))
    secret = base64.b64encode(b"hush").decode()
    one = hmac_delivery(HmacSignature("X-Signature"), secret="hush")
    scheme.verify(one, ["no key!", secret], NOW)
    with pytest.raises(BadSignature, match="None of the secrets"):
        scheme.verify(one, ["no key!"], NOW)


# A token in the address

TOKEN = AddressToken()


def hint(query: str = "", **headers: str) -> Delivery:
    return Delivery("erp", headers, b"{}", NOW, f"https://hooks.example.com/hooks/erp{query}")


@pytest.mark.parametrize(
    "given",
    [
        hint("?token=k3y%2B"),
        hint("?a=b&token=k3y%2B"),
        hint("?token=wrong&token=k3y%2B"),
        hint(authorization="Bearer k3y+"),
        hint(authorization="bearer k3y+"),
    ],
)
def test_who_knows_the_token_may_send(given: Delivery) -> None:
    TOKEN.verify(given, ["k3y+"], NOW)
    TOKEN.verify(given, ["older", "k3y+"], NOW)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (hint(), "signature-missing"),
        (hint("?key=k3y"), "signature-missing"),
        (hint("?token="), "signature-missing"),
        (hint(authorization="Basic k3y"), "signature-missing"),
        (hint("?token=k3"), "signature"),
        (hint("?token=k3y%00"), "signature"),
        (hint("?token=K3Y"), "signature"),
        (hint("?token=k%C3%BCy"), "signature"),
        (hint(authorization="Bearer k3"), "signature"),
    ],
)
def test_who_does_not_know_it_may_not(given: Delivery, reason: str) -> None:
    with pytest.raises(BadSignature) as refused:
        TOKEN.verify(given, ["k3y", "other"], NOW)
    assert (refused.value.status, refused.value.reason) == (401, reason)
    assert "k3y" not in str(refused.value) and "k3" not in str(refused.value)


def test_a_token_has_a_name_of_its_own_where_the_sender_wants_one() -> None:
    AddressToken(param="key").verify(hint("?key=k3y"), ["k3y"], NOW)


def test_what_stands_for_the_sender_sends_the_token_as_a_header() -> None:
    signed = TOKEN.sign(b"{}", "k3y", delivery_id="1", now=NOW)
    TOKEN.verify(hint(**{name.lower(): value for name, value in signed.items()}), ["k3y"], NOW)
