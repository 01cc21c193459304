"""A simulated Stripe: an account in test mode behind its API, with its refusals, its events and who is sent them.

https://docs.stripe.com/api
"""

import base64
import hmac
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice.quota import Quota
from bellwire.practice.roles import GivenBack, Tells
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.stripe import objects
from bellwire.practice.stripe.account import Refusal, StripeAccount
from bellwire.practice.stripe.forms import read_form
from bellwire.practice.stripe.objects import VERSION, Record, readable

_KEY = "rk_test_practice"
_SECRET = "whsec_practice"  # noqa: S105 - of an account in practice
_PAGING = {"limit", "starting_after", "ending_before", "created"}
_LISTS: Mapping[str, set[str]] = {
    "charges": {"payment_intent", "customer"},
    "disputes": {"payment_intent", "charge"},
    "events": {"type", "types"},
    "invoice_payments": {"invoice", "payment", "status"},
    "invoices": {"customer", "status", "subscription"},
    "payment_intents": {"customer"},
    "refunds": {"charge", "payment_intent"},
    "subscriptions": {"customer", "status"},
    "webhook_endpoints": set(),
}
"""Each list, and what it can be asked for."""
_GUARDED_AS = {"invoice_payments": "invoices"}
_NOTICES: Mapping[str, set[str]] = {
    "payment.failed": {"invoice.payment_failed", "payment_intent.payment_failed"},
    "payment.succeeded": {"invoice.paid", "payment_intent.succeeded"},
    "subscription.renewed": {"invoice.paid"},
    "subscription.ended": {"customer.subscription.deleted"},
}
_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")

Answerer = Callable[[Request, Record], Record]


