"""Google Calendar for practice: calendars with their events, sync tokens, and channels that tell of changes.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock, parse_time, system_clock
from bellwire.practice.assertions import PublicKey, read_assertion
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Appointed
from bellwire.practice.simulator import Simulator, Webhook

Record = dict[str, Any]

_OWNER = "owner@tea.example"
_TOKENS = "https://oauth2.googleapis.com/token"
_API = "/calendar/v3"
_SCOPES = "https://www.googleapis.com/auth/calendar.events https://www.googleapis.com/auth/calendar.freebusy"
_ID = re.compile("[a-v0-9]{5,1024}")
_REFERENCE = "bellwireReference"
"""The private property in which Bellwire keeps what a flow calls an event."""
_WEEK = timedelta(days=7)
_FREE_BUSY = timedelta(days=62)
_INCOMPATIBLE = {"iCalUID", "orderBy", "privateExtendedProperty", "q", "timeMax", "timeMin", "updatedMin"}
_GIVEN = ("summary", "description", "location", "start", "end", "reminders", "extendedProperties", "status")


class _Error(Exception):
    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        first = {"domain": "global", "reason": reason, "message": message}
        self.answer = JSONResponse({"error": {"errors": [first], "code": status, "message": message}}, status)


@dataclass
class Calendar:
    """`changes` has an event's id at each change, oldest first: a sync token is how many one has seen."""

    zone: str = "Europe/Zurich"
    role: str = "owner"
    events: dict[str, Record] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    forgotten: int = 0
    """Sync tokens from before so many changes aren't known any more."""

    def save(self, event: Record, now: datetime) -> Record:
        """Keep what is new about an event; what is as it was leaves no trace."""
        before = self.events.get(event["id"])
        if before == event:
            return before
        time = now + timedelta(milliseconds=len(self.changes))
        event |= {"updated": f"{time:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", "etag": f'"{len(self.changes) + 1}"'}
        event["sequence"] = event.get("sequence", -1) + 1
        self.events[event["id"]] = event
        self.changes.append(event["id"])
        return event


