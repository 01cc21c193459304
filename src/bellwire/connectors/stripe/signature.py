"""How Stripe signs: `Stripe-Signature: t=<seconds>,v1=<hex>`, an HMAC-SHA256 of `<seconds>.<body>`.

https://docs.stripe.com/webhooks#verify-manually
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.connectors.kit import BadSignature, Handshake
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery

_HEADER = "Stripe-Signature"
_TIME = re.compile(r"\d{1,12}", re.ASCII)


@dataclass(frozen=True)
class StripeSignature:
    """While a secret is being rolled, the header has a `v1` by each of the two."""

    tolerance: timedelta = timedelta(minutes=5)
    """How old a signature may be: each retry is signed anew."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        header = delivery.headers.get(_HEADER.lower())
        if header is None:
            raise BadSignature(f"The header {_HEADER} is missing.", reason="signature-missing")
        parts = [part.strip().partition("=")[::2] for part in header.split(",")]
        time = next((value for name, value in parts if name == "t"), "")
        given = [value.encode() for name, value in parts if name == "v1"]
        if not _TIME.fullmatch(time) or not given:
            raise BadSignature(f"The header {_HEADER} is malformed.", reason="signature-malformed")
        made = [_digest(secret, time, delivery.body).encode() for secret in secrets]
        # Lists, not generators: all are compared, so that timing doesn't tell which one fits.
        if not any([hmac.compare_digest(one, other) for one in given for other in made]):  # noqa: C419
            raise BadSignature(
                f"None of the secrets of connection '{delivery.connection}' made this signature.",
                remedy="Each endpoint has a secret of its own: compare it with the one in Stripe's Dashboard.",
            )
        age = timedelta(seconds=int(now.timestamp()) - int(time))
        if age > self.tolerance:
            raise BadSignature(
                f"It was signed {age} ago.",
                reason="timestamp",
                remedy="If every delivery says so, the clock of this machine is wrong.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        time = str(int(now.timestamp()))
        return {_HEADER: f"t={time},v1={_digest(secret, time, body)}"}

    def delivery_id(self, delivery: Delivery) -> str:
        """The event's id, which stays the same however often it is sent."""
        body = delivery.json
        named = body.get("id") if isinstance(body, dict) else None
        return named if isinstance(named, str) and named else body_hash(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None


def _digest(secret: str, time: str, body: bytes) -> str:
    """The secret is the key as it is written, `whsec_` and all."""
    return hmac.digest(secret.encode(), time.encode() + b"." + body, "sha256").hex()
