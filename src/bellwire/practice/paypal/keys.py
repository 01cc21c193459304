"""A throw-away certificate, by which the simulated PayPal signs what it sends. Each process has its own."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

OWNER = "messageverificationcerts.sandbox.paypal.com"


@dataclass(frozen=True)
class Identity:
    name: str
    """What its address ends in."""
    key: RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def word(self) -> str:
        """The certificate as a connection keeps it."""
        return f"{self.name}={base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()}"

    def signer(self, webhook: str) -> str:
        """The key as a connection to practice has it, to sign for a webhook."""
        der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return f"{webhook}:{self.name}:{base64.b64encode(der).decode()}"


def make_identity(
    name: str,
    owner: str = OWNER,
    *,
    valid_from: datetime | None = None,
    valid_for: timedelta = timedelta(days=3650),
) -> Identity:
    """Signed by itself. Valid from 2026 on, unless told otherwise."""
    begins = valid_from or datetime(2026, 1, 1, tzinfo=UTC)
    key = generate_private_key(65_537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, owner)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + valid_for)
        .sign(key, SHA256())
    )
    return Identity(name, key, certificate)


@cache
def practice_identity() -> Identity:
    return make_identity("CERT-PRACTICE")
