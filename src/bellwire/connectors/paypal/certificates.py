"""Fetching the certificates that PayPal signs with, and keeping them beside the webhook's id.

What makes one trusted is where it was fetched: from PayPal's own host, by TLS, for which the machine's roots vouch.
Beside that it has to be PayPal's by its name, valid now, and its chain has to hold together. It isn't traced to a root
a second time: those are the same roots.
"""

import re
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from bellwire.connectors.kit import Call
from bellwire.connectors.paypal.manifest import settings_of
from bellwire.connectors.paypal.signature import CERTIFICATE_URL, TransmissionSignature
from bellwire.connectors.paypal.words import certificate_word, read_words
from bellwire.errors import Refused
from bellwire.events import Environment

_OWNER = re.compile(r"messageverificationcerts[\w.-]*\.paypal\.com")
_SOURCE = "PAYPAL-CERT-URL"
_KEPT = 6
"""How many certificates are kept: PayPal changes its own about once a year."""


async def learn(call: Call) -> None:
    """Fetch what deliveries and the settings name and isn't known yet. One that can't be had or trusted is told as a
    notice of the connection."""
    scheme = call.connection.webhook
    assert isinstance(scheme, TransmissionSignature)
    known, found = read_words(_words(call)).certificates, dict[str, str]()
    for address in dict.fromkeys((*settings_of(call.connection).certificates, *scheme.wanted)):
        named = CERTIFICATE_URL.fullmatch(address)
        if named and named["name"] in known:
            continue
        try:
            if named is None or bool(named["sandbox"]) is not (call.connection.environment is Environment.SANDBOX):
                raise ValueError(f"it isn't an address of PayPal's {call.connection.environment}")
            pem = (await call.api.get(address)).body
            found[named["name"]] = certificate_word(named["name"], trusted(pem, call.clock()))
        except (Refused, ValueError) as error:
            call.api.notice(_SOURCE, f"The certificate {address} isn't taken: {error}")
    scheme.wanted.clear()
    if found:
        # Read again: a webhook may have been made anew meanwhile.
        words = _words(call)
        certificates = [word for word in words if "=" in word.partition(":")[0]]
        others = [word for word in words if word not in certificates]
        kept = [*certificates, *found.values()][-_KEPT:]
        call.connection.credentials.store({"webhook_secret": " ".join([*others, *kept])})


def _words(call: Call) -> list[str]:
    return (call.connection.credentials.find("webhook_secret") or "").split()


def trusted(pem: bytes, now: datetime) -> x509.Certificate:
    """The certificate at the beginning of a chain. Raises ValueError when it isn't to be trusted."""
    chain = x509.load_pem_x509_certificates(pem)
    leaf = chain[0]
    names = [str(each.value) for each in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not any(_OWNER.fullmatch(name) for name in names):
        raise ValueError(f"it is of {', '.join(names) or 'nobody'}, not of PayPal")
    if not all(each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in chain):
        raise ValueError("it isn't valid now")
    if not isinstance(leaf.public_key(), RSAPublicKey):
        raise ValueError("its key isn't RSA")
    for certificate, issuer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, TypeError, ValueError) as error:
            raise ValueError("its chain doesn't hold together") from error
    return leaf
