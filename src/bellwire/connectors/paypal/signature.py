"""How PayPal signs: RSA, over the transmission's id and time, the webhook's id and a CRC-32 of the body.

https://developer.paypal.com/api/rest/webhooks/rest/#verify-webhook-signature

A delivery names the address of the certificate that it was signed with. Only an address at PayPal's own host counts,
and nothing is fetched while a delivery waits: `certificates.py` does that later, and keeps what it fetched beside the
webhook's id. Until then such deliveries are put off (503), and PayPal sends them again.
"""

import base64
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from bellwire.connectors.kit import BadSignature, Handshake
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.connectors.paypal.words import Words, read_words
from bellwire.errors import ConfigurationError, Refusal
from bellwire.events import Delivery

_PREFIX = "PAYPAL-"
_PARTS = ("TRANSMISSION-ID", "TRANSMISSION-TIME", "TRANSMISSION-SIG", "CERT-URL", "AUTH-ALGO")
_ALGORITHM = "SHA256withRSA"
_REMEMBERED = 4
"""How many addresses of unknown certificates are kept in mind: whoever makes some up fills no memory."""
_AGAIN = timedelta(minutes=5)

CERTIFICATE_URL = re.compile(
    r"https://api(?:-m)?(?P<sandbox>\.sandbox)?\.paypal\.com/v1/notifications/certs/(?P<name>CERT-[A-Za-z0-9-]{1,80})"
)
"""An address that a certificate may have."""


@dataclass(frozen=True)
class TransmissionSignature:
    """Its secrets are words: see `words.py`."""

    wanted: dict[str, None] = field(default_factory=dict, compare=False, repr=False)
    """Addresses of certificates that deliveries named and that aren't known yet, newest last."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        sent = {name: delivery.headers.get(f"{_PREFIX}{name}".lower(), "") for name in _PARTS}
        if missing := [name for name, value in sent.items() if not value]:
            raise BadSignature(f"The header {_PREFIX}{missing[0]} is missing.", reason="signature-missing")
        if sent["AUTH-ALGO"] != _ALGORITHM:
            raise BadSignature(f"The header {_PREFIX}AUTH-ALGO names another algorithm than {_ALGORITHM}.")
        address = CERTIFICATE_URL.fullmatch(sent["CERT-URL"])
        if address is None:
            raise BadSignature("The certificate isn't at PayPal's own address.", reason="certificate")
        try:
            signature = base64.b64decode(sent["TRANSMISSION-SIG"], validate=True)
        except ValueError as error:
            raise BadSignature(f"The header {_PREFIX}TRANSMISSION-SIG isn't base64.") from error
        known = read_words(secrets)
        key = self._key(address["name"], address[0], known, now)
        bodies = [
            _signed(sent["TRANSMISSION-ID"], sent["TRANSMISSION-TIME"], webhook, delivery.body)
            for webhook in known.webhooks
        ]
        if not any(_made_by(key, signature, body) for body in bodies):
            raise BadSignature(
                f"PayPal didn't sign this for the webhook of connection '{delivery.connection}'.",
                remedy="Compare the webhook's ID with the one that developer.paypal.com shows. What its simulator "
                "sends is signed for no webhook.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        """Only practice has a key to sign with."""
        signer = read_words([secret]).signer
        if signer is None:
            raise ConfigurationError(
                "Only PayPal can make its signatures.",
                remedy="Have PayPal send something: make a small payment in its sandbox.",
            )
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = _private(signer.key).sign(_signed(delivery_id, time, signer.webhook, body), PKCS1v15(), SHA256())
        return {
            f"{_PREFIX}TRANSMISSION-ID": delivery_id,
            f"{_PREFIX}TRANSMISSION-TIME": time,
            f"{_PREFIX}TRANSMISSION-SIG": base64.b64encode(signature).decode(),
            f"{_PREFIX}CERT-URL": f"https://api.sandbox.paypal.com/v1/notifications/certs/{signer.certificate}",
            f"{_PREFIX}AUTH-ALGO": _ALGORITHM,
        }

    def delivery_id(self, delivery: Delivery) -> str:
        """The event's id, which stays the same however often it is sent."""
        body = delivery.json
        named = body.get("id") if isinstance(body, dict) else None
        return named if isinstance(named, str) and named else body_hash(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None

    def _key(self, name: str, address: str, known: Words, now: datetime) -> RSAPublicKey:
        certificate = known.certificates.get(name)
        if certificate is None:
            self.wanted.pop(address, None)
            self.wanted[address] = None
            while len(self.wanted) > _REMEMBERED:
                del self.wanted[next(iter(self.wanted))]
            raise Refusal(
                f"PayPal's certificate {address} isn't known here yet.",
                status=503,
                reason="certificate-unknown",
                retry_after=_AGAIN,
                remedy="Bellwire fetches it with its next poll. If it doesn't, add it to `certificates` of the "
                "connection.",
            )
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise BadSignature(f"PayPal's certificate {name} isn't valid any more, or not yet.", reason="certificate")
        key = certificate.public_key()
        assert isinstance(key, RSAPublicKey)
        return key


@lru_cache(maxsize=4)
def _private(der: str) -> RSAPrivateKey:
    key = load_der_private_key(base64.b64decode(der), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _signed(transmission: str, time: str, webhook: str, body: bytes) -> bytes:
    return f"{transmission}|{time}|{webhook}|{zlib.crc32(body)}".encode()


def _made_by(key: RSAPublicKey, signature: bytes, body: bytes) -> bool:
    try:
        key.verify(signature, body, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
