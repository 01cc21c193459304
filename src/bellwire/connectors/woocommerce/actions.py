"""What Bellwire does at the shop. https://woocommerce.github.io/woocommerce-rest-api-docs/"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from bellwire.capabilities.storefront import (
    FLAG_PRODUCT,
    LIST_ORDERS_SINCE,
    MARK_FULFILLED,
    READ_ORDER,
    FlaggedProduct,
    FlagProduct,
    FoundOrder,
    ListOrdersSince,
    MarkedFulfilled,
    MarkFulfilled,
    OrderPage,
    ReadOrder,
)
from bellwire.connectors.kit import Account, Answer, Call, Compared, LookUp, Seen, Unkeyed, Upsert, action
from bellwire.connectors.kit.flagging import flagged
from bellwire.connectors.woocommerce import orders
from bellwire.connectors.woocommerce.lists import PAGE, changed
from bellwire.errors import CannotNormalise, Refused, SignedOut, Transient, VendorError
from bellwire.events import Environment, Order

_NEVER_SENT = orders.CALLED_OFF | {"refunded", "failed"}
_NO_RIGHTS = "missing-rights"
_COPIES = {"staging", "stage", "stg", "dev", "test", "sandbox", "local", "localhost"}
"""What the addresses of copies are made of."""


def explain(answer: Answer) -> VendorError | None:
    """The shop's own errors are `{"code", "message", "data": {"status"}}`; anything else comes from what stands before
    it, and is temporary."""
    if answer.ok or answer.status == 429 or answer.status >= 500:
        return None
    detail = f"{answer.method} {answer.path}: {answer.status} {answer.text[:300]}"
    if answer.status < 400:
        return Refused(
            f"The shop's address leads on to another one: {answer.headers.get('location', 'it does not say which')}.",
            cause="shop-moved",
            detail=detail,
            remedy="Set `url` of this connection to the shop's real address.",
        )
    error = _error(answer)
    if error is None:
        return Transient(
            "The shop answered with a web page instead of data: a firewall, or maintenance?",
            cause="not-json",
            detail=detail,
            remedy="If it stays so: let the shop's host allow Bellwire, see that `url` is right and that WordPress › "
            "Settings › Permalinks isn't set to 'Plain'.",
            retry_after=answer.retry_after,
        )
    return _explain_code(answer, str(error.get("code", "")), str(error.get("message", "")), detail)


def _explain_code(answer: Answer, code: str, message: str, detail: str) -> VendorError | None:
    if answer.status == 403 or (answer.status == 401 and "permissions" in message):
        return Refused(
            "The shop's key may not do this.",
            cause=_NO_RIGHTS,
            detail=detail,
            remedy="In the shop make a new key with the permission Read/Write, for a user with the role Shop manager.",
        )
    if answer.status == 401 and code.startswith("woocommerce_rest_cannot"):
        return SignedOut(
            "The shop saw a request without a key.",
            detail=detail,
            remedy="The shop's host drops the Authorization header; ask the host to let it through.",
        )
    if answer.status == 401:
        return SignedOut(
            "The shop no longer accepts its key.",
            detail=detail,
            remedy="Make a new key in the shop, then set consumer_key and consumer_secret of this connection.",
        )
    if code == "rest_no_route":
        return Refused(
            "There is no WooCommerce at the shop's address.",
            cause="no-api",
            detail=detail,
            remedy="See that `url` of this connection is right and that the plugin is active.",
        )
    if code == "term_exists":
        return Transient("Someone made the same tag at the same moment.", cause="tag-exists", detail=detail)
    if answer.status == 404:
        kind, number, *_ = [*answer.path.split("/"), ""]
        what = {"orders": "order", "webhooks": "webhook"}.get(kind, "product")
        named = f"{what} {number}" if number.isdecimal() else f"such {what}"
        return Refused(
            f"The shop has no {named}; it may have been deleted.",
            cause=f"unknown-{what}",
            detail=detail,
            remedy=f"Look for the {what} in the shop's trash. If it was deleted on purpose, dismiss this.",
        )
    return Refused(f"The shop refused it: {message or answer.status}", cause=code or "refused", detail=detail)


def _error(answer: Answer) -> Mapping[str, Any] | None:
    """None when the answer isn't an object in JSON."""
    try:
        error = orjson.loads(answer.body)
    except ValueError:
        return None
    return error if isinstance(error, dict) else None


