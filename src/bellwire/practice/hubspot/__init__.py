"""HubSpot for practice: contacts, deals and tasks of a test account, behind its CRM API; and the webhooks of an app."""

import base64
import hmac
import secrets
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.kit.references import reference_of
from bellwire.practice.hubspot.crm import PROPERTIES, STAGES, Crm, Query, Record, Refusal, iso
from bellwire.practice.quota import Quota
from bellwire.practice.roles import Hoped, Known, Planned
from bellwire.practice.simulator import Simulator, Webhook

_PORTAL = 62515
_APP = 54321
_CLIENT = ("practice-client", "practice-client-secret")
_VERSIONS = ("2025-09", "2026-03", "2026-09", "v3")
_SCOPES = {
    "contacts": "crm.objects.contacts",
    "tasks": "crm.objects.contacts",
    "deals": "crm.objects.deals",
    "owners": "crm.objects.owners",
}


@dataclass
class HubSpot(Simulator):
    """A developer test account in US dollars, and the app that is installed in it. HubSpot isn't known to rotate
    refresh tokens; here they are, which a client has to bear."""

    vendor: ClassVar[str] = "hubspot"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
        "webhook_secret": _CLIENT[1],
    }
    settings: ClassVar[Mapping[str, Any]] = {"portal_id": str(_PORTAL), "currency": "USD"}

    quotas: list[Quota] = field(
        default_factory=lambda: [Quota(100, 10, r"^\w+ /crm/"), Quota(5, 1, r"^POST \S+/search ")]
    )
    crm: Crm = field(default_factory=Crm)
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    refresh: set[str] = field(default_factory=lambda: {"practice-refresh-token"})
    scopes: list[str] = field(
        default_factory=lambda: [
            "oauth",
            *(f"crm.objects.{kind}.{may}" for kind in ("contacts", "deals") for may in ("read", "write")),
            "crm.objects.owners.read",
        ]
    )
    account_type: str = "DEVELOPER_TEST"
    sunset: str = ""
    """What answers say in the header Sunset (RFC 8594), if anything."""

    def routes(self) -> Sequence[BaseRoute]:
        def both(rest: str, handle: Callable[..., Any], method: str) -> list[Route]:
            """Versions are dates, and stand behind the family; those before stood before it."""
            family, _, below = rest.partition("/")
            paths = (f"/crm/{family}/{{version}}", f"/crm/{{version}}/{family}")
            guarded = self._guarded(handle, method)
            return [Route(path + (f"/{below}" if below else ""), guarded, methods=[method]) for path in paths]

        return [
            Route("/oauth/{version}/token", self._token, methods=["POST"]),
            Route("/oauth/{version}/token/introspect", self._introspect, methods=["POST"]),
            Route("/oauth/v2/private-apps/get/access-token-info", self._token_info, methods=["POST"]),
            Route("/account-info/{version}/details", self._guarded(self._details, "GET"), methods=["GET"]),
            *both("owners", self._owners, "GET"),
            *both("pipelines/deals", self._pipelines, "GET"),
            *both("associations/deals/contacts/batch/read", self.crm.contacts_of, "POST"),
            *both("objects/{kind}/search", self.crm.search, "POST"),
            *both("objects/{kind}/batch/read", self.crm.batch, "POST"),
            *both("objects/{kind}", self.crm.create, "POST"),
            *both("objects/{kind}/{id}", self.crm.read, "GET"),
            *both("objects/{kind}/{id}", self.crm.update, "PATCH"),
            *both("objects/{kind}/{id}", self.crm.archive, "DELETE"),
            *both("objects/contacts/{id}/associations/{to}", self.crm.associated, "GET"),
        ]

    def state(self) -> dict[str, Any]:
        linked = {f"contact {contact}, {kind}": ids for (contact, kind), ids in self.crm.links.items()}
        return {**{kind: list(records.values()) for kind, records in self.crm.records.items()}, "linked": linked}

    def made(self) -> Mapping[str, Collection[str]]:
        held = {"find_or_create_contact": "contacts", "create_deal": "deals", "create_task": "tasks"}
        return {f"crm.{operation}": list(self.crm.records[kind]) for operation, kind in held.items()}

    # As people use it

    def enter(self, name: str, email: str) -> str:
        first, _, last = name.rpartition(" ")
        contact: str = self.crm.add("contacts", {"firstname": first, "lastname": last, "email": email})["id"]
        return contact

    def people(self) -> list[Known]:
        found = []
        for record in self.crm.records["contacts"].values():
            told = {name: value or "" for name, value in record["properties"].items()}
            name = f"{told['firstname']} {told['lastname']}".strip()
            found.append(Known(record["id"], name, told["email"], told["phone"]))
        return found

    def hoped(self) -> list[Hoped]:
        return [
            Hoped(deal, reference_of(self.crm.records["deals"][deal]["properties"]["description"]), contact)
            for contact, deal in self._of_contacts("deals")
        ]

    def planned(self) -> list[Planned]:
        found = []
        for contact, task in self._of_contacts("tasks"):
            told = self.crm.records["tasks"][task]["properties"]
            found.append(Planned(task, contact, told["hs_task_subject"], parse_time(told["hs_timestamp"])))
        return found

    def _of_contacts(self, kind: str) -> list[tuple[str, str]]:
        """Contact's and record's id of each record, also of those that belong to nobody."""
        linked = {each: contact for (contact, of), ids in self.crm.links.items() if of == kind for each in ids}
        return [(linked.get(each, ""), each) for each in self.crm.records[kind]]

    # Webhooks

    def webhook(self, to: str, *, portal: int = _PORTAL, attempt: int = 0) -> Webhook:
        """What the app would send to an address (without what is encoded in addresses) now: all that happened since it
        last did, at most 100 events."""
        events, self.crm.untold = self.crm.untold[:100], self.crm.untold[100:]
        sent = {"portalId": portal, "appId": _APP, "attemptNumber": attempt}
        body = orjson.dumps([event | sent for event in events])
        now = str(int(system_clock().timestamp() * 1000))
        message = b"POST" + to.encode() + body + now.encode()
        signature = base64.b64encode(hmac.digest(_CLIENT[1].encode(), message, "sha256")).decode()
        headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": now}
        return Webhook("events", {"Content-Type": "application/json", **headers}, body)

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        body = {"status": "error", "message": "You have reached your ten_secondly_rolling limit."}
        body |= {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING", "correlationId": str(uuid.uuid4())}
        return JSONResponse(body, 429, {"Retry-After": str(-int(-seconds // 1))})

    def failed(self) -> Response:
        return Refusal(500, "INTERNAL_ERROR", "internal error").answer

    def signed_out(self) -> Response:
        return Refusal(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.").answer

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        used = form.get("refresh_token", "")
        if (form.get("client_id"), form.get("client_secret")) != _CLIENT:
            return JSONResponse({"error": "invalid_client", "message": "missing or unknown client id"}, 400)
        if form.get("grant_type") == "authorization_code" and form.get("code") == "practice-code":
            used = "practice-refresh-token"
            self.refresh.add(used)
        if used not in self.refresh:
            return JSONResponse({"error": "invalid_grant", "message": "missing or invalid refresh token"}, 400)
        fresh, access = secrets.token_hex(16), secrets.token_hex(16)
        self.refresh = {fresh}
        self.access.add(access)
        return JSONResponse(
            {
                "token_use": "access_token",
                "token_type": "bearer",
                "access_token": access,
                "refresh_token": fresh,
                "expires_in": 1800,
                "hub_id": _PORTAL,
                "scopes": self.scopes,
            }
        )

    async def _introspect(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != _CLIENT:
            return Refusal(400, "VALIDATION_ERROR", "missing or unknown client id").answer
        active = form.get("token") in self.access
        told = {"hub_id": _PORTAL, "app_id": _APP, "scopes": self.scopes, "token_type": "bearer"} if active else {}
        return JSONResponse({"active": active, **told})

    async def _token_info(self, request: Request) -> Response:
        if (await request.json()).get("tokenKey") not in self.access:
            return Refusal(404, "OBJECT_NOT_FOUND", "unknown token").answer
        return JSONResponse({"userId": 1, "hubId": _PORTAL, "appId": _APP, "scopes": self.scopes})

    def _guarded(self, handle: Callable[..., Any], method: str) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
                return self.signed_out()
            try:
                path = request.path_params
                if path["version"] not in _VERSIONS or path.get("kind", "contacts") not in PROPERTIES:
                    raise Refusal(404, "OBJECT_NOT_FOUND", "Unable to infer object type or version")
                self._allow(path.get("kind", request.url.path.rsplit("/", 1)[-1]), request)
                body = orjson.loads(await request.body()) if method in ("POST", "PATCH") else {}
                # Lists come in one value, or in a value for each.
                query = {name: ",".join(request.query_params.getlist(name)) for name in request.query_params}
                made = handle(path, query, body)
            except Refusal as refusal:
                return refusal.answer
            except ValueError:
                return Refusal(400, "VALIDATION_ERROR", "Invalid input JSON").answer
            if made is None:
                return Response(status_code=204)
            return JSONResponse(made, 201 if handle == self.crm.create else 200, self._left(request))

        return guarded

    def _allow(self, kind: str, request: Request) -> None:
        if kind in _SCOPES:
            reads = request.method == "GET" or request.url.path.endswith(("/search", "/read"))
            needed = f"{_SCOPES[kind]}.{'read' if reads else 'write'}"
            if needed not in self.scopes:
                context = {"requiredGranularScopes": [needed]}
                told = {"message": f"One or more of: {needed}", "context": context}
                message = "This app hasn't been granted all required scopes to make this call."
                raise Refusal(403, "MISSING_SCOPES", message, errors=[told])

    def _left(self, request: Request) -> dict[str, str]:
        """Searches don't say how many more are let in."""
        headers = {"Sunset": self.sunset} if self.sunset else {}
        if self.quotas and not request.url.path.endswith("/search"):
            headers["X-HubSpot-RateLimit-Max"] = "100"
            headers["X-HubSpot-RateLimit-Remaining"] = str(self.quotas[0].left("GET /crm/", time.monotonic()))
        return headers

    # Reading

    def _details(self, *_: Any) -> Record:
        return {
            "portalId": _PORTAL,
            "accountType": self.account_type,
            "timeZone": "US/Eastern",
            "companyCurrency": "USD",
            "additionalCurrencies": ["EUR"],
            "utcOffset": "-05:00",
            "utcOffsetMilliseconds": -18_000_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }

    def _owners(self, path: Query, query: Query, body: Any) -> Record:
        wanted = query.get("email")
        now = iso(datetime(2026, 1, 5, tzinfo=UTC))
        known = {"type": "PERSON", "userId": 9, "createdAt": now, "updatedAt": now, "archived": False}
        owner = {"id": "41", "email": "kim@example.com", "firstName": "Kim", "lastName": "Sales", **known}
        return {"results": [owner] if wanted in (None, owner["email"]) else []}

    def _pipelines(self, *_: Any) -> Record:
        now = iso(datetime(2026, 1, 5, tzinfo=UTC))
        known = {"createdAt": now, "updatedAt": now, "archived": False}
        stages = [
            {"id": name, "label": label, "displayOrder": order, "metadata": {"probability": "0.2"}, **known}
            for order, (name, label) in enumerate(STAGES)
        ]
        pipeline = {"id": "default", "label": "Sales Pipeline", "displayOrder": 0, **known}
        return {"results": [pipeline | {"stages": stages[::-1]}]}


SIMULATOR = HubSpot
