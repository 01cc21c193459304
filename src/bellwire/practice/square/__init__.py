"""A simulated Square seller: one location with the practice catalogue, its stock, its payments and its webhooks.

https://developer.squareup.com/reference/square
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock
from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice.quota import Quota
from bellwire.practice.roles import GivenBack, Tells
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.square.dues import Dues
from bellwire.practice.square.hooks import Hooks, signed
from bellwire.practice.square.refusals import VERSION, Record, Refusal, missing, told
from bellwire.practice.square.stock import Goods
from bellwire.practice.square.takings import Takings
from bellwire.practice.square.tokens import MERCHANT, OWN, Tokens

_PLACE = "LPRACTICE"
SOMEWHERE = "https://hooks.example.com/hooks/square"
"""Where it sends notices to if nothing is said, for it signs the address."""
_SCOPES = (
    *("DISPUTES_READ", "INVENTORY_READ", "INVENTORY_WRITE", "INVOICES_READ", "ITEMS_READ", "MERCHANT_PROFILE_READ"),
    *("ORDERS_READ", "PAYMENTS_READ", "PAYMENTS_WRITE", "SUBSCRIPTIONS_READ"),
)

Handle = Callable[[Request, Record], Record]


@dataclass
class SquareSimulator(Simulator):
    vendor: ClassVar[str] = "square"
    credentials: ClassVar[Mapping[str, str]] = {"access_token": OWN, "webhook_secret": "practice-signature-key"}
    settings: ClassVar[Mapping[str, Any]] = {"location_id": _PLACE}

    # Square publishes no number: this one is assumed.
    quotas: list[Quota] = field(default_factory=lambda: [Quota(20, 1)])
    goods: Goods = field(default_factory=lambda: Goods(_PLACE))
    takings: Takings = field(default_factory=lambda: Takings(_PLACE))
    dues: Dues = field(default_factory=lambda: Dues(_PLACE))
    hooks: Hooks = field(default_factory=Hooks)
    tokens: Tokens = field(default_factory=lambda: Tokens(scopes=list(_SCOPES)))
    answers_with: str = ""
    """The version that it answers with, whatever was asked for, as when that is retired. Empty: the one asked for."""
    _answered: dict[str, tuple[Record, Record]] = field(default_factory=dict)

    # As `Till`, `Warehouse` and `Processor`

    def stock(self) -> dict[str, int]:
        return self.goods.stock()

    def move(self, sku: str, by: int) -> None:
        self.goods.move(f"VAR-{sku}", by)

    def stock_webhook(self, sku: str) -> Webhook:
        return self.webhook("inventory.count.updated", f"VAR-{sku}", url=SOMEWHERE)

    def take(self, amount: Money, reference: str = "") -> str:
        return self.takings.take(amount, reference=reference)

    def refunds(self) -> list[GivenBack]:
        return [
            GivenBack(
                each["id"],
                each["payment_id"],
                Money.from_minor(each["amount_money"]["amount"], each["amount_money"]["currency"]),
            )
            for each in self.takings.refunds.values()
        ]

    # As `Subscriptions`

    def tells(self) -> Tells:
        return Tells(invoices=False, tries=False, orders=False)

    def go_by(self, clock: Clock) -> None:
        self.dues.clock = self.goods.clock = self.takings.clock = clock

    def subscribe(self, amount: Money, customer: Customer, order_id: str = "") -> str:
        """Square keeps no order of a shop."""
        return self.dues.subscribe(amount, customer)

    def bill(self, amount: Money, customer: Customer) -> str:
        return self.dues.bill(amount, customer)

    def charge(self, owed: str, *, declined: bool = False) -> None:
        newest = self.dues.newest(owed)
        open_one = newest["id"] if newest and newest["status"] == "UNPAID" else self.dues.renew(owed)
        self.dues.charge(open_one, declined=declined)

    def end(self, subscription_id: str) -> None:
        self.dues.end(subscription_id)

    def refuse(self, amount: Money, customer: Customer) -> str:
        return self.takings.take(amount, status="FAILED", email=customer.email)

    def notice(self, about: str, event_type: str) -> Webhook:
        if event_type == "subscription.ended":
            return self.webhook("subscription.updated", about, url=SOMEWHERE)
        invoice = self.dues.newest(about)
        if invoice is None:
            return self.webhook("payment.updated", about, url=SOMEWHERE)
        topic = "scheduled_charge_failed" if event_type == "payment.failed" else "payment_made"
        return self.webhook(f"invoice.{topic}", invoice["id"], url=SOMEWHERE)

    def state(self) -> dict[str, Any]:
        entries = [{k: v for k, v in each.items() if k != "signature_key"} for each in self.hooks.entries.values()]
        return {
            "stock": self.stock(),
            "changes": self.goods.changes,
            "payments": list(self.takings.payments.values()),
            "refunds": list(self.takings.refunds.values()),
            "disputes": list(self.takings.disputes.values()),
            "subscriptions": list(self.dues.subscriptions.values()),
            "invoices": list(self.dues.invoices.values()),
            "webhooks": entries,
        }

    def made(self) -> Mapping[str, Collection[str]]:
        return {"payments.refund": list(self.takings.refunds)}

    def routes(self) -> Sequence[BaseRoute]:
        goods, takings, hooks = self.goods, self.takings, self.hooks
        calls: list[tuple[str, str, Handle]] = [
            ("GET", "locations", lambda _request, _body: self._locations()),
            ("POST", "catalog/search", lambda _request, body: goods.search(body)),
            ("POST", "inventory/counts/batch-retrieve", lambda _request, body: goods.counts(body)),
            ("POST", "inventory/changes/batch-create", lambda _request, body: self._once(body, goods.change)),
            ("GET", "payments", lambda request, _body: takings.list("payments", request.query_params)),
            ("GET", "payments/{id}", lambda request, _body: takings.read(request.path_params["id"])),
            ("GET", "refunds", lambda request, _body: takings.list("refunds", request.query_params)),
            ("GET", "refunds/{id}", lambda request, _body: takings.read_refund(request.path_params["id"])),
            ("POST", "refunds", lambda _request, body: self._refund(body)),
            ("GET", "disputes", lambda request, _body: takings.list_disputes(request.query_params)),
        ]
        own: list[tuple[str, str, Handle]] = [
            ("GET", "", lambda request, _body: hooks.list(dict(request.query_params))),
            ("POST", "", lambda _request, body: hooks.create(body)),
            ("GET", "/{id}", lambda request, _body: hooks.read(request.path_params["id"])),
            ("PUT", "/{id}", lambda request, body: hooks.update(request.path_params["id"], body)),
            ("DELETE", "/{id}", lambda request, _body: hooks.delete(request.path_params["id"])),
        ]
        return [
            Route("/oauth2/token", self._buy, methods=["POST"]),
            Route("/oauth2/token/status", self._served(self._status), methods=["POST"]),
            *(Route(f"/v2/{path}", self._served(handle), methods=[method]) for method, path, handle in calls),
            *(
                Route(f"/v2/webhooks/subscriptions{path}", self._served(handle, own=True), methods=[method])
                for method, path, handle in own
            ),
        ]

    # Webhooks

    def webhook(self, topic: str, number: str, *, url: str, key: str = "") -> Webhook:
        """What it would send now to `url` about a payment, a refund, a dispute, a subscription, an invoice, an item's
        stock or an order; signed with the practice key unless another is given."""
        kind = topic.partition(".")[0]
        told: Record
        match kind:
            case "inventory":
                kind, told = "inventory_counts", {"inventory_counts": [self.goods.count(number)]}
            case "order":
                thin = {"order_id": number, "location_id": _PLACE, "state": "OPEN", "version": 1}
                kind = topic.replace(".", "_")
                told = {kind: thin}
            case "subscription" | "invoice":
                told = {kind: getattr(self.dues, f"{kind}s")[number]}
            case _:
                told = {kind: getattr(self.takings, f"{kind}s")[number]}
        return signed(
            topic, kind, number, told, url=url, key=key or self.credentials["webhook_secret"], merchant=MERCHANT
        )

    # How it fails

    def rate_limited(self, seconds: float) -> Response:
        return Refusal(429, "RATE_LIMITED", "Too many requests.").answer()

    def failed(self) -> Response:
        return Refusal(500, "INTERNAL_SERVER_ERROR", "An internal error has occurred.").answer()

    def signed_out(self) -> Response:
        return Refusal(401, "UNAUTHORIZED", "This request could not be authorized.").answer()

    # Serving

    def _served(self, handle: Handle, *, own: bool = False) -> Callable[[Request], Any]:
        """`own`: for the application itself only."""

        async def serve(request: Request) -> Response:
            token = _token(request)
            if not self.tokens.known(token):
                return self.signed_out()
            # Without a version it is the application's own.
            version = request.headers.get("square-version", VERSION)
            try:
                if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", version):
                    raise Refusal(400, "INVALID_SQUARE_VERSION_FORMAT", f"Not a version: {version}", "Square-Version")
                if own and token != OWN:
                    raise Refusal(403, "FORBIDDEN", "The application's own access token is needed.")
                return told(handle(request, await _body(request)), version=self.answers_with or version)
            except Refusal as refusal:
                return refusal.answer()

        return serve

    def _once(self, body: Record, make: Callable[[Record], Record]) -> Record:
        """The same key gets the first answer again; with other content it is refused."""
        key = body.get("idempotency_key")
        if not key:
            raise missing("idempotency_key")
        if key not in self._answered:
            self._answered[key] = body, make(body)
        first, answer = self._answered[key]
        if first != body:
            raise Refusal(400, "IDEMPOTENCY_KEY_REUSED", "The key was used with another request.", "idempotency_key")
        return dict(answer)

    def _refund(self, body: Record) -> Record:
        if len(body.get("idempotency_key") or "") > 45:
            raise Refusal(400, "VALUE_TOO_LONG", "Field must not be longer than 45 characters.", "idempotency_key")
        return self._once(body, self.takings.refund)

    def _locations(self) -> Record:
        location = {
            "id": _PLACE,
            "name": "Practice shop",
            "business_name": "Practice Tea Ltd",
            "status": "ACTIVE",
            "merchant_id": MERCHANT,
            "country": "US",
            "currency": "USD",
            "language_code": "en-US",
            "timezone": "America/Chicago",
        }
        return {"locations": [location]}

    async def _buy(self, request: Request) -> Response:
        try:
            return told(self.tokens.buy(await _body(request)))
        except Refusal as refusal:
            return refusal.answer()

    def _status(self, request: Request, _body: Record) -> Record:
        return self.tokens.status(_token(request))


SIMULATOR = SquareSimulator


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


async def _body(request: Request) -> Record:
    if request.method in ("GET", "DELETE") or not (sent := await request.body()):
        return {}
    try:
        return dict(orjson.loads(sent))
    except ValueError:
        raise Refusal(400, "EXPECTED_JSON_BODY", "Expected a JSON body.") from None
