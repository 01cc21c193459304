"""Messages in which somebody mentions the outgoing webhook. They are activities of the Bot Framework:
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
"""

import re
import secrets
from html import unescape
from typing import Any

import orjson

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, Message, what_is_wrong

_RECEIVED = "message.received"
_MENTION_AT_THE_START = re.compile(r"^\s*<at>[^<]*</at>")
_MENTION = re.compile(r"</?at>")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The message. Raises CannotNormalise when a field is missing or isn't what it should be."""
    body = delivery.json
    try:
        if body["type"] != "message":
            return Normalised(reason=f"It is no message but a {body['type']}.")
        return Normalised((_message(body, connection),))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CannotNormalise(
            f"What Teams sent can't be read: {what_is_wrong(error)}.",
            remedy="It is kept as it came; the person can write the message again.",
        ) from error


def _message(body: dict[str, Any], connection: Connection) -> Event:
    conversation, place = body["conversation"]["id"], body.get("channelData") or {}
    data = Message(
        id=body["id"],
        text=_words(body["text"]),
        sender=body["from"].get("name", ""),
        sender_id=body["from"].get("aadObjectId") or body["from"]["id"],
        conversation=conversation,
        channel=place.get("teamsChannelId", ""),
        sent_at=parse_time(body["timestamp"]),
    )
    return event_of(
        connection,
        _RECEIVED,
        key=f"message/{conversation}/{body['id']}",
        subject=f"conversation/{conversation}",
        time=data.sent_at,
        data=data,
    )


def _words(text: str) -> str:
    """What was written, without the mention that it begins with; other mentions become names."""
    without = _MENTION.sub("", _MENTION_AT_THE_START.sub("", unescape(text)))
    return without.replace("\u00a0", " ").strip()


def sample(_event_type: str, _connection: Connection) -> tuple[dict[str, str], bytes]:
    """A made-up message of now."""
    thread, number = "19:practice@thread.tacv2", str(secrets.randbelow(9 * 10**12) + 10**12)
    body = {
        "type": "message",
        "id": number,
        "timestamp": system_clock().isoformat(),
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "channelId": "msteams",
        "from": {"id": "29:1", "name": "Robin Hill", "aadObjectId": "b1f9c3a0-0000-4000-8000-000000000001"},
        "conversation": {"isGroup": True, "id": f"{thread};messageid={number}"},
        "text": "<at>Bellwire</at> stock TEA-100\n",
        "textFormat": "plain",
        "channelData": {"teamsChannelId": thread, "teamsTeamId": thread, "tenant": {"id": "practice"}},
    }
    return {"Content-Type": "application/json; charset=utf-8"}, orjson.dumps(body)


TRIGGERS = Triggers(event_types=(_RECEIVED,), normalise=normalise, sample=sample)
