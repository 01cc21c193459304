"""Posting, and looking whether it was posted."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bellwire.capabilities.chat import POST_MESSAGE, Message, PostMessage
from bellwire.connectors.kit import Account, Call, JointLookUp, LookUp, action
from bellwire.connectors.slack.errors import about_channel
from bellwire.connectors.slack.manifest import settings_of
from bellwire.errors import Refused, SignedOut

_EVENT_TYPE = "bellwire_message"
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{8,}")
_LOOK_BACK = timedelta(days=1)
"""If it isn't known when it began."""
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""
# Slack warns (`missing_charset`) without the character set.
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


async def find_message(call: Call, given: PostMessage) -> Message | None:
    """The message that an earlier attempt posted, known by its key in `metadata`.

    None also where the app may not read the channel: then it is posted again, and at worst the team reads it twice.
    """
    try:
        channel = await _channel_id(call, given.channel)
        if channel is None:
            return None
        oldest = call.since - _MARGIN if call.since else call.clock() - _LOOK_BACK
        look_up: JointLookUp[str] = call.connection.look_ups.setdefault(channel, JointLookUp())
        found = await look_up.find(call.key, oldest, partial(_read_history, call, channel))
    except Refused:
        return None
    return Message(id=found, channel=channel) if found else None


@action(POST_MESSAGE, repeat=LookUp(find_message))
async def post_message(call: Call, given: PostMessage) -> Message:
    """`chat.postMessage`, as plain text. Raises Refused naming the channel when it can't be posted there."""
    channel = _as_slack_writes_it(given.channel)
    message = {
        "channel": channel,
        "text": given.text.translate(_ESCAPES),
        "mrkdwn": False,
        "unfurl_links": False,
        "metadata": {"event_type": _EVENT_TYPE, "event_payload": {"key": call.key}},
    }
    try:
        answer = await call.api.post("chat.postMessage", message, headers=_JSON, paced_by=channel)
    except Refused as error:
        raise about_channel(error, channel) from error
    posted = answer.json()
    return Message(id=posted["ts"], channel=posted["channel"])


async def sign_in(call: Call) -> Account:
    """`auth.test`: whose token it is, and (`x-oauth-scopes`) what it may do."""
    answer = await call.api.request("POST", "auth.test", writes=False)
    said, wanted = answer.json(), settings_of(call.connection).team_id
    if wanted not in ("", said["team_id"]):
        raise SignedOut(
            f"The token is for the workspace {said['team']} ({said['team_id']}), not for {wanted}.",
            cause="no-access",
            remedy=f"Set the token of the other workspace, or `team_id` in [{call.connection.name}.settings] of "
            "connections.toml.",
        )
    scopes = tuple(scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",") if scope.strip())
    return Account(said["team"], f"{said['user']} at {said['url']}, {said['team_id']}", scopes or None)


async def _channel_id(call: Call, channel: str) -> str | None:
    """The id behind a channel's name; None when the app sees no such channel."""
    if _CHANNEL_ID.fullmatch(channel):
        return channel
    name = channel.removeprefix("#")
    if known := call.connection.remembered.get(f"channel {name}"):
        return known
    # One kind at a time: asking for both fails where the app may see only one.
    for kind in ("public_channel", "private_channel"):
        query = {"types": kind, "exclude_archived": "true"}
        try:
            async for found in pages(call, "conversations.list", query, "channels"):
                if found["name"] == name:
                    call.connection.remembered[f"channel {name}"] = found["id"]
                    return str(found["id"])
        except Refused:
            continue
    return None


async def _read_history(call: Call, channel: str, oldest: datetime, keys: set[str]) -> dict[str, str]:
    """The `ts` of each message with one of the keys, by key."""
    found: dict[str, str] = {}
    query = {"channel": channel, "oldest": str(oldest.timestamp()), "include_all_metadata": "true"}
    async for message in pages(call, "conversations.history", query, "messages"):
        key = message.get("metadata", {}).get("event_payload", {}).get("key")
        if key in keys:
            found[key] = message["ts"]
            if len(found) == len(keys):
                break
    return found


async def pages(call: Call, method: str, query: Mapping[str, str], items: str) -> AsyncIterator[dict[str, Any]]:
    """All items of a listing, page by page: https://docs.slack.dev/apis/web-api/pagination"""
    cursor = ""
    while True:
        page = (await call.api.get(method, params={**query, "limit": "200", "cursor": cursor})).json()
        for item in page[items]:
            yield item
        following = (page.get("response_metadata") or {}).get("next_cursor", "")
        if not following or following == cursor:
            return
        cursor = following


def _as_slack_writes_it(channel: str) -> str:
    return channel if _CHANNEL_ID.fullmatch(channel) else "#" + channel.removeprefix("#")
