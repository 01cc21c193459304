"""DocuSign for practice: a demo account with a template, its envelopes, and Connect.

https://developers.docusign.com/docs/esign-rest-api/reference/
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock, parse_time, system_clock
from bellwire.events import Signer
from bellwire.practice.assertions import read_assertion
from bellwire.practice.quota import Quota
from bellwire.practice.simulator import Simulator, Webhook

Record = dict[str, Any]

_ACCOUNT = "7b3c1a52-0c0f-4d5e-9a27-5f1f2f1c0a11"
_USER = "0e6f3e0b-52b1-4c66-9d0b-8b8d6b0f7a22"
_CLIENT = "practice-integration-key"
_TEMPLATE = "c5d6c5a2-7a63-4f0e-8f1c-1d2e3f405162"
_CONNECT_KEY = "practice-connect-key"
_AUDIENCE = "account-d.docusign.com"
_ROOT = f"/restapi/v2.1/accounts/{_ACCOUNT}"
_KEY = rsa.generate_private_key(65537, 2048)
_ENDS = {"completed": "completedDateTime", "declined": "declinedDateTime", "voided": "voidedDateTime"}
_HOUR, _BURST = 3600, 30
_REFERENCE = "bellwireReference"
"""The field of an envelope in which Bellwire looks for what people know it by."""


class _Error(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"errorCode": code, "message": message}, status)


@dataclass
class DocuSign(Simulator):
    """`base_uri` is where the account says it lives, `consented` whether its user has allowed the app."""

    vendor: ClassVar[str] = "docusign"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT,
        "user_id": _USER,
        "private_key": _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "access_token": "practice-access-token",
        "webhook_secret": _CONNECT_KEY,
    }
    settings: ClassVar[Mapping[str, Any]] = {"account_id": _ACCOUNT}

    quotas: list[Quota] = field(
        default_factory=lambda: [Quota(3000, _HOUR, r"^\w+ /restapi/"), Quota(500, _BURST, r"^\w+ /restapi/")]
    )
    clock: Clock = system_clock
    base_uri: str = "https://demo.docusign.net"
    consented: bool = True
    administers: bool = True
    """Whether the user may set up Connect."""
    page_size: int = 100
    announced: dict[str, str] = field(default_factory=dict)
    """Headers of all its answers, such as `Sunset`."""
    templates: dict[str, str] = field(default_factory=lambda: {_TEMPLATE: "Service contract"})
    """Id → name; all have one role, `Signer`."""
    envelopes: dict[str, Record] = field(default_factory=dict)
    configurations: dict[str, Record] = field(default_factory=dict)
    access: set[str] = field(default_factory=lambda: {"practice-access-token"})
    forgotten: bool = False
    """A week has gone: transactions aren't known any more."""

    def routes(self) -> Sequence[BaseRoute]:
        envelope, connect = f"{_ROOT}/envelopes/{{id}}", f"{_ROOT}/connect"
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/oauth/userinfo", self._served(self._user_info), methods=["GET"]),
            Route(f"{_ROOT}/templates", self._served(self._list_templates), methods=["GET"]),
            Route(f"{_ROOT}/envelopes", self._served(self._list), methods=["GET"]),
            Route(f"{_ROOT}/envelopes", self._served(self._send, 201), methods=["POST"]),
            Route(envelope, self._served(self._read), methods=["GET"]),
            Route(envelope, self._served(self._update), methods=["PUT"]),
            Route(connect, self._served(self._configurations), methods=["GET"]),
            Route(connect, self._served(self._configure, 201), methods=["POST"]),
            Route(f"{connect}/{{id}}", self._served(self._unconfigure), methods=["DELETE"]),
        ]

    def state(self) -> dict[str, Any]:
        return {"envelopes": list(self.envelopes.values()), "connect": list(self.configurations.values())}

    def made(self) -> Mapping[str, Collection[str]]:
        return {"esign.send_contract": list(self.envelopes)}

    # As people use it

    def send_out(self, title: str, reference: str, signers: Sequence[Signer]) -> str:
        """An envelope that somebody sends by hand; gives its id."""
        roles = [{"roleName": "Signer", "name": each.name, "email": each.email} for each in signers]
        fields = {"textCustomFields": [{"name": _REFERENCE, "value": reference, "show": "true"}]}
        return self._add({"emailSubject": title, "status": "sent", "customFields": fields}, roles)

    def sign(self, envelope_id: str) -> datetime:
        """Everybody signs; gives when."""
        now = self._now()
        for signer in self.envelopes[envelope_id]["recipients"]["signers"]:
            signer |= {"status": "completed", "signedDateTime": now}
        self._end(envelope_id, "completed")
        return parse_time(self.envelopes[envelope_id]["statusChangedDateTime"])

    def decline(self, envelope_id: str, reason: str) -> None:
        (signer, *_) = self.envelopes[envelope_id]["recipients"]["signers"]
        signer |= {"status": "declined", "declinedReason": reason, "declinedDateTime": self._now()}
        self._end(envelope_id, "declined")

    def webhook(self, envelope_id: str, *, details: bool = True, retries: int = 0) -> Webhook:
        """What Connect would send about an envelope as it is now, signed with two keys, of which the second is ours."""
        envelope = self.envelopes[envelope_id]
        data: Record = {"accountId": _ACCOUNT, "userId": _USER, "envelopeId": envelope_id}
        if details:
            data["envelopeSummary"] = envelope
        body = {
            "event": f"envelope-{envelope['status']}",
            "uri": f"{_ROOT}/envelopes/{envelope_id}",
            "retryCount": retries,
            "configurationId": 12345,
            "apiVersion": "v2.1",
            "generatedDateTime": envelope["statusChangedDateTime"],
            "data": data,
        }
        text = orjson.dumps(body)
        headers = {"Content-Type": "application/json", "X-Authorization-Digest": "HMACSHA256"}
        for number, key in enumerate(("somebody-elses-key", _CONNECT_KEY), 1):
            digest = hmac.digest(key.encode(), text, hashlib.sha256)
            headers[f"X-DocuSign-Signature-{number}"] = base64.b64encode(digest).decode()
        return Webhook(body["event"], headers, text)

    def expire(self) -> None:
        """No access token is good any more."""
        self.access.clear()

    def _end(self, envelope_id: str, status: str) -> None:
        now = self._now()
        envelope = self.envelopes[envelope_id]
        envelope |= {"status": status, _ENDS[status]: now, "statusChangedDateTime": now, "lastModifiedDateTime": now}

    def _now(self) -> str:
        return f"{self.clock().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        hourly = seconds > _BURST
        code = "HOURLY_APIINVOCATION_LIMIT_EXCEEDED" if hourly else "BURST_APIINVOCATION_LIMIT_EXCEEDED"
        answer = _Error(429, code, "The maximum number of API invocations has been exceeded.").answer
        ends = datetime.now(UTC) + timedelta(seconds=seconds)
        answer.headers["X-RateLimit-Reset"] = str(int(ends.timestamp()) + 1)
        return answer

    def failed(self) -> Response:
        return _Error(500, "UNSPECIFIED_ERROR", "An unspecified error has occurred.").answer

    def signed_out(self) -> Response:
        return _Error(401, "AUTHORIZATION_INVALID_TOKEN", "The access token provided is expired or invalid.").answer

    def _served(self, handle: Callable[[Request, Record], Record], status: int = 200) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
                return self.signed_out()
            body = await request.body()
            try:
                return JSONResponse(handle(request, orjson.loads(body) if body else {}), status, self.announced)
            except _Error as error:
                return error.answer

        return serve

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        keys = {_CLIENT: _KEY.public_key()}
        try:
            claims = read_assertion(form.get("assertion", ""), keys, self.clock, algorithms=("RS256",))
        except ValueError:
            return JSONResponse({"error": "invalid_grant", "error_description": "no_valid_keys_or_signatures"}, 400)
        if claims.get("aud") != _AUDIENCE or claims.get("sub") != _USER:
            return JSONResponse({"error": "invalid_grant", "error_description": "user_not_found"}, 400)
        if not self.consented or "impersonation" not in claims.get("scope", ""):
            return JSONResponse({"error": "consent_required"}, 400)
        token = secrets.token_hex(16)
        self.access.add(token)
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _user_info(self, _request: Request, _given: Record) -> Record:
        account = {
            "account_id": _ACCOUNT,
            "is_default": True,
            "account_name": "Practice Tea Ltd",
            "base_uri": self.base_uri,
        }
        return {"sub": _USER, "name": "Robin Hill", "email": "owner@tea.example", "accounts": [account]}

    # Envelopes

    def _send(self, _request: Request, given: Record) -> Record:
        template = given.get("templateId", "")
        if template not in self.templates:
            raise _Error(400, "TEMPLATE_ID_INVALID", f"Invalid template ID: {template}")
        roles = given.get("templateRoles") or []
        if [role.get("roleName") for role in roles] != ["Signer"] or not all(role.get("name") for role in roles):
            message = "The Envelope is not Complete. A Complete Envelope Requires Documents, Recipients, Tabs, and a"
            raise _Error(400, "ENVELOPE_IS_INCOMPLETE", f"{message} Subject Line.")
        if any("@" not in role.get("email", "") for role in roles):
            message = "The email address for the recipient is invalid."
            raise _Error(400, "INVALID_EMAIL_ADDRESS_FOR_RECIPIENT", message)
        if len(given.get("emailSubject", "")) > 100:
            raise _Error(400, "INVALID_REQUEST_PARAMETER", "The email subject is longer than 100 characters.")
        subject = given.get("emailSubject") or f"Please sign: {self.templates[template]}"
        known = self._add(given | {"emailSubject": subject}, roles)
        told = self.envelopes[known]
        address, now, status = f"/envelopes/{known}", told["statusChangedDateTime"], told["status"]
        return {"envelopeId": known, "uri": address, "statusDateTime": now, "status": status}

    def _add(self, given: Record, roles: Sequence[Record]) -> str:
        known, now = str(UUID(int=len(self.envelopes) + 1)), self._now()
        self.envelopes[known] = {
            "envelopeId": known,
            "status": given.get("status", "created"),
            "emailSubject": given["emailSubject"],
            "emailBlurb": given.get("emailBlurb", ""),
            "transactionId": given.get("transactionId", ""),
            "createdDateTime": now,
            "sentDateTime": now,
            "statusChangedDateTime": now,
            "lastModifiedDateTime": now,
            "customFields": {"listCustomFields": [], **given.get("customFields", {})},
            "recipients": {"signers": [_signer(number, role) for number, role in enumerate(roles, 1)]},
        }
        return known

    def _envelope(self, request: Request) -> Record:
        known = request.path_params["id"]
        try:
            UUID(known)
        except ValueError:
            raise _Error(400, "INVALID_ENVELOPE_ID", "The envelope ID is invalid.") from None
        if known not in self.envelopes:
            message = "The envelope specified either does not exist or you have no rights to it."
            raise _Error(404, "ENVELOPE_DOES_NOT_EXIST", message)
        return self.envelopes[known]

    def _read(self, request: Request, _given: Record) -> Record:
        return _included(self._envelope(request), request)

    def _update(self, request: Request, given: Record) -> Record:
        envelope = self._envelope(request)
        if given.get("status") != "voided" or not given.get("voidedReason"):
            raise _Error(400, "INVALID_REQUEST_PARAMETER", "A voided envelope needs a reason.")
        if envelope["status"] not in ("sent", "delivered"):
            message = "Only envelopes in the 'Sent' or 'Delivered' states may be voided."
            raise _Error(400, "ENVELOPE_CANNOT_VOID_INVALID_STATE", message)
        envelope["voidedReason"] = given["voidedReason"]
        self._end(envelope["envelopeId"], "voided")
        return {"envelopeId": envelope["envelopeId"]}

    def _list(self, request: Request, _given: Record) -> Record:
        query = request.query_params
        if wanted := query.get("transaction_ids"):
            found = [
                e for e in self.envelopes.values() if e["transactionId"] in wanted.split(",") and not self.forgotten
            ]
            names = ("transactionId", "status", "envelopeId")
            told = [{name: envelope[name] for name in names} for envelope in found]
            return {"resultSetSize": str(len(told)), "envelopeTransactionStatuses": told}
        if "from_date" not in query:
            raise _Error(400, "INVALID_REQUEST_PARAMETER", "The request is missing a from_date.")
        since = parse_time(query["from_date"])
        found = [e for e in self.envelopes.values() if parse_time(e["statusChangedDateTime"]) >= since]
        if statuses := query.get("status"):
            found = [envelope for envelope in found if envelope["status"] in statuses.split(",")]
        if "custom_field" in query:
            name, _, value = query["custom_field"].partition("=")
            found = [envelope for envelope in found if _field(envelope, name) == value]
        found.sort(key=lambda envelope: str(envelope["lastModifiedDateTime"]), reverse=query.get("order") != "asc")
        return self._page(request, "envelopes", [_included(envelope, request) for envelope in found])

    def _list_templates(self, request: Request, _given: Record) -> Record:
        text = request.query_params.get("search_text", "").lower()
        found = [{"templateId": k, "name": name} for k, name in self.templates.items() if text in name.lower()]
        return self._page(request, "envelopeTemplates", found)

    def _page(self, request: Request, name: str, found: Sequence[Record]) -> Record:
        query = request.query_params
        start, count = int(query.get("start_position", "0")), min(int(query.get("count", "100")), self.page_size)
        page = found[start : start + count]
        told: Record = {
            "resultSetSize": str(len(page)),
            "totalSetSize": str(len(found)),
            "startPosition": str(start),
            "endPosition": str(max(start + len(page) - 1, 0)),
            name: page,
        }
        if start + count < len(found):
            told["nextUri"] = f"/{name}?start_position={start + count}&count={count}"
        return told

    # Connect

    def _configurations(self, _request: Request, _given: Record) -> Record:
        return {"configurations": list(self.configurations.values()), "totalRecords": str(len(self.configurations))}

    def _only_for_administrators(self) -> None:
        if not self.administers:
            raise _Error(400, "USER_LACKS_PERMISSIONS", "This user lacks sufficient permissions.")

    def _configure(self, _request: Request, given: Record) -> Record:
        self._only_for_administrators()
        if not given.get("urlToPublishTo", "").startswith("https://"):
            raise _Error(400, "CONNECT_URL_INVALID", "The URL to publish to must begin with https://.")
        known = str(10_000 + len(self.configurations) + 1)
        self.configurations[known] = {**given, "connectId": known}
        return self.configurations[known]

    def _unconfigure(self, request: Request, _given: Record) -> Record:
        self._only_for_administrators()
        known = request.path_params["id"]
        if self.configurations.pop(known, None) is None:
            raise _Error(400, "CONNECT_ID_INVALID", f"The connect ID {known} is invalid.")
        return {}


SIMULATOR = DocuSign


def _signer(number: int, role: Record) -> Record:
    return {
        "recipientId": str(number),
        "roleName": role["roleName"],
        "name": role["name"],
        "email": role["email"],
        "tabs": role.get("tabs", {}),
        "routingOrder": "1",
        "status": "sent",
    }


def _included(envelope: Record, request: Request) -> Record:
    """Without the details that weren't asked for."""
    asked = request.query_params.get("include", "").split(",")
    left_out = {"customFields": "custom_fields", "recipients": "recipients"}
    return {name: value for name, value in envelope.items() if name not in left_out or left_out[name] in asked}


def _field(envelope: Record, name: str) -> str | None:
    fields = envelope["customFields"].get("textCustomFields", [])
    return next((each["value"] for each in fields if each["name"] == name), None)
