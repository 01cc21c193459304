"""A simulated Zendesk account: tickets, what changed, webhooks and their secrets.

https://developer.zendesk.com/api-reference/
"""

import base64
import hashlib
import hmac
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.practice.quota import Quota
from bellwire.practice.roles import Ticket
from bellwire.practice.simulator import Simulator, Webhook

Record = dict[str, Any]

_ACCOUNT, _US, _AGENT = 12514403, 9001, 9002
_SECRET = "practice-signing-secret"  # noqa: S105 - practice only
_PRIORITIES = ("low", "normal", "high", "urgent")
_STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
_KEY_KEPT = timedelta(hours=2)
_TOPICS = {
    "ticket.created": "zen:event-type:ticket.created",
    "ticket.updated": "zen:event-type:ticket.status_changed",
}


class _Error(Exception):
    """An answer that says no."""

    def __init__(self, status: int, body: Record) -> None:
        super().__init__(status)
        self.answer = JSONResponse(body, status)


def _invalid(name: str, why: str) -> _Error:
    details = {name: [{"description": why, "error": "BlankValue"}]}
    return _Error(422, {"error": "RecordInvalid", "description": "Record validation errors", "details": details})


def _missing() -> _Error:
    return _Error(404, {"error": "RecordNotFound", "description": "Not found"})


def _quotas() -> list[Quota]:
    """Of the smallest plan: https://developer.zendesk.com/api-reference/introduction/rate-limits/"""
    return [
        Quota(200, 60, r"^\w+ /api/v2/"),
        Quota(100, 60, r"^PUT /api/v2/tickets/"),
        Quota(30, 600, r"^PUT /api/v2/tickets/(\d+)"),
        Quota(10, 60, r"^GET /api/v2/incremental/"),
    ]


