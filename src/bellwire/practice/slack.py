"""A simulated Slack workspace: posting, listing channels, reading history, events.

https://docs.slack.dev/reference/methods
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.quota import Quota
from bellwire.practice.roles import Sent, mentioned_order
from bellwire.practice.simulator import Simulator, Webhook

_BOT, _BOT_USER, _TEAM = "B0PRACTICE", "U0PRACTICE", "T0PRACTICE"
_TOKEN, _SECRET = "xoxb-practice", "practice-signing-secret"
_UNESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


class _Error(Exception):
    """Slack's `{"ok": false, "error": …}`."""

    def __init__(self, code: str, **more: str) -> None:
        super().__init__(code)
        self.answer = {"ok": False, "error": code, **more}


@dataclass
class Channel:
    """A channel; the app may post only where it is a member."""

    name: str
    private: bool = False
    member: bool = True
    archived: bool = False

    @property
    def id(self) -> str:
        return "C" + hashlib.sha256(self.name.encode()).hexdigest()[:10].upper()


@dataclass(frozen=True)
class Posted:
    ts: str
    channel: str
    text: str
    """As Slack keeps it, escaped."""
    metadata: Mapping[str, Any]
    user: str = _BOT_USER
    thread: str = ""
    """The `ts` of the message that it answers."""


def _channels() -> list[Channel]:
    return [
        *(
            Channel(name)
            for name in (
                "general",
                "packing",
                "orders",
                "alerts",
                "sales",
                "onboarding",
                "billing",
                "support",
                "dispatch",
                "buying",
            )
        ),
        Channel("management", private=True),
        Channel("warehouse", member=False),
        Channel("spring-sale", archived=True),
    ]


def _quotas() -> list[Quota]:
    """One message a second in a channel, with bursts, and tier 3 for each of the other methods:
    https://docs.slack.dev/apis/web-api/rate-limits"""
    return [
        Quota(10, 10, r'POST /api/chat\.postMessage .*?"channel": ?"#?([^"]+)"'),
        Quota(50, 60, r"^\w+ /api/(conversations\.\w+|users\.conversations)"),
    ]


