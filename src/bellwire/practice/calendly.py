"""A simulated Calendly account: event types, what is booked, moved and called off, and webhook subscriptions.

https://developer.calendly.com/api-docs/
"""

import hashlib
import hmac
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.events import Customer
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Visit
from bellwire.practice.simulator import Simulator, Webhook

Record = dict[str, Any]

_API = "https://api.calendly.com"
_USER, _ORGANIZATION = f"{_API}/users/PRACTICEUSER", f"{_API}/organizations/PRACTICEORG"
_TOKEN, _KEY = "practice-token", "practice-signing-key"
_KINDS = {"BOILER": ("Boiler service", 1), "VISIT": ("First visit", 1), "COURSE": ("Tea course", 8)}
"""Event type → its name, and how many may book one time."""
_TOPICS = {
    "booking.created": "invitee.created",
    "booking.changed": "invitee.created",
    "booking.cancelled": "invitee.canceled",
}


class _Error(Exception):
    """Calendly's `{"title": …, "message": …, "details": […]}`."""

    def __init__(self, status: int, title: str, message: str, parameter: str = "") -> None:
        super().__init__(message)
        details = [{"parameter": parameter, "message": message}] if parameter else []
        self.answer = JSONResponse({"title": title, "message": message, "details": details}, status)


def _invalid(parameter: str, message: str) -> _Error:
    return _Error(400, "Invalid Argument", message, parameter)