async def sign_in(call: Call) -> Account:
    """Reads one order and one product, and sends a batch with nothing in it, which only shows whether the key may
    write. Raises SignedOut, Refused or Transient."""
    warnings = [
        f"The key's user may not read {what}: give it the role Shop manager."
        for what in ("orders", "products")
        if not await _may(call, "GET", what)
    ]
    may_write = await _may(call, "POST", "orders/batch")
    if not may_write:
        warnings.append(
            "The key may only read: marking orders as sent and flagging products needs the permission Read/Write."
        )
    parts = urlsplit(call.settings.url)
    words = set(re.split(r"[.-]", parts.hostname or ""))
    if call.connection.environment is Environment.PRODUCTION and words & _COPIES:
        warnings.append(
            f"{parts.hostname} looks like a copy for tests, but the connection's environment is production. Nothing "
            "else tells a shop from its copy."
        )
    return Account(
        name=f"{parts.netloc}{parts.path}",
        detail=call.settings.url,
        scopes=("read_write" if may_write else "read",),
        warnings=tuple(warnings),
    )


async def _may(call: Call, method: str, path: str) -> bool:
    try:
        if method == "GET":
            await call.api.get(path, params={"per_page": "1", "_fields": "id"})
        else:
            await call.api.request(method, path, json={}, writes=False)
    except Refused as error:
        if error.cause != _NO_RIGHTS:
            raise
        return False
    return True


@action(READ_ORDER, repeat=Unkeyed("it only reads"))
async def read_order(call: Call, given: ReadOrder) -> FoundOrder:
    return FoundOrder(order=_canonical(call, await _order(call, given.order_id)))


@action(LIST_ORDERS_SINCE, repeat=Unkeyed("it only reads"))
async def list_orders_since(call: Call, given: ListOrdersSince) -> OrderPage:
    """Carts that aren't orders yet are left out."""
    found, more = await changed(call, "orders", given.since, given.cursor, size=min(given.limit, PAGE))
    return OrderPage(
        orders=tuple(_canonical(call, order) for order in found if order["status"] not in orders.DRAFTS),
        next_cursor=more,
    )


async def look_for_flag(call: Call, given: FlagProduct) -> Seen | None:
    product = await _product(call, given.sku)
    return flagged(given, [tag["slug"] for tag in product["tags"]], str(product["id"]))


@action(FLAG_PRODUCT, repeat=Upsert("the product's tags"), look=look_for_flag)
async def flag_product(call: Call, given: FlagProduct) -> FlaggedProduct:
    """A flag is a product tag. Variations have none: their product gets it. Tags are written as a whole list, so one
    that somebody adds in the same moment can be lost."""
    product = await _product(call, given.sku)
    tags = product["tags"]
    there, others = any(tag["slug"] == given.tag for tag in tags), any(given.replaces(tag["slug"]) for tag in tags)
    if others or given.on != there:
        kept = [{"id": tag["id"]} for tag in tags if not given.replaces(tag["slug"])]
        wanted = [*kept, {"id": await _tag(call, given.tag)}] if given.on and not there else kept
        tags = (await call.api.put(f"products/{product['id']}", {"tags": wanted})).json()["tags"]
    return FlaggedProduct(product_id=str(product["id"]), flags=tuple(tag["slug"] for tag in tags))


