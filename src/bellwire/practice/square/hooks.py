"""Where a simulated Square sends webhooks, and how it signs them.

https://developer.squareup.com/reference/square/webhook-subscriptions-api
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import orjson

from bellwire.practice.simulator import Webhook
from bellwire.practice.square.refusals import VERSION, Record, Refusal, missing, page, stamp

_TOPICS = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_TOLD = ("id", "name", "enabled", "event_types", "notification_url", "api_version", "created_at", "updated_at")
"""What a list says of an entry: its key isn't among it."""


@dataclass
class Hooks:
    """`entries` is id → subscription, with its key."""

    page_size: int = 100
    entries: dict[str, Record] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def list(self, asked: Record) -> Record:
        shown = [each for each in self.entries.values() if each["enabled"] or asked.get("include_disabled") == "true"]
        return page("subscriptions", [_told(each) for each in shown], asked, self.page_size)

    def read(self, number: str) -> Record:
        return {"subscription": self._find(number)}

    def create(self, body: Record) -> Record:
        wanted = body.get("subscription") or {}
        for name in ("name", "event_types", "notification_url"):
            if not wanted.get(name):
                raise missing(f"subscription.{name}")
        _check(wanted)
        now, number = stamp(datetime.now(UTC)), f"wbhk_{next(self._numbers):032x}"
        self.entries[number] = {
            "id": number,
            "enabled": True,
            "api_version": VERSION,
            **wanted,
            "signature_key": secrets.token_urlsafe(16),
            "created_at": now,
            "updated_at": now,
        }
        return self.read(number)

    def update(self, number: str, body: Record) -> Record:
        changes = body.get("subscription") or {}
        _check(changes)
        entry = self._find(number)
        entry |= {**changes, "updated_at": stamp(datetime.now(UTC))}
        return {"subscription": _told(entry)}

    def delete(self, number: str) -> Record:
        del self.entries[self._find(number)["id"]]
        return {}

    def _find(self, number: str) -> Record:
        if number not in self.entries:
            raise Refusal(404, "NOT_FOUND", "Webhook subscription not found.")
        return self.entries[number]


def signed(topic: str, kind: str, number: str, told: Record, *, url: str, key: str, merchant: str) -> Webhook:
    """A delivery to `url`, signed for exactly that address."""
    body = orjson.dumps(
        {
            "merchant_id": merchant,
            "type": topic,
            "event_id": str(uuid4()),
            "created_at": stamp(datetime.now(UTC)),
            "data": {"type": kind, "id": number, "object": told},
        }
    )
    digest = hmac.digest(key.encode(), url.encode() + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "square-environment": "Sandbox",
        "x-square-hmacsha256-signature": base64.b64encode(digest).decode(),
    }
    return Webhook(topic, headers, body)


def _told(entry: Record) -> Record:
    return {name: entry[name] for name in _TOLD}


def _check(entry: Record) -> None:
    if any(not _TOPICS.fullmatch(topic) for topic in entry.get("event_types", [])):
        raise Refusal(400, "INVALID_ARRAY_VALUE", "Not an event type.", "subscription.event_types")
    if not str(entry.get("notification_url", "https://")).startswith("http"):
        raise Refusal(400, "INVALID_VALUE", "Not a URL.", "subscription.notification_url")
