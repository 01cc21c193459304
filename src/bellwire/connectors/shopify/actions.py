"""What Bellwire does at Shopify, by the Admin GraphQL API."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

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
from bellwire.connectors.kit import Account, Call, Compared, LookUp, Seen, Unkeyed, Upsert, action
from bellwire.connectors.kit.flagging import flagged
from bellwire.connectors.shopify import documents
from bellwire.connectors.shopify.reading import ask, find_order, gid, send, since
from bellwire.errors import Refused
from bellwire.events import Environment

# Each order of a page is read by itself, and they share the shop's points: more would only wait.
_ORDERS_A_PAGE = 25
_FULFILLABLE = {"OPEN", "IN_PROGRESS"}
_WAITING = {"ON_HOLD", "SCHEDULED"}
_UNDONE = {"CANCELLED", "ERROR", "FAILURE"}


@action(READ_ORDER, repeat=Unkeyed("it only reads"))
async def read_order(call: Call, given: ReadOrder) -> FoundOrder:
    """Raises Refused (unknown-order)."""
    found = await find_order(call, given.order_id)
    if found is None:
        raise _unknown_order(given.order_id)
    return FoundOrder(order=found)


@action(LIST_ORDERS_SINCE, repeat=Unkeyed("it only reads"))
async def list_orders_since(call: Call, given: ListOrdersSince) -> OrderPage:
    """Pages have 25 orders at most. Orders older than 60 days need the scope read_all_orders."""
    page = await ask(
        call,
        documents.ORDERS_SINCE,
        first=min(given.limit, _ORDERS_A_PAGE),
        after=given.cursor or None,
        query=since(given.since),
    )
    ids = [node["id"].rpartition("/")[2] for node in page["orders"]["nodes"]]
    found = [await find_order(call, order_id) for order_id in ids]
    more = page["orders"]["pageInfo"]
    return OrderPage(
        orders=tuple(order for order in found if order is not None),
        next_cursor=more["endCursor"] if more["hasNextPage"] else "",
    )


async def look_for_flag(call: Call, given: FlagProduct) -> Seen | None:
    product = (await ask(call, documents.TAGS_OF, id=await _product(call, given.sku)))["product"]
    return flagged(given, product["tags"], product["legacyResourceId"]) if product else None


@action(FLAG_PRODUCT, repeat=Upsert(on="the product's tags"), look=look_for_flag)
async def flag_product(call: Call, given: FlagProduct) -> FlaggedProduct:
    """Flags are tags. Raises Refused (unknown-sku, ambiguous-sku)."""
    product = await _product(call, given.sku)
    if given.on:
        node = (await ask(call, documents.ADD_TAGS, writes=True, id=product, tags=[given.tag]))["tagsAdd"]["node"]
    else:
        node = await _without(call, product, [given.tag])
    if others := [tag for tag in node["tags"] if given.replaces(tag)]:
        node = await _without(call, product, others)
    return FlaggedProduct(product_id=node["legacyResourceId"], flags=tuple(node["tags"]))


async def _product(call: Call, sku: str) -> str:
    mapped = await call.mapped("product", sku)
    return gid("Product", mapped) if mapped else await _product_with(call, sku)


async def _without(call: Call, product: str, tags: list[str]) -> dict[str, Any]:
    """The product, once these tags aren't at it."""
    answer = await ask(call, documents.REMOVE_TAGS, writes=True, id=product, tags=tags)
    node: dict[str, Any] = answer["tagsRemove"]["node"]
    return node


async def _product_with(call: Call, sku: str) -> str:
    """Shopify's search is by words and forgives case; only the exact SKU counts."""
    text = sku.replace("\\", "\\\\").replace('"', '\\"')
    products: set[str] = set()
    more: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while more["hasNextPage"]:
        page = await ask(call, documents.VARIANTS_BY_SKU, query=f'sku:"{text}"', after=more["endCursor"])
        found, more = page["productVariants"]["nodes"], page["productVariants"]["pageInfo"]
        products |= {node["product"]["id"] for node in found if node["sku"] == sku}
    mapping = f'`bellwire records map {call.connection.name} product {sku} "ID"`'
    if not products:
        raise Refused(
            f"The shop has no product with the SKU {sku}.",
            cause="unknown-sku",
            remedy=f"Give the product this SKU in the shop, or say which it is: {mapping}. Then retry.",
        )
    if len(products) > 1:
        raise Refused(
            f"{len(products)} products of the shop have the SKU {sku}.",
            cause="ambiguous-sku",
            detail=", ".join(sorted(products)),
            remedy=f"Give each its own SKU in the shop, or say which is meant: {mapping}. Then retry.",
        )
    return products.pop()


async def _look_for_fulfilment(call: Call, given: MarkFulfilled) -> MarkedFulfilled | None:
    """There when nothing is left to fulfil."""
    shipments = await _Shipments.of(call, given.order_id)
    return None if shipments.open or shipments.waiting else shipments.last


async def look_for_fulfilment(call: Call, given: MarkFulfilled) -> Seen | None:
    """Whether all of the order was fulfilled, whoever did it, and with this tracking number."""
    shipments = await _Shipments.of(call, given.order_id)
    if shipments.open or shipments.last is None:
        return None
    numbers = [number for number in shipments.numbers if number]
    theirs = given.tracking_number if given.tracking_number in numbers else ", ".join(numbers)
    compared = (Compared("tracking number", given.tracking_number, theirs),) if given.tracking_number else ()
    return Seen(f"the fulfilment of order {shipments.name}", compared, result=shipments.last)