@dataclass
class ZendeskSimulator(Simulator):
    """`scopes` is what a token is good for, `role` whose it is; `page_size` the most that a page holds; `forget` ends
    the two hours that a key is known."""

    vendor: ClassVar[str] = "zendesk"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": "bellwire",
        "client_secret": "practice-secret",
        "webhook_secret": _SECRET,
    }
    settings: ClassVar[Mapping[str, Any]] = {"subdomain": "hill-tea", "user_id": str(_US)}

    quotas: list[Quota] = field(default_factory=_quotas)
    page_size: int = 100
    role: str = "admin"
    scopes: str = "tickets:read tickets:write users:read webhooks:read webhooks:write"
    announced: dict[str, str] = field(default_factory=dict)
    """Headers on each answer, such as Sunset."""
    tickets: dict[int, Record] = field(default_factory=dict)
    audits: dict[int, list[Record]] = field(default_factory=dict)
    users: dict[int, Record] = field(
        default_factory=lambda: {
            _US: {"id": _US, "name": "Bellwire", "email": "bellwire@hill-tea.example", "role": "admin"},
            _AGENT: {"id": _AGENT, "name": "Kim Agent", "email": "kim@hill-tea.example", "role": "agent"},
        }
    )
    webhooks: dict[str, Record] = field(default_factory=dict)
    tokens: dict[str, datetime] = field(default_factory=dict)
    """Access token → its end."""
    known: dict[str, tuple[bytes, Record, datetime]] = field(default_factory=dict)
    """Idempotency key → body, answer and time."""

    def routes(self) -> Sequence[BaseRoute]:
        served = self._served
        ticket = "/api/v2/tickets/{id:int}"
        return [
            Route("/oauth/tokens", self._token, methods=["POST"]),
            Route("/api/v2/oauth/tokens/current", served(self._current)),
            Route("/api/v2/users/me", served(self._me)),
            Route("/api/v2/tickets", served(self._find)),
            Route("/api/v2/tickets", served(self._create, "tickets:write", 201), methods=["POST"]),
            Route(ticket, served(self._read)),
            Route(ticket, served(self._update, "tickets:write"), methods=["PUT"]),
            Route(ticket + "/comments", served(self._comments)),
            Route(ticket + "/audits", served(self._audits)),
            Route("/api/v2/users/search", served(self._find_users)),
            Route("/api/v2/users/{user:int}/tickets/requested", served(self._requested)),
            Route("/api/v2/incremental/tickets/cursor", served(self._changed)),
            Route("/api/v2/webhooks", served(self._webhooks, "webhooks:read")),
            Route("/api/v2/webhooks", served(self._subscribe, "webhooks:write", 201), methods=["POST"]),
            Route("/api/v2/webhooks/{id}", served(self._unsubscribe, "webhooks:write", 204), methods=["DELETE"]),
            Route("/api/v2/webhooks/{id}/signing_secret", served(self._signing_secret, "webhooks:read")),
        ]

    def state(self) -> Record:
        return {"tickets": list(self.tickets.values()), "audits": self.audits, "webhooks": list(self.webhooks.values())}

    def made(self) -> Mapping[str, Collection[str]]:
        ours = [each for each in self.tickets.values() if each["submitter_id"] == _US]
        return {"helpdesk.create_ticket": [str(ticket["id"]) for ticket in ours]}

    # As `Helpdesk`

    def opened(self) -> list[Ticket]:
        return [
            Ticket(
                str(ticket["id"]),
                ticket["external_id"] or "",
                ticket["subject"],
                self.users[ticket["requester_id"]]["email"],
                ticket["description"],
            )
            for ticket in self.tickets.values()
        ]

    def forget(self) -> None:
        """Two hours have gone by: no idempotency key is known any more."""
        self.known.clear()

    def write(self, subject: str, text: str, author: int = _AGENT) -> int:
        """Somebody opens a ticket; gives its id."""
        comment = {"body": text, "public": True}
        return int(self._new({"subject": subject, "comment": comment}, author, author)["id"])

    def change(self, ticket_id: int, author: int = _AGENT, *, later: float = 0, **changes: Any) -> None:
        """Somebody changes one, `later` seconds after its last change."""
        ticket = self.tickets[ticket_id]
        now = datetime.fromisoformat(ticket["updated_at"]) + timedelta(seconds=later) if later else datetime.now(UTC)
        self._change(ticket, changes, author, now)

    def webhook(self, ticket_id: int, event_type: str = "ticket.updated", *, secret: str = _SECRET) -> Webhook:
        """What is sent about a ticket as it is now."""
        ticket, now = self.tickets[ticket_id], _written(datetime.now(UTC))
        words = ("id", "requester_id", "submitter_id", "external_id")
        detail = {
            **{k: v for k, v in ticket.items() if k not in ("url", "comment_count")},
            **{name: None if ticket[name] is None else str(ticket[name]) for name in words},
            "actor_id": str(self.audits[ticket_id][-1]["author_id"]),
            "status": ticket["status"].upper(),
            "priority": ticket["priority"] and ticket["priority"].upper(),
            "is_public": True,
        }
        topic = _TOPICS[event_type]
        body = orjson.dumps(
            {
                "type": topic,
                "account_id": _ACCOUNT,
                "id": str(uuid.uuid4()),
                "time": now,
                "zendesk_event_version": "2022-11-06",
                "subject": f"zen:ticket:{ticket_id}",
                "detail": detail,
                "event": {},
            }
        )
        signature = base64.b64encode(hmac.digest(secret.encode(), now.encode() + body, hashlib.sha256)).decode()
        headers = {
            "Content-Type": "application/json",
            "X-Zendesk-Account-Id": str(_ACCOUNT),
            "X-Zendesk-Webhook-Id": "01PRACTICE",
            "X-Zendesk-Webhook-Invocation-Id": uuid.uuid4().hex,
            "X-Zendesk-Webhook-Signature": signature,
            "X-Zendesk-Webhook-Signature-Timestamp": now,
        }
        return Webhook(topic, headers, body)

    def rate_limited(self, seconds: float) -> Response:
        body = {"error": "APIRateLimitExceeded", "description": "Number of allowed API requests per minute exceeded"}
        return JSONResponse(body, 429, {"Retry-After": str(math.ceil(seconds))})

    def failed(self) -> Response:
        return JSONResponse({"error": {"title": "Internal server error", "message": "Try again later."}}, 500)

    def signed_out(self) -> Response:
        return JSONResponse({"error": "Couldn't authenticate you"}, 401)

    def _served(
        self, answer: Callable[[Request, Record], Any], scope: str = "", status: int = 200
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            if not self._known(request):
                return self.signed_out()
            if scope and scope not in self.scopes.split():
                return JSONResponse({"error": {"title": "Forbidden", "message": "You do not have access."}}, 403)
            try:
                body = await request.body()
                said = answer(request, orjson.loads(body) if body else {})
            except _Error as error:
                return error.answer
            left = self.quotas[0].left("GET /api/v2/", time.monotonic()) if self.quotas else 200
            headers = {"X-Rate-Limit": "200", "X-Rate-Limit-Remaining": str(left), **self.announced}
            if isinstance(said, Response):
                said.headers.update(headers)
                return said
            return Response(status_code=204, headers=headers) if status == 204 else JSONResponse(said, status, headers)

        return serve

    def _known(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            return base64.b64decode(given) == b"kim@hill-tea.example/token:practice-token"
        return kind == "Bearer" and self.tokens.get(given, datetime.min.replace(tzinfo=UTC)) > datetime.now(UTC)

    async def _token(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        pair = given.get("client_id"), given.get("client_secret")
        if pair != (self.credentials["client_id"], self.credentials["client_secret"]):
            return JSONResponse({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if given.get("grant_type") != "client_credentials" or not given.get("scope"):
            return JSONResponse({"error": "invalid_request", "error_description": "scope is missing"}, 400)
        token = f"practice-{len(self.tokens) + 1}"
        self.tokens[token] = datetime.now(UTC) + timedelta(minutes=30)
        return JSONResponse(
            {"access_token": token, "token_type": "bearer", "scope": given["scope"], "expires_in": 1800}
        )

    def _current(self, _request: Request, _given: Record) -> Record:
        return {"token": {"id": 1, "client_id": 7, "user_id": _US, "scopes": self.scopes.split()}}

    def _me(self, _request: Request, _given: Record) -> Record:
        return {"user": {**self.users[_US], "role": self.role}}

    def _find(self, request: Request, _given: Record) -> Record:
        wanted = request.query_params.get("external_id")
        found = [each for each in self.tickets.values() if wanted in (None, each["external_id"])]
        return self._page("tickets", found, request)

    def _find_users(self, request: Request, _given: Record) -> Record:
        wanted = request.query_params.get("query", "").removeprefix("email:").lower()
        return {"users": [user for user in self.users.values() if user["email"] == wanted]}

    def _requested(self, request: Request, _given: Record) -> Record:
        whose = int(request.path_params["user"])
        return self._page("tickets", [each for each in self.tickets.values() if each["requester_id"] == whose], request)

    def _create(self, request: Request, given: Record) -> Any:
        key, body = request.headers.get("idempotency-key", ""), orjson.dumps(given)
        if len(key) > 255:
            raise _Error(400, {"error": "IdempotentRequestError", "description": "The key is too long"})
        if key in self.known and self.known[key][2] > datetime.now(UTC) - _KEY_KEPT:
            first, answer, _ = self.known[key]
            if first != body:
                words = "Request parameters don't match the given idempotency key"
                raise _Error(400, {"error": "IdempotentRequestError", "description": words})
            return JSONResponse(answer, 201, {"x-idempotency-lookup": "hit"})
        ticket = self._new(given.get("ticket", {}), _US, _US)
        answer = {"ticket": dict(ticket), "audit": self.audits[ticket["id"]][-1]}
        if key:
            self.known[key] = body, answer, datetime.now(UTC)
        return JSONResponse(answer, 201, {"x-idempotency-lookup": "miss"} if key else {})

    def _new(self, given: Record, submitter: int, author: int) -> Record:
        comment = given.get("comment") or {}
        if not comment.get("body"):
            raise _invalid("base", "Description: cannot be blank")
        if given.get("priority") not in (None, *_PRIORITIES):
            raise _invalid("priority", "Priority: is not valid")
        wanted, ticket_id, now = given.get("requester"), len(self.tickets) + 35436, datetime.now(UTC)
        requester = self._user(wanted) if wanted else submitter
        ticket = {
            "id": ticket_id,
            "url": f"https://hill-tea.zendesk.com/api/v2/tickets/{ticket_id}.json",
            "external_id": given.get("external_id"),
            "created_at": _written(now),
            "updated_at": _written(now),
            "subject": given.get("subject"),
            "description": comment["body"],
            "priority": given.get("priority"),
            "status": given.get("status", "new"),
            "requester_id": requester,
            "submitter_id": submitter,
            "tags": sorted(given.get("tags", [])),
            "via": {"channel": "api"},
        }
        self.tickets[ticket_id] = ticket
        self.audits[ticket_id] = []
        self._audit(ticket, given, author, now)
        return ticket

    def _user(self, wanted: Record) -> int:
        if not wanted.get("email"):
            raise _invalid("requester", "Requester: Email: cannot be blank")
        for user in self.users.values():
            if user["email"] == wanted["email"].lower():
                return int(user["id"])
        number = _AGENT + len(self.users)
        self.users[number] = {
            "id": number,
            "name": wanted.get("name") or wanted["email"],
            "email": wanted["email"].lower(),
            "role": "end-user",
        }
        return number

    def _update(self, request: Request, given: Record) -> Record:
        ticket, change = self._ticket(request), given.get("ticket", {})
        if ticket["status"] == "closed":
            raise _invalid("status", "Status: closed prevents ticket update")
        if change.get("status", "open") not in _STATUSES:
            raise _invalid("status", "Status: is not valid")
        if change.get("safe_update") and change.get("updated_stamp") != ticket["updated_at"]:
            words = "Safe Update prevented the update due to outdated ticket data"
            raise _Error(409, {"error": "UpdateConflict", "description": words})
        self._change(ticket, change, _US, datetime.now(UTC))
        return {"ticket": ticket, "audit": self.audits[ticket["id"]][-1]}

    def _change(self, ticket: Record, change: Record, author: int, now: datetime) -> None:
        ticket |= {name: change[name] for name in ("status", "subject", "priority", "tags") if name in change}
        # Whole seconds are all that it shows: two changes are never in the same one here.
        now = max(now, datetime.fromisoformat(ticket["updated_at"]) + timedelta(seconds=1))
        ticket["updated_at"] = _written(now)
        self._audit(ticket, change, author, now)

    def _audit(self, ticket: Record, given: Record, author: int, now: datetime) -> None:
        kept, comment = self.audits[ticket["id"]], given.get("comment")
        number = ticket["id"] * 1000 + len(kept)
        events: list[Record] = []
        if comment:
            told = {"id": number, "type": "Comment", "author_id": author, "created_at": _written(now)}
            events = [{**told, "body": comment["body"], "public": comment.get("public", True)}]
        made = {"id": number, "ticket_id": ticket["id"], "author_id": author, "created_at": _written(now)}
        kept.append({**made, "metadata": {"system": {}, "custom": given.get("metadata", {})}, "events": events})

    def _read(self, request: Request, _given: Record) -> Record:
        return {"ticket": self._ticket(request)}

    def _comments(self, request: Request, _given: Record) -> Record:
        audits = self.audits[self._ticket(request)["id"]]
        page = self._page("comments", [event for audit in audits for event in audit["events"]], request)
        authors = {each["author_id"] for each in page["comments"]}
        users = [{k: v for k, v in user.items() if k != "email"} for user in self.users.values()]
        with_users = request.query_params.get("include") == "users"
        return page | ({"users": [user for user in users if user["id"] in authors]} if with_users else {})

    def _audits(self, request: Request, _given: Record) -> Record:
        return self._page("audits", self.audits[self._ticket(request)["id"]], request)

    def _changed(self, request: Request, _given: Record) -> Record:
        query = request.query_params
        if self.role != "admin":
            raise _Error(403, {"error": {"title": "Forbidden", "message": "You do not have access."}})
        if "cursor" in query:
            if not query["cursor"].startswith("after-"):
                raise _Error(400, {"error": "InvalidValue", "description": "cursor is invalid"})
            start = query["cursor"].removeprefix("after-")
        else:
            since = int(query.get("start_time", 0))
            if since > datetime.now(UTC).timestamp() - 60:
                raise _Error(400, {"error": "StartTimeTooRecent", "description": "Must be one minute ago or more"})
            start = _written(datetime.fromtimestamp(since, UTC))
        changed = sorted(self.tickets.values(), key=_place)
        # Without a cursor, what changed in the second itself counts too.
        coming = [t for t in changed if (_place(t) > start if "cursor" in query else t["updated_at"] >= start)]
        size = min(int(query.get("per_page", 1000)), self.page_size)
        page = coming[:size]
        after = f"after-{_place(page[-1])}" if page else query.get("cursor")
        url = f"https://hill-tea.zendesk.com/api/v2/incremental/tickets/cursor?cursor={after}" if after else None
        return {
            "tickets": page,
            "after_cursor": after,
            "after_url": url,
            "before_cursor": None,
            "before_url": None,
            "end_of_stream": len(coming) <= size,
        }

    def _webhooks(self, request: Request, _given: Record) -> Record:
        shown = [{k: v for k, v in each.items() if k != "secret"} for each in self.webhooks.values()]
        return self._page("webhooks", shown, request)

    def _subscribe(self, _request: Request, given: Record) -> Record:
        wanted = given.get("webhook", {})
        for name in ("name", "endpoint", "http_method", "request_format", "status"):
            if not wanted.get(name):
                raise _invalid(name, f"{name}: cannot be blank")
        number = f"01PRACTICE{uuid.uuid4().hex[:16].upper()}"
        secret = base64.b64encode(hashlib.sha256(number.encode()).digest()).decode()
        self.webhooks[number] = {"id": number, **wanted, "secret": secret}
        return {"webhook": {"id": number, **wanted}}

    def _unsubscribe(self, request: Request, _given: Record) -> None:
        if self.webhooks.pop(request.path_params["id"], None) is None:
            raise _missing()

    def _signing_secret(self, request: Request, _given: Record) -> Record:
        webhook = self.webhooks.get(request.path_params["id"])
        if webhook is None:
            raise _missing()
        return {"signing_secret": {"algorithm": "SHA256", "secret": webhook["secret"]}}

    def _ticket(self, request: Request) -> Record:
        ticket = self.tickets.get(request.path_params["id"])
        if ticket is None:
            raise _missing()
        return ticket

    def _page(self, name: str, items: list[Record], request: Request) -> Record:
        query = request.query_params
        size = min(int(query.get("page[size]", 100)), self.page_size)
        start = int(query.get("page[after]") or 0)
        more = start + size < len(items)
        meta = {"has_more": more, "after_cursor": str(start + size) if more else None, "before_cursor": None}
        return {name: items[start : start + size], "meta": meta}


SIMULATOR = ZendeskSimulator


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _place(ticket: Record) -> str:
    """Where a ticket stands in the list of what changed."""
    return f"{ticket['updated_at']}/{ticket['id']}"
