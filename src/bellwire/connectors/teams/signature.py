"""How an outgoing webhook signs what it sends.

https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bellwire.clock import parse_time
from bellwire.connectors.kit import BadSignature, HmacSignature
from bellwire.errors import ConfigurationError
from bellwire.events import Delivery


def key_of(token: str) -> bytes:
    """The key behind a security token. Raises ValueError when it isn't one."""
    key = base64.b64decode(token, validate=True)
    if not key:
        raise ValueError("the security token is empty")
    return key


def identify(delivery: Delivery) -> str:
    """Conversation and message: a message's id is its own only within its conversation."""
    body = _body(delivery)
    conversation = body.get("conversation")
    return f"{conversation.get('id', '') if isinstance(conversation, dict) else ''} {body.get('id', '')}"


@dataclass(frozen=True)
class SecurityToken(HmacSignature):
    """An HMAC of the body, with the decoded token as its key. Only the body says when it was sent."""

    key: Callable[[str], bytes] = key_of
    identify: Callable[[Delivery], str] = identify
    tolerance: timedelta = timedelta(minutes=5)

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        super().verify(delivery, secrets, now)
        try:
            age = now - parse_time(_body(delivery)["timestamp"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadSignature("The message doesn't say when it was sent.", reason="signature-malformed") from error
        if abs(age) > self.tolerance:
            which = "old" if age > timedelta() else "far in the future"
            raise BadSignature(
                f"The message is too {which}: it was sent {abs(age)} from now.",
                reason="timestamp",
                remedy="If every message says so, the clock of this machine is wrong.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        try:
            return super().sign(body, secret, delivery_id=delivery_id, now=now, url=url)
        except ValueError as error:
            raise ConfigurationError(
                "The webhook_secret isn't a security token of an outgoing webhook.",
                remedy="Create the outgoing webhook in Teams anew, and set the token that it shows.",
            ) from error


def _body(delivery: Delivery) -> dict[str, Any]:
    try:
        body = delivery.json
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {}
