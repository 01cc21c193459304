"""The credential `webhook_secret`: words, separated by spaces, that say what deliveries are verified with.

`1JE4291016473214C` is the id of a webhook. `CERT-360caa42=MIIC…` is a certificate (DER, base64) by the name that its
address ends in. `1JE4291016473214C:CERT-360caa42:MIIE…` is a key (PKCS #8, base64) that signs for a webhook as PayPal
would: practice has one.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding


@dataclass(frozen=True)
class Signer:
    webhook: str
    certificate: str
    """The name of the one that its signatures can be verified with."""
    key: str = field(repr=False)


@dataclass
class Words:
    webhooks: list[str] = field(default_factory=list)
    certificates: dict[str, x509.Certificate] = field(default_factory=dict)
    signer: Signer | None = None


def read_words(words: Sequence[str]) -> Words:
    """What doesn't make sense is left out: it verifies nothing."""
    found = Words()
    for word in words:
        match word.split(":"):
            case [webhook, certificate, key]:
                found.signer = Signer(webhook, certificate, key)
                found.webhooks.append(webhook)
            case _:
                name, is_certificate, der = word.partition("=")
                if not is_certificate:
                    found.webhooks.append(word)
                elif known := _certificate(der):
                    found.certificates[name] = known
    return found


def certificate_word(name: str, certificate: x509.Certificate) -> str:
    return f"{name}={base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}"


@lru_cache(maxsize=64)
def _certificate(der: str) -> x509.Certificate | None:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(der, validate=True))
        return certificate if isinstance(certificate.public_key(), RSAPublicKey) else None
    except ValueError:
        return None
