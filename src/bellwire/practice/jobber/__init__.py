"""Jobber for practice: an account with clients, jobs and time sheets behind its GraphQL API, and an app's webhooks."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from graphql import GraphQLError, execute_sync, parse, validate
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import system_clock
from bellwire.events import Customer
from bellwire.practice.jobber import points
from bellwire.practice.jobber.office import ACCOUNT, Office, iso
from bellwire.practice.jobber.schema import SCHEMA, Node
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Clocked, WorkOrder
from bellwire.practice.simulator import Simulator, Webhook

_CLIENT = ("practice-client", "practice-client-secret")
_SCOPES = {
    "client": "read_clients",
    "clients": "read_clients",
    "clientCreate": "write_clients",
    "propertyCreate": "write_clients",
    "job": "read_jobs",
    "jobs": "read_jobs",
    "jobCreate": "write_jobs",
    "jobCreateNote": "write_jobs",
    "jobClose": "write_jobs",
    "users": "read_users",
    "visits": "read_jobs",
}

_LISTED = """
query ($id: EncodedId!) { job(id: $id) {
  id jobNumber title instructions jobStatus startAt endAt completedAt updatedAt total
  client { id name companyName emails { address } phones { number } }
  property { address { street1 street2 city province postalCode country } }
} }
"""


@dataclass
class Jobber(Simulator):
    """A test account in US dollars, and the app that is connected to it."""

    vendor: ClassVar[str] = "jobber"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
        "webhook_secret": _CLIENT[1],
    }
    settings: ClassVar[Mapping[str, Any]] = {"account_id": ACCOUNT["id"], "currency": "USD"}

    quotas: list[Quota] = field(default_factory=lambda: [Quota(2500, 300, r"/graphql ")])
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    refresh: set[str] = field(default_factory=lambda: {"practice-refresh-token"})
    """Only the last one is good."""
    scopes: set[str] = field(default_factory=lambda: set(_SCOPES.values()))
    office: Office = field(default_factory=Office)
    bucket: points.Bucket = field(default_factory=points.Bucket)
    versions: tuple[str, ...] = ("2025-04-16", "2026-07-27", "2026-09-25")
    """Oldest first."""
    warning: str = ""
    """What answers say about the version, if anything."""
    connected: bool = True
    starts_clocks: bool = True
    """Whether an app may start somebody's clock. The real one's schema has it, and no scope for it is documented."""

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/api/oauth/token", self._token, methods=["POST"]),
            Route("/api/graphql", self._graphql, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        office = self.office
        held = {"clients": office.clients, "properties": office.properties, "jobs": office.jobs, "notes": office.notes}
        held |= {"visits": office.visits, "times": office.times}
        return {name: list(records.values()) for name, records in held.items()}

    def made(self) -> Mapping[str, Collection[str]]:
        held = {"find_or_create_client": "clients", "open_job": "jobs", "add_job_note": "notes"}
        held |= {"start_timesheet": "times"}
        return {f"field_service.{operation}": list(getattr(self.office, name)) for operation, name in held.items()}

    def recover(self, length: timedelta) -> None:
        super().recover(length)
        self.bucket.gain(length.total_seconds())

    # As people use it

    def work_orders(self) -> list[WorkOrder]:
        return self.office.work_orders()

    def take_on(self, customer: Customer, title: str, *, reference: str = "", start: datetime | None = None) -> str:
        return str(self.office.take_on(customer, title, reference, start)["id"])

    def work(self, job_id: str, start: datetime, minutes: int | None) -> None:
        self.office.work(job_id, start, minutes)

    def clocked(self) -> list[Clocked]:
        return self.office.clocked()

    def complete(self, job_id: str, *, at: datetime | None = None) -> None:
        self.office.complete(job_id, at or system_clock())

    def job_webhook(self, job_id: str) -> Webhook:
        return self.webhook("JOB_UPDATE", job_id)

    def listed_job(self, job_id: str) -> Webhook:
        done = execute_sync(SCHEMA, parse(_LISTED), root_value=self.office.root(), variable_values={"id": job_id})
        return self._signed("JOB_UPDATE", orjson.dumps(done.data))

    def webhook(self, topic: str, item: str, *, account: str = ACCOUNT["id"], spelling: str = "occurredAt") -> Webhook:
        """What the app would send about something now. Older payloads spell the time `occuredAt`."""
        told = {"topic": topic, "appId": "practice-app", "accountId": account, "itemId": item}
        body = orjson.dumps({"data": {"webHookEvent": told | {spelling: iso(system_clock())}}})
        return self._signed(topic, body)

    def _signed(self, topic: str, body: bytes) -> Webhook:
        signature = base64.b64encode(hmac.digest(_CLIENT[1].encode(), body, hashlib.sha256)).decode()
        return Webhook(topic, {"Content-Type": "application/json", "X-Jobber-Hmac-SHA256": signature}, body)

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        return JSONResponse({"message": "Rate limit exceeded"}, 429, {"Retry-After": str(-int(-seconds // 1))})

    def failed(self) -> Response:
        return Response("Service temporarily unavailable", 503)

    def signed_out(self) -> Response:
        return JSONResponse({"message": "Token not recognized"}, 401)

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != _CLIENT:
            return JSONResponse({"error": "invalid_client"}, 401)
        consented = form.get("grant_type") == "authorization_code" and form.get("code") == "practice-code"
        if not consented and form.get("refresh_token") not in self.refresh:
            return JSONResponse({"error": "invalid_grant"}, 401)
        access, fresh = secrets.token_hex(16), secrets.token_hex(16)
        self.access.add(access)
        self.refresh = {fresh}
        return JSONResponse({"access_token": access, "refresh_token": fresh})

    # GraphQL

    async def _graphql(self, request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return self.signed_out()
        version = request.headers.get("x-jobber-graphql-version", "")
        if not version or "json" not in request.headers.get("content-type", ""):
            return JSONResponse({"message": "X-JOBBER-GRAPHQL-VERSION and application/json are required"}, 400)
        try:
            asked = await request.json()
            document, variables = parse(asked["query"]), asked.get("variables") or {}
        except (GraphQLError, KeyError, TypeError, ValueError) as error:
            return JSONResponse({"errors": [{"message": str(error)}]}, 200)
        if not self.connected:
            message = "User has disconnected this app from their account. Please reconnect."
            return self._answer(version, errors=[{"message": message}])
        if wrong := validate(SCHEMA, document):
            return self._answer(version, errors=[error.formatted for error in wrong])
        if forbidden := self._forbidden(document):
            return self._answer(version, errors=[forbidden])
        cost = points.asked(document, variables)
        if cost > points.DEAREST or not self.bucket.pay(cost):
            throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return self._answer(version, cost=self.bucket.status(cost, None), errors=[throttled])
        done = execute_sync(SCHEMA, document, root_value=self.office.root(), variable_values=variables)
        told: Node = {"data": done.data}
        if done.errors:
            told["errors"] = [error.formatted for error in done.errors]
        return self._answer(version, cost=self.bucket.status(cost, cost), **told)

    def _forbidden(self, document: Any) -> Node | None:
        for node in document.definitions:
            for selected in getattr(getattr(node, "selection_set", None), "selections", ()):
                if selected.name.value == "visitStartTimer" and not self.starts_clocks:
                    return {"message": "visitStartTimer isn't for apps", "extensions": {"code": "FORBIDDEN"}}
                needed = _SCOPES.get(selected.name.value, "")
                if node.kind == "operation_definition" and needed and needed not in self.scopes:
                    return {"message": f"The app lacks the scope {needed}", "extensions": {"code": "FORBIDDEN"}}
        return None

    def _answer(self, version: str, *, cost: Node | None = None, **told: Any) -> Response:
        """What is too old is answered by the oldest version that there is."""
        used = version if version in self.versions else self.versions[0]
        versioning = {"version": used} | ({"warning": self.warning} if self.warning else {})
        return JSONResponse(told | {"extensions": {"versioning": versioning} | ({"cost": cost} if cost else {})})


SIMULATOR = Jobber