@dataclass
class SlackSimulator(Simulator):
    """`page_size` is the most that a page holds: Slack gives fewer than were asked for when it likes."""

    vendor: ClassVar[str] = "slack"
    credentials: ClassVar[Mapping[str, str]] = {"access_token": _TOKEN, "webhook_secret": _SECRET}
    settings: ClassVar[Mapping[str, Any]] = {"team_id": _TEAM}

    quotas: list[Quota] = field(default_factory=_quotas)
    page_size: int = 200
    channels: list[Channel] = field(default_factory=_channels)
    posted: list[Posted] = field(default_factory=list)
    scopes: set[str] = field(
        default_factory=lambda: {"chat:write", "channels:read", "channels:history", "app_mentions:read"}
    )
    tokens: dict[str, datetime] = field(default_factory=lambda: {_TOKEN: datetime.max.replace(tzinfo=UTC)})
    """Access token → its end: one that isn't rotated has none."""
    refresh_token: str = "xoxe-1-practice-1"  # noqa: S105 - practice only

    def routes(self) -> Sequence[BaseRoute]:
        methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "conversations.list": self._list,
            "conversations.history": self._history,
            "users.conversations": self._memberships,
        }
        token = Route("/api/oauth.v2.access", self._token, methods=["POST"])
        return [token, *self._methods(methods)]

    def _methods(self, methods: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]) -> list[BaseRoute]:
        return [Route(f"/api/{name}", self._method(do), methods=["GET", "POST"]) for name, do in methods.items()]

    def state(self) -> dict[str, Any]:
        return {"channels": [c.name for c in self.channels], "messages": [asdict(message) for message in self.posted]}

    def made(self) -> Mapping[str, Collection[str]]:
        return {"chat.post_message": [sent.id for sent in self.messages()]}

    def messages(self) -> list[Sent]:
        ours = (message for message in self.posted if message.user == _BOT_USER)
        return [Sent(m.ts, mentioned_order(m.text), _unescaped(m.text)) for m in ours]

    def write(self, text: str, channel: str = "packing", *, thread: str = "", user: str = "U0ROBIN") -> Posted:
        """A person writes, as Slack keeps it; `<@U0PRACTICE>` mentions the app."""
        found = next(each for each in self.channels if each.name == channel)
        message = Posted(self._ts(), found.id, text, {}, user, thread)
        self.posted.append(message)
        return message

    def webhook(self, message: Posted, kind: str = "app_mention", *, secret: str = _SECRET) -> Webhook:
        """What is sent about it: `app_mention`, or `message`."""
        now = int(datetime.now(UTC).timestamp())
        event = {**_message(message, with_metadata=False), "type": kind, "channel": message.channel}
        event |= {"event_ts": message.ts, **({"channel_type": "channel"} if kind == "message" else {})}
        body = orjson.dumps(
            {
                "token": "deprecated",
                "team_id": _TEAM,
                "api_app_id": "A0PRACTICE",
                "event": event,
                "type": "event_callback",
                "event_id": f"Ev{hashlib.sha256(f'{kind} {message.ts}'.encode()).hexdigest()[:10].upper()}",
                "event_time": now,
                "authorizations": [{"team_id": _TEAM, "user_id": _BOT_USER, "is_bot": True}],
            }
        )
        return self.signed(kind, body, secret=secret)

    def signed(self, topic: str, body: bytes, *, secret: str = _SECRET) -> Webhook:
        """Any body, as Slack would send it."""
        now = str(int(datetime.now(UTC).timestamp()))
        signature = hmac.digest(secret.encode(), b"v0:" + now.encode() + b":" + body, hashlib.sha256).hex()
        headers = {"X-Slack-Signature": f"v0={signature}", "X-Slack-Request-Timestamp": now}
        return Webhook(topic, {"Content-Type": "application/json", **headers}, body)

    def rate_limited(self, seconds: float) -> Response:
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(math.ceil(seconds))})

    def failed(self) -> Response:
        return JSONResponse({"ok": False, "error": "internal_error"}, 500)

    def signed_out(self) -> Response:
        return JSONResponse({"ok": False, "error": "token_revoked"})

    def _method(self, do: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                self._authenticate(request)
                said = do(await _arguments(request))
            except _Error as error:
                said = error.answer
            return JSONResponse(said, headers={"X-OAuth-Scopes": ",".join(sorted(self.scopes))})

        return answer

    def _authenticate(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not given:
            raise _Error("not_authed")
        ends = self.tokens.get(given.removeprefix("Bearer "))
        if ends is None:
            raise _Error("invalid_auth")
        if ends < datetime.now(UTC):
            raise _Error("token_expired")

    def _may(self, scope: str) -> None:
        if scope not in self.scopes:
            raise _Error("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "url": "https://practice.slack.com/",
            "team": "Practice workspace",
            "user": "bellwire",
            "team_id": _TEAM,
            "user_id": _BOT_USER,
            "bot_id": _BOT,
        }

    def _post_message(self, given: dict[str, Any]) -> dict[str, Any]:
        self._may("chat:write")
        channel = self._channel(given)
        if channel.archived:
            raise _Error("is_archived")
        if not channel.member:
            raise _Error("not_in_channel")
        text = str(given.get("text") or "")
        if not text:
            raise _Error("no_text")
        if len(text) > 40_000:
            raise _Error("msg_too_long")
        message = Posted(self._ts(), channel.id, text, _metadata(given))
        self.posted.append(message)
        return {"ok": True, "channel": channel.id, "ts": message.ts, "message": _message(message, with_metadata=False)}

    def _ts(self) -> str:
        # Unique in a channel, as Slack promises: a counter takes the place of the microseconds.
        return f"{int(datetime.now(UTC).timestamp())}.{len(self.posted) + 1:06}"

    async def _token(self, request: Request) -> Response:
        """Each refresh token is good for one use; Slack says no with status 200."""
        given = dict(parse_qsl((await request.body()).decode()))
        if given.get("refresh_token") != self.refresh_token:
            return JSONResponse({"ok": False, "error": "invalid_refresh_token"})
        number = len(self.tokens) + 1
        self.refresh_token, token = f"xoxe-1-practice-{number}", f"xoxe.xoxb-practice-{number}"
        self.tokens[token] = datetime.now(UTC) + timedelta(hours=12)
        told = {"token_type": "bot", "scope": ",".join(sorted(self.scopes)), "bot_user_id": _BOT_USER}
        team = {"team": {"id": _TEAM, "name": "Practice workspace"}}
        renewed = {"access_token": token, "refresh_token": self.refresh_token, "expires_in": 43_200}
        return JSONResponse({"ok": True, **renewed, **told, **team})

    def _memberships(self, given: dict[str, Any]) -> dict[str, Any]:
        """Those of `_list` that the app is a member of."""
        members = {channel.id for channel in self.channels if channel.member}
        kept = [each for each in self._fitting(given) if each["id"] in members]
        return {"ok": True, **self._page("channels", kept, given)}

    def _list(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, **self._page("channels", self._fitting(given), given)}

    def _fitting(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        kinds = str(given.get("types") or "public_channel").split(",")
        if "public_channel" in kinds:
            self._may("channels:read")
        if "private_channel" in kinds:
            self._may("groups:read")
        hide_archived = _is_on(given, "exclude_archived")
        return [
            _conversation(channel)
            for channel in self.channels
            if ("private_channel" if channel.private else "public_channel") in kinds
            and not (hide_archived and channel.archived)
        ]

    def _history(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(given, by_name=False)
        self._may("groups:history" if channel.private else "channels:history")
        if not channel.member:
            raise _Error("not_in_channel")
        oldest = float(given.get("oldest") or 0)
        with_metadata = _is_on(given, "include_all_metadata")
        fitting = [
            _message(message, with_metadata=with_metadata)
            for message in reversed(self.posted)
            if message.channel == channel.id and float(message.ts) > oldest and not message.thread
        ]
        page = self._page("messages", fitting, given)
        return {
            "ok": True,
            "has_more": "response_metadata" in page,
            "pin_count": 0,
            "channel_actions_ts": None,
            "channel_actions_count": 0,
            **page,
        }

    def _page(self, name: str, items: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
        """One page; the cursor is where the next one begins."""
        cursor = str(given.get("cursor") or 0)
        if not cursor.isdecimal():
            raise _Error("invalid_cursor")
        start = int(cursor)
        end = start + min(int(given.get("limit") or 100), self.page_size)
        page: dict[str, Any] = {name: items[start:end]}
        return page | {"response_metadata": {"next_cursor": str(end)}} if end < len(items) else page

    def _channel(self, given: dict[str, Any], *, by_name: bool = True) -> Channel:
        wanted = str(given.get("channel") or "")
        for channel in self.channels:
            if wanted == channel.id or (by_name and wanted.removeprefix("#") == channel.name):
                # What the app can't see doesn't exist for it.
                if channel.private and not channel.member:
                    break
                return channel
        raise _Error("channel_not_found")


SIMULATOR = SlackSimulator


async def _arguments(request: Request) -> dict[str, Any]:
    """From the query, a form or a JSON body, whichever was sent."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json") and body:
        try:
            given = orjson.loads(body)
        except ValueError:
            raise _Error("invalid_json") from None
        if not isinstance(given, dict):
            raise _Error("json_not_object")
        return given
    return {**request.query_params, **dict(parse_qsl(body.decode()))}


def _is_on(given: dict[str, Any], name: str) -> bool:
    return str(given.get(name)).lower() in ("true", "1")


def _metadata(given: dict[str, Any]) -> Mapping[str, Any]:
    metadata = given.get("metadata") or {}
    try:
        metadata = orjson.loads(metadata) if isinstance(metadata, str) else metadata
    except ValueError:
        raise _Error("invalid_metadata_format") from None
    if metadata and not (
        isinstance(metadata, dict) and isinstance(metadata.get("event_payload"), dict) and metadata.get("event_type")
    ):
        raise _Error("invalid_metadata_schema")
    return dict(metadata)


def _message(message: Posted, *, with_metadata: bool) -> dict[str, Any]:
    ours = {"subtype": "bot_message", "bot_id": _BOT, "username": "bellwire"}
    who: dict[str, Any] = ours if message.user == _BOT_USER else {"user": message.user}
    thread = {"thread_ts": message.thread} if message.thread else {}
    shown = {"type": "message", **who, "text": message.text, "ts": message.ts, **thread}
    return shown | {"metadata": message.metadata} if with_metadata else shown


def _conversation(channel: Channel) -> dict[str, Any]:
    note = {"value": "", "creator": "", "last_set": 0}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": 1_700_000_000,
        "creator": _BOT_USER,
        "is_archived": channel.archived,
        "is_channel": not channel.private,
        "is_general": channel.name == "general",
        "is_group": channel.private,
        "is_im": False,
        "is_mpim": False,
        "is_org_shared": False,
        "is_shared": False,
        "is_private": channel.private,
        "is_member": channel.member,
        "topic": note,
        "purpose": note,
    }


def _unescaped(text: str) -> str:
    for escape, character in _UNESCAPES:
        text = text.replace(escape, character)
    return text
