"""Asana for practice: a workspace with projects and tasks behind its API, and webhooks that shake hands."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import aiohttp
import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import system_clock
from bellwire.connectors.kit.references import reference_of
from bellwire.practice.asana.work import TEAM, USERS, WORKSPACE, Record, Refusal, Work, compact, iso
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Begun, Checklist
from bellwire.practice.simulator import Simulator, Webhook

_CLIENT = ("practice-client", "practice-client-secret")
_API = "/api/1.0"
_FIRST_PROJECT = "1200000001"
_GONE_AFTER = timedelta(hours=24)


@dataclass
class Hook:
    """A webhook that was made; `pending` is what it still has to deliver."""

    record: Record
    secret: str
    pending: list[Record] = field(default_factory=list)


@dataclass
class Asana(Simulator):
    """A free workspace with one project, in which Kim signed in."""

    vendor: ClassVar[str] = "asana"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
        "webhook_secret": "practice-hook-secret",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "workspace": WORKSPACE["gid"],
        "projects": [_FIRST_PROJECT],
        "team": TEAM["gid"],
    }

    quotas: list[Quota] = field(default_factory=lambda: [Quota(150, 60, rf"^\w+ {_API}/")])
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    refresh: set[str] = field(default_factory=lambda: {"practice-refresh-token"})
    hooks: dict[str, Hook] = field(default_factory=dict)
    change: str = ""
    """What answers say in the header Asana-Change, if anything."""

    def __post_init__(self) -> None:
        self.work = Work(self._told)
        self._gids = count(9_001)

    def routes(self) -> Sequence[BaseRoute]:
        work = self.work

        def route(method: str, path: str, handle: Callable[..., Any]) -> Route:
            return Route(_API + path, self._guarded(handle, path), methods=[method])

        return [
            Route("/-/oauth_token", self._token, methods=["POST"]),
            route("GET", "/users/me", self._me),
            route("GET", "/projects", work.list_projects),
            route("POST", "/projects", work.create_project),
            route("GET", "/projects/{gid}", work.read_project),
            route("PUT", "/projects/{gid}", work.update_project),
            route("GET", "/project_templates", work.list_templates),
            route("POST", "/project_templates/{gid}/instantiateProject", work.instantiate),
            route("GET", "/jobs/{gid}", work.job),
            route("GET", "/tasks", work.list_tasks),
            route("POST", "/tasks", work.create_task),
            route("GET", "/tasks/{gid}", work.read_task),
            route("PUT", "/tasks/{gid}", work.update_task),
            route("GET", "/tasks/{gid}/subtasks", work.list_subtasks),
            route("POST", "/tasks/{gid}/subtasks", work.create_task),
            route("POST", "/tasks/{gid}/setParent", work.set_parent),
            route("GET", "/webhooks", self._list_hooks),
            Route(f"{_API}/webhooks", self._make_hook, methods=["POST"]),
            route("DELETE", "/webhooks/{gid}", self._remove_hook),
        ]

    def state(self) -> dict[str, Any]:
        return {
            "projects": list(self.work.projects.values()),
            "tasks": list(self.work.tasks.values()),
            "webhooks": [hook.record for hook in self.hooks.values()],
        }

    def made(self) -> Mapping[str, Collection[str]]:
        whole = [gid for gid, task in self.work.tasks.items() if not task["parent"]]
        return {"projects.create_project": list(self.work.projects), "projects.create_task": whole}

    def begun(self) -> list[Begun]:
        return [
            Begun(gid, reference_of(project["notes"]), project["name"], _day(project["due_on"]))
            for gid, project in self.work.projects.items()
        ]

    def checklists(self) -> list[Checklist]:
        return [
            Checklist(reference_of(task["notes"]), self._project_of(task), _day(task["due_on"]), self._steps_of(gid))
            for gid, task in self.work.tasks.items()
            if not task["parent"]
        ]

    def _project_of(self, task: Record) -> str:
        of = [self.work.projects[each["project"]["gid"]] for each in task["memberships"]]
        return reference_of(of[0]["notes"]) if of else ""

    def _steps_of(self, gid: str) -> tuple[str, ...]:
        return tuple(task["name"] for task in self.work.tasks.values() if (task["parent"] or {}).get("gid") == gid)

    # Webhooks

    def deliveries(self) -> list[Webhook]:
        """What all webhooks that are active would send now."""
        sent = []
        for hook in self.hooks.values():
            if hook.pending and hook.record["active"]:
                sent.append(_signed(hook.secret, hook.pending))
                hook.pending = []
        return sent

    def heartbeat(self, gid: str) -> Webhook:
        return _signed(self.hooks[gid].secret, [])

    def fail(self, gid: str) -> None:
        """Its deliveries aren't taken: it will be deleted."""
        ends = iso(system_clock() + _GONE_AFTER)
        self.hooks[gid].record |= {"failure_deletion_timestamp": ends, "last_failure_content": "503 Busy\n\nLater"}

    def _told(self, projects: Sequence[str], event: Record) -> None:
        for hook in self.hooks.values():
            wanted = [each for each in hook.record["filters"] if each["action"] == event["action"]]
            if hook.record["resource"]["gid"] in projects and wanted:
                hook.pending.append(event)

    async def _make_hook(self, request: Request) -> Response:
        if refusal := self._signed_out(request):
            return refusal
        try:
            given = (await request.json())["data"]
            project, target = given["resource"], given["target"]
        except (KeyError, TypeError, ValueError):
            return Refusal(400, "Request data is not a valid webhook").answer
        if project not in self.work.projects:
            return Refusal(404, f"Unknown object: {project}").answer
        if any((h.record["resource"]["gid"], h.record["target"]) == (project, target) for h in self.hooks.values()):
            return Refusal(403, "A webhook with this resource and target exists already").answer
        secret = secrets.token_hex(32)
        if not await _shaken(target, secret):
            return Refusal(400, "The remote server did not respond with the handshake secret.").answer
        record = {
            "gid": str(next(self._gids)),
            "resource_type": "webhook",
            "active": True,
            "resource": compact(self.work.projects[project]),
            "target": target,
            "created_at": iso(system_clock()),
            "filters": given.get("filters") or [],
        }
        self.hooks[record["gid"]] = Hook(record, secret)
        return JSONResponse({"data": record, "X-Hook-Secret": secret}, 201)

    def _list_hooks(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> list[Record]:
        if query.get("workspace") != WORKSPACE["gid"]:
            raise Refusal(400, "workspace: Missing input")
        return [hook.record for hook in self.hooks.values()]

    def _remove_hook(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        if self.hooks.pop(path["gid"], None) is None:
            raise Refusal(404, f"Unknown object: {path['gid']}")
        return {}

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        said = Refusal(429, "You have made too many requests recently. Please, be chill.").answer
        said.headers["Retry-After"] = str(-int(-seconds // 1))
        return said

    def failed(self) -> Response:
        return JSONResponse({"errors": [{"message": "Server Error", "phrase": "6 sad squid snuggle softly"}]}, 500)

    def signed_out(self) -> Response:
        return Refusal(401, "Not Authorized").answer

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != _CLIENT:
            return JSONResponse({"error": "invalid_client"}, 400)
        consented = form.get("grant_type") == "authorization_code" and form.get("code") == "practice-code"
        if not consented and form.get("refresh_token") not in self.refresh:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = secrets.token_hex(16)
        self.access.add(access)
        granted = {"access_token": access, "expires_in": 3600, "token_type": "bearer", "data": USERS["kim@example.com"]}
        # A refresh token stays as it is.
        return JSONResponse(granted | ({"refresh_token": min(self.refresh)} if consented else {}))

    def _signed_out(self, request: Request) -> Response | None:
        known = request.headers.get("authorization", "").removeprefix("Bearer ") in self.access
        return None if known else self.signed_out()

    def _guarded(self, handle: Callable[..., Any], path: str) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if refusal := self._signed_out(request):
                return refusal
            try:
                query = {name: ",".join(request.query_params.getlist(name)) for name in request.query_params}
                body = orjson.loads(await request.body()) if request.method in ("POST", "PUT") else {"data": {}}
                made = handle(request.path_params, query, body["data"])
                fields = query.get("opt_fields", "")
                if isinstance(made, list):
                    page = self.work.paged(made, query, path)
                    answer = page | {"data": [_shown(each, fields or "name") for each in page["data"]]}
                else:
                    answer = {"data": _shown(made, fields)}
            except Refusal as refused:
                return refused.answer
            except (AttributeError, KeyError, TypeError, ValueError):
                return Refusal(400, "Could not parse request data, invalid JSON").answer
            created = request.method == "POST" and not path.endswith("setParent")
            return JSONResponse(answer, 201 if created else 200, {"Asana-Change": self.change} if self.change else None)

        return guarded

    def _me(self, path: Mapping[str, str], query: Mapping[str, str], given: Record) -> Record:
        return {**USERS["kim@example.com"], "email": "kim@example.com", "workspaces": [WORKSPACE]}


SIMULATOR = Asana


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _signed(secret: str, events: list[Record]) -> Webhook:
    body = orjson.dumps({"events": events})
    signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return Webhook("events", {"Content-Type": "application/json", "X-Hook-Signature": signature}, body)


async def _shaken(target: str, secret: str) -> bool:
    """Whether the address gives the secret back."""
    headers, timeout = {"X-Hook-Secret": secret}, aiohttp.ClientTimeout(total=10)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(target, headers=headers, json={}) as answer,
        ):
            return answer.status in (200, 204) and answer.headers.get("X-Hook-Secret") == secret
    except (aiohttp.ClientError, TimeoutError):
        return False


def _shown(record: Record, fields: str) -> Record:
    """The fields that were asked for, by the first step of their paths; all, where none were."""
    if not fields:
        return record
    wanted = {"gid", "resource_type"} | {each.partition(".")[0] for each in fields.split(",")}
    return {name: value for name, value in record.items() if name in wanted}
