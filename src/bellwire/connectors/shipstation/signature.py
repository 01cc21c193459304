"""How ShipStation signs what it sends: by RSA, with keys that it publishes.

https://docs.shipstation.com/apis/docs/guides/webhooks-validation

A secret of a connection is one public key, as `key id:modulus:exponent` in the base64url of a JSON Web Key (RFC 7517),
so that several fit beside each other while ShipStation changes them. Practice has the private key as well (`rsk_…`).
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers

from bellwire.clock import parse_utc
from bellwire.connectors.kit import BadSignature, Handshake
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.errors import ConfigurationError
from bellwire.events import Delivery

PRIVATE = "rsk_"
PRACTICE = "practice"
"""The name of the key that practice has."""

_KEY_ID, _SIGNATURE, _TIMESTAMP = (
    "x-shipengine-rsa-sha256-key-id",
    "x-shipengine-rsa-sha256-signature",
    "x-shipengine-timestamp",
)


def as_secret(key: Mapping[str, str]) -> str:
    """A key of the vendor's list, as it is kept. Raises KeyError when it isn't for RSA."""
    return f"{key['kid']}:{key['n']}:{key['e']}"


@dataclass(frozen=True)
class RsaSignature:
    """RSASSA-PKCS1-v1_5 with SHA-256 over timestamp, full stop and body. No header names a delivery: its bytes do,
    since a repeat has the same ones."""

    tolerance: timedelta = timedelta(minutes=5)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        key_id, signature, timestamp = (delivery.headers.get(name, "") for name in (_KEY_ID, _SIGNATURE, _TIMESTAMP))
        if not (key_id and signature and timestamp):
            raise BadSignature(
                f"One of the headers {_KEY_ID}, {_SIGNATURE} and {_TIMESTAMP} is missing.", reason="signature-missing"
            )
        self._check_age(timestamp, now)
        keys = [key for secret in secrets if (key := _public(secret, key_id)) is not None]
        if not keys:
            raise BadSignature(
                f"Connection '{delivery.connection}' doesn't know the key '{key_id}'.",
                reason="signature-key",
                remedy="ShipStation may have new keys: setting the connection's webhooks up anew fetches them.",
            )
        message = timestamp.encode() + b"." + delivery.body
        if not any(_made_by(key, signature, message) for key in keys):
            raise BadSignature(f"ShipStation's key '{key_id}' didn't make this signature.")

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        if not secret.startswith(PRIVATE):
            raise ConfigurationError("A public key checks signatures; only ShipStation can make them.")
        key, timestamp = _private(secret), now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        digest = key.sign(timestamp.encode() + b"." + body, PKCS1v15(), hashes.SHA256())
        return {_KEY_ID: PRACTICE, _SIGNATURE: base64.b64encode(digest).decode(), _TIMESTAMP: timestamp}

    def delivery_id(self, delivery: Delivery) -> str:
        return body_hash(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None

    def _check_age(self, timestamp: str, now: datetime) -> None:
        try:
            age = now - parse_utc(timestamp)
        except ValueError as error:
            raise BadSignature(f"{_TIMESTAMP} is no time.", reason="signature-malformed") from error
        if abs(age) > self.tolerance:
            which = "old" if age > timedelta() else "far in the future"
            raise BadSignature(
                f"{_TIMESTAMP} is too {which}: {abs(age)} from now.",
                reason="timestamp",
                remedy="If every delivery says so, one of the two clocks is wrong.",
            )


def _made_by(key: RSAPublicKey, signature: str, message: bytes) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=64)
def _public(secret: str, key_id: str) -> RSAPublicKey | None:
    """The key behind a secret, if it is the one of that name."""
    if secret.startswith(PRIVATE):
        return _private(secret).public_key() if key_id == PRACTICE else None
    try:
        name, modulus, exponent = secret.rsplit(":", 2)
        return RSAPublicNumbers(_number(exponent), _number(modulus)).public_key() if name == key_id else None
    except ValueError:
        return None


@lru_cache(maxsize=4)
def _private(secret: str) -> RSAPrivateKey:
    key = serialization.load_der_private_key(base64.b64decode(secret.removeprefix(PRIVATE)), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _number(text: str) -> int:
    """Base64url without padding (RFC 7518, 2)."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
