"""How a store signs what it sends: `X-Signature: signature=<hex>,algorithm=HMAC-SHA256`.

https://x-series-api.lightspeedhq.com/docs/webhooks
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bellwire.connectors.kit import BadSignature, Handshake, HmacSignature
from bellwire.events import Delivery

_HEADER = "X-Signature"
_ALGORITHM = "HMAC-SHA256"


@dataclass(frozen=True)
class StoreSignature:
    """An HMAC-SHA256 of the raw, form-encoded body, by the application's client secret. No header names a delivery: its
    bytes do, since a repeat has the same ones."""

    _hmac: HmacSignature = field(default=HmacSignature(_HEADER, encoding="hex"), repr=False)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = delivery.headers.get(_HEADER.lower(), "")
        parts = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in given.split(","))}
        algorithm = parts.get("algorithm", _ALGORITHM)
        if algorithm != _ALGORITHM:
            raise BadSignature(f"The header {_HEADER} names another algorithm than {_ALGORITHM}.")
        bare = {_HEADER.lower(): parts["signature"]} if "signature" in parts else {}
        self._hmac.verify(replace(delivery, headers=bare), secrets, now)

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        bare = self._hmac.sign(body, secret, delivery_id=delivery_id, now=now, url=url)
        return {_HEADER: f"signature={bare[_HEADER]},algorithm={_ALGORITHM}"}

    def delivery_id(self, delivery: Delivery) -> str:
        return self._hmac.delivery_id(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None
