"""A practice shop that speaks WooCommerce's REST API v3 (https://woocommerce.github.io/woocommerce-rest-api-docs/)."""

import base64
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any, ClassVar

import aiohttp
import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bellwire.money import Money, digits
from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.roles import Sale
from bellwire.practice.simulator import Simulator, Webhook

_STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")
_ROOT = "/wp-json/wc/v3"
_RATE_ID, _TAX_LABEL = 1, "Sales tax"

Body = dict[str, Any]


class _Wrong(Exception):
    """The shop's own error: `{"code", "message", "data": {"status", …}}`."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"code": code, "message": message, "data": {"status": status, **data}}, status)


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
    webhooks: dict[int, Body] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = count(101)
        mug = self._add(_product(next(self._ids), "Mug"), type="variable")
        for good in CATALOGUE:
            product = self._add(_product(next(self._ids), good.name, good))
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
        order = _order(next(self._ids), sale, self._by_sku(), self._ids, self.round_at_subtotal)
        self.orders[order["id"]] = order
        self.notes[order["id"]] = []
        return str(order["id"])

    def pay(self, order_id: str) -> None:
        self._change(order_id, status="processing")

    def edit(self, order_id: str, note: str) -> None:
        self._change(order_id, customer_note=note)

    def set_status(self, order_id: str, status: str) -> None:
        """As a person does on the order's page."""
        self._change(order_id, status=status)

    def refund(self, order_id: str, amount: str, reason: str = "") -> str:
        """As a person does on the order's page; gives the refund's id."""
        entry = {"id": next(self._ids), "reason": reason, "total": f"-{amount}"}
        self._change(order_id, refunds=[*self.orders[int(order_id)]["refunds"], entry])
        return str(entry["id"])

    def webhook(self, order_id: str, event_type: str) -> Webhook:
        event = event_type.partition(".")[2]
        if event == "deleted":
            return self.deliver("order.deleted", {"id": int(order_id)})
        return self.deliver(f"order.{'created' if event == 'created' else 'updated'}", self.orders[int(order_id)])

    def deliver(self, topic: str, resource: Body) -> Webhook:
        """The signed delivery of a topic."""
        body = orjson.dumps(resource)
        digest = hmac.digest(self.credentials["webhook_secret"].encode(), body, "sha256")
        name, _, event = topic.partition(".")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "WooCommerce/10.3.0 Hookshot (WordPress/6.8)",
            "X-WC-Webhook-Source": f"{self.settings['url']}/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": name,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": secrets.token_hex(16),
        }
        return Webhook(topic, headers, body)

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
            "webhooks": [_shown(webhook) for webhook in self.webhooks.values()],
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
        return _Wrong(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.").answer

    # The API

    def routes(self) -> Sequence[BaseRoute]:
        return [
            self._route("/orders", GET=self._list_orders),
            self._route("/orders/batch", POST=self._batch),
            self._route("/orders/{id:int}", GET=self._get_order, PUT=self._put_order),
            self._route("/orders/{id:int}/notes", GET=self._list_notes, POST=self._post_note),
            self._route("/products", GET=self._list_products),
            self._route("/products/{id:int}", GET=self._get_product, PUT=self._put_product),
            self._route("/products/tags", GET=self._list_tags, POST=self._post_tag),
            self._route("/webhooks", GET=self._list_webhooks, POST=self._post_webhook),
            self._route("/webhooks/{id:int}", GET=self._get_webhook, PUT=self._put_webhook),
            Route("/wp-json/{rest:path}", _no_route, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/{rest:path}", _page_not_found),
        ]

    def _route(self, path: str, **handlers: Callable[[Request], Awaitable[Response]]) -> Route:
        async def handle(request: Request) -> Response:
            try:
                self._check_key(request)
                return await handlers["GET" if request.method == "HEAD" else request.method](request)
            except _Wrong as wrong:
                return wrong.answer

        return Route(_ROOT + path, handle, methods=list(handlers))

    def _check_key(self, request: Request) -> None:
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            raise _Wrong(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        key, secret = self.credentials["consumer_key"], self.credentials["consumer_secret"]
        if pair != base64.b64encode(f"{key}:{secret}".encode()).decode():
            raise _Wrong(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
        if request.method != "GET" and self.permission == "read":
            raise _Wrong(
                401,
                "woocommerce_rest_authentication_error",
                "The API key provided does not have write permissions.",
            )
        if not self.shop_manager:
            raise _Wrong(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    async def _list_orders(self, request: Request) -> Response:
        query = request.query_params
        if query.get("orderby", "date") not in ("date", "id", "include", "title", "slug"):
            raise _invalid("orderby", f"orderby is not one of date, id, include, title, slug: {query['orderby']}")
        after = query.get("modified_after", "")
        found = [order for order in self.orders.values() if order["date_modified_gmt"] > after]
        order_key = "id" if query.get("orderby") == "id" else "date_created_gmt"
        found.sort(key=lambda order: order[order_key], reverse=query.get("order", "desc") == "desc")
        return _paged(request, found)

    async def _batch(self, request: Request) -> Response:
        updated = [self._update_order(change["id"], change) for change in (await _json(request)).get("update", ())]
        return JSONResponse({"update": updated} if updated else [])

    async def _get_order(self, request: Request) -> Response:
        return JSONResponse(self._order(request.path_params["id"]))

    async def _put_order(self, request: Request) -> Response:
        return JSONResponse(self._update_order(request.path_params["id"], await _json(request)))

    def _update_order(self, order_id: int, changes: Body) -> Body:
        self._order(order_id)
        status = changes.get("status")
        if status is not None and status not in _STATUSES:
            raise _invalid("status", f"status is not one of {', '.join(_STATUSES)}.")
        return self._change(str(order_id), **{k: changes[k] for k in ("status", "customer_note") if k in changes})

    async def _list_notes(self, request: Request) -> Response:
        return JSONResponse(self.notes[self._order(request.path_params["id"])["id"]])

    async def _post_note(self, request: Request) -> Response:
        order, given = self._order(request.path_params["id"]), await _json(request)
        _require(given, "note")
        note = {
            "id": next(self._ids),
            "author": "Practice",
            "date_created_gmt": _text(_now()),
            "note": given["note"],
            "customer_note": bool(given.get("customer_note")),
        }
        self.notes[order["id"]].insert(0, note)  # newest first
        return JSONResponse(note, 201)

    async def _list_products(self, request: Request) -> Response:
        """The SKU filter takes a list, and finds variations too; without it they are left out."""
        if sku := request.query_params.get("sku"):
            wanted = {sku, *sku.split(",")}
            return _paged(request, [product for product in self.products.values() if product["sku"] in wanted])
        return _paged(request, [product for product in self.products.values() if product["type"] != "variation"])

    async def _get_product(self, request: Request) -> Response:
        return JSONResponse(self._product(request.path_params["id"]))

    async def _put_product(self, request: Request) -> Response:
        product, changes = self._product(request.path_params["id"]), await _json(request)
        if "tags" in changes:
            tags = [self.tags[tag["id"]] for tag in changes["tags"] if tag["id"] in self.tags]
            product["tags"] = [{key: tag[key] for key in ("id", "name", "slug")} for tag in tags]
        product |= {k: changes[k] for k in ("manage_stock", "stock_quantity", "name") if k in changes}
        product["date_modified_gmt"] = _later(product)
        return JSONResponse(product)

    async def _list_tags(self, request: Request) -> Response:
        slug = request.query_params.get("slug")
        return _paged(request, [tag for tag in self.tags.values() if slug in (None, tag["slug"])])

    async def _post_tag(self, request: Request) -> Response:
        given = await _json(request)
        _require(given, "name")
        slug = given.get("slug") or given["name"].lower().replace(" ", "-")
        for tag in self.tags.values():
            if tag["slug"] == slug:
                message = "A term with the name provided already exists with this parent."
                raise _Wrong(400, "term_exists", message, resource_id=tag["id"])
        tag = {"id": next(self._ids), "name": given["name"], "slug": slug, "description": "", "count": 0}
        self.tags[tag["id"]] = tag
        return JSONResponse(tag, 201)

    async def _list_webhooks(self, request: Request) -> Response:
        return _paged(request, [_shown(webhook) for webhook in self.webhooks.values()])

    async def _get_webhook(self, request: Request) -> Response:
        return JSONResponse(_shown(self._webhook(request.path_params["id"])))

    async def _post_webhook(self, request: Request) -> Response:
        given = await _json(request)
        _require(given, "topic", "delivery_url")
        webhook = {
            "id": next(self._ids),
            "name": given.get("name") or f"Webhook created on {_text(_now())}",
            "status": given.get("status", "active"),
            "topic": given["topic"],
            "resource": given["topic"].partition(".")[0],
            "event": given["topic"].partition(".")[2],
            "delivery_url": given["delivery_url"],
            "secret": given.get("secret", ""),
            "date_created_gmt": _text(_now()),
        }
        self.webhooks[webhook["id"]] = webhook
        if webhook["status"] == "active":
            await _ping(webhook)
        return JSONResponse(_shown(webhook), 201)

    async def _put_webhook(self, request: Request) -> Response:
        webhook, changes = self._webhook(request.path_params["id"]), await _json(request)
        if changes.get("status", "active") not in ("active", "paused", "disabled"):
            raise _invalid("status", "status is not one of active, paused, and disabled.")
        activated = changes.get("status") == "active" != webhook["status"]
        webhook |= {k: changes[k] for k in ("name", "status", "topic", "delivery_url", "secret") if k in changes}
        if activated:
            await _ping(webhook)
        return JSONResponse(_shown(webhook))

    # What it holds

    def _by_sku(self) -> dict[str, Body]:
        return {product["sku"]: product for product in self.products.values() if product["sku"]}

    def _order(self, order_id: int) -> Body:
        if order_id not in self.orders:
            raise _Wrong(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return self.orders[order_id]

    def _product(self, product_id: int) -> Body:
        if product_id not in self.products:
            raise _Wrong(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return self.products[product_id]

    def _webhook(self, webhook_id: int) -> Body:
        if webhook_id not in self.webhooks:
            raise _Wrong(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return self.webhooks[webhook_id]

    def _change(self, order_id: str, **changes: Any) -> Body:
        """Every change has a later time; a status that means paid sets the time of payment, once."""
        order = self.orders[int(order_id)]
        order |= changes | {"date_modified_gmt": _later(order)}
        order["date_modified"] = order["date_modified_gmt"]
        reached = {"processing": ("date_paid",), "completed": ("date_paid", "date_completed")}
        for name in reached.get(order["status"], ()):
            order[name] = order[f"{name}_gmt"] = order[f"{name}_gmt"] or order["date_modified_gmt"]
        return order


# Orders, as the shop works them out


def _order(number: int, sale: Sale, products: Mapping[str, Body], ids: "count[int]", at_subtotal: bool) -> Body:
    """Amounts of lines are without tax, whatever the prices are. Coupons come off before tax; when prices include tax,
    so do they. Shipping is priced without tax. https://woocommerce.com/document/setting-up-taxes-in-woocommerce/"""
    sums = _Sums(sale, at_subtotal)
    lines = [
        sums.line(
            {
                "id": next(ids),
                "name": product["name"],
                "product_id": product["parent_id"] or product["id"],
                "variation_id": product["id"] if product["parent_id"] else 0,
                "quantity": line.quantity,
                "tax_class": "",
                "meta_data": [],
                "sku": line.sku,
            },
            gross,
            reduced,
        )
        for line, product, gross, reduced in _discounted(sale, products)
    ]
    sent = bool(sale.shipping) or any(not products[line.sku]["virtual"] for line in sale.lines)
    shipping = [sums.shipping(next(ids))] if sent else []
    tips = [sums.tip(next(ids))] if sale.tip else []
    person, now = sale.customer, _text(_now())
    first, _, last = person.name.partition(" ")
    address = {
        "first_name": first,
        "last_name": last,
        "company": person.company,
        "address_1": "1 Main St",
        "address_2": "",
        "city": "Austin",
        "state": "TX",
        "postcode": "78701",
        "country": "US",
        "phone": person.phone,
    }
    return {
        "id": number,
        "parent_id": 0,
        "number": sale.number,
        "order_key": f"wc_order_{number}",
        "created_via": "checkout",
        "version": "10.3.0",
        "status": "pending",
        "currency": sale.currency,
        "date_created": now,
        "date_created_gmt": now,
        "date_modified": now,
        "date_modified_gmt": now,
        "prices_include_tax": sale.taxes_included,
        "customer_id": int(person.id) if person.id.isdecimal() else 0,
        "customer_note": sale.note,
        "billing": address | {"email": person.email},
        "shipping": address if sent else dict.fromkeys(address, ""),
        "payment_method": "card",
        "payment_method_title": "Card",
        "transaction_id": "",
        "date_paid": None,
        "date_paid_gmt": None,
        "date_completed": None,
        "date_completed_gmt": None,
        "meta_data": [],
        "line_items": lines,
        "shipping_lines": shipping,
        "fee_lines": tips,
        "refunds": [],
        "needs_processing": any(
            not (products[line.sku]["virtual"] and products[line.sku]["downloadable"]) for line in sale.lines
        ),
        **sums.totals(next(ids), next(ids)),
        "_links": {"self": [{"href": f"https://tea.example{_ROOT}/orders/{number}"}]},
    }


@dataclass
class _Sums:
    """Adds up an order. Taxes round half down when prices include them, so that net and tax give the price again."""

    sale: Sale
    at_subtotal: bool
    nets: list[Decimal] = field(default_factory=list)
    taxes: list[Decimal] = field(default_factory=list)
    discounts: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    shipping_net: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)

    def line(self, item: Body, gross: Decimal, reduced: Decimal) -> Body:
        """`gross` is the price of all pieces, `reduced` the same after coupons, both as the shop's prices are."""
        subtotal, subtotal_tax = self._split(gross)
        net, tax = self._split(reduced)
        self.nets.append(net)
        self.taxes.append(tax)
        self.discounts.append((subtotal - net, subtotal_tax - tax))
        return item | {
            "subtotal": self._amount(subtotal),
            "subtotal_tax": self._amount(subtotal_tax),
            "total": self._amount(net),
            "total_tax": self._amount(tax),
            "taxes": self._tax_entries(tax, subtotal_tax),
            "price": float(net / item["quantity"]) if item["quantity"] else 0,
        }

    def shipping(self, number: int) -> Body:
        self.shipping_net = self._round(self.sale.shipping)
        self.shipping_tax = self._tax(self.shipping_net * self.sale.tax_rate)
        return {
            "id": number,
            "method_title": "Flat rate" if self.shipping_net else "Free shipping",
            "method_id": "flat_rate" if self.shipping_net else "free_shipping",
            "total": self._amount(self.shipping_net),
            "total_tax": self._amount(self.shipping_tax),
            "taxes": self._tax_entries(self.shipping_tax, self.shipping_tax),
            "meta_data": [],
        }

    def tip(self, number: int) -> Body:
        self.fees += self._round(self.sale.tip)
        return {
            "id": number,
            "name": "Tip",
            "tax_class": "",
            "tax_status": "none",
            "amount": str(self.sale.tip),
            "total": self._amount(self.fees),
            "total_tax": self._amount(Decimal(0)),
            "taxes": [],
            "meta_data": [],
        }

    def totals(self, tax_line: int, coupon_line: int) -> Body:
        goods = sum(self.nets, Decimal(0)) if self.at_subtotal else sum(map(self._round, self.nets), Decimal(0))
        cart_tax, shipping_tax = self._round_tax(sum(self.taxes, Decimal(0))), self._round_tax(self.shipping_tax)
        discount, discount_tax = (sum(part, Decimal(0)) for part in zip(*self.discounts, strict=True))
        amount = self._amount
        return {
            "discount_total": amount(discount),
            "discount_tax": amount(discount_tax),
            "shipping_total": amount(self.shipping_net),
            "shipping_tax": amount(shipping_tax),
            "cart_tax": amount(cart_tax),
            "total_tax": amount(cart_tax + shipping_tax),
            "total": amount(goods + self.fees + self.shipping_net + cart_tax + shipping_tax),
            "tax_lines": [
                {
                    "id": tax_line,
                    "rate_code": "US-TX-SALES TAX-1",
                    "rate_id": _RATE_ID,
                    "label": _TAX_LABEL,
                    "compound": False,
                    "tax_total": amount(cart_tax),
                    "shipping_tax_total": amount(shipping_tax),
                    "rate_percent": float(self.sale.tax_rate * 100),
                    "meta_data": [],
                }
            ]
            if self.sale.tax_rate
            else [],
            "coupon_lines": [
                {
                    "id": coupon_line,
                    "code": "welcome",
                    "discount": amount(discount),
                    "discount_tax": amount(discount_tax),
                    "meta_data": [],
                }
            ]
            if discount
            else [],
        }

    def _split(self, price: Decimal) -> tuple[Decimal, Decimal]:
        """Net, not rounded, and tax."""
        if not self.sale.taxes_included:
            return price, self._tax(price * self.sale.tax_rate)
        net = price / (1 + self.sale.tax_rate)
        return net, self._tax(price - net)

    def _tax(self, tax: Decimal) -> Decimal:
        return tax if self.at_subtotal else self._round_tax(tax)

    def _tax_entries(self, tax: Decimal, subtotal: Decimal) -> list[Body]:
        return [{"id": _RATE_ID, "total": str(tax), "subtotal": str(subtotal)}] if self.sale.tax_rate else []

    def _round_tax(self, tax: Decimal) -> Decimal:
        return tax.quantize(self._unit, ROUND_HALF_DOWN if self.sale.taxes_included else ROUND_HALF_UP)

    def _round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self._unit, ROUND_HALF_UP)

    def _amount(self, amount: Decimal) -> str:
        return str(self._round(amount) + 0)

    @property
    def _unit(self) -> Decimal:
        return Decimal(1).scaleb(-digits(self.sale.currency))


def _discounted(sale: Sale, products: Mapping[str, Body]) -> list[tuple[Any, Body, Decimal, Decimal]]:
    """Line, product, price of all its pieces, and the same after coupons. A coupon for the whole cart is shared out
    evenly by piece, what is left over cent by cent; no line becomes negative."""
    unit = Decimal(1).scaleb(-digits(sale.currency))
    gross = [Decimal(products[line.sku]["price"]).quantize(unit, ROUND_HALF_UP) * line.quantity for line in sale.lines]
    reduced = [max(price - line.discount, Decimal(0)) for price, line in zip(gross, sale.lines, strict=True)]
    left = min(sale.order_discount.quantize(unit), sum(reduced, Decimal(0)))
    while left > 0:
        open_lines = [i for i, amount in enumerate(reduced) if amount > 0]
        pieces = sum(sale.lines[i].quantity for i in open_lines)
        each = (left / pieces) // unit * unit
        for i in open_lines:
            share = min(each * sale.lines[i].quantity or unit, reduced[i], left)
            reduced[i] -= share
            left -= share
    return [
        (line, products[line.sku], price, after) for line, price, after in zip(sale.lines, gross, reduced, strict=True)
    ]


def _product(number: int, name: str, good: Good | None = None) -> Body:
    now = _text(_now())
    return {
        "id": number,
        "name": name,
        "type": "simple",
        "status": "publish",
        "date_created_gmt": now,
        "date_modified_gmt": now,
        "sku": good.sku if good else "",
        "price": str(good.price) if good else "",
        "regular_price": str(good.price) if good else "",
        "virtual": bool(good and not good.ships),
        "downloadable": False,
        "manage_stock": bool(good and good.ships),
        "stock_quantity": good.stock if good and good.ships else None,
        "stock_status": "instock",
        "weight": str(Decimal(good.weight_grams) / 1000) if good else "",
        "parent_id": 0,
        "categories": [],
        "tags": [],
        "attributes": [],
        "variations": [],
        "meta_data": [],
    }


# Requests, answers, times


async def _json(request: Request) -> Body:
    try:
        given = orjson.loads(await request.body())
    except ValueError:
        raise _Wrong(400, "rest_invalid_json", "Invalid JSON body passed.") from None
    return given if isinstance(given, dict) else {}


def _invalid(name: str, message: str) -> _Wrong:
    return _Wrong(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: message}, details={})


def _require(given: Body, *names: str) -> None:
    if missing := [name for name in names if not given.get(name)]:
        raise _Wrong(400, "rest_missing_callback_param", f"Missing parameter(s): {', '.join(missing)}", params=missing)


def _paged(request: Request, found: Sequence[Body]) -> Response:
    query = request.query_params
    page, size = (int(query.get(name, default)) for name, default in (("page", "1"), ("per_page", "10")))
    if not 1 <= size <= 100:
        raise _invalid("per_page", "per_page must be between 1 (inclusive) and 100 (inclusive)")
    pages = -(-len(found) // size)
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    if page < pages:
        headers["Link"] = f'<{request.url.include_query_params(page=page + 1)}>; rel="next"'
    return JSONResponse(found[(page - 1) * size : page * size], headers=headers)


async def _no_route(_: Request) -> Response:
    message = "No route was found matching the URL and request method."
    return _Wrong(404, "rest_no_route", message).answer


async def _page_not_found(_: Request) -> Response:
    return HTMLResponse("<html><h1>Page not found</h1></html>", 404)


def _shown(webhook: Body) -> Body:
    """A webhook never shows its secret."""
    return {key: value for key, value in webhook.items() if key != "secret"}


async def _ping(webhook: Body) -> None:
    """The unsigned form that says which webhook it is; what comes back changes nothing."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.post(webhook["delivery_url"], data={"webhook_id": str(webhook["id"])}) as answer,
        ):
            await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return


def _now() -> datetime:
    return datetime.now(UTC)


def _later(resource: Body) -> str:
    """Now, or a second after the resource's last change: times are in whole seconds."""
    before = datetime.fromisoformat(resource["date_modified_gmt"]).replace(tzinfo=UTC)
    return _text(max(_now(), before + timedelta(seconds=1)))


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")


SIMULATOR = WooCommerce
