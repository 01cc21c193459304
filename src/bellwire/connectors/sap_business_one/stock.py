"""The stock of a warehouse: goods issues and goods receipts change it.

They take no key. Their remarks have the action's, and by those an earlier attempt is found.
"""

from contextlib import nullcontext

from bellwire.capabilities import stock
from bellwire.capabilities.stock import AdjustStock, CountStock, StockChanges, StockCount, StockCounts
from bellwire.connectors.kit import Call, LookUp, Unkeyed, action, after_writing
from bellwire.connectors.kit.stock import changed, wanted_changes
from bellwire.connectors.sap_business_one.api import Record, find_items, listed, quoted, whole
from bellwire.connectors.sap_business_one.manifest import settings_of

_ISSUES, _RECEIPTS = "InventoryGenExits", "InventoryGenEntries"
_LONGEST = 150
"""What of a reference goes into the remarks, which hold 254."""


async def find_adjusted(call: Call, given: AdjustStock) -> StockChanges | None:
    """What an earlier attempt changed; None when some or all of it isn't done."""
    wanted = wanted_changes(given)
    return None if await _missing(call, given, wanted) else changed(wanted, _warehouse(call, given))


@action(stock.ADJUST, repeat=LookUp(find_adjusted))
async def adjust(call: Call, given: AdjustStock) -> StockChanges:
    """What gets less is one goods issue, what gets more one goods receipt, at the cost that SAP has for the items.
    Lines without goods (nothing ships, no SKU, no quantity) are left out; a SKU on several lines is added up. Raises
    Refused (unknown-sku:SKU) before anything is changed."""
    wanted = wanted_changes(given)
    items = await find_items(call, wanted) if wanted else {}
    todo = await _missing(call, given, wanted) if call.again else _parts(wanted)
    warehouse = _warehouse(call, given)
    for place, (collection, changes) in enumerate(todo.items()):
        lines = [
            {"ItemCode": items[sku]["ItemCode"], "Quantity": abs(change), "WarehouseCode": warehouse}
            for sku, change in changes.items()
        ]
        # Whatever the second one says, the first is done.
        with after_writing("A part of the stock is changed.") if place else nullcontext():
            await call.api.post(collection, {"Comments": _remarks(call, given), "DocumentLines": lines})
    return changed(wanted, warehouse)


@action(stock.COUNT, repeat=Unkeyed("it only reads"))
async def count(call: Call, given: CountStock) -> StockCounts:
    """What is there and not committed to customers' orders; 0 where the warehouse never had it. Raises Refused
    (unknown-sku:SKU)."""
    warehouse = _warehouse(call, given)
    items = await find_items(call, given.skus, "ItemCode,ItemWarehouseInfoCollection")
    return StockCounts(
        counts=tuple(
            StockCount(sku=sku, available=available(item, warehouse), item_id=item["ItemCode"])
            for sku, item in items.items()
        ),
        location=warehouse,
    )


def _warehouse(call: Call, given: AdjustStock | CountStock) -> str:
    return given.location or settings_of(call.connection).warehouse


def available(item: Record, warehouse: str) -> int:
    """How many of an item a warehouse has that no customer's order has claimed."""
    return sum(
        whole((place.get("InStock") or 0) - (place.get("Committed") or 0))
        for place in item["ItemWarehouseInfoCollection"]
        if place["WarehouseCode"] == warehouse
    )


def _parts(wanted: dict[str, int]) -> dict[str, dict[str, int]]:
    """The documents that it takes. The issue comes first: it is the one that may be refused, for want of stock."""
    less = {sku: change for sku, change in wanted.items() if change < 0}
    more = {sku: change for sku, change in wanted.items() if change > 0}
    return {name: part for name, part in ((_ISSUES, less), (_RECEIPTS, more)) if part}


async def _missing(call: Call, given: AdjustStock, wanted: dict[str, int]) -> dict[str, dict[str, int]]:
    """The documents that no earlier attempt has made."""
    where = f"Comments eq {quoted(_remarks(call, given))}"
    return {
        collection: part
        for collection, part in _parts(wanted).items()
        if not await listed(call, collection, where, select="DocEntry")
    }


def _remarks(call: Call, given: AdjustStock) -> str:
    said = f"{given.reason.value.capitalize()} {given.reference[:_LONGEST]}".strip()
    return f"{said} (Bellwire {call.key})"
