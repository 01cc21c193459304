"""The webhooks that an app subscribed to, and how they are signed."""

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import orjson

from bellwire.practice.shopify import schema
from bellwire.practice.simulator import Webhook

Body = dict[str, Any]


def signed(secret: str, version: str, topic: str, body: Body, triggered_at: str) -> Webhook:
    """One delivery, with an id of its own."""
    text = orjson.dumps(body)
    signature = base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)).decode()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Shop-Domain": "practice.myshopify.com",
        "X-Shopify-API-Version": version,
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Triggered-At": triggered_at,
    }
    return Webhook(topic, headers, text)


@dataclass
class Subscriptions:
    """An app's own. `version` is what the app's settings say: a new entry gets it."""

    version: str
    entries: dict[str, Body] = field(default_factory=dict)
    """By id: `topic` (as in GraphQL), `uri` and `version`."""
    _ids: "count[int]" = field(default_factory=lambda: count(1_015_001))

    def find(self, info: Any, **page: Any) -> Body:
        return schema.numbered(self.entries.values(), self._node)(info, **page)

    def create(self, _info: Any, topic: str, webhookSubscription: Body) -> Body:  # noqa: N803 - the argument's name
        uri = webhookSubscription.get("uri", "")
        if problem := self._why_not(topic, uri):
            return {"webhookSubscription": None, "userErrors": [{"field": ["webhookSubscription"], "message": problem}]}
        made = {"id": schema.gid("WebhookSubscription", next(self._ids)), "topic": topic, "uri": uri}
        self.entries[made["id"]] = made | {"version": self.version}
        return {"webhookSubscription": self._node(self.entries[made["id"]]), "userErrors": []}

    def delete(self, _info: Any, id: str) -> Body:  # noqa: A002 - the argument's name
        if self.entries.pop(id, None) is None:
            problem = {"field": ["id"], "message": "Webhook subscription does not exist"}
            return {"deletedWebhookSubscriptionId": None, "userErrors": [problem]}
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}

    def _why_not(self, topic: str, uri: str) -> str:
        parts = urlsplit(uri)
        # The real one takes https alone; practice stays on this machine.
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
            return "Address is invalid"
        if any((entry["topic"], entry["uri"]) == (topic, uri) for entry in self.entries.values()):
            return "Address for this topic has already been taken"
        return ""

    @staticmethod
    def _node(entry: Body) -> Body:
        return {
            "id": entry["id"],
            "topic": entry["topic"],
            "uri": entry["uri"],
            "apiVersion": {"handle": entry["version"], "displayName": entry["version"], "supported": True},
        }
