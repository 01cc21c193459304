"""HubSpot's signature v3, the only one of its signatures that an old delivery can't be sent again with.

https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bellwire.connectors.kit import BadSignature, Handshake
from bellwire.events import Delivery

_SIGNATURE, _TIMESTAMP = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"
_TOLERANCE = timedelta(minutes=5)
_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
"""What of an address is decoded before it is signed, and nothing else."""
_ENCODED = re.compile("|".join(_DECODED), re.IGNORECASE)
_ATTEMPT = re.compile(rb'"attemptNumber": ?\d+')
_MILLISECONDS = re.compile(r"\d{1,15}", re.ASCII)


class SignatureV3:
    """HMAC-SHA256 with the app's client secret over method, address, body and time, in base64."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = delivery.headers.get(_SIGNATURE.lower())
        timestamp = delivery.headers.get(_TIMESTAMP.lower())
        if not given or not timestamp:
            raise BadSignature(
                f"The header {_SIGNATURE} or {_TIMESTAMP} is missing.",
                reason="signature-missing",
                remedy="A workflow's webhook has to be set to sign with signature v3.",
            )
        if not _MILLISECONDS.fullmatch(timestamp):
            raise BadSignature(f"The header {_TIMESTAMP} is malformed.", reason="signature-malformed")
        age = timedelta(milliseconds=int(now.timestamp() * 1000) - int(timestamp))
        if abs(age) > _TOLERANCE:
            raise BadSignature(
                f"{_TIMESTAMP} is {abs(age)} from now, which is too far.",
                reason="timestamp",
                remedy="If every delivery says so, one of the two clocks is wrong.",
            )
        # A list, not a generator: every secret is tried, so that timing doesn't tell which one fits.
        fits = [
            hmac.compare_digest(given.encode(), _signature(secret, delivery.url, delivery.body, timestamp).encode())
            for secret in secrets
        ]
        if not any(fits):
            raise BadSignature(
                f"None of the secrets of connection '{delivery.connection}' made this signature.",
                remedy="The address is signed too: `public_url` in bellwire.toml has to be the one that HubSpot sends "
                "to. If the client secret was changed there, set the new one here too.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        timestamp = str(int(now.timestamp() * 1000))
        return {_SIGNATURE: _signature(secret, url, body, timestamp), _TIMESTAMP: timestamp}

    def delivery_id(self, delivery: Delivery) -> str:
        """HubSpot names no delivery, and counts its attempts in the body."""
        return hashlib.sha256(_ATTEMPT.sub(b"", delivery.body)).hexdigest()

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None


def _signature(secret: str, url: str, body: bytes, timestamp: str) -> str:
    address = _ENCODED.sub(lambda found: _DECODED[found[0].upper()], url)
    message = b"POST" + address.encode() + body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret.encode(), message, "sha256")).decode()