@action(MARK_FULFILLED, repeat=LookUp(_look_for_fulfilment), look=look_for_fulfilment)
async def mark_fulfilled(call: Call, given: MarkFulfilled) -> MarkedFulfilled:
    """Fulfils all that is open; what was fulfilled before is left alone. One fulfilment for each location.

    Raises Refused (unknown-order, on-hold, nothing-to-fulfil, or Shopify's own reason).
    """
    shipments = await _Shipments.of(call, given.order_id)
    done = [await _fulfil(call, given, parcel) for parcel in shipments.parcels]
    result = done[0] if done else shipments.last
    if result is None:
        raise shipments.refusal
    return result


class _Shipments:
    """What of an order is still to be fulfilled, and what was."""

    def __init__(self, order: Any, location_id: str) -> None:
        ours = [entry for entry in order["fulfillmentOrders"]["nodes"] if location_id in ("", _location(entry))]
        done = [entry for entry in order["fulfillments"] if entry["status"] not in _UNDONE]
        self.name: str = order["name"]
        self.open = [entry for entry in ours if entry["status"] in _FULFILLABLE]
        self.waiting = [entry for entry in ours if entry["status"] in _WAITING]
        self.numbers = [told["number"] or "" for entry in done for told in entry["trackingInfo"]]
        self.last = MarkedFulfilled(id=done[-1]["legacyResourceId"]) if done and not self.waiting else None

    @classmethod
    async def of(cls, call: Call, order_id: str) -> "_Shipments":
        found = (await ask(call, documents.SHIPMENTS, id=gid("Order", order_id)))["order"]
        if found is None:
            raise _unknown_order(order_id)
        return cls(found, call.settings.location_id)

    @property
    def parcels(self) -> Iterable[list[str]]:
        """The open fulfilment orders, by location: Shopify takes only those of one location together."""
        ordered = sorted(self.open, key=_location)
        return [[entry["id"] for entry in group] for _, group in groupby(ordered, key=_location)]

    @property
    def refusal(self) -> Refused:
        if self.waiting:
            return Refused(
                f"Order {self.name} is on hold or scheduled for later in the shop.",
                cause="on-hold",
                remedy="Release it in the shop, then retry.",
            )
        return Refused(
            f"Order {self.name} has nothing to fulfil: it may have been cancelled.", cause="nothing-to-fulfil"
        )


async def _fulfil(call: Call, given: MarkFulfilled, fulfilment_orders: list[str]) -> MarkedFulfilled:
    tracking = {"company": given.carrier, "number": given.tracking_number, "url": given.tracking_url}
    fulfilment = {
        "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": entry} for entry in fulfilment_orders],
        "notifyCustomer": given.notify_customer,
        "trackingInfo": {name: value for name, value in tracking.items() if value},
    }
    made = (await ask(call, documents.FULFIL, writes=True, fulfillment=fulfilment))["fulfillmentCreate"]
    return MarkedFulfilled(id=made["fulfillment"]["legacyResourceId"])


def _location(fulfilment_order: Any) -> str:
    location = fulfilment_order["assignedLocation"]["location"]
    return str(location["legacyResourceId"]) if location else ""


def _unknown_order(order_id: str) -> Refused:
    return Refused(
        f"The shop has no order {order_id}.",
        cause="unknown-order",
        remedy="It was removed, or it is older than 60 days and the app lacks the scope read_all_orders.",
    )


async def sign_in(call: Call) -> Account:
    """The shop, what the app may do there, and whether that is right."""
    data = await ask(call, documents.WHO_AM_I)
    shop, plan = data["shop"], data["shop"]["plan"]
    granted = {entry["handle"] for entry in data["currentAppInstallation"]["accessScopes"]}
    settings = call.settings
    warnings = []
    if settings.shop and shop["myshopifyDomain"] != settings.domain:
        warnings.append(f"The credentials are for {shop['myshopifyDomain']}, the connection is for {settings.domain}.")
    if "read_customers" in granted and not await _may_see_customers(call):
        warnings.append(
            "Shopify doesn't show customers' names and addresses to the app: ask for protected customer data in its "
            "settings at dev.shopify.com, or orders come without them."
        )
    return Account(
        shop["name"],
        f"{shop['myshopifyDomain']}, plan {plan['displayName']}",
        scopes=tuple(sorted(granted - _implied(granted, call.connection.manifest.scopes))),
        warnings=tuple(warnings),
        environment=Environment.SANDBOX if plan["partnerDevelopment"] else Environment.PRODUCTION,
    )


def _implied(granted: set[str], needed: Iterable[str]) -> set[str]:
    """Leave to write is leave to read, and Shopify lists both."""
    read = {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}
    return read - set(needed)


async def _may_see_customers(call: Call) -> bool:
    """https://shopify.dev/docs/apps/launch/protected-customer-data"""
    try:
        answer = await send(call, documents.PERSONAL)
    except Refused as error:
        if error.cause != "access-denied":
            raise
        return False
    return not answer.json().get("errors")
