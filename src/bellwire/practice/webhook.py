"""A sender of signed webhooks for practice, by Standard Webhooks. Nothing is asked of it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson
from starlette.routing import BaseRoute

from bellwire.clock import system_clock
from bellwire.events import Fact
from bellwire.practice.simulator import Simulator, Webhook

_KEY = b"practice-webhook-secret-of-32-b."


@dataclass
class Sender(Simulator):
    vendor: ClassVar[str] = "webhook"
    credentials: ClassVar[Mapping[str, str]] = {"webhook_secret": f"whsec_{base64.b64encode(_KEY).decode()}"}

    sent: list[dict[str, Any]] = field(default_factory=list)

    def routes(self) -> Sequence[BaseRoute]:
        return []

    def state(self) -> dict[str, Any]:
        return {"sent": self.sent}

    def tell(self, event_type: str, fact: Fact) -> Webhook:
        """The fact as the data dictionary has it, in a delivery with an id of its own."""
        now = system_clock()
        sent = {"type": event_type, "timestamp": now.isoformat(), "data": fact.model_dump(mode="json")}
        self.sent.append(sent)
        body, message_id, seconds = orjson.dumps(sent), f"msg_{secrets.token_hex(12)}", str(int(now.timestamp()))
        signature = hmac.digest(_KEY, f"{message_id}.{seconds}.".encode() + body, "sha256")
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
        return Webhook(event_type, {"Content-Type": "application/json", **signed}, body)


SIMULATOR = Sender