@dataclass
class StripeSimulator(Simulator):
    vendor: ClassVar[str] = "stripe"
    credentials: ClassVar[Mapping[str, str]] = {"access_token": _KEY, "webhook_secret": _SECRET}

    # https://docs.stripe.com/rate-limits: of the sandbox.
    quotas: list[Quota] = field(default_factory=lambda: [Quota(25, 1)])
    account: StripeAccount = field(default_factory=StripeAccount)
    keys: dict[str, set[str] | None] = field(default_factory=lambda: {_KEY: None})
    """Key → the lists that it may not use; None: it may all that it needs, but not read the account."""
    answered_in: str = ""
    """A version other than the one that was asked for, which it answers in."""

    def __post_init__(self) -> None:
        self._answered: dict[str, tuple[str, bytes, int, Record]] = {}
        self._secrets: dict[str, str] = {}

    def routes(self) -> Sequence[BaseRoute]:
        endpoint = "/v1/webhook_endpoints/{id}"
        return [
            Route("/v1/account", self._guarded("account", self._account)),
            Route("/v1/refunds", self._guarded("refunds", self._refund), methods=["POST"]),
            Route("/v1/invoices/{id}/pay", self._guarded("invoices", self._pay), methods=["POST"]),
            Route("/v1/webhook_endpoints", self._guarded("webhook_endpoints", self._register), methods=["POST"]),
            Route(endpoint, self._guarded("webhook_endpoints", self._change), methods=["POST"]),
            Route(endpoint, self._guarded("webhook_endpoints", self._remove), methods=["DELETE"]),
            *(Route(f"/v1/{name}", self._guarded(name, self._list(name)), methods=["GET"]) for name in _LISTS),
            *(Route(f"/v1/{name}/{{id}}", self._guarded(name, self._read(name)), methods=["GET"]) for name in _LISTS),
        ]

    def state(self) -> dict[str, Any]:
        return {name: readable(list(objects.values())) for name, objects in self.account.held.items()}

    def made(self) -> Mapping[str, Collection[str]]:
        return {"payments.refund": list(self.account.held["refunds"])}

    # As `Processor`

    def take(self, amount: Money, reference: str = "") -> str:
        return self.account.take(amount.minor, amount.currency.lower(), metadata={"order_id": reference})

    def refunds(self) -> list[GivenBack]:
        return [
            GivenBack(each["id"], each["payment_intent"], Money.from_minor(each["amount"], each["currency"].upper()))
            for each in self.account.held["refunds"].values()
        ]

    # As `Subscriptions`

    def tells(self) -> Tells:
        return Tells(invoices=True, tries=True, orders=True)

    def go_by(self, clock: Clock) -> None:
        self.account.clock = clock

    def subscribe(self, amount: Money, customer: Customer, order_id: str = "") -> str:
        known, metadata = self.account.meet(customer), {"order_id": order_id} if order_id else {}
        return self.account.subscribe(amount.minor, amount.currency.lower(), customer=known, metadata=metadata)

    def bill(self, amount: Money, customer: Customer) -> str:
        known = self.account.meet(customer)
        return str(self.account.draw_up(amount.minor, amount.currency.lower(), customer=known)["id"])

    def charge(self, owed: str, *, declined: bool = False) -> None:
        self.account.declining = declined
        invoices = self.account.held["invoices"].values()
        if left := [each for each in invoices if each["status"] == "open" and owed in objects.named(each)]:
            self.account.charge_invoice(left[-1], automatic=True)
        else:
            self.account.renew(owed)
        self.account.declining = False

    def end(self, subscription_id: str) -> None:
        self.account.end(subscription_id)

    def refuse(self, amount: Money, customer: Customer) -> str:
        self.account.declining = True
        refused = self.account.take(amount.minor, amount.currency.lower(), email=customer.email or None)
        self.account.declining = False
        return refused

    def notice(self, about: str, event_type: str) -> Webhook:
        topics, events = _NOTICES[event_type], reversed(self.account.held["events"].values())
        return self._sent(
            next(each for each in events if each["type"] in topics and about in objects.named(each["data"]["object"]))
        )

    # Webhooks

    def webhook(self, topic: str, *, secret: str = _SECRET) -> Webhook:
        """The newest event of a topic, as it is sent."""
        events = reversed(self.account.held["events"].values())
        return self._sent(next(event for event in events if event["type"] == topic), secret)

    def _sent(self, event: Record, secret: str = _SECRET) -> Webhook:
        topic, body = event["type"], orjson.dumps(event)
        now = str(int(time.time()))
        signature = hmac.digest(secret.encode(), f"{now}.".encode() + body, "sha256").hex()
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={now},v1={signature}"}
        return Webhook(topic, headers, body)

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        """It doesn't say for how long."""
        return _error(429, {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests."})

    def failed(self) -> Response:
        return _error(500, {"type": "api_error", "message": "An unknown error occurred."})

    def signed_out(self) -> Response:
        return _error(401, {"type": "invalid_request_error", "message": "Invalid API Key provided."})

    def forget(self) -> None:
        """Idempotency keys are dropped, as after a day."""
        self._answered.clear()

    # Around each call

    def _guarded(self, name: str, answer: Answerer) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            key = _key_of(request)
            if key not in self.keys:
                return self.signed_out()
            version = request.headers.get("stripe-version", VERSION)
            body = await request.body()
            try:
                if not re.fullmatch(r"\d{4}-\d\d-\d\d(\.[a-z]+)?", version):
                    raise Refusal(400, f"Invalid Stripe API version: {version}")
                self._allow(key, name)
                status, told = self._once(request, body, answer)
            except Refusal as refusal:
                status, told = refusal.status, {"error": refusal.error}
            return JSONResponse(told, status, {"Stripe-Version": self.answered_in or version, "Request-Id": "req_1"})

        return guarded

    def _allow(self, key: str, name: str) -> None:
        guarded = _GUARDED_AS.get(name, name)
        forbidden = self.keys[key]
        if guarded in ({"account"} if forbidden is None else forbidden):
            said = f"The provided key does not have the required permissions for this endpoint: {guarded}."
            raise Refusal(403, said, code="more_permissions_required_for_application")

    def _once(self, request: Request, body: bytes, answer: Answerer) -> tuple[int, Record]:
        """A key gets its first answer again, unless that was a refusal before anything was begun."""
        key, path = request.headers.get("idempotency-key", ""), request.url.path
        if key in self._answered:
            known_path, known_body, status, told = self._answered[key]
            if (known_path, known_body) != (path, body):
                raise Refusal(400, "Keys can only be used with the same parameters.", type="idempotency_error")
            return status, told
        pairs = parse_qsl(body.decode(), keep_blank_values=True) if body else request.query_params.multi_items()
        try:
            status, told = 200, answer(request, read_form(pairs))
        except Refusal as refusal:
            if not refusal.final:
                raise
            status, told = refusal.status, {"error": refusal.error}
        told = orjson.loads(orjson.dumps(told))
        if key and request.method == "POST":
            self._answered[key] = path, body, status, told
        return status, told

    # Reading

    def _account(self, _request: Request, _given: Record) -> Record:
        return {"id": "acct_practice", "object": "account", "business_profile": {"name": "Practice Tea Ltd"}}

    def _read(self, name: str) -> Answerer:
        def answer(request: Request, given: Record) -> Record:
            _no_more_than(given, {"expand"})
            found = dict(self._find(name, request.path_params["id"]))
            if "latest_charge" in given.get("expand", ()) and found.get("latest_charge"):
                found["latest_charge"] = self.account.held["charges"][found["latest_charge"]]
            return found

        return answer

    def _list(self, name: str) -> Answerer:
        def answer(_request: Request, given: Record) -> Record:
            _no_more_than(given, _LISTS[name] | _PAGING)
            limit = int(given.pop("limit", 10))
            if not 1 <= limit <= 100:
                raise Refusal(400, "limit is between 1 and 100", param="limit")
            after, before = given.pop("starting_after", ""), given.pop("ending_before", "")
            for cursor in filter(None, (after, before)):
                self._find(name, cursor, 400)
            everything = list(reversed(self.account.held[name].values()))
            places = {record["id"]: place for place, record in enumerate(everything)}
            first, last = places.get(after, -1) + 1, places.get(before, len(everything))
            found = [record for record in everything[first:last] if _fits(record, given)]
            url = f"/v1/{name}"
            return {"object": "list", "url": url, "has_more": len(found) > limit, "data": found[:limit]}

        return answer

    def _find(self, name: str, number: str, status: int = 404) -> Record:
        try:
            return self.account.held[name][number]
        except KeyError:
            what = name.removesuffix("s")
            raise Refusal(status, f"No such {what}: '{number}'", code="resource_missing", param="id") from None

    # Changing

    def _refund(self, _request: Request, given: Record) -> Record:
        _no_more_than(given, {"amount", "charge", "payment_intent", "metadata", "reason"})
        if given.get("reason", _REFUND_REASONS[0]) not in _REFUND_REASONS:
            raise Refusal(400, "Invalid reason", param="reason")
        amount = int(given["amount"]) if "amount" in given else None
        if "charge" in given:
            charge = self._find("charges", given["charge"], 400)
        elif "payment_intent" in given:
            intent = self._find("payment_intents", given["payment_intent"], 400)
            if intent["status"] != "succeeded":
                raise Refusal(400, "This PaymentIntent does not have a successful charge to refund.")
            charge = self.account.charge_of(intent["id"])
        else:
            raise Refusal(400, "One of charge and payment_intent is needed.", code="parameter_missing")
        return self.account.give_back(charge, amount, given.get("metadata", {}))

    def _pay(self, request: Request, given: Record) -> Record:
        _no_more_than(given, {"off_session", "payment_method", "expand"})
        invoice = self._find("invoices", request.path_params["id"])
        if invoice["status"] != "open":
            raise Refusal(400, f"Invoice is {invoice['status']}, so it can't be paid.")
        self.account.charge_invoice(invoice, automatic=False)
        if invoice["status"] != "paid":
            said = "Your card has insufficient funds."
            raise Refusal(402, said, final=True, code="card_declined", decline_code="insufficient_funds")
        return invoice

    def _register(self, _request: Request, given: Record) -> Record:
        _no_more_than(given, {"url", "enabled_events", "api_version", "description", "metadata"})
        for name in ("url", "enabled_events"):
            if not given.get(name):
                raise Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
        made = self.account.new_endpoint(given)
        self._secrets[made["id"]] = f"whsec_{made['id']}"
        return made | {"secret": self._secrets[made["id"]]}

    def _change(self, request: Request, given: Record) -> Record:
        _no_more_than(given, {"url", "enabled_events", "description", "disabled"})
        found = self._find("webhook_endpoints", request.path_params["id"])
        if "disabled" in given:
            found["status"] = "disabled" if given.pop("disabled") == "true" else "enabled"
        found |= given
        return found

    def _remove(self, request: Request, _given: Record) -> Record:
        gone = self._find("webhook_endpoints", request.path_params["id"])
        del self.account.held["webhook_endpoints"][gone["id"]]
        return {"id": gone["id"], "object": "webhook_endpoint", "deleted": True}


SIMULATOR = StripeSimulator


def _fits(record: Record, wanted: Record) -> bool:
    for name, value in wanted.items():
        match name:
            case "created":
                if not _within(record["created"], value):
                    return False
            case "type" | "types":
                if record["type"] not in ([value] if isinstance(value, str) else value):
                    return False
            case "payment":
                if record["payment"].get("payment_intent") != value.get("payment_intent"):
                    return False
            case _:
                if record.get(name) != value:
                    return False
    return True


def _within(created: int, wanted: Any) -> bool:
    bounds = wanted if isinstance(wanted, dict) else {"gte": wanted, "lte": wanted}
    checks: dict[str, Callable[[int], bool]] = {
        "gt": lambda bound: created > bound,
        "gte": lambda bound: created >= bound,
        "lt": lambda bound: created < bound,
        "lte": lambda bound: created <= bound,
    }
    return all(checks[name](int(bound)) for name, bound in bounds.items())


def _no_more_than(given: Record, known: set[str]) -> None:
    for name in given.keys() - known:
        raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def _key_of(request: Request) -> str:
    """By Bearer, or as the user of Basic."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return base64.b64decode(value).decode().partition(":")[0] if kind == "Basic" else value


def _error(status: int, error: Record) -> Response:
    return JSONResponse({"error": error}, status)