@dataclass
class CalendlySimulator(Simulator):
    """`page_size` is the most that a page holds; `admin` whether the person may see everybody's; `scopes` what an app's
    token is good for."""

    vendor: ClassVar[str] = "calendly"
    credentials: ClassVar[Mapping[str, str]] = {"access_token": _TOKEN, "webhook_secret": _KEY}

    quotas: list[Quota] = field(default_factory=lambda: [Quota(500, 60, r"^\w+ /(?!oauth)")])
    page_size: int = 100
    admin: bool = True
    scopes: str = (
        "users:read event_types:read scheduled_events:read scheduled_events:write scheduling_links:write "
        "webhooks:read webhooks:write"
    )
    events: dict[str, Record] = field(default_factory=dict)
    invitees: dict[str, list[Record]] = field(default_factory=dict)
    """Event → who booked it."""
    links: list[Record] = field(default_factory=list)
    subscriptions: dict[str, Record] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=lambda: {_TOKEN: datetime.max.replace(tzinfo=UTC)})
    """Access token → its end; a personal one has none."""
    refresh_token: str = "practice-refresh-1"  # noqa: S105 - practice only

    def routes(self) -> Sequence[BaseRoute]:
        served = self._served
        event, hooks = "/scheduled_events/{event}", "/webhook_subscriptions"
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/oauth/introspect", self._introspect, methods=["POST"]),
            Route("/users/me", served(self._me, "users:read")),
            Route("/event_types", served(self._event_types, "event_types:read")),
            Route("/scheduling_links", served(self._link, "scheduling_links:write", 201), methods=["POST"]),
            Route("/scheduled_events", served(self._events, "scheduled_events:read")),
            Route(event, served(self._event, "scheduled_events:read")),
            Route(event + "/cancellation", served(self._cancel, "scheduled_events:write", 201), methods=["POST"]),
            Route(event + "/invitees", served(self._invitees, "scheduled_events:read")),
            Route(event + "/invitees/{invitee}", served(self._invitee, "scheduled_events:read")),
            Route(hooks, served(self._subscriptions, "webhooks:read")),
            Route(hooks, served(self._subscribe, "webhooks:write", 201), methods=["POST"]),
            Route(hooks + "/{id}", served(self._unsubscribe, "webhooks:write", 204), methods=["DELETE"]),
        ]

    def state(self) -> Record:
        # Links are told by what they are for: each has another address.
        links = [each["owner"] for each in self.links]
        return {"events": list(self.events.values()), "invitees": self.invitees, "links": links}

    def book(
        self,
        kind: str = "",
        *,
        visit: Visit | None = None,
        days: float = 2,
        into: str = "",
        at: datetime | None = None,
    ) -> str:
        """Somebody books a `visit`, Robin if nothing is said, or joins those who have booked `into`; gives
        `EVENT/INVITEE`. `kind` goes before the visit's service; `at`: when that was done."""
        now = at or datetime.now(UTC)
        wanted = visit or Visit(now + timedelta(days=days))
        kind = kind or next(each for each, (name, _) in _KINDS.items() if name == wanted.service)
        event = into or self._schedule(kind, wanted.start, now)
        number = f"INV{sum(map(len, self.invitees.values())) + 1:013}"
        self.invitees[event].append(
            {
                "uri": f"{_API}/scheduled_events/{event}/invitees/{number}",
                "email": wanted.customer.email,
                "name": wanted.customer.name,
                "first_name": None,
                "last_name": None,
                "timezone": wanted.zone,
                "status": "active",
                "rescheduled": False,
                "old_invitee": None,
                "new_invitee": None,
                "created_at": _written(now),
                "updated_at": _written(now),
                "questions_and_answers": [{"question": "Where?", "answer": "1 Main St, Austin", "position": 0}],
                "text_reminder_number": wanted.customer.phone or None,
                "cancel_url": f"https://calendly.com/cancellations/{number}",
                "reschedule_url": f"https://calendly.com/reschedulings/{number}",
                "tracking": {"utm_source": None},
                "payment": None,
                "no_show": None,
            }
        )
        counter = self.events[event]["invitees_counter"]
        counter |= {"total": counter["total"] + 1, "active": counter["active"] + 1}
        return f"{event}/{number}"

    def call_off(self, booking: str, reason: str = "", *, at: datetime | None = None) -> None:
        """The customer does."""
        self._call_off(self.find(booking), reason, "invitee", at or datetime.now(UTC))

    def move(self, booking: str, *, start: datetime | None = None, days: float = 3, at: datetime | None = None) -> str:
        """The customer takes another time, if nothing is said in so many `days`; gives the new booking."""
        old, event = self.find(booking), self.events[booking.partition("/")[0]]
        phone = old["text_reminder_number"] or ""
        visit = Visit(
            start or (at or datetime.now(UTC)) + timedelta(days=days),
            Customer(name=old["name"], email=old["email"], phone=phone),
            zone=old["timezone"],
        )
        new = self.book(event["event_type"].rpartition("/")[2], visit=visit, at=at)
        made = self.find(new)
        self._call_off(old, "", "invitee", at or datetime.now(UTC))
        old |= {"rescheduled": True, "new_invitee": made["uri"]}
        made["old_invitee"] = old["uri"]
        return new

    def find(self, booking: str) -> Record:
        event, _, number = booking.partition("/")
        for invitee in self.invitees.get(event, ()):
            if invitee["uri"].endswith(f"/{number}"):
                return invitee
        raise _Error(404, "Resource Not Found", "The server could not find the requested resource.")

    def webhooks(self, booking: str, event_type: str) -> list[Webhook]:
        """Of one that was moved, Calendly calls off the old and makes the new."""
        old = self.find(booking)["old_invitee"] if event_type == "booking.changed" else None
        before = [self.webhook(_named_by(old), "booking.cancelled")] if old else []
        return [*before, self.webhook(booking, event_type)]

    def webhook(self, booking: str, event_type: str = "booking.created", *, key: str = _KEY) -> Webhook:
        """What is sent about a booking as it is now."""
        invitee, topic = self.find(booking), _TOPICS[event_type]
        event = self.events[booking.partition("/")[0]]
        now = datetime.now(UTC)
        body = orjson.dumps(
            {
                "created_at": _written(now),
                "created_by": _USER,
                "event": topic,
                "payload": {**invitee, "event": event["uri"], "scheduled_event": event},
            }
        )
        seconds = int(now.timestamp())
        signature = hmac.digest(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hex()
        signed = {"Calendly-Webhook-Signature": f"t={seconds},v1={signature}"}
        return Webhook(topic, {"Content-Type": "application/json", **signed}, body)

    def rate_limited(self, seconds: float) -> Response:
        body = {"title": "Too Many Requests", "message": "The rate limit was exceeded."}
        return JSONResponse(body, 429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(math.ceil(seconds))})

    def failed(self) -> Response:
        return JSONResponse({"title": "Internal Server Error", "message": "Please try again."}, 500)

    def signed_out(self) -> Response:
        return JSONResponse({"title": "Unauthenticated", "message": "The access token is invalid"}, 401)

    def _served(
        self, answer: Callable[[Request, Record], Any], scope: str, status: int = 200
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if self.tokens.get(token, datetime.min.replace(tzinfo=UTC)) < datetime.now(UTC):
                return self.signed_out()
            try:
                if scope not in self.scopes.split():
                    raise _Error(403, "Permission Denied", f"The token lacks the scope {scope}.")
                body = await request.body()
                said = answer(request, orjson.loads(body) if body else {})
            except _Error as error:
                return error.answer
            left = self.quotas[0].left("GET /", time.monotonic()) if self.quotas else 500
            headers = {"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": "60"}
            return Response(status_code=204, headers=headers) if status == 204 else JSONResponse(said, status, headers)

        return serve

    async def _token(self, request: Request) -> Response:
        """Each refresh token is good for one use."""
        given = dict(parse_qsl((await request.body()).decode()))
        if given.get("grant_type") != "refresh_token" or given.get("refresh_token") != self.refresh_token:
            return JSONResponse({"error": "invalid_grant", "error_description": "The grant is invalid"}, 400)
        number = len(self.tokens) + 1
        self.refresh_token, token = f"practice-refresh-{number}", f"practice-access-{number}"
        self.tokens[token] = datetime.now(UTC) + timedelta(hours=2)
        told = {"token_type": "Bearer", "scope": self.scopes, "owner": _USER, "organization": _ORGANIZATION}
        return JSONResponse({"access_token": token, "refresh_token": self.refresh_token, "expires_in": 7200, **told})

    async def _introspect(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        active = given.get("token") in self.tokens and bool(given.get("client_secret"))
        return JSONResponse({"active": active, "scope": self.scopes} if active else {"active": False})

    def _me(self, _request: Request, _given: Record) -> Record:
        return {
            "resource": {
                "uri": _USER,
                "name": "Kim Plumber",
                "slug": "kim-plumber",
                "email": "kim@example.com",
                "scheduling_url": "https://calendly.com/kim-plumber",
                "timezone": "America/Chicago",
                "current_organization": _ORGANIZATION,
            }
        }

    def _event_types(self, request: Request, _given: Record) -> Record:
        self._whose(request.query_params)
        return self._page(
            request,
            [
                {
                    "uri": f"{_API}/event_types/{number}",
                    "name": name,
                    "slug": name.lower().replace(" ", "-"),
                    "active": True,
                    "scheduling_url": f"https://calendly.com/kim-plumber/{number.lower()}",
                }
                for number, (name, _) in _KINDS.items()
            ],
        )

    def _link(self, _request: Request, given: Record) -> Record:
        if given.get("owner_type") != "EventType" or given.get("max_event_count") != 1:
            raise _invalid("owner_type", "must be EventType, with max_event_count 1")
        if given.get("owner", "").rpartition("/")[2] not in _KINDS:
            raise _invalid("owner", "is unknown")
        url = f"https://calendly.com/d/practice-{len(self.links) + 1}"
        self.links.append({"owner": given["owner"], "owner_type": "EventType", "booking_url": url})
        return {"resource": self.links[-1]}

    def _events(self, request: Request, _given: Record) -> Record:
        query = request.query_params
        self._whose(query)
        since = datetime.fromisoformat(query.get("min_start_time", "0001-01-01T00:00:00Z"))
        status = query.get("status")
        fitting = [
            event
            for event in self.events.values()
            if datetime.fromisoformat(event["start_time"]) >= since and status in (None, event["status"])
        ]
        if query.get("sort") == "start_time:asc":
            fitting.sort(key=lambda event: str(event["start_time"]))
        return self._page(request, fitting)

    def _event(self, request: Request, _given: Record) -> Record:
        return {"resource": self._named(request)}

    def _invitees(self, request: Request, _given: Record) -> Record:
        return self._page(request, self.invitees[self._named(request)["uri"].rpartition("/")[2]])

    def _invitee(self, request: Request, _given: Record) -> Record:
        return {"resource": self.find(f"{request.path_params['event']}/{request.path_params['invitee']}")}

    def _cancel(self, request: Request, given: Record) -> Record:
        event, now, reason = self._named(request), datetime.now(UTC), given.get("reason", "")
        if event["status"] == "canceled":
            raise _Error(403, "Permission Denied", "Event is already canceled")
        if len(reason) > 10_000:
            raise _invalid("reason", "is too long")
        for invitee in self.invitees[request.path_params["event"]]:
            self._call_off(invitee, reason, "host", now)
        return {"resource": event["cancellation"]}

    def _schedule(self, kind: str, start: datetime, now: datetime) -> str:
        number, (name, most) = f"EVT{len(self.events) + 1:013}", _KINDS[kind]
        self.events[number] = {
            "uri": f"{_API}/scheduled_events/{number}",
            "name": name,
            "status": "active",
            "start_time": _written(start),
            "end_time": _written(start + timedelta(hours=1)),
            "event_type": f"{_API}/event_types/{kind}",
            "location": {"type": "physical", "location": "At yours"},
            "invitees_counter": {"total": 0, "active": 0, "limit": most},
            "created_at": _written(now),
            "updated_at": _written(now),
            "event_memberships": [{"user": _USER, "user_email": "kim@example.com", "user_name": "Kim Plumber"}],
            "event_guests": [],
        }
        self.invitees[number] = []
        return number

    def _call_off(self, invitee: Record, reason: str, by: str, now: datetime) -> None:
        event = self.events[invitee["uri"].split("/")[-3]]
        told = {"canceled_by": "Robin Hill", "reason": reason, "canceler_type": by, "created_at": _written(now)}
        invitee |= {"status": "canceled", "updated_at": _written(now), "cancellation": told}
        counter = event["invitees_counter"]
        counter["active"] -= 1
        if not counter["active"]:
            event |= {"status": "canceled", "updated_at": _written(now), "cancellation": told}

    def _subscriptions(self, request: Request, _given: Record) -> Record:
        query = request.query_params
        self._whose(query)
        shown = [{k: v for k, v in each.items() if k != "signing_key"} for each in self.subscriptions.values()]
        return self._page(request, [each for each in shown if each["scope"] == query.get("scope")])

    def _subscribe(self, _request: Request, given: Record) -> Record:
        self._whose(given)
        for name in ("url", "events", "scope"):
            if not given.get(name):
                raise _invalid(name, "is missing")
        if any(each["callback_url"] == given["url"] for each in self.subscriptions.values()):
            raise _Error(409, "Already Exists", "Hook with this url already exists")
        number, now = f"SUB{len(self.subscriptions) + 1:013}", _written(datetime.now(UTC))
        self.subscriptions[number] = {
            "uri": f"{_API}/webhook_subscriptions/{number}",
            "callback_url": given["url"],
            "state": "active",
            "events": given["events"],
            "scope": given["scope"],
            "organization": given["organization"],
            "user": given.get("user"),
            "creator": _USER,
            "created_at": now,
            "updated_at": now,
            "retry_started_at": None,
            "signing_key": given.get("signing_key"),
        }
        return {"resource": {k: v for k, v in self.subscriptions[number].items() if k != "signing_key"}}

    def _unsubscribe(self, request: Request, _given: Record) -> None:
        if self.subscriptions.pop(request.path_params["id"], None) is None:
            raise _Error(404, "Resource Not Found", "The server could not find the requested resource.")

    def _whose(self, given: Mapping[str, Any]) -> None:
        if given.get("organization") != _ORGANIZATION or given.get("user", _USER) != _USER:
            raise _invalid("organization", "is unknown")
        if not self.admin and "user" not in given:
            raise _Error(403, "Permission Denied", "You do not have permission to see the whole organization.")

    def _named(self, request: Request) -> Record:
        event = self.events.get(request.path_params["event"])
        if event is None:
            raise _Error(404, "Resource Not Found", "The server could not find the requested resource.")
        return event

    def _page(self, request: Request, items: list[Record]) -> Record:
        query = request.query_params
        size, token = int(query.get("count", 20)), query.get("page_token", "page-0")
        if not 1 <= size <= 100:
            raise _invalid("count", "must be between 1 and 100")
        if not token.startswith("page-"):
            raise _invalid("page_token", "is invalid")
        size, start = min(size, self.page_size), int(token.removeprefix("page-"))
        following = f"page-{start + size}" if start + size < len(items) else None
        told = {"count": len(items[start : start + size]), "next_page_token": following, "previous_page_token": None}
        return {"collection": items[start : start + size], "pagination": told}


SIMULATOR = CalendlySimulator


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _named_by(uri: str) -> str:
    """`EVENT/INVITEE`, of an invitee's address."""
    event, _, number = uri.split("/")[-3:]
    return f"{event}/{number}"
