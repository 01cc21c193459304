"""Messages that people write in Slack, from the Events API and from the channels' histories.

https://docs.slack.dev/apis/events-api
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any

import orjson
from pydantic import ValidationError

from bellwire.clock import system_clock
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of
from bellwire.connectors.slack.actions import pages
from bellwire.connectors.slack.errors import FORGOTTEN
from bellwire.connectors.slack.manifest import Heard, settings_of
from bellwire.errors import CannotNormalise, Transient
from bellwire.events import Delivery, Event, Message, what_is_wrong

_RECEIVED, _POLL = "message.received", "messages"
_WRITTEN = ("", "file_share", "thread_broadcast", "me_message")
"""The kinds of message that somebody wrote; the others tell of joining, editing and the like."""
_MARK = re.compile(r"<([@#!]?)([^>|]*)(?:\|([^>]*))?>")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The message. One that mentions the app comes as two of Slack's events, which are one fact. Raises CannotNormalise
    when it isn't what Slack describes."""
    try:
        body = delivery.json
        if body["type"] == "app_rate_limited":
            return Normalised(reason="Slack left events out, as there were too many.", wake=(_POLL,))
        event = body["event"]
        if event["type"] not in ("message", "app_mention") or event.get("subtype", "") not in _WRITTEN:
            return Normalised(reason=f"Bellwire has no use for Slack's {event.get('subtype') or event['type']}.")
        us = {each["user_id"] for each in body.get("authorizations") or ()}
        if event.get("bot_id") or event["user"] in us:
            return Normalised(reason="A program wrote it: one that answers itself would never end.")
        if not _heard(event, us, connection):
            return Normalised(reason="It doesn't mention the app.")
        return Normalised((_message(event, us, connection),))
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Slack describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def belongs(delivery: Delivery, connection: Connection) -> str:
    """An app has one address for all workspaces that it is installed in."""
    ours, body = settings_of(connection).team_id, delivery.json
    theirs = body.get("team_id") if isinstance(body, dict) else None
    return "" if not ours or ours == theirs else f"It is of the workspace {str(theirs)[:40]}, not of {ours}."


def _heard(event: Mapping[str, Any], us: set[str], connection: Connection) -> bool:
    if settings_of(connection).messages is Heard.ALL or event["type"] == "app_mention":
        return True
    return event.get("channel_type") == "im" or any(f"<@{each}>" in event["text"] for each in us)


def _message(event: Mapping[str, Any], us: set[str], connection: Connection) -> Event:
    ts, channel = event["ts"], event["channel"]
    sent_at = datetime.fromtimestamp(float(ts), UTC)
    thread = event.get("thread_ts") or ts
    return event_of(
        connection,
        _RECEIVED,
        key=f"message/{channel}/{ts}",
        subject=f"conversation/{channel}/{thread}",
        time=sent_at,
        data=Message(
            id=ts,
            text=_words(event["text"], us),
            # Slack tells no names here.
            sender=event["user"],
            sender_id=event["user"],
            channel=channel,
            conversation=thread,
            sent_at=sent_at,
        ),
    )


def _words(text: str, us: set[str]) -> str:
    """What was written: without the mention of the app that it begins with, links and names as people read them."""
    for each in us:
        text = re.sub(rf"^\s*<@{re.escape(each)}>", "", text)
    return unescape(_MARK.sub(_read_mark, text)).strip()


def _read_mark(found: re.Match[str]) -> str:
    sign, what, label = found[1], found[2], found[3]
    if sign:
        return ("@" if sign == "!" else sign) + (label or what).removeprefix(sign)
    return f"{label} ({what})" if label and label not in what else what


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """`conversations.history` of each channel that the app is a member of, one after the other: `CHANNEL CURSOR` says
    where it goes on. Answers within a thread aren't in it.

    https://docs.slack.dev/reference/methods/conversations.history
    """
    signed_in = await call.api.request("POST", "auth.test", writes=False)
    us, scopes = signed_in.json(), signed_in.headers.get("x-oauth-scopes", "")
    private = "groups:read" in scopes and "groups:history" in scopes
    query = {"types": "public_channel" + ",private_channel" * private, "exclude_archived": "true"}
    channels = sorted([each["id"] async for each in pages(call, "users.conversations", query, "channels")])
    place, _, at = cursor.partition(" ")
    left = [each for each in channels if each >= place]
    if not left:
        return Page(())
    answer = await _history(call, left[0], since, at if left[0] == place else "")
    records = tuple(_listed(each, left[0], us) for each in answer["messages"])
    following = (answer.get("response_metadata") or {}).get("next_cursor", "")
    if following:
        return Page(records, f"{left[0]} {following}")
    return Page(records, left[1] if len(left) > 1 else "")


async def _history(call: Call, channel: str, since: datetime, cursor: str) -> dict[str, Any]:
    query = {"channel": channel, "oldest": str(since.timestamp()), "limit": "200"}
    try:
        answer = await call.api.get("conversations.history", params={**query, **({"cursor": cursor} if cursor else {})})
    except Transient as error:
        if error.cause != FORGOTTEN or not cursor:
            raise
        answer = await call.api.get("conversations.history", params=query)
    found: dict[str, Any] = answer.json()
    return found


def _listed(message: Mapping[str, Any], channel: str, us: Mapping[str, Any]) -> Listed:
    """As the Events API would have told it."""
    body = {
        "type": "event_callback",
        "team_id": us["team_id"],
        "event": {**message, "channel": channel, "channel_type": "channel"},
        "authorizations": [{"team_id": us["team_id"], "user_id": us["user_id"], "is_bot": True}],
    }
    return Listed(f"{channel}/{message['ts']}", orjson.dumps(body))


def sample(_event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    now, number = system_clock(), secrets.randbelow(10**6)
    ts, team = f"{int(now.timestamp())}.{number:06}", settings_of(connection).team_id or "T0EXAMPLE"
    event = {
        "type": "app_mention",
        "user": "U0EXAMPLE",
        "text": "<@U0BELLWIRE> stock TEA-100",
        "ts": ts,
        "channel": "C0EXAMPLE",
        "event_ts": ts,
    }
    body = {
        "team_id": team,
        "api_app_id": "A0EXAMPLE",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(now.timestamp()),
        "authorizations": [{"team_id": team, "user_id": "U0BELLWIRE", "is_bot": True}],
    }
    return {"Content-Type": "application/json"}, orjson.dumps(body)


TRIGGERS = Triggers(
    event_types=(_RECEIVED,),
    normalise=normalise,
    belongs=belongs,
    topics=("app_mention", "message.im", "message.channels"),
    polls=(Poll(_POLL, _page, (_RECEIVED,)),),
    sample=sample,
)
