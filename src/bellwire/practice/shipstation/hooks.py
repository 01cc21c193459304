"""Where a simulated ShipStation sends webhooks, and how it signs them.

https://docs.shipstation.com/apis/docs/guides/webhooks-validation
"""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from bellwire.practice.shipstation.account import Refusal, not_found
from bellwire.practice.simulator import Webhook

_EVENTS = (
    *("batch", "carrier_connected", "order_source_refresh_complete", "rate", "report_complete"),
    *("sales_orders_imported", "track"),
)

# Of the key that practice signs with, and nobody else: making one takes too long for each start.
_P = int(
    "dfa48a955da6feb36d9e11cf56d766afcb983e765f4d141485b622ee2402fa5a8d25a5196cc69892d0cf8994f3fe8581bd6c254c004810829b"
    "031fa11246f908d81114a12da39f98900353060f1635008fd733df080c1248fddc8b88a8a700b761d9a1d785c8bfbc59fa67fe6f855f2a109b"
    "e48cd6b4569272c7959fe2fe085b",
    16,
)
_Q = int(
    "bc1e9ad6caeb878c83c8f0466513c790f69f1b8e603b26c29c104c5c77795a731228378503f03926f0937dafd578f6bb19a9511df08a8321d7"
    "620de8789399e5242b8a45378714e943cbc9aede188fdbbdcbce442d02c43ed1ab47bf10dc34d31df7152e9f8536c016adf9ee570cf956a30a"
    "b3dbbb3461c636245c48fd336c6f",
    16,
)
_E = 65537
_KEY_ID = "practice"


def _key() -> rsa.RSAPrivateKey:
    d = rsa.rsa_recover_private_exponent(_E, _P, _Q)
    exponents = rsa.rsa_crt_dmp1(d, _P), rsa.rsa_crt_dmq1(d, _Q), rsa.rsa_crt_iqmp(_P, _Q)
    return rsa.RSAPrivateNumbers(_P, _Q, d, *exponents, rsa.RSAPublicNumbers(_E, _P * _Q)).private_key()


_KEY = _key()
SECRET = (
    "rsk_"
    + base64.b64encode(
        _KEY.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ).decode()
)
"""The same key, for whoever is to sign as ShipStation does."""


def published() -> dict[str, Any]:
    """The public key, as ShipStation publishes its own: https://api.shipengine.com/jwks"""
    numbers = {"n": _text(_P * _Q), "e": _text(_E)}
    return {"keys": [{"kty": "RSA", "kid": _KEY_ID, "use": "sig", "alg": "RS256", **numbers}]}


def signed(kind: str, about: str, data: dict[str, Any]) -> Webhook:
    """A delivery of now; `about` is the address that tells more."""
    body = orjson.dumps({"resource_url": about, "resource_type": kind, "data": data})
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    signature = _KEY.sign(timestamp.encode() + b"." + body, PKCS1v15(), hashes.SHA256())
    headers = {
        "Content-Type": "application/json",
        "x-shipengine-timestamp": timestamp,
        "x-shipengine-rsa-sha256-key-id": _KEY_ID,
        "x-shipengine-rsa-sha256-signature": base64.b64encode(signature).decode(),
    }
    return Webhook(kind, headers, body)


@dataclass
class Hooks:
    """`entries` is id → webhook. There is one for each event and address."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def list(self) -> Any:
        return [*self.entries.values()]

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        for name in ("event", "url"):
            if not body.get(name):
                raise Refusal(400, "field_value_required", f"{name} is required.")
        if body["event"] not in _EVENTS:
            raise Refusal(400, "invalid_field_value", f"'{body['event']}' is not an event.")
        taken = [(each["event"], each["url"]) for each in self.entries.values()]
        if (body["event"], body["url"]) in taken:
            said = "There is a webhook for this event and URL."
            raise Refusal(400, "webhook_event_type_conflict", said, "business_rules")
        entry = {"webhook_id": f"se-{next(self._numbers)}", "url": body["url"], "event": body["event"], "headers": []}
        self.entries[entry["webhook_id"]] = entry
        return entry

    def delete(self, number: str) -> None:
        if self.entries.pop(number, None) is None:
            raise not_found("Webhook")


def _text(number: int) -> str:
    """Base64url without padding (RFC 7518, 2)."""
    return base64.urlsafe_b64encode(number.to_bytes(-(-number.bit_length() // 8), "big")).decode().rstrip("=")
