"""How senders sign what they send. Pure: bytes and headers in, a verdict out.

Every scheme compares in constant time, on the raw bytes, and accepts any of several secrets, so that a secret can be
rotated without a gap.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, Protocol
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bellwire.errors import ConfigurationError, Refusal
from bellwire.events import Delivery


class BadSignature(Refusal):
    """Nobody who knows the secret signed exactly these bytes. `reason` is counted."""

    def __init__(self, sentence: str, *, reason: str = "signature", remedy: str = "") -> None:
        super().__init__(sentence, status=401, reason=reason, remedy=remedy)


@dataclass(frozen=True)
class Handshake:
    """What a vendor wants to hear when it tests the address; nothing is stored."""

    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FixedReply:
    """What a vendor reads in the answer to each delivery, where it isn't JSON."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class JsonBody:
    """Deliveries are JSON."""


@dataclass(frozen=True)
class FormBody:
    """Deliveries are forms (application/x-www-form-urlencoded)."""

    field: str = ""
    """The field that holds JSON; empty: the fields are the data themselves."""


@dataclass(frozen=True)
class AnyBody:
    """What counts is in the headers: the body may be anything, or nothing."""


@dataclass(frozen=True)
class FormOrJsonBody:
    """Deliveries are forms whose fields are the data, or JSON: each says which by its content type."""


BodyKind = JsonBody | FormBody | FormOrJsonBody | AnyBody


class WebhookScheme(Protocol):
    """One vendor's way to sign, name and test its deliveries."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Raise BadSignature unless one of `secrets` signed exactly these bytes (where signed, lately)."""

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        """The headers that the vendor would send with `body`: for practice, tests and `send-test`."""

    def delivery_id(self, delivery: Delivery) -> str:
        """What is the same when the vendor sends the same delivery again."""

    def handshake(self, delivery: Delivery) -> Handshake | None:
        """The answer to a test of the address, or None for a real delivery. Called before `verify`."""


def body_hash(delivery: Delivery) -> str:
    """SHA-256 of the body, for vendors that name no delivery."""
    return hashlib.sha256(delivery.body).hexdigest()


def _no_handshake(_: Delivery) -> Handshake | None:
    return None


def _body_only(delivery: Delivery) -> bytes:
    return delivery.body


