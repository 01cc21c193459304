"""A simulated PayPal: an app in the sandbox behind its API, with its refusals, its webhooks and what they are sent.

https://developer.paypal.com/api/rest/
"""

import base64
import secrets
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice.paypal.account import API, PayPalAccount, Record, Refusal, written
from bellwire.practice.paypal.keys import Identity, practice_identity
from bellwire.practice.quota import Quota
from bellwire.practice.roles import GivenBack, Tells
from bellwire.practice.simulator import Simulator, Webhook

_CLIENT = ("practice-client", "practice-client-secret")
_WEBHOOK = "1PRACTICE00000001"
_SERVICES = "https://uri.paypal.com/services"
_CAPTURES, _REFUNDS, _HOOKS = (
    f"{_SERVICES}/payments/payment/authcapture",
    f"{_SERVICES}/payments/refund",
    f"{_SERVICES}/applications/webhooks",
)
_NOTICES: Mapping[str, set[str]] = {
    "payment.failed": {"BILLING.SUBSCRIPTION.PAYMENT.FAILED", "PAYMENT.CAPTURE.DECLINED"},
    "payment.succeeded": {"PAYMENT.SALE.COMPLETED", "PAYMENT.CAPTURE.COMPLETED"},
    "subscription.renewed": {"PAYMENT.SALE.COMPLETED"},
    "subscription.ended": {"BILLING.SUBSCRIPTION.CANCELLED"},
}
_MOST_WEBHOOKS = 10
_KEPT = timedelta(days=30)
"""How long events are listed."""
_FIELDS = {"amount", "invoice_id", "custom_id", "note_to_payer", "payment_instruction"}

Answerer = Callable[[Request, Any], tuple[int, Any]]


