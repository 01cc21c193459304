"""Push channels: how Google says that something in a calendar changed, and for how long it goes on saying so.

https://developers.google.com/workspace/calendar/api/guides/push
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson

from bellwire.connectors.google_calendar.api import NO_SUCH_CHANNEL, below
from bellwire.connectors.kit import BadSignature, Call, Handshake, Subscribing, Subscription
from bellwire.errors import Refused
from bellwire.events import Delivery

TOPIC = "events"
_AHEAD = timedelta(days=2)
"""A channel lives for about a week and can't be prolonged."""


@dataclass(frozen=True)
class ChannelToken:
    """Google signs nothing: it gives back the token that was agreed on with the channel."""

    header: str = "X-Goog-Channel-Token"

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        given = delivery.headers.get(self.header.lower())
        if given is None:
            raise BadSignature(f"The header {self.header} is missing.", reason="signature-missing")
        # A list, not a generator: every secret is compared, so that timing doesn't tell which one fits.
        if not any([hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]):  # noqa: C419
            raise BadSignature(
                f"None of the secrets of connection '{delivery.connection}' is this channel's token.",
                remedy="It may be a channel from before, which Google ends within a week.",
            )

    def sign(self, body: bytes, secret: str, *, delivery_id: str, now: datetime, url: str = "") -> dict[str, str]:
        return {self.header: secret, "X-Goog-Channel-ID": delivery_id, "X-Goog-Message-Number": "1"}

    def delivery_id(self, delivery: Delivery) -> str:
        return f"{delivery.headers.get('x-goog-channel-id')}/{delivery.headers.get('x-goog-message-number')}"

    def handshake(self, delivery: Delivery) -> Handshake | None:
        return None


async def _listing(call: Call) -> Sequence[Subscription]:
    """The one that we made: Google shows none, so what it said then is kept with the credentials."""
    kept = call.connection.credentials.find("channel")
    if kept is None:
        return ()
    channel = orjson.loads(kept)
    ends = datetime.fromtimestamp(int(channel["expiration"]) / 1000, UTC)
    trouble = ""
    if channel["calendar"] != call.settings.calendar:
        trouble = f"It tells of another calendar, {channel['calendar']}."
    elif ends - call.clock() < _AHEAD:
        trouble = f"Google ends it at {ends:%Y-%m-%d %H:%M} UTC."
    return (Subscription(kept, channel["address"], (TOPIC,), trouble),)


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """`POST events/watch`. A token that is there is used again, so that nothing is refused in between."""
    token, *_ = (call.connection.credentials.find("webhook_secret") or secrets.token_urlsafe(32)).split()
    calendar: str = call.settings.calendar
    wanted = {"id": str(uuid4()), "type": "web_hook", "address": url, "token": token}
    made = (await call.api.post(below(calendar, "events/watch"), wanted)).json()
    channel = {
        "id": made["id"],
        "resourceId": made["resourceId"],
        "expiration": made["expiration"],
        "address": url,
        "calendar": calendar,
    }
    return {"webhook_secret": token, "channel": orjson.dumps(channel).decode()}


async def _remove(call: Call, subscription: Subscription) -> None:
    channel = orjson.loads(subscription.id)
    try:
        await call.api.post("channels/stop", {"id": channel["id"], "resourceId": channel["resourceId"]})
    except Refused as error:
        if error.cause != NO_SUCH_CHANNEL:
            raise


SUBSCRIBING = Subscribing(_listing, _create, _remove)