@dataclass
class GoogleCalendar(Simulator):
    """The calendar of a tea shop's owner. `page_size` is the most that a page holds."""

    vendor: ClassVar[str] = "google_calendar"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": "practice-client",
        "client_secret": "practice-secret",
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
        "webhook_secret": "practice-channel-token",
    }
    settings: ClassVar[Mapping[str, Any]] = {"calendar": _OWNER}

    quotas: list[Quota] = field(default_factory=lambda: [Quota(600, 60, f"^\\w+ {_API}/")])
    clock: Clock = system_clock
    page_size: int = 2500
    announced: dict[str, str] = field(default_factory=dict)
    """Headers of all its answers, such as `Sunset`."""
    scopes: str = _SCOPES
    calendars: dict[str, Calendar] = field(default_factory=lambda: {_OWNER: Calendar()})
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    service_keys: dict[str, PublicKey] = field(default_factory=dict)
    """Of service accounts, by their e-mail address."""
    channels: dict[str, Record] = field(default_factory=dict)

    def routes(self) -> Sequence[BaseRoute]:
        events = f"{_API}/calendars/{{calendar}}/events"
        return [
            Route("/token", self._token, methods=["POST"]),
            Route("/tokeninfo", self._served(self._token_info), methods=["POST"]),
            Route(f"{_API}/freeBusy", self._served(self._free_busy), methods=["POST"]),
            Route(f"{_API}/channels/stop", self._served(self._stop, 204), methods=["POST"]),
            Route(f"{events}/watch", self._served(self._watch), methods=["POST"]),
            Route(events, self._served(self._list), methods=["GET"]),
            Route(events, self._served(self._insert), methods=["POST"]),
            Route(f"{events}/{{event}}", self._served(self._read), methods=["GET"]),
            Route(f"{events}/{{event}}", self._served(self._patch), methods=["PATCH"]),
            Route(f"{events}/{{event}}", self._served(self._delete, 204), methods=["DELETE"]),
        ]

    def state(self) -> dict[str, Any]:
        return {
            name: [{k: v for k, v in event.items() if k != "etag"} for event in calendar.events.values()]
            for name, calendar in self.calendars.items()
        }

    def made(self) -> Mapping[str, Collection[str]]:
        return {"calendar.put_appointment": [each.id for each in self.appointments()]}

    def appointments(self) -> list[Appointed]:
        return [
            Appointed(
                event["id"],
                event["extendedProperties"]["private"][_REFERENCE],
                event["summary"],
                *(_time(event[side], calendar.zone).astimezone(UTC) for side in ("start", "end")),
            )
            for calendar in self.calendars.values()
            for event in calendar.events.values()
            if event["status"] != "cancelled" and _REFERENCE in event.get("extendedProperties", {}).get("private", {})
        ]

    # As people use it

    def add(self, title: str, start: datetime, end: datetime, *, calendar: str = _OWNER) -> str:
        """Somebody enters an appointment; gives its id."""
        known = secrets.token_hex(13)
        given = {"id": known, "summary": title, "start": _moment(start), "end": _moment(end)}
        return str(self._save(self.calendars[calendar], given)["id"])

    def change(self, event_id: str, calendar: str = _OWNER, **fields: Any) -> None:
        """Somebody edits an appointment, or with `status="cancelled"` deletes it."""
        self._save(self.calendars[calendar], {"id": event_id, **fields})

    def pings(self, state: str = "exists") -> list[Webhook]:
        """What Google would send over each open channel now."""
        return [self._ping(channel, state) for channel in self.channels.values() if self._open(channel)]

    def forget_sync_tokens(self) -> None:
        for calendar in self.calendars.values():
            calendar.forgotten = len(calendar.changes) + 1

    def expire(self) -> None:
        """No access token is good any more."""
        self.access.clear()

    def _open(self, channel: Record) -> bool:
        return int(channel["expiration"]) > self.clock().timestamp() * 1000

    def _ping(self, channel: Record, state: str) -> Webhook:
        channel["sent"] += 1
        headers = {
            "X-Goog-Channel-ID": channel["id"],
            "X-Goog-Channel-Token": channel["token"],
            "X-Goog-Channel-Expiration": datetime.fromtimestamp(int(channel["expiration"]) / 1000, UTC).strftime(
                "%a, %d %b %Y %H:%M:%S GMT"
            ),
            "X-Goog-Resource-ID": channel["resourceId"],
            "X-Goog-Resource-URI": channel["resourceUri"],
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(channel["sent"]),
        }
        return Webhook("events", headers, b"")

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        """It doesn't say when to come back."""
        return _Error(403, "rateLimitExceeded", "Rate Limit Exceeded").answer

    def failed(self) -> Response:
        return _Error(503, "backendError", "Backend Error").answer

    def signed_out(self) -> Response:
        return _Error(401, "authError", "Invalid Credentials").answer

    def _served(self, handle: Callable[[Request, Record], Any], status: int = 200) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
                return self.signed_out()
            body = await request.body()
            try:
                answer = handle(request, orjson.loads(body) if body else {})
            except _Error as error:
                return error.answer
            if status == 204:
                return Response(status_code=204, headers=self.announced)
            return JSONResponse(answer, status, self.announced)

        return serve

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        known = self.credentials
        match form.get("grant_type"):
            case "refresh_token":
                right = all(form.get(name) == known[name] for name in ("client_id", "client_secret", "refresh_token"))
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                right = self._vouched(form.get("assertion", ""))
            case _:
                return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if not right:
            return JSONResponse({"error": "invalid_grant", "error_description": "Bad Request"}, 400)
        token = secrets.token_hex(16)
        self.access.add(token)
        return JSONResponse({"access_token": token, "expires_in": 3599, "scope": self.scopes, "token_type": "Bearer"})

    def _vouched(self, assertion: str) -> bool:
        try:
            claims = read_assertion(assertion, self.service_keys, self.clock, algorithms=("RS256",))
        except ValueError:
            return False
        return claims.get("aud") == _TOKENS and bool(claims.get("scope"))

    def _token_info(self, _request: Request, _given: Record) -> Record:
        return {"azp": "practice-client", "aud": "practice-client", "scope": self.scopes, "expires_in": "3000"}

    # Events

    def _calendar(self, request: Request, *, write: bool = False) -> Calendar:
        name = request.path_params["calendar"]
        calendar = self.calendars.get(_OWNER if name == "primary" else name)
        if calendar is None:
            raise _Error(404, "notFound", "Not Found")
        if write and calendar.role not in ("owner", "writer"):
            raise _Error(403, "requiredAccessLevel", "You need to have writer access to this calendar.")
        return calendar

    def _event(self, request: Request, calendar: Calendar) -> Record:
        event = calendar.events.get(request.path_params["event"])
        if event is None:
            raise _Error(404, "notFound", "Not Found")
        return event

    def _save(self, calendar: Calendar, given: Record) -> Record:
        known = given["id"]
        event = calendar.events.get(known) or {
            "kind": "calendar#event",
            "id": known,
            "status": "confirmed",
            "htmlLink": f"https://www.google.com/calendar/event?eid={known}",
            "iCalUID": f"{known}@google.com",
            "creator": {"email": _OWNER},
            "organizer": {"email": _OWNER, "self": True},
            "reminders": {"useDefault": True},
            "eventType": "default",
        }
        event = _merged(event, {name: given[name] for name in _GIVEN if name in given})
        for side in ("start", "end"):
            if isinstance(event.get(side), dict):
                event[side] = {k: v for k, v in event[side].items() if v is not None}
        start, end = (_time(event.get(side), calendar.zone) for side in ("start", "end"))
        if end < start:
            raise _Error(400, "timeRangeEmpty", "The specified time range is empty.")
        return calendar.save(event, self.clock())

    def _insert(self, request: Request, given: Record) -> Record:
        calendar = self._calendar(request, write=True)
        known = given.setdefault("id", secrets.token_hex(13))
        if not _ID.fullmatch(known):
            raise _Error(400, "invalid", "Invalid resource id value.")
        if known in calendar.events:
            raise _Error(409, "duplicate", "The requested identifier already exists.")
        return self._save(calendar, given)

    def _read(self, request: Request, _given: Record) -> Record:
        return self._event(request, self._calendar(request))

    def _patch(self, request: Request, given: Record) -> Record:
        calendar = self._calendar(request, write=True)
        return self._save(calendar, {**given, "id": self._event(request, calendar)["id"]})

    def _delete(self, request: Request, _given: Record) -> None:
        calendar = self._calendar(request, write=True)
        event = self._event(request, calendar)
        if event["status"] == "cancelled":
            raise _Error(410, "deleted", "Resource has been deleted")
        self._save(calendar, {"id": event["id"], "status": "cancelled"})

    def _list(self, request: Request, _given: Record) -> Record:
        calendar, query = self._calendar(request), request.query_params
        seen = 0
        if token := query.get("syncToken"):
            if _INCOMPATIBLE & set(query):
                raise _Error(400, "invalid", "Sync token cannot be used with these parameters.")
            seen = int(token.removeprefix("sync-"))
            if seen < calendar.forgotten:
                raise _Error(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
        skip, until, mine = query.get("pageToken", f"0-{len(calendar.changes)}-{seen}").split("-")
        if int(mine) != seen:
            raise _Error(400, "invalid", "The page token is of another list.")
        changed = list(dict.fromkeys(calendar.changes[seen : int(until)]))
        found = [calendar.events[known] for known in changed]
        if query.get("showDeleted") != "true" and not token:
            found = [event for event in found if event["status"] != "cancelled"]
        begins, ends = query.get("timeMin"), query.get("timeMax")
        if begins or ends:
            found = [each for each in found if _overlaps(each, calendar.zone, begins, ends)]
        first, size = int(skip), min(int(query.get("maxResults", "250")), self.page_size)
        page = [_shown(event) for event in found[first : first + size]]
        more = first + size < len(found)
        mark = {"nextPageToken": f"{first + size}-{until}-{seen}"} if more else {"nextSyncToken": f"sync-{until}"}
        return {
            "kind": "calendar#events",
            "summary": "Hill Tea, visits",
            "timeZone": calendar.zone,
            "accessRole": calendar.role,
            "defaultReminders": [],
            "items": page,
            **mark,
        }

    def _free_busy(self, _request: Request, given: Record) -> Record:
        begins, ends = parse_time(given["timeMin"]), parse_time(given["timeMax"])
        if ends <= begins:
            raise _Error(400, "timeRangeEmpty", "The specified time range is empty.")
        if ends - begins > _FREE_BUSY:
            raise _Error(400, "timeRangeTooLong", "The requested time range is too long.")
        return {
            "kind": "calendar#freeBusy",
            "timeMin": given["timeMin"],
            "timeMax": given["timeMax"],
            "calendars": {item["id"]: self._busy(item["id"], begins, ends) for item in given["items"]},
        }

    def _busy(self, name: str, begins: datetime, ends: datetime) -> Record:
        calendar = self.calendars.get(_OWNER if name == "primary" else name)
        if calendar is None:
            return {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
        spans = [
            (max(begins, _time(event["start"], calendar.zone)), min(ends, _time(event["end"], calendar.zone)))
            for event in calendar.events.values()
            if event["status"] != "cancelled"
        ]
        return {"busy": [{"start": _utc(start), "end": _utc(end)} for start, end in sorted(spans) if start < end]}

    # Channels

    def _watch(self, request: Request, given: Record) -> Record:
        self._calendar(request)
        if not given.get("address", "").startswith("https://"):
            message = f"WebHook callback must be HTTPS: {given.get('address')}"
            raise _Error(400, "push.webhookUrlNotHttps", message)
        if given.get("type") not in ("web_hook", "webhook") or not 0 < len(given.get("id", "")) <= 64:
            raise _Error(400, "invalid", "Invalid Value")
        if given["id"] in self.channels:
            raise _Error(400, "channelIdNotUnique", f"Channel id {given['id']} not unique")
        name = request.path_params["calendar"]
        channel = {
            "kind": "api#channel",
            "id": given["id"],
            "resourceId": f"resource-{name}",
            "resourceUri": f"https://www.googleapis.com{_API}/calendars/{quote(name, safe='')}/events?alt=json",
            "token": given.get("token", ""),
            "expiration": str(int((self.clock() + _WEEK).timestamp() * 1000)),
        }
        self.channels[given["id"]] = channel | {"sent": 0, "address": given["address"]}
        return channel

    def _stop(self, _request: Request, given: Record) -> None:
        channel = self.channels.get(given.get("id", ""))
        if channel is None or channel["resourceId"] != given.get("resourceId"):
            raise _Error(404, "notFound", f"Channel '{given.get('id')}' not found for project")
        del self.channels[given["id"]]


SIMULATOR = GoogleCalendar


def _merged(event: Record, given: Record) -> Record:
    """PATCH: objects are merged, all else is replaced."""
    merged = dict(event)
    for name, value in given.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _shown(event: Record) -> Record:
    """As lists show it: of what was deleted, what Google still says."""
    if event["status"] != "cancelled":
        return event
    return {
        name: event[name] for name in ("kind", "etag", "id", "status", "updated", "extendedProperties") if name in event
    }


def _time(told: Record | None, zone: str) -> datetime:
    """Raises _Error where there is neither a date nor a time, or both."""
    told = told or {}
    if ("date" in told) == ("dateTime" in told):
        raise _Error(400, "required", "Missing or invalid start or end time.")
    if "date" in told:
        return datetime.fromisoformat(told["date"]).replace(tzinfo=ZoneInfo(zone))
    time = datetime.fromisoformat(told["dateTime"])
    return time.replace(tzinfo=ZoneInfo(told.get("timeZone", zone))) if time.tzinfo is None else time


def _overlaps(event: Record, zone: str, begins: str | None, ends: str | None) -> bool:
    """Whether it ends after the one, and begins before the other."""
    start, end = _time(event["start"], zone), _time(event["end"], zone)
    return not (begins and end <= parse_time(begins)) and not (ends and start >= parse_time(ends))


def _moment(time: datetime) -> Record:
    return {"dateTime": time.isoformat()}


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
