"""A practice Shopify: one shop with an Admin GraphQL API and signed webhooks."""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import orjson
from graphql import DocumentNode, GraphQLError, execute_sync, parse, validate
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.events import Condition
from bellwire.money import Money
from bellwire.practice.roles import Sale, Shown
from bellwire.practice.shopify import goods, hooks, nodes, points, returns, sales, schema, scopes
from bellwire.practice.shopify.moments import after, now
from bellwire.practice.simulator import Simulator, Webhook

Body = dict[str, Any]

_TOPICS = {
    "order.created": "orders/create",
    "order.paid": "orders/paid",
    "order.updated": "orders/updated",
    "order.cancelled": "orders/cancelled",
    "order.fulfilled": "orders/fulfilled",
    "order.refunded": "refunds/create",
}
_SECRET = "practice-app-secret"  # noqa: S105 - practice only
_PERMANENT_TOKEN = "shpat_practice"  # noqa: S105
_VERSION = "2026-07"
_PERSONAL = ("email", "contact_email", "phone", "customer", "billing_address", "shipping_address")
_SIGNED_OUT = "[API] Invalid API key or access token (unrecognized login or wrong password)"


@dataclass
class Shopify(Simulator):
    """Also a `Shop` and its `Returns`. `fulfilment_orders` (by order), `bucket`, `scopes`, `development` (whether it is
    a development store) and `personal` (whether the app may see customers) are there for tests to change."""

    vendor: ClassVar[str] = "shopify"
    credentials: ClassVar[Mapping[str, str]] = {
        "client_id": "practice-app",
        "client_secret": _SECRET,
        "webhook_secret": _SECRET,
    }
    settings: ClassVar[Mapping[str, Any]] = {"shop": "practice"}

    orders: dict[str, Body] = field(default_factory=dict)
    products: dict[str, Body] = field(default_factory=lambda: goods.products(now()))
    levels: goods.Levels = field(default_factory=lambda: goods.levels(now()))
    subscriptions: hooks.Subscriptions = field(default_factory=lambda: hooks.Subscriptions(_VERSION))
    development: bool = True
    personal: bool = True
    versions: tuple[str, ...] = ("2026-01", "2026-04", "2026-07", "2026-10")
    """Those that are supported."""
    deprecation: str = ""
    """Where a change is announced that ends what is called, if one is."""
    fulfilment_orders: dict[str, list[Body]] = field(default_factory=dict)
    payments: dict[str, list[Body]] = field(default_factory=dict)
    """The transactions of each order, which its webhooks leave out."""
    returns: dict[str, Body] = field(default_factory=dict)
    bucket: points.Bucket = field(default_factory=points.Bucket)
    scopes: tuple[str, ...] = (
        "read_customers",
        "read_inventory",
        "read_locations",
        "read_merchant_managed_fulfillment_orders",
        "read_orders",
        "read_products",
        "read_returns",
        "write_merchant_managed_fulfillment_orders",
        "write_products",
    )
    _tokens: set[str] = field(default_factory=lambda: {_PERMANENT_TOKEN})
    _owed: dict[str, Decimal] = field(default_factory=dict)
    _gift_cards: dict[str, Decimal] = field(default_factory=dict)
    _last_id: int = 450_789_000

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/admin/oauth/access_token", self._give_token, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return {
            "orders": self.orders,
            "products": self.products,
            "levels": list(self.levels.values()),
            "fulfilment_orders": self.fulfilment_orders,
            "returns": list(self.returns.values()),
            "subscriptions": list(self.subscriptions.entries.values()),
        }

    def made(self) -> Mapping[str, Collection[str]]:
        fulfilments = [entry for order in self.orders.values() for entry in order["fulfillments"]]
        return {"storefront.mark_fulfilled": [str(entry["id"]) for entry in fulfilments]}

    # The Shop role

    def number_from(self, first: int) -> None:
        self._last_id = first

    def place(self, sale: Sale) -> str:
        order = sales.new_order(sale, self._new_id(), now(sale.ago))
        order_id = str(order["id"])
        self.orders[order_id] = order
        self._owed[order_id] = Decimal(order["total_price"])
        self._gift_cards[order_id] = sale.gift_card
        self.payments[order_id] = []
        self.fulfilment_orders[order_id] = [{"id": self._new_id(), "status": "open", "location_id": goods.LOCATION}]
        return order_id

    def pay(self, order_id: str, gateway: str = "bogus", payment_id: str = "") -> None:
        order, gift_card = self.orders[order_id], self._gift_cards[order_id]
        self.payments[order_id] = sales.payments(order, gift_card, now(), gateway, payment_id)
        gateways = [entry["gateway"] for entry in self.payments[order_id]]
        self._change(order_id, financial_status="paid", payment_gateway_names=gateways, total_outstanding="0.00")

    def edit(self, order_id: str, note: str) -> None:
        self._change(order_id, note=note)

    def cancel(self, order_id: str) -> None:
        """Called off before it was paid: all its lines are taken off."""
        order = self.orders[order_id]
        self.refund(order_id, {str(line["id"]): line["quantity"] for line in order["line_items"]}, money=False)
        for entry in self.fulfilment_orders[order_id]:
            entry["status"] = "closed"
        self._change(order_id, financial_status="voided", cancelled_at=now())

    def refund(self, order_id: str, units: Mapping[str, int], *, money: bool = True) -> None:
        """Take `units` (line id → how many) off the order, for money or without."""
        order = self.orders[order_id]
        entry = sales.new_refund(order, self._new_id(), units, now(), money=money)
        value = sales.refund_value(order, entry)
        tax = sum(
            (Decimal(line["total_tax_set"]["shop_money"]["amount"]) for line in entry["refund_line_items"]), Decimal()
        )
        lines = [
            line | {"current_quantity": line["current_quantity"] - units.get(str(line["id"]), 0)}
            for line in order["line_items"]
        ]
        till = sales.Till(order["currency"])
        left = till.fields(
            current_total_price=Decimal(order["current_total_price"]) - value,
            current_total_tax=Decimal(order["current_total_tax"]) - tax,
        )
        if money:
            left["financial_status"] = "partially_refunded"
        else:
            self._owed[order_id] -= value
        self._change(order_id, line_items=lines, refunds=[*order["refunds"], entry], **left)

    def refund_shipping(self, order_id: str) -> None:
        """Give the money for the shipping back."""
        order = self.orders[order_id]
        entry = sales.new_refund(order, self._new_id(), {}, now(), money=True, shipping=True)
        left = Decimal(order["current_total_price"]) - sales.refund_value(order, entry)
        sums = sales.Till(order["currency"]).fields(current_total_price=left)
        self._change(order_id, refunds=[*order["refunds"], entry], financial_status="partially_refunded", **sums)

    def count(self, item_id: int, available: int, location_id: str = goods.LOCATION) -> None:
        """So many of an inventory item are there now; its product changes with it."""
        before = self.levels.get((item_id, location_id))
        time = after(before["updated_at"]) if before else now()
        self.levels[item_id, location_id] = goods.level(item_id, location_id, available, time)
        for product in self.products.values():
            if any(entry.get("inventory_item_id") == item_id for entry in product["variants"]):
                product["updated_at"] = after(product["updated_at"])

    def webhook(self, order_id: str, event_type: str) -> Webhook:
        order = self.orders[order_id]
        if not self.personal:
            order = order | dict.fromkeys(_PERSONAL)
        body = order["refunds"][-1] if event_type == "order.refunded" else order
        return self._signed(_TOPICS[event_type], body, order["updated_at"])

    def product_webhook(self, product_id: str) -> Webhook:
        product = goods.rest(self.products[product_id], self.levels)
        return self._signed("products/update", product, product["updated_at"])

    def stock_webhook(self, item_id: int, location_id: str = goods.LOCATION) -> Webhook:
        level = self.levels[item_id, location_id]
        return self._signed("inventory_levels/update", level, level["updated_at"])

    # The Window role

    def shown(self) -> list[Shown]:
        return [
            Shown(frozenset(entry["sku"] for entry in product["variants"]), frozenset(product["tags"]))
            for product in self.products.values()
        ]

    def rename(self, sku: str, new: str) -> None:
        for product in self.products.values():
            for entry in product["variants"]:
                if entry["sku"] == sku:
                    entry["sku"] = new
                    product["updated_at"] = after(product["updated_at"])

    def flag(self, sku: str, flags: Collection[str]) -> None:
        for product in self.products.values():
            if any(entry["sku"] == sku for entry in product["variants"]):
                product |= {"tags": sorted(flags), "updated_at": after(product["updated_at"])}

    # The Returns role

    def line_of(self, order_id: str, sku: str) -> str:
        return next(str(line["id"]) for line in self.orders[order_id]["line_items"] if line["sku"] == sku)

    def number_of(self, return_id: str) -> str:
        return str(self.returns[return_id]["name"]).removeprefix("#")

    def announce(self, order_id: str, units: Mapping[str, int], *, asked: bool = False) -> str:
        """`asked`: by the customer, and the shop has to agree yet."""
        nth = 1 + sum(entry["order_id"] == order_id for entry in self.returns.values())
        order = self.orders[order_id]
        made = returns.new_return(order, self._new_id(), units, now(), nth=nth, asked=asked)
        self.returns[str(made["id"])] = made
        self._change(order_id)
        return str(made["id"])

    def approve(self, return_id: str) -> None:
        self._change_return(return_id, returns.approved(self.returns[return_id], now()))

    def receive(
        self,
        return_id: str,
        condition: Condition = Condition.SELLABLE,
        units: Mapping[str, int] | None = None,
    ) -> None:
        returns.looked_at(self.returns[return_id], condition, units, now())
        self._change_return(return_id, self.returns[return_id])

    def close_return(self, return_id: str, status: str = "closed") -> None:
        """It is over; or was `declined` or `canceled`."""
        self._change_return(return_id, self.returns[return_id] | {"status": status, "closed_at": now()})

    def _change_return(self, return_id: str, body: Body) -> None:
        self.returns[return_id] = body
        self._change(body["order_id"])

    def return_webhook(self, return_id: str, event_type: str) -> Webhook:
        body = self.returns[return_id]
        topic = (
            "process" if event_type == "return.received" else "request" if body["status"] == "requested" else "approve"
        )
        return self._signed(f"returns/{topic}", returns.rest(body), now())

    def _signed(self, topic: str, body: Body, triggered_at: str) -> Webhook:
        return hooks.signed(_SECRET, self.subscriptions.version, topic, body, triggered_at)

    def total(self, order_id: str) -> Money:
        return Money.of(self._owed[order_id], self.orders[order_id]["currency"])

    def fulfilled(self) -> list[str]:
        return [order_id for order_id, order in self.orders.items() if order["fulfillment_status"] == "fulfilled"]

    def sign_out(self) -> None:
        """Every token that was given ends, as after 24 hours."""
        self._tokens = {_PERMANENT_TOKEN}

    # How Shopify fails

    def rate_limited(self, seconds: float) -> Response:
        """Status 200, and the points that are missing."""
        asked, rate = 100, self.bucket.refill
        left = {
            "maximumAvailable": self.bucket.size,
            "currentlyAvailable": asked - seconds * rate,
            "restoreRate": rate,
        }
        cost = {"requestedQueryCost": asked, "actualQueryCost": None, "throttleStatus": left}
        return JSONResponse({"data": None, "errors": [_THROTTLED], "extensions": {"cost": cost}})

    def failed(self) -> Response:
        return JSONResponse({"errors": "Internal Server Error"}, 500)

    def signed_out(self) -> Response:
        return JSONResponse({"errors": _SIGNED_OUT}, 401)

    # HTTP

    async def _give_token(self, request: Request) -> Response:
        given: Mapping[str, Any] = await _fields(request)
        right = given.get("client_id"), given.get("client_secret"), given.get("grant_type")
        if right != (self.credentials["client_id"], _SECRET, "client_credentials"):
            return JSONResponse({"error": "invalid_request", "error_description": "The client is unknown."}, 400)
        token = f"shpat_{uuid.uuid4().hex}"
        self._tokens.add(token)
        return JSONResponse({"access_token": token, "scope": ",".join(self.scopes), "expires_in": 86399})

    async def _graphql(self, request: Request) -> Response:
        version: str = request.path_params["version"]
        if not re.fullmatch(r"\d{4}-\d{2}", version) or version > self.versions[-1]:
            return JSONResponse({"errors": "Not Found"}, 404)
        if request.headers.get("x-shopify-access-token") not in self._tokens:
            return self.signed_out()
        asked = orjson.loads(await request.body())
        # A version that has ended is answered by the oldest that hasn't.
        served = {"X-Shopify-API-Version": max(version, self.versions[0])}
        if self.deprecation:
            served["X-Shopify-API-Deprecated-Reason"] = self.deprecation
        return JSONResponse(self._answer(asked["query"], asked.get("variables") or {}), headers=served)

    def _answer(self, query: str, variables: Body) -> Body:
        document, errors = _read(query)
        if document is None:
            return {"errors": [error.formatted for error in errors]}
        asked = points.asked(document, variables)
        if asked > points.DEAREST:
            message = f"Query cost is {asked}, which exceeds the single query max cost limit ({points.DEAREST})."
            return {"errors": [{"message": message, "extensions": {"code": "MAX_COST_EXCEEDED", "cost": asked}}]}
        if lacking := scopes.lacking(document, self.scopes):
            return {"data": None, "errors": [lacking], "extensions": self.bucket.status(asked, 0)}
        if asked > self.bucket.left:
            return {"data": None, "errors": [_THROTTLED], "extensions": self.bucket.status(asked, None)}
        result = execute_sync(schema.SCHEMA, document, self._root(), variable_values=variables)
        paid = points.found(result.data)
        self.bucket.pay(paid)
        return {**result.formatted, "extensions": self.bucket.status(asked, paid)}

    # GraphQL

    def _root(self) -> Body:
        plan = {
            "displayName": "Developer Preview" if self.development else "Basic",
            "partnerDevelopment": self.development,
        }
        shop = {"name": "Practice Tea Shop", "myshopifyDomain": "practice.myshopify.com", "currencyCode": "USD"}
        return {
            "shop": shop | {"plan": plan},
            "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in self.scopes]},
            "order": lambda _info, id: self._order_node(_number(id)),  # noqa: A006 - the argument's name
            "orders": self._find_orders,
            "refund": lambda _info, id: self._refund_node(_number(id)),  # noqa: A006
            "return": lambda _info, id: self._return_node(_number(id)),  # noqa: A006
            "reverseFulfillmentOrder": lambda _info, id: self._reverse_node(_number(id)),  # noqa: A006
            "product": lambda _info, id: self._product_node(_number(id)),  # noqa: A006
            "products": partial(goods.find_products, self.products, self.levels),
            "productVariants": partial(goods.find_variants, self.products),
            "locations": partial(goods.find_locations, self.levels),
            "customers": self._find_customers,
            "webhookSubscriptions": self.subscriptions.find,
            "webhookSubscriptionCreate": self._subscribe,
            "webhookSubscriptionDelete": self.subscriptions.delete,
            "tagsAdd": lambda _info, id, tags: self._tag(_number(id), add=tags),  # noqa: A006
            "tagsRemove": lambda _info, id, tags: self._tag(_number(id), remove=tags),  # noqa: A006
            "fulfillmentCreate": self._fulfil,
        }

    def _order_node(self, order_id: str) -> Body | None:
        order = self.orders.get(order_id)
        if order is None:
            return None
        node = nodes.order_node(order, self.fulfilment_orders[order_id], self.payments[order_id])
        sent_back = [entry for entry in self.returns.values() if entry["order_id"] == order_id]
        node["returnStatus"] = returns.status_of(sent_back)
        node["returns"] = schema.numbered(sent_back, lambda entry: {"id": schema.gid("Return", entry["id"])})
        return node if self.personal else node | dict.fromkeys(nodes.PERSONAL, _not_approved)

    def _return_node(self, return_id: str) -> Body | None:
        body = self.returns.get(return_id)
        if body is None:
            return None
        order_id = body["order_id"]
        return returns.return_node(body, self.orders[order_id], self._order_node(order_id) or {})

    def _reverse_node(self, number: str) -> Body | None:
        body = self.returns.get(number)
        return body and returns.reverse_node(body)

    def _product_node(self, product_id: str) -> Body | None:
        product = self.products.get(product_id)
        return product and goods.product_node(product, self.levels)

    def _find_customers(self, info: Any, **page: Any) -> Body:
        if not self.personal:
            _not_approved(info)
        return schema.numbered([{"firstName": "Robin", "lastName": "Hill"}], dict)(info, **page)

    def _refund_node(self, refund_id: str) -> Body | None:
        for order in self.orders.values():
            for refund in order["refunds"]:
                if str(refund["id"]) == refund_id:
                    return nodes.refund_node(refund, order)
        return None

    def _subscribe(self, info: Any, topic: str, webhookSubscription: Body) -> Body:  # noqa: N803 - the argument's name
        if scopes.forbids(topic, self.scopes):
            message = f"You do not have permission to create or update webhooks with {topic} topic"
            return {"webhookSubscription": None, "userErrors": [{"field": ["topic"], "message": message}]}
        return self.subscriptions.create(info, topic, webhookSubscription)

    def _find_orders(self, info: Any, query: str = "", **page: Any) -> Body:
        found = sorted(goods.changed(self.orders.values(), query), key=goods.by_update)
        return schema.connection(
            (goods.by_update(order), lambda number=str(order["id"]): self._order_node(number))  # type: ignore[misc]
            for order in found
        )(info, **page)

    def _tag(self, product_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Body:
        product = self.products.get(product_id)
        if product is None:
            return {"node": None, "userErrors": [{"field": ["id"], "message": "Product does not exist"}]}
        tags = sorted({*product["tags"], *add} - set(remove))
        if tags != product["tags"]:
            product |= {"tags": tags, "updated_at": after(product["updated_at"])}
        return {"node": nodes.product_node(product), "userErrors": []}

    def _fulfil(self, _info: Any, fulfillment: Body, message: str = "") -> Body:
        wanted = [_number(entry["fulfillmentOrderId"]) for entry in fulfillment["lineItemsByFulfillmentOrder"]]
        every = [(order_id, entry) for order_id, found in self.fulfilment_orders.items() for entry in found]
        chosen = [(order_id, entry) for order_id, entry in every if str(entry["id"]) in wanted]
        if problem := _why_not(wanted, chosen):
            return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": problem}]}
        for _, entry in chosen:
            entry["status"] = "closed"
        order_id = chosen[0][0]
        tracking = fulfillment.get("trackingInfo") or {}
        made = {"id": self._new_id(), "order_id": int(order_id), "status": "success", "created_at": now()} | {
            f"tracking_{name}": tracking.get(name) for name in ("company", "number", "url")
        }
        left = any(entry["status"] != "closed" for entry in self.fulfilment_orders[order_id])
        made_before = self.orders[order_id]["fulfillments"]
        state = "partial" if left else "fulfilled"
        self._change(order_id, fulfillments=[*made_before, made], fulfillment_status=state)
        return {"fulfillment": nodes.fulfilment_node(made), "userErrors": []}

    # State

    def _new_id(self) -> int:
        self._last_id += 1000
        return self._last_id

    def _change(self, order_id: str, **changes: Any) -> None:
        order = self.orders[order_id]
        self.orders[order_id] = order | changes | {"updated_at": after(order["updated_at"])}


_THROTTLED = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}


