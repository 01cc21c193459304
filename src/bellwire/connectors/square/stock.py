"""Square's stock: changing it and counting it.

https://developer.squareup.com/reference/square/inventory-api
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bellwire.capabilities import stock
from bellwire.capabilities.stock import (
    AdjustStock,
    CountStock,
    StockChange,
    StockChanges,
    StockCount,
    StockCounts,
    StockReason,
)
from bellwire.connectors.kit import ByKey, Call, Unkeyed, action
from bellwire.connectors.kit.stock import the_only_one, wanted_changes
from bellwire.connectors.square.api import batches, pages, timestamp
from bellwire.errors import Refused

_BATCH = 100
"""Changes in one request, and ids in one question."""

_SEARCHED = 250
"""SKUs in one search: the most that a set query takes."""

# What leaves the shelf becomes the first, what comes back was the second.
_SALE, _OTHER = ("SOLD", "UNLINKED_RETURN"), ("WASTE", "NONE")
_ELSEWHERE = {
    StockReason.SALE: _SALE,
    StockReason.RETURN: _SALE,
    StockReason.RECEIPT: _OTHER,
    StockReason.CORRECTION: _OTHER,
}


@action(stock.ADJUST, repeat=ByKey("the body's idempotency_key"))
async def adjust(call: Call, given: AdjustStock) -> StockChanges:
    """Lines without goods (nothing ships, no SKU, no quantity) are left out; a SKU on several lines is added up.
    Nothing left: nothing is sent. Raises Refused `unknown-sku:SKU` before anything is changed."""
    wanted = wanted_changes(given)
    items = await _items(call, list(wanted))
    location = given.location or call.settings.location_id
    counted: dict[str, int] = {}
    for number, skus in enumerate(batches(list(wanted), _BATCH)):
        changes = [_adjustment(call, given, items[sku], wanted[sku], location) for sku in skus]
        counted |= await _apply(call.part(f"changes-{number}"), changes, location)
    return StockChanges(
        changes=tuple(
            StockChange(sku=sku, change=wanted[sku], now=counted.get(item), item_id=item) for sku, item in items.items()
        ),
        location=location,
    )


@action(stock.COUNT, repeat=Unkeyed("it only reads"))
async def count(call: Call, given: CountStock) -> StockCounts:
    """What Square never counted is 0. Raises Refused `unknown-sku:SKU`."""
    items = await _items(call, given.skus)
    location = given.location or call.settings.location_id
    counted = await _counts(call, list(items.values()), location)
    return StockCounts(
        counts=tuple(StockCount(sku=sku, available=counted.get(item, 0), item_id=item) for sku, item in items.items()),
        location=location,
    )


def _adjustment(call: Call, given: AdjustStock, item: str, change: int, location: str) -> dict[str, Any]:
    gone, back = _ELSEWHERE[given.reason]
    from_state, to_state = (back, "IN_STOCK") if change > 0 else ("IN_STOCK", gone)
    adjustment = {
        "catalog_object_id": item,
        "location_id": location,
        "quantity": str(abs(change)),
        "from_state": from_state,
        "to_state": to_state,
        "occurred_at": timestamp(call.clock()),
    }
    if given.reference:
        adjustment["reference_id"] = given.reference[:255]
    return {"type": "ADJUSTMENT", "adjustment": adjustment}


async def _apply(call: Call, changes: list[dict[str, Any]], location: str) -> dict[str, int]:
    """Make the changes once; gives item → how many there are afterwards."""
    try:
        answer = await call.api.post(
            "inventory/changes/batch-create", {"idempotency_key": call.uuid, "changes": changes}
        )
    except Refused as error:
        # The key is this action's alone and the bodies of its attempts differ in `occurred_at` only: so an earlier
        # attempt was received, and the stock is changed.
        if error.cause != "idempotency-key-reused":
            raise
        return await _counts(call, [change["adjustment"]["catalog_object_id"] for change in changes], location)
    return _in_stock(answer.json().get("counts", []), location)


async def _counts(call: Call, items: Sequence[str], location: str) -> dict[str, int]:
    counted: dict[str, int] = {}
    for batch in batches(items, _BATCH):
        question = {"catalog_object_ids": batch, "location_ids": [location], "states": ["IN_STOCK"]}
        async for page in pages(call, "inventory/counts/batch-retrieve", question):
            counted |= _in_stock(page.get("counts", []), location)
    return counted


def _in_stock(counts: Iterable[Mapping[str, Any]], location: str) -> dict[str, int]:
    return {
        count["catalog_object_id"]: int(Decimal(count["quantity"]))
        for count in counts
        if count["state"] == "IN_STOCK" and count["location_id"] == location
    }


async def _items(call: Call, skus: Sequence[str]) -> dict[str, str]:
    """SKU → the id of Square's item variation: as somebody mapped it, else the one that has the SKU. Raises Refused."""
    mapped = {sku: await call.mapped("product", sku) for sku in skus}
    found = await _search(call, [sku for sku, item in mapped.items() if item is None])
    return {
        sku: item or the_only_one(call, sku, found.get(sku.casefold(), []), vendor="Square", thing="item")
        for sku, item in mapped.items()
    }


async def _search(call: Call, skus: Sequence[str]) -> dict[str, list[str]]:
    """SKU (its case folded: Square doesn't heed it) → the variations that have it."""
    found: dict[str, list[str]] = {}
    for batch in batches(skus, _SEARCHED):
        query = {"set_query": {"attribute_name": "sku", "attribute_values": batch}}
        async for page in pages(call, "catalog/search", {"object_types": ["ITEM_VARIATION"], "query": query}):
            for variation in page.get("objects", []):
                sku = variation["item_variation_data"]["sku"]
                found.setdefault(sku.casefold(), []).append(variation["id"])
    return found
