"""A simulated Lightspeed Retail (X-Series) store: one outlet with one register, the practice catalogue, its stock.

https://x-series-api.lightspeedhq.com/
"""

import hmac
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import format_datetime
from math import ceil
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode
from uuid import NAMESPACE_URL, uuid5

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.clock import Clock, system_clock
from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.quota import Quota
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.tokens import Tokens

Body = dict[str, Any]

_OUTLET, _USER = "b8ca3a65-0183-11e4-fbb5-2816d2677218", "b1ed6158-f019-11e3-a0f5-b8ca3a64f8f4"
_PREFIX, _SECRET = "practice", "practice-client-secret"
_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
_LOSSES, _GAINS = ("DAMAGE", "EXPIRY", "INTERNAL_USE", "THEFT", "DONATION"), ("STOCK_FOUND", "SAMPLE_FOR_SALE")
_OWN_REASON = "custom_inventory_adjustment_reason_id"
_WEBHOOKS = (
    *("sale.update", "product.update", "customer.update", "inventory.update"),
    *("register_closure.create", "consignment.send", "consignment.receive"),
)
_TITLES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 422: "Unprocessable Entity"}


class _Error(Exception):
    """The store's `{"error", "message"}`, or (422) an object of field → messages."""

    def __init__(self, status: int, message: str, where: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.where = status, message, where

    def answer(self) -> Response:
        if self.where:
            return JSONResponse({self.where: [self.message]}, self.status)
        return JSONResponse({"error": _TITLES[self.status], "message": self.message}, self.status)


def product_id(sku: str) -> str:
    """What the practice store calls a good."""
    return str(uuid5(NAMESPACE_URL, sku))


@dataclass
class LightspeedSimulator(Simulator):
    """`page_size` is the most that a page of a list holds; `scopes` what the application may do."""

    vendor: ClassVar[str] = "lightspeed"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": "practice-client",
        "client_secret": _SECRET,
        "refresh_token": "practice-refresh-token",
        "access_token": "practice-access-token",
    }
    settings: ClassVar[Mapping[str, Any]] = {"domain_prefix": _PREFIX, "outlet_id": _OUTLET}

    # 300 for each register, and 50: https://x-series-api.lightspeedhq.com/docs/rate_limiting
    quotas: list[Quota] = field(default_factory=lambda: [Quota(350, 300, of="^[A-Z]+ /api/(?!1)")])
    page_size: int = 5000
    scopes: set[str] = field(
        default_factory=lambda: {
            *("retailer:read", "payment_types:read", "outlets:read", "products:read"),
            *("inventory:read", "inventory:write", "webhooks"),
        }
    )
    products: dict[str, Good] = field(default_factory=lambda: {product_id(good.sku): good for good in CATALOGUE})
    """Product id → what it is."""
    codes: dict[str, str] = field(default_factory=dict)
    """Further codes: code → product id."""
    shelf: dict[str, int] = field(
        default_factory=lambda: {product_id(good.sku): good.stock for good in CATALOGUE if good.ships}
    )
    """Product id → how many are at the outlet."""
    levels: dict[str, int] = field(default_factory=dict)
    """Product id → the version of its stock, once it has changed."""
    adjustments: list[Body] = field(default_factory=list)
    """Every stock adjustment, oldest first."""
    reasons: list[Body] = field(default_factory=list)
    """The store's own reasons for them."""
    webhooks: dict[str, Body] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=lambda: Tokens(lasts=86_400))
    clock: Clock = system_clock
    _version: int = 1_639_940

    def stock(self) -> dict[str, int]:
        return {self.products[product].sku: number for product, number in self.shelf.items()}

    def go_by(self, clock: Clock) -> None:
        self.clock = clock

    def move(self, sku: str, by: int) -> None:
        """Something is sold, or comes in."""
        product = product_id(sku)
        self.shelf[product] += by
        self.levels[product] = self._next()

    def state(self) -> dict[str, Any]:
        held = {"adjustments": self.adjustments, "reasons": self.reasons, "webhooks": list(self.webhooks.values())}
        return {"stock": self.stock()} | held

    def routes(self) -> Sequence[BaseRoute]:
        api, write, hooks = "/api/{version}/", "inventory:write", "webhooks"
        return [
            Route("/connect", self.tokens.authorise),
            Route("/api/1.0/token", self._token, methods=["POST"]),
            Route(f"{api}retailer", self._served(self._retailer, "retailer:read payment_types:read")),
            Route(f"{api}outlets", self._served(self._outlets, "outlets:read")),
            Route(f"{api}products", self._served(self._products, "products:read")),
            Route(f"{api}inventory", self._served(self._inventory, "inventory:read"), methods=["POST"]),
            Route(f"{api}inventory_levels", self._served(self._levels, "inventory:read"), methods=["POST"]),
            Route(f"{api}stock_adjustments", self._served(self._list_adjustments, write)),
            Route(f"{api}stock_adjustments", self._served(self._adjust, write, 201), methods=["POST"]),
            Route(f"{api}custom_inventory_adjustment_reasons", self._served(self._list_reasons, write)),
            Route(f"{api}custom_inventory_adjustment_reasons", self._served(self._add, write), methods=["POST"]),
            Route(f"{api}webhooks", self._served(lambda *_: {"data": list(self.webhooks.values())}, hooks)),
            Route(f"{api}webhooks", self._served(self._register, hooks, 201), methods=["POST"]),
            Route(f"{api}webhooks/{{id}}", self._served(self._webhook, hooks), methods=["GET", "PUT", "DELETE"]),
        ]

    def rate_limited(self, seconds: float) -> Response:
        """Retry-After is a date here."""
        until = datetime.now(UTC) + timedelta(seconds=ceil(seconds))
        headers = {"Retry-After": format_datetime(until.replace(microsecond=0) + timedelta(seconds=1), usegmt=True)}
        told = {"error": "Too Many Requests", "message": "The rate limit of this application is used up."}
        return JSONResponse(told, 429, headers)

    def failed(self) -> Response:
        return JSONResponse({"error": "Internal Server Error", "message": "Something went wrong."}, 500)

    def signed_out(self) -> Response:
        return JSONResponse({"error": "Unauthorized", "message": "The access token isn't valid."}, 401)

    def webhook(self, topic: str, payload: Mapping[str, Any]) -> Webhook:
        """A delivery of that type, with the next version, signed with the application's secret."""
        told = {**payload, "version": self._next()}
        body = urlencode({"payload": orjson.dumps(told).decode(), "domain_prefix": _PREFIX}).encode()
        signature = hmac.digest(_SECRET.encode(), body, "sha256").hex()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Signature": f"signature={signature},algorithm=HMAC-SHA256",
        }
        return Webhook(topic, headers, body)

    def stock_webhook(self, sku: str) -> Webhook:
        """What the store sends after the stock of this good changed, in the shape of API 1.0."""
        product = product_id(sku)
        named = {"id": product, "sku": sku, "handle": sku.lower(), "name": self.products[product].name}
        level = {"id": str(uuid5(NAMESPACE_URL, product)), "product_id": product, "outlet_id": _OUTLET}
        count = {"count": f"{self.shelf[product]}.00000", "reorder_point": None, "product": named}
        sent = self.webhook("inventory.update", level | count)
        self.levels[product] = self._version
        return sent

    # Signing in

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        client = form.get("client_id"), form.get("client_secret")
        if client != ("practice-client", _SECRET) or "grant_type" not in form:
            return JSONResponse({"error": "invalid_client"}, 400)
        if (granted := self.tokens.grant(form)) is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        more = {"expires": int(datetime.now(UTC).timestamp()) + 86_400, "scope": " ".join(sorted(self.scopes))}
        return JSONResponse(granted | more | {"domain_prefix": _PREFIX})

    def _served(self, answer: Callable[[Request, Body], Any], scopes: str, status: int = 200) -> Callable[..., Any]:
        async def serve(request: Request) -> Response:
            if not self.tokens.good(request):
                return self.signed_out()
            try:
                if request.headers.get("user-agent", "").partition("/")[0] in ("", "Python"):
                    raise _Error(403, "Name your integration in the header User-Agent.")
                if request.path_params["version"] not in _VERSIONS:
                    raise _Error(404, "There is no such version of the API.")
                if not self.scopes.issuperset(scopes.split()):
                    raise _Error(403, f"It needs {scopes}.")
                return JSONResponse(answer(request, await _body(request)), status, self._limits())
            except _Error as error:
                return error.answer()

        return serve

    def _limits(self) -> Mapping[str, str]:
        """What it tells of its limit with every answer."""
        return {
            name: str(number)
            for quota in self.quotas
            for name, number in (
                ("X-RateLimit-Limit", quota.count),
                ("X-RateLimit-Remaining", quota.left("GET /api/", time.monotonic())),
            )
        }

    # What it shows

    def _retailer(self, _request: Request, _body: Body) -> Body:
        currency = {"code": "USD", "symbol": "$"}
        return {"data": {"id": _USER, "name": "Practice Tea Ltd", "domain_prefix": _PREFIX, "currency": currency}}

    def _outlets(self, request: Request, _body: Body) -> Body:
        outlet = {"id": _OUTLET, "name": "Practice shop", "currency": "USD", "time_zone": "America/Chicago"}
        return self._page(request, [outlet | {"deleted_at": None, "version": 413}])

    def _products(self, request: Request, _body: Body) -> Body:
        """With `sku`, which is any of a product's codes, whatever their case, nothing else is heeded."""
        all_of_them = [
            _product(number, good, version) | {"product_codes": self._codes_of(number)}
            for version, (number, good) in enumerate(self.products.items(), 1)
        ]
        if (sku := request.query_params.get("sku")) is None:
            return self._page(request, all_of_them)
        found = [
            product
            for product in all_of_them
            if sku.casefold()
            in {product["sku"].casefold(), *(code["code"].casefold() for code in product["product_codes"])}
        ]
        return {"data": found, "version": _span(found)}

    def _levels(self, _request: Request, body: Body) -> list[Body]:
        """https://x-series-api.lightspeedhq.com/reference/listinventorylevels"""
        products, places = body.get("product_ids"), body.get("location_ids")
        if len(products or ()) > 1000:
            raise _Error(422, "At most 1000 ids.", "product_ids")
        here = places is None or _OUTLET in places
        found = [
            {
                "product_id": product,
                "root_product_id": product,
                "location_id": _OUTLET,
                "name": self.products[product].name,
                "current_inventory_level": float(number),
                "quantity_to_procure": 0.0,
            }
            for product, number in self.shelf.items()
            if here and (products is None or product in products)
        ]
        start = body.get("offset", 0)
        return found[start : start + min(body.get("size", 100), self.page_size)]

    def _inventory(self, _request: Request, body: Body) -> list[Body]:
        """Every level by its version: https://x-series-api.lightspeedhq.com/reference/listinventory"""
        levels: list[Body] = [
            {
                "id": str(uuid5(NAMESPACE_URL, product)),
                "product_id": product,
                "outlet_id": _OUTLET,
                "current_inventory_level": float(number),
                "version": self.levels.get(product, 1),
            }
            for product, number in self.shelf.items()
        ]
        levels.sort(key=lambda level: level["version"], reverse=body.get("sort_direction", "desc") == "desc")
        found = [level for level in levels if level["version"] > body.get("after", 0)]
        return found[: min(body.get("size", 1000), self.page_size)]

    def _list_adjustments(self, request: Request, _body: Body) -> Body:
        return self._page(request, self.adjustments, most=1000)

    def _list_reasons(self, request: Request, _body: Body) -> Body:
        return self._page(request, self.reasons, most=100)

    def _page(self, request: Request, rows: Iterable[Body], most: int = 5000) -> Body:
        """Those with a version above `after`, oldest first."""
        query = request.query_params
        after, size = int(query.get("after", 0)), int(query.get("page_size", 100))
        if size > most:
            raise _Error(400, f"page_size is at most {most}.")
        found = [row for row in rows if row["version"] > after][: min(size, self.page_size)]
        return {"data": found, "version": _span(found)}

    def _codes_of(self, product: str) -> list[Body]:
        return [{"type": "CUSTOM", "code": code} for code, number in self.codes.items() if number == product]

    # What it changes

    def _adjust(self, _request: Request, body: Body) -> Body:
        """https://x-series-api.lightspeedhq.com/reference/createstockadjustments"""
        wanted = body.get("stock_adjustments")
        if not isinstance(wanted, list) or not 1 <= len(wanted) <= 1000:
            raise _Error(422, "Between 1 and 1000 adjustments.", "stock_adjustments")
        _no_more_than(body, {"stock_adjustments"}, "")
        quantities = [self._check(each, f"stock_adjustments[{place}]") for place, each in enumerate(wanted)]
        made: list[Body] = []
        for each, quantity in zip(wanted, quantities, strict=True):
            self.shelf[each["product_id"]] = self.shelf.get(each["product_id"], 0) + quantity
            self.levels[each["product_id"]] = self._next()
            made.append(each | {"user_id": _USER} | self._stamp(f"adjustment {len(self.adjustments) + len(made)}"))
        self.adjustments += made
        return {"data": made}

    def _check(self, each: Body, where: str) -> int:
        """How the stock changes. Nothing is changed before all of a request is good."""
        _no_more_than(each, {"product_id", "outlet_id", "quantity", "reason", _OWN_REASON}, where)
        for name in ("product_id", "outlet_id", "quantity", "reason"):
            if not each.get(name):
                raise _Error(422, "Is required.", f"{where}.{name}")
        if each["product_id"] not in self.products:
            raise _Error(422, "There is no such product.", f"{where}.product_id")
        if each["outlet_id"] != _OUTLET:
            raise _Error(422, "There is no such outlet.", f"{where}.outlet_id")
        quantity = _quantity(each["quantity"], f"{where}.quantity")
        if self._gains(each, where) is not (quantity > 0):
            raise _Error(422, "Its sign doesn't fit the reason.", f"{where}.quantity")
        return quantity

    def _gains(self, each: Body, where: str) -> bool:
        if each["reason"] != "CUSTOM":
            if _OWN_REASON in each or each["reason"] not in (*_LOSSES, *_GAINS):
                raise _Error(422, "Is no reason, or none that goes with a reason of your own.", f"{where}.reason")
            return each["reason"] in _GAINS
        own = next((reason for reason in self.reasons if reason["id"] == each.get(_OWN_REASON)), None)
        if own is None or not own["enabled"]:
            raise _Error(422, "There is no such reason, or it is switched off.", f"{where}.{_OWN_REASON}")
        return bool(own["type"] == "POSITIVE")

    def _add(self, _request: Request, body: Body) -> Body:
        if body.get("type") not in ("POSITIVE", "NEGATIVE") or not isinstance(body.get("enabled"), bool):
            raise _Error(422, "Needs a type, POSITIVE or NEGATIVE, and whether it is enabled.")
        if not 1 <= len(body.get("name", "")) <= 30:
            raise _Error(422, "Has 1 to 30 characters.", "name")
        if any(reason["name"] == body["name"] for reason in self.reasons):
            raise _Error(409, "There is a reason of that name.")
        named = {name: body[name] for name in ("name", "enabled", "type")} | {"is_from_external_source": True}
        self.reasons.append(named | self._stamp(f"reason {body['name']}"))
        return {"data": self.reasons[-1]}

    def _register(self, _request: Request, body: Body) -> Body:
        """https://x-series-api.lightspeedhq.com/reference/post-webhooks"""
        if body.get("type") not in _WEBHOOKS or not body.get("url") or not isinstance(body.get("active"), bool):
            raise _Error(400, "Needs type, url and active.")
        if any((each["type"], each["url"]) == (body["type"], body["url"]) for each in self.webhooks.values()):
            raise _Error(409, "There is a webhook of that type with that URL.")
        number = str(uuid5(NAMESPACE_URL, f"{body['type']} {body['url']}"))
        named = {name: body[name] for name in ("type", "url", "active")}
        self.webhooks[number] = {"id": number, "retailer_id": _USER} | named
        return {"data": self.webhooks[number]}

    def _webhook(self, request: Request, body: Body) -> Body:
        number = request.path_params["id"]
        if number not in self.webhooks:
            raise _Error(404, "There is no such webhook.")
        if request.method == "DELETE":
            return {"data": self.webhooks.pop(number)}
        self.webhooks[number] |= {name: body[name] for name in ("type", "url", "active") if name in body}
        return {"data": self.webhooks[number]}

    def _stamp(self, name: str) -> Body:
        now = self.clock().isoformat(timespec="seconds")
        return {"id": str(uuid5(NAMESPACE_URL, name)), "created_at": now, "updated_at": now, "version": self._next()}

    def _next(self) -> int:
        self._version += 1
        return self._version