@lru_cache(maxsize=256)
def _read(query: str) -> tuple[DocumentNode | None, Sequence[GraphQLError]]:
    """The document, if it is one by the schema; else why not. An app asks the same again and again, and to check that
    takes longer than to answer it."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    errors = validate(schema.SCHEMA, document)
    return (None, errors) if errors else (document, [])


def _why_not(wanted: list[str], chosen: list[tuple[str, Body]]) -> str:
    if len(chosen) != len(wanted) or not wanted:
        return "Fulfillment order does not exist."
    if any(entry["status"] not in ("open", "in_progress") for _, entry in chosen):
        return "Fulfillment order has an unfulfillable status= closed"
    if len({entry["location_id"] for _, entry in chosen}) > 1:
        return "All fulfillment orders must be assigned to the same location."
    return ""


def _number(record: str) -> str:
    return record.rpartition("/")[2]


def _not_approved(*_: object) -> None:
    """What an app is told that has no leave to see customers."""
    message = "This app is not approved to access the Customer object."
    raise GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


async def _fields(request: Request) -> Mapping[str, Any]:
    """A form or JSON."""
    body = await request.body()
    if "json" in request.headers.get("content-type", ""):
        found: Mapping[str, Any] = orjson.loads(body)
        return found
    return dict(parse_qsl(body.decode()))


SIMULATOR = Shopify
