"""A practice shop that speaks WooCommerce's REST API v3 (https://woocommerce.github.io/woocommerce-rest-api-docs/)."""

import base64
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.roles import Sale, Shown
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.woocommerce.answers import (
    Body,
    Wrong,
    invalid,
    json,
    later,
    modified,
    no_route,
    now,
    page_not_found,
    paged,
    require,
    text,
)
from bellwire.practice.woocommerce.goods import new_product
from bellwire.practice.woocommerce.hooks import Hooks, signed
from bellwire.practice.woocommerce.orders import ROOT, new_order

_STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")


@dataclass
class WooCommerce(Simulator):
    """Implements `roles.Shop`. `round_at_subtotal` is the shop's tax setting of that name: then the amounts of lines
    don't always add up to the total. `permission` is the key's, `shop_manager` whether its user has that role."""

    vendor = "woocommerce"
    credentials: ClassVar[Mapping[str, str]] = {
        "consumer_key": "ck_practice",
        "consumer_secret": "cs_practice",
        "webhook_secret": "practicewebhooksecret",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "url": "https://tea.example",
        "digital_skus": [good.sku for good in CATALOGUE if not good.ships],
    }

    round_at_subtotal: bool = False
    permission: str = "read_write"
    shop_manager: bool = True
    orders: dict[int, Body] = field(default_factory=dict)
    notes: dict[int, list[Body]] = field(default_factory=dict)
    products: dict[int, Body] = field(default_factory=dict)
    tags: dict[int, Body] = field(default_factory=dict)
    refunds: dict[int, Body] = field(default_factory=dict)
    """What an order leaves out of its refunds, by id."""
    hooks: Hooks = field(default_factory=Hooks)

    def __post_init__(self) -> None:
        self._ids = count(101)
        mug = self._add(new_product(next(self._ids), "Mug"), type="variable")
        for good in CATALOGUE:
            product = self._add(new_product(next(self._ids), good.name, good))
            if good.sku.startswith("MUG-"):
                product |= {"type": "variation", "parent_id": mug["id"]}
                mug["variations"].append(product["id"])

    def _add(self, product: Body, **changes: Any) -> Body:
        self.products[product["id"]] = product | changes
        return self.products[product["id"]]

    # What a demo, a pilot or a test may ask

    def number_from(self, first: int) -> None:
        self._ids = count(first)

    def place(self, sale: Sale) -> str:
        order = new_order(next(self._ids), sale, self._by_sku(), self._ids, self.round_at_subtotal)
        self.orders[order["id"]] = order
        self.notes[order["id"]] = []
        return str(order["id"])

    def pay(self, order_id: str, gateway: str = "card", payment_id: str = "") -> None:
        self._change(order_id, status="processing", payment_method=gateway, transaction_id=payment_id)

    def edit(self, order_id: str, note: str) -> None:
        self._change(order_id, customer_note=note)

    def set_status(self, order_id: str, status: str) -> None:
        """As a person does on the order's page."""
        self._change(order_id, status=status)

    def refund(self, order_id: str, amount: str, reason: str = "") -> str:
        """As a person does on the order's page; gives the refund's id."""
        entry: Body = {"id": next(self._ids), "reason": reason, "total": f"-{amount}"}
        order = self._change(order_id, refunds=[*self.orders[int(order_id)]["refunds"], entry])
        self.refunds[entry["id"]] = {"amount": amount, "date_created_gmt": order["date_modified_gmt"]}
        return str(entry["id"])

    def webhook(self, order_id: str, event_type: str) -> Webhook:
        event = event_type.partition(".")[2]
        if event == "deleted":
            return self.deliver("order.deleted", {"id": int(order_id)})
        return self.deliver(f"order.{'created' if event == 'created' else 'updated'}", self.orders[int(order_id)])

    def deliver(self, topic: str, resource: Body, secret: str = "") -> Webhook:
        """The delivery of a topic, signed with a webhook's `secret`, or that of the connection."""
        return signed(self.settings["url"], secret or self.credentials["webhook_secret"], topic, resource)

    def edit_product(self, product_id: int, **changes: Any) -> Body:
        """As a person does on the product's page."""
        product = self.products[product_id]
        product |= changes | {"date_modified_gmt": later(product)}
        return product

    def shown(self) -> list[Shown]:
        return [
            Shown(
                frozenset(self.products[number]["sku"] for number in (product["id"], *product["variations"])) - {""},
                frozenset(tag["slug"] for tag in product["tags"]),
            )
            for product in self.products.values()
            if product["type"] != "variation"
        ]

    def rename(self, sku: str, new: str) -> None:
        self.edit_product(self._by_sku()[sku]["id"], sku=new)

    def flag(self, sku: str, flags: Collection[str]) -> None:
        item = self._by_sku()[sku]
        known = {tag["slug"]: tag for tag in self.tags.values()}
        tags = [_short(known.get(flag) or self._new_tag(flag, flag)) for flag in sorted(flags)]
        self.edit_product(item["parent_id"] or item["id"], tags=tags)

    def total(self, order_id: str) -> Money:
        order = self.orders[int(order_id)]
        return Money.of(order["total"], order["currency"])

    def fulfilled(self) -> list[str]:
        return [str(order["id"]) for order in self.orders.values() if order["status"] == "completed"]

    def state(self) -> dict[str, Any]:
        return {
            "orders": list(self.orders.values()),
            "notes": self.notes,
            "products": list(self.products.values()),
            "tags": list(self.tags.values()),
            "webhooks": self.hooks.state(),
        }

    # How it answers on a bad day

    def rate_limited(self, seconds: float) -> Response:
        """Only hosts do that, with a page of theirs."""
        headers = {"Retry-After": str(-int(-seconds // 1))}
        return HTMLResponse("<html><h1>429 Too Many Requests</h1></html>", 429, headers)

    def failed(self) -> Response:
        message = "<p>There has been a critical error on this website.</p>"
        return JSONResponse({"code": "internal_server_error", "message": message, "data": {"status": 500}}, 500)

    def signed_out(self) -> Response:
        return Wrong(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.").answer

    # The API

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self._route("/orders", GET=self._list_orders),
            self._route("/orders/batch", POST=self._batch),
            self._route("/orders/{id:int}", GET=self._get_order, PUT=self._put_order),
            self._route("/orders/{id:int}/refunds", GET=self._list_refunds),
            self._route("/orders/{id:int}/notes", GET=self._list_notes, POST=self._post_note),
            self._route("/products", GET=self._list_products),
            self._route("/products/{id:int}", GET=self._get_product, PUT=self._put_product),
            self._route("/products/{id:int}/variations", GET=self._list_variations),
            self._route("/products/tags", GET=self._list_tags, POST=self._post_tag),
            self._route("/webhooks", **self.hooks.collection),
            self._route("/webhooks/{id:int}", **self.hooks.item),
            Route("/wp-json/{rest:path}", no_route, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/{rest:path}", page_not_found),
        ]

    def _route(self, path: str, **handlers: Callable[[Request], Awaitable[Response]]) -> Route:
        async def handle(request: Request) -> Response:
            try:
                self._check_key(request)
                return await handlers["GET" if request.method == "HEAD" else request.method](request)
            except Wrong as wrong:
                return wrong.answer

        return Route(ROOT + path, handle, methods=list(handlers))

    def _check_key(self, request: Request) -> None:
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            raise Wrong(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        key, secret = self.credentials["consumer_key"], self.credentials["consumer_secret"]
        if pair != base64.b64encode(f"{key}:{secret}".encode()).decode():
            raise Wrong(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
        if request.method != "GET" and self.permission == "read":
            raise Wrong(
                401,
                "woocommerce_rest_authentication_error",
                "The API key provided does not have write permissions.",
            )
        if not self.shop_manager:
            raise Wrong(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    async def _list_orders(self, request: Request) -> Response:
        return paged(request, modified(request, self.orders.values()))

    async def _batch(self, request: Request) -> Response:
        updated = [self._update_order(change["id"], change) for change in (await json(request)).get("update", ())]
        return JSONResponse({"update": updated} if updated else [])

    async def _get_order(self, request: Request) -> Response:
        return JSONResponse(self._order(request.path_params["id"]))

    async def _put_order(self, request: Request) -> Response:
        return JSONResponse(self._update_order(request.path_params["id"], await json(request)))

    def _update_order(self, order_id: int, changes: Body) -> Body:
        self._order(order_id)
        status = changes.get("status")
        if status is not None and status not in _STATUSES:
            raise invalid("status", f"status is not one of {', '.join(_STATUSES)}.")
        return self._change(str(order_id), **{k: changes[k] for k in ("status", "customer_note") if k in changes})

    async def _list_notes(self, request: Request) -> Response:
        return JSONResponse(self.notes[self._order(request.path_params["id"])["id"]])

    async def _post_note(self, request: Request) -> Response:
        order, given = self._order(request.path_params["id"]), await json(request)
        require(given, "note")
        note = {
            "id": next(self._ids),
            "author": "Practice",
            "date_created_gmt": text(now()),
            "note": given["note"],
            "customer_note": bool(given.get("customer_note")),
        }
        self.notes[order["id"]].insert(0, note)  # newest first
        return JSONResponse(note, 201)

    async def _list_products(self, request: Request) -> Response:
        """The SKU filter takes a list, and finds variations too; without it they are left out."""
        if sku := request.query_params.get("sku"):
            wanted = {sku, *sku.split(",")}
            return paged(request, [product for product in self.products.values() if product["sku"] in wanted])
        goods = [product for product in self.products.values() if product["type"] != "variation"]
        return paged(request, modified(request, goods))

    async def _list_variations(self, request: Request) -> Response:
        parent = self._product(request.path_params["id"])
        return paged(request, modified(request, [self.products[number] for number in parent["variations"]]))

    async def _list_refunds(self, request: Request) -> Response:
        """With when they were made, which the order leaves out."""
        order = self._order(request.path_params["id"])
        return paged(request, [entry | self.refunds[entry["id"]] for entry in order["refunds"]])

    async def _get_product(self, request: Request) -> Response:
        return JSONResponse(self._product(request.path_params["id"]))

    async def _put_product(self, request: Request) -> Response:
        product, changes = self._product(request.path_params["id"]), await json(request)
        if "tags" in changes:
            product["tags"] = [_short(self.tags[tag["id"]]) for tag in changes["tags"] if tag["id"] in self.tags]
        product |= {k: changes[k] for k in ("manage_stock", "stock_quantity", "name") if k in changes}
        product["date_modified_gmt"] = later(product)
        return JSONResponse(product)

    async def _list_tags(self, request: Request) -> Response:
        slug = request.query_params.get("slug")
        return paged(request, [tag for tag in self.tags.values() if slug in (None, tag["slug"])])

    async def _post_tag(self, request: Request) -> Response:
        given = await json(request)
        require(given, "name")
        slug = given.get("slug") or given["name"].lower().replace(" ", "-")
        for tag in self.tags.values():
            if tag["slug"] == slug:
                message = "A term with the name provided already exists with this parent."
                raise Wrong(400, "term_exists", message, resource_id=tag["id"])
        return JSONResponse(self._new_tag(given["name"], slug), 201)

    def _new_tag(self, name: str, slug: str) -> Body:
        tag: Body = {"id": next(self._ids), "name": name, "slug": slug, "description": "", "count": 0}
        self.tags[tag["id"]] = tag
        return tag

    # What it holds

    def _by_sku(self) -> dict[str, Body]:
        return {product["sku"]: product for product in self.products.values() if product["sku"]}

    def _order(self, order_id: int) -> Body:
        if order_id not in self.orders:
            raise Wrong(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return self.orders[order_id]

    def _product(self, product_id: int) -> Body:
        if product_id not in self.products:
            raise Wrong(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return self.products[product_id]

    def _change(self, order_id: str, **changes: Any) -> Body:
        """Every change has a later time; a status that means paid sets the time of payment, once."""
        order = self.orders[int(order_id)]
        order |= changes | {"date_modified_gmt": later(order)}
        order["date_modified"] = order["date_modified_gmt"]
        reached = {"processing": ("date_paid",), "completed": ("date_paid", "date_completed")}
        for name in reached.get(order["status"], ()):
            order[name] = order[f"{name}_gmt"] = order[f"{name}_gmt"] or order["date_modified_gmt"]
        return order


def _short(tag: Body) -> Body:
    """As it stands at a product."""
    return {name: tag[name] for name in ("id", "name", "slug")}


SIMULATOR = WooCommerce