@dataclass
class PayPalSimulator(Simulator):
    """`page_size` is the most that a page of events holds."""

    vendor: ClassVar[str] = "paypal"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": _CLIENT[0],
        "client_secret": _CLIENT[1],
        "webhook_secret": f"{practice_identity().signer(_WEBHOOK)} {practice_identity().word}",
    }

    # PayPal publishes no number: this one is assumed.
    quotas: list[Quota] = field(default_factory=lambda: [Quota(20, 1, r"^\w+ /v(?!1/oauth2)")])
    account: PayPalAccount = field(default_factory=PayPalAccount)
    identity: Identity = field(default_factory=practice_identity)
    """Whose key signs what it sends."""
    scopes: set[str] = field(default_factory=lambda: {_CAPTURES, _REFUNDS, _HOOKS})
    webhooks: dict[str, Record] = field(default_factory=dict)
    page_size: int = 100
    announced: dict[str, str] = field(default_factory=dict)
    """Headers of every answer that announce a change."""
    forgetful: bool = False
    """The pages of a list that was begun are gone."""

    def __post_init__(self) -> None:
        self._access: set[str] = set()
        self._answered: dict[str, tuple[str, Record, str]] = {}

    def routes(self) -> Sequence[BaseRoute]:
        v1, v2 = "/v1/notifications", "/v2/payments"
        return [
            Route("/v1/oauth2/token", self._token, methods=["POST"]),
            Route(f"{v1}/certs/{{name}}", self._certificate),
            Route(f"{v2}/captures/{{id}}", self._served(self._capture, _CAPTURES)),
            Route(f"{v2}/captures/{{id}}/refund", self._served(self._refund, _REFUNDS), methods=["POST"]),
            Route(f"{v2}/refunds/{{id}}", self._served(self._read_refund, _REFUNDS)),
            Route("/v2/checkout/orders/{id}", self._served(self._order, _CAPTURES)),
            Route(f"{v1}/webhooks", self._served(self._list_webhooks, _HOOKS)),
            Route(f"{v1}/webhooks", self._served(self._register, _HOOKS), methods=["POST"]),
            Route(f"{v1}/webhooks/{{id}}", self._served(self._change, _HOOKS), methods=["PATCH"]),
            Route(f"{v1}/webhooks/{{id}}", self._served(self._remove, _HOOKS), methods=["DELETE"]),
            Route(f"{v1}/webhooks-events", self._served(self._events, _HOOKS)),
        ]

    def state(self) -> dict[str, Any]:
        account = self.account
        kept = {"captures": account.captures, "refunds": account.refunds, "subscriptions": account.subscriptions}
        listed = {name: list(records.values()) for name, records in kept.items()}
        return listed | {"events": list(account.events.values()), "webhooks": list(self.webhooks.values())}

    def made(self) -> Mapping[str, Collection[str]]:
        return {"payments.refund": list(self.account.refunds)}

    # As `Processor`

    def take(self, amount: Money, reference: str = "") -> str:
        return self.account.take(amount, reference)

    def refunds(self) -> list[GivenBack]:
        return [
            GivenBack(
                each["id"],
                next(link["href"].rpartition("/")[2] for link in each["links"] if link["rel"] == "up"),
                Money.of(each["amount"]["value"], each["amount"]["currency_code"]),
            )
            for each in self.account.refunds.values()
        ]

    # As `Subscriptions`

    def tells(self) -> Tells:
        return Tells(invoices=False, tries=True, orders=True)

    def go_by(self, clock: Clock) -> None:
        self.account.clock = clock

    def subscribe(self, amount: Money, customer: Customer, order_id: str = "") -> str:
        return self.account.subscribe(amount, customer, custom_id=order_id)

    def bill(self, amount: Money, customer: Customer) -> str:
        """None of those that PayPal has are told of here."""
        return ""

    def charge(self, owed: str, *, declined: bool = False) -> None:
        self.account.renew(owed, self.account.prices[owed], declined=declined)

    def end(self, subscription_id: str) -> None:
        self.account.end(subscription_id)

    def refuse(self, amount: Money, customer: Customer) -> str:
        return self.account.take(amount, email=customer.email, status="DECLINED")

    def notice(self, about: str, event_type: str) -> Webhook:
        for event in reversed(self.account.events.values()):
            resource = event["resource"]
            if event["event_type"] in _NOTICES[event_type] and about in (
                resource.get("id"),
                resource.get("billing_agreement_id"),
            ):
                return self.signed(event["event_type"], orjson.dumps(event))
        raise LookupError(f"nothing of the kind happened with {about}")

    # Webhooks

    def webhook(self, topic: str, *, webhook_id: str = _WEBHOOK) -> Webhook:
        """The newest event of a topic, as it is sent."""
        events = reversed(self.account.events.values())
        return self.signed(
            topic, orjson.dumps(next(each for each in events if each["event_type"] == topic)), webhook_id
        )

    def signed(self, topic: str, body: bytes, webhook_id: str = _WEBHOOK) -> Webhook:
        transmission, time = str(uuid4()), written(datetime.now(UTC))
        text = f"{transmission}|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
        signature = self.identity.key.sign(text, PKCS1v15(), SHA256())
        headers = {
            "Content-Type": "application/json",
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": time,
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
            "PAYPAL-CERT-URL": f"{API}/v1/notifications/certs/{self.identity.name}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }
        return Webhook(topic, headers, body)

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        return _told(Refusal(429, "RATE_LIMIT_REACHED", description="Too many requests. Blocked due to rate limiting."))

    def failed(self) -> Response:
        return _told(Refusal(500, "INTERNAL_SERVER_ERROR"))

    def signed_out(self) -> Response:
        return JSONResponse({"error": "invalid_token", "error_description": "Token signature verification failed"}, 401)

    def expire(self) -> None:
        """No access token is good any more."""
        self._access.clear()

    # Signing in

    async def _token(self, request: Request) -> Response:
        basic = "Basic " + base64.b64encode(":".join(_CLIENT).encode()).decode()
        if request.headers.get("authorization") != basic:
            told = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return JSONResponse(told, 401)
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        token = secrets.token_hex(16)
        self._access.add(token)
        granted = {"access_token": token, "token_type": "Bearer", "expires_in": 32_400, "app_id": "APP-PRACTICE"}
        return JSONResponse(granted | {"scope": " ".join(sorted(self.scopes)), "nonce": "practice"})

    async def _certificate(self, request: Request) -> Response:
        if request.path_params["name"] != self.identity.name:
            return _told(Refusal(404, "RESOURCE_NOT_FOUND", description="There is no such certificate."))
        return Response(self.identity.pem, media_type="application/x-x509-ca-cert")

    def _served(self, answer: Answerer, scope: str) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._access:
                return self.signed_out()
            try:
                if scope not in self.scopes:
                    raise Refusal(403, "NOT_AUTHORIZED", "PERMISSION_DENIED")
                status, told = answer(request, await _body(request))
            except Refusal as refusal:
                return _told(refusal)
            headers = {"Paypal-Debug-Id": "practice1", **self.announced}
            return JSONResponse(told, status, headers) if told is not None else Response(None, status, headers)

        return serve

    # Payments

    def _capture(self, request: Request, _body: Any) -> tuple[int, Any]:
        return 200, _find(self.account.captures, request)

    def _read_refund(self, request: Request, _body: Any) -> tuple[int, Any]:
        return 200, _find(self.account.refunds, request)

    def _order(self, request: Request, _body: Any) -> tuple[int, Any]:
        return 200, _find(self.account.orders, request)

    def _refund(self, request: Request, body: Any) -> tuple[int, Any]:
        """A repeated PayPal-Request-Id gets what has become of the first."""
        _find(self.account.captures, request)
        for name in body.keys() - _FIELDS:
            raise Refusal(400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX", f"{name} is unknown.", f"/{name}")
        path, key = request.url.path, request.headers.get("paypal-request-id", "")
        if key in self._answered:
            first_path, first_body, number = self._answered[key]
            if (first_path, first_body) != (path, body):
                raise Refusal(422, "UNPROCESSABLE_ENTITY", "PAYPAL_REQUEST_ID_REUSED", "The id was used for another.")
            return 200, _shown(self.account.refunds[number], request)
        made = self.account.give_back(request.path_params["id"], body)
        if key:
            self._answered[key] = path, body, made["id"]
        return 201, _shown(made, request)

    # Webhooks of the app

    def _list_webhooks(self, _request: Request, _body: Any) -> tuple[int, Any]:
        return 200, {"webhooks": list(self.webhooks.values())}

    def _register(self, _request: Request, body: Any) -> tuple[int, Any]:
        url, types = body.get("url", ""), body.get("event_types")
        if not url.startswith("https://") or not types:
            raise Refusal(400, "VALIDATION_ERROR", "INVALID_REQUEST", "Needs an https address and event types.", "url")
        if any(each["url"] == url for each in self.webhooks.values()):
            raise Refusal(400, "WEBHOOK_URL_ALREADY_EXISTS", "WEBHOOK_URL_ALREADY_EXISTS", "The URL is used already.")
        if len(self.webhooks) >= _MOST_WEBHOOKS:
            said = f"At most {_MOST_WEBHOOKS} webhooks."
            raise Refusal(400, "WEBHOOK_NUMBER_LIMIT_EXCEEDED", "WEBHOOK_NUMBER_LIMIT_EXCEEDED", said)
        number = secrets.token_hex(8).upper() + "W"
        own = {"href": f"{API}/v1/notifications/webhooks/{number}", "rel": "self", "method": "GET"}
        self.webhooks[number] = {"id": number, "url": url, "event_types": _types(types), "links": [own]}
        return 201, self.webhooks[number]

    def _change(self, request: Request, body: Any) -> tuple[int, Any]:
        found = _find(self.webhooks, request)
        for each in body:
            if each.get("op") != "replace" or each.get("path") not in ("/url", "/event_types"):
                raise Refusal(400, "VALIDATION_ERROR", "INVALID_PATCH", "Only url and event_types can be replaced.")
            name = each["path"].removeprefix("/")
            found[name] = _types(each["value"]) if name == "event_types" else each["value"]
        return 200, found

    def _remove(self, request: Request, _body: Any) -> tuple[int, Any]:
        del self.webhooks[_find(self.webhooks, request)["id"]]
        return 204, None

    def _events(self, request: Request, _body: Any) -> tuple[int, Any]:
        """Newest first. The address of the next page says where it begins."""
        query = dict(request.query_params)
        place = query.pop("index_id", "0")
        query.pop("move_to", None)
        if place != "0" and self.forgetful:
            raise Refusal(400, "VALIDATION_ERROR", "INVALID_INDEX", "There is no such page any more.", "index_id")
        start, end = (datetime.fromisoformat(query[name]) for name in ("start_time", "end_time"))
        if start > end or start < datetime.now(UTC) - _KEPT:
            said = "The range must be in the last 30 days."
            raise Refusal(400, "VALIDATION_ERROR", "INVALID_TIME", said, "start_time")
        within = [
            each
            for each in reversed(self.account.events.values())
            if start <= datetime.fromisoformat(each["create_time"]).astimezone(UTC) <= end
        ]
        first, size = int(place), min(self.page_size, int(query.get("page_size", 10)))
        found = within[first : first + size]
        links = []
        if len(within) > first + size:
            more = urlencode(query | {"move_to": "next", "index_id": str(first + size)})
            links = [{"href": f"{API}/v1/notifications/webhooks-events/?{more}", "rel": "next", "method": "GET"}]
        return 200, {"events": found, "count": len(found), "links": links}


SIMULATOR = PayPalSimulator


def _find(table: Mapping[str, Record], request: Request) -> Record:
    try:
        return table[request.path_params["id"]]
    except KeyError:
        raise Refusal(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID") from None


def _shown(refund: Record, request: Request) -> Record:
    if request.headers.get("prefer") == "return=representation":
        return refund
    return {name: refund[name] for name in ("id", "status", "links")}


def _types(given: Sequence[Record]) -> list[Record]:
    return [{"name": each["name"], "status": "ENABLED"} for each in given]


async def _body(request: Request) -> Any:
    text = await request.body()
    try:
        return orjson.loads(text) if text else {}
    except ValueError:
        raise Refusal(
            400, "INVALID_REQUEST", "MALFORMED_REQUEST_JSON", "The request JSON is not well formed."
        ) from None


def _told(refusal: Refusal) -> Response:
    return JSONResponse(refusal.body(), refusal.status, {"Paypal-Debug-Id": "practice1"})