@dataclass(frozen=True)
class HmacSignature:
    """An HMAC over the body (or what `signed` makes of the delivery) in one header."""

    header: str
    encoding: Literal["base64", "hex"] = "base64"
    prefix: str = ""
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    id_header: str = ""
    """The header that names the delivery; empty: see `identify`."""
    identify: Callable[[Delivery], str] = body_hash
    signed: Callable[[Delivery], bytes] = _body_only
    test: Callable[[Delivery], Handshake | None] = _no_handshake
    also_headers: tuple[str, ...] = ()
    """Other spellings of `header` that the vendor uses."""
    key: Callable[[str], bytes] = str.encode
    """The key that a secret stands for. Raises ValueError when it stands for none."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = next((v for h in (self.header, *self.also_headers) if (v := delivery.headers.get(h.lower()))), None)
        if given is None:
            raise BadSignature(f"The header {self.header} is missing.", reason="signature-missing")
        if not given.startswith(self.prefix):
            raise BadSignature(f"The header {self.header} doesn't begin with {self.prefix!r}.")
        try:
            digest = self._decode(given.removeprefix(self.prefix))
        except ValueError as error:
            raise BadSignature(f"The header {self.header} isn't {self.encoding}.") from error
        message = self.signed(delivery)
        # A list, not a generator: every secret is tried, so that timing doesn't tell which one fits.
        if not any([self._made_by(secret, digest, message) for secret in secrets]):  # noqa: C419
            raise BadSignature(
                f"None of the secrets of connection '{delivery.connection}' made this signature.",
                remedy="If the secret was changed at the sender, set the new one here too.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        delivery = Delivery(connection="", headers={}, body=body, received_at=now, url=url)
        digest = self._digest(self.signed(delivery), secret)
        headers = {self.header: self.prefix + self._encode(digest)}
        return headers | {self.id_header: delivery_id} if self.id_header else headers

    def delivery_id(self, delivery: Delivery) -> str:
        return (delivery.headers.get(self.id_header.lower()) if self.id_header else None) or self.identify(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return self.test(delivery)

    def _encode(self, digest: bytes) -> str:
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()

    def _decode(self, text: str) -> bytes:
        return bytes.fromhex(text) if self.encoding == "hex" else _strict_base64(text)

    def _made_by(self, secret: str, digest: bytes, message: bytes) -> bool:
        try:
            return hmac.compare_digest(digest, self._digest(message, secret))
        except ValueError:
            return False

    def _digest(self, message: bytes, secret: str) -> bytes:
        return hmac.digest(self.key(secret), message, self.algorithm)


@dataclass(frozen=True)
class AddressToken:
    """For senders that can't sign: a token in the query of the address that they send to, which nobody can guess; or,
    for those that can send a header, as a bearer token (RFC 6750, 2.1). The intake keeps neither.

    It shows who knows the address, not that these bytes are the sender's: take what they say as a hint.
    """

    param: str = "token"
    identify: Callable[[Delivery], str] = body_hash
    """Names a delivery: nothing that it carries does."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = [*self._in_query(delivery.url), *self._in_header(delivery.headers)]
        if not given:
            raise BadSignature(
                f"The address has no {self.param}.",
                reason="signature-missing",
                remedy=f"Have it sent to the address that ends in ?{self.param}= and the connection's secret.",
            )
        # A list, not a generator: every secret is tried, so that timing doesn't tell which one fits.
        if not any([hmac.compare_digest(text.encode(), secret.encode()) for text in given for secret in secrets]):  # noqa: C419
            raise BadSignature(
                f"The {self.param} in the address isn't a secret of connection '{delivery.connection}'.",
                remedy="If the secret was changed here, change the address at the sender too.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    def delivery_id(self, delivery: Delivery) -> str:
        return self.identify(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None

    def hide(self, url: str) -> str:
        """The address without the token."""
        address, _, query = url.partition("?")
        rest = urlencode([pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != self.param])
        return f"{address}?{rest}" if rest else address

    def _in_query(self, url: str) -> list[str]:
        return parse_qs(urlsplit(url).query).get(self.param, [])

    @staticmethod
    def _in_header(headers: Mapping[str, str]) -> list[str]:
        kind, _, token = headers.get("authorization", "").partition(" ")
        return [token] if kind.lower() == "bearer" and token else []


_HEADER_SETS = (
    ("webhook-id", "webhook-timestamp", "webhook-signature"),
    ("svix-id", "svix-timestamp", "svix-signature"),
)


@dataclass(frozen=True)
class StandardWebhooks:
    """Standard Webhooks 1.0.0: `v1` (HMAC-SHA256) and `v1a` (ed25519), under `webhook-` or `svix-` header names.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    tolerance: timedelta = timedelta(minutes=5)
    _timestamp: re.Pattern[str] = field(default=re.compile(r"\d{1,12}", re.ASCII), repr=False)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        message_id, timestamp, signatures = self._headers(delivery.headers)
        if "." in message_id or not self._timestamp.fullmatch(timestamp):
            raise BadSignature("webhook-id or webhook-timestamp is malformed.", reason="signature-malformed")
        age = timedelta(seconds=int(now.timestamp()) - int(timestamp))
        if abs(age) > self.tolerance:
            which = "old" if age > timedelta() else "far in the future"
            raise BadSignature(
                f"webhook-timestamp is too {which}: {abs(age)} from now.",
                reason="timestamp",
                remedy="If every delivery says so, one of the two clocks is wrong.",
            )
        content = f"{message_id}.{timestamp}.".encode() + delivery.body
        matches = [
            _matches(version, encoded, secret, content)
            for entry in signatures.split(" ")
            for version, _, encoded in [entry.partition(",")]
            for secret in secrets
        ]
        if not any(matches):
            raise BadSignature(
                f"None of the secrets of connection '{delivery.connection}' made this signature.",
                remedy="If the secret was changed at the sender, set the new one here too.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        timestamp = str(int(now.timestamp()))
        content = f"{delivery_id}.{timestamp}.".encode() + body
        if secret.startswith("whpk_"):
            raise ConfigurationError("A public key (whpk_…) checks signatures; only its owner can make them.")
        if secret.startswith("whsk_"):
            version, signature = "v1a", Ed25519PrivateKey.from_private_bytes(_key(secret)).sign(content)
        else:
            version, signature = "v1", hmac.digest(_key(secret), content, "sha256")
        return {
            "webhook-id": delivery_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"{version},{base64.b64encode(signature).decode()}",
        }

    def delivery_id(self, delivery: Delivery) -> str:
        return self._headers(delivery.headers)[0]

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None

    @staticmethod
    def _headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
        for names in _HEADER_SETS:
            values = [headers.get(name) for name in names]
            if all(values):
                return values[0] or "", values[1] or "", values[2] or ""
        raise BadSignature(
            "One of the headers webhook-id, webhook-timestamp and webhook-signature is missing.",
            reason="signature-missing",
        )


def _matches(version: str, encoded: str, secret: str, content: bytes) -> bool:
    try:
        given = _strict_base64(encoded)
        if version == "v1" and not secret.startswith("whpk_"):
            return hmac.compare_digest(given, hmac.digest(_key(secret), content, "sha256"))
        if version == "v1a" and secret.startswith("whpk_"):
            Ed25519PublicKey.from_public_bytes(_key(secret)).verify(given, content)
            return True
    except (ValueError, InvalidSignature):
        return False
    return False


@lru_cache(maxsize=256)
def _key(secret: str) -> bytes:
    """The key behind `whsec_…`, `whpk_…` or `whsk_…`; padding may be left out. Raises ValueError when there is none."""
    text = re.sub("^(whsec|whpk|whsk)_", "", secret)
    key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if not key:
        raise ValueError("the secret is empty")
    return key


def _strict_base64(text: str) -> bytes:
    """Decode the one canonical spelling only; the standard library drops bits that don't fill a byte."""
    decoded = base64.b64decode(text, validate=True)
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not canonical base64")
    return decoded
