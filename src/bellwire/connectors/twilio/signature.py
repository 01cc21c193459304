"""How Twilio signs: an HMAC-SHA1 over the address that it was told to call and the fields of the form.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from bellwire.connectors.kit import BadSignature, Handshake
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery

HEADER = "X-Twilio-Signature"
_PORTS = {"https": 443, "http": 80}
_BODY_HASH = "bodySHA256"
_MOST_FIELDS = 200


class TwilioSignature:
    """There is no time in it. Twilio isn't of one mind about whether the usual port belongs into the address: both are
    accepted."""

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = delivery.headers.get(HEADER.lower())
        if not given:
            raise BadSignature(f"The header {HEADER} is missing.", reason="signature-missing")
        fields = _fields(delivery)
        made = [_digest(secret, url, fields) for secret in secrets for url in _spellings(delivery.url)]
        # A list, not a generator: every secret is tried, so that timing doesn't tell which one fits.
        if not any([hmac.compare_digest(given.encode(), each) for each in made]):  # noqa: C419
            raise BadSignature(
                f"None of the tokens of connection '{delivery.connection}' made this signature for {delivery.url}.",
                remedy="Twilio signs with the account's primary auth token, and the address as it is entered there: it "
                "has to begin with BELLWIRE_PUBLIC_URL.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        delivery = Delivery("", {}, body, now, url)
        return {HEADER: _digest(secret, url, _fields(delivery)).decode()}

    def delivery_id(self, delivery: Delivery) -> str:
        """A message and what became of it: each state is told once."""
        form = delivery.form
        state = form.get("MessageStatus") or form.get("SmsStatus", "")
        return f"{form['MessageSid']} {state}" if "MessageSid" in form else body_hash(delivery)

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None


def _fields(delivery: Delivery) -> str:
    """The fields by name, each followed by its value; nothing for JSON, whose hash is in the address."""
    told = parse_qs(urlsplit(delivery.url).query).get(_BODY_HASH)
    if told:
        if not hmac.compare_digest(told[0].encode(), hashlib.sha256(delivery.body).hexdigest().encode()):
            raise BadSignature("The body isn't the one whose hash is in the address.")
        return ""
    try:
        pairs = parse_qsl(delivery.body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadSignature("The body isn't a form.") from error
    return "".join(name + value for name, value in sorted(set(pairs)))


def _spellings(url: str) -> list[str]:
    """With and without the port."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return [url]
    name = parts.netloc.removesuffix(f":{parts.port}")
    bare, full = (urlunsplit(parts._replace(netloc=netloc)) for netloc in (name, f"{name}:{port}"))
    return list(dict.fromkeys((url, bare, full)))


def _digest(secret: str, url: str, fields: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), (url + fields).encode(), "sha1"))