async def _product(call: Call, sku: str) -> Mapping[str, Any]:
    """The product with this SKU, or the one that its variation belongs to; what somebody mapped comes first."""
    mapped = await call.mapped("product", sku)
    if mapped:
        found = [(await call.api.get(f"products/{quote(mapped, safe='')}")).json()]
    else:
        # The filter takes lists, so a SKU with a comma brings others too.
        answer = await call.api.get("products", params={"sku": sku})
        found = [product for product in answer.json() if product["sku"] == sku]
    if not found:
        raise Refused(
            f"The shop has no product with the SKU '{sku}'.",
            cause="unknown-sku",
            remedy="Correct the SKU in the shop, or map it to the product's number there, then retry.",
        )
    product: Mapping[str, Any] = found[0]
    if product.get("type") == "variation":
        product = (await call.api.get(f"products/{product['parent_id']}")).json()
    return product


async def _tag(call: Call, flag: str) -> int:
    """The tag's id; it is made when there is none."""
    found = (await call.api.get("products/tags", params={"slug": flag})).json()
    tag: Mapping[str, Any] = (
        found[0] if found else (await call.api.post("products/tags", {"name": flag, "slug": flag})).json()
    )
    return int(tag["id"])


async def _find_fulfilled(call: Call, given: MarkFulfilled) -> MarkedFulfilled | None:
    order = await _order(call, given.order_id)
    done = order["status"] == "completed" and await _has_note(call, given)
    return MarkedFulfilled(id=given.order_id) if done else None


async def look_for_fulfilment(call: Call, given: MarkFulfilled) -> Seen | None:
    """Whether the order is completed, whoever set it so, and a note tells this tracking number. Where a plugin keeps
    tracking numbers, the shop doesn't tell them."""
    order = await _order(call, given.order_id)
    if order["status"] != "completed":
        return None
    theirs = given.tracking_number if await _has_note(call, given) else ""
    compared = (Compared("tracking number", given.tracking_number, theirs),) if given.tracking_number else ()
    return Seen(f"order {order['number']}, completed,", compared, result=MarkedFulfilled(id=str(order["id"])))


@action(MARK_FULFILLED, repeat=LookUp(_find_fulfilled), look=look_for_fulfilment)
async def mark_fulfilled(call: Call, given: MarkFulfilled) -> MarkedFulfilled:
    """The shop keeps no parcels: the order becomes completed, and the tracking number a note. With `notify_customer`
    the shop mails the note; a mail about the completed order is the shop's own setting."""
    order = await _order(call, given.order_id)
    if order["status"] in _NEVER_SENT:
        raise Refused(
            f"Order {order['number']} is {order['status']} in the shop, so it can't be marked as sent.",
            cause="order-closed",
            remedy="Stop the parcel, or set the order back to 'Processing' in the shop and retry.",
        )
    if order["status"] != "completed":
        await call.api.put(f"orders/{order['id']}", {"status": "completed"})
    if not await _has_note(call, given):
        note = " ".join(filter(None, (given.carrier, given.tracking_number, given.tracking_url)))
        await call.api.post(f"orders/{order['id']}/notes", {"note": note, "customer_note": given.notify_customer})
    return MarkedFulfilled(id=str(order["id"]))


async def _has_note(call: Call, given: MarkFulfilled) -> bool:
    """Whether a note tells the tracking number, or there is none to tell."""
    if not given.tracking_number:
        return True
    notes = (await call.api.get(f"orders/{quote(given.order_id, safe='')}/notes")).json()
    return any(given.tracking_number in note["note"] for note in notes)


async def _order(call: Call, order_id: str) -> dict[str, Any]:
    order: dict[str, Any] = (await call.api.get(f"orders/{quote(order_id, safe='')}")).json()
    return order


def _canonical(call: Call, body: Mapping[str, Any]) -> Order:
    try:
        return orders.read_order(body, call.settings)
    except CannotNormalise as error:
        raise Refused(error.sentence, cause="unreadable-order", remedy=error.remedy) from error


ACTIONS = (read_order, list_orders_since, flag_product, mark_fulfilled)