def _span(rows: Sequence[Body]) -> Body:
    versions = [row["version"] for row in rows]
    return {"min": min(versions, default=None), "max": max(versions, default=None)}


def _product(number: str, good: Good, version: int) -> Body:
    return {
        "id": number,
        "name": good.name,
        "handle": good.sku.lower(),
        "sku": good.sku,
        "active": True,
        "has_inventory": good.ships,
        "price_excluding_tax": float(good.price),
        "deleted_at": None,
        "version": version,
    }


def _no_more_than(given: Body, known: set[str], where: str) -> None:
    for name in given.keys() - known:
        raise _Error(422, "Is unknown.", f"{where}.{name}".lstrip("."))


def _quantity(text: Any, where: str) -> int:
    """A number as text. Practice sells whole things."""
    try:
        quantity = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except InvalidOperation:
        quantity = Decimal("NaN")
    if not quantity.is_finite() or quantity == 0 or quantity != int(quantity):
        raise _Error(422, "Must be a numeric text.", where)
    return int(quantity)


async def _body(request: Request) -> Body:
    text = await request.body()
    if not text:
        return {}
    try:
        return dict(orjson.loads(text))
    except (ValueError, TypeError):
        raise _Error(400, "The body isn't a JSON object.") from None


SIMULATOR = LightspeedSimulator
