"""The stock of an outlet: changing it and counting it.

https://x-series-api.lightspeedhq.com/reference/createstockadjustments
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bellwire.capabilities import stock
from bellwire.capabilities.stock import AdjustStock, CountStock, StockChanges, StockCount, StockCounts
from bellwire.connectors.kit import Account, Call, LookUp, Unkeyed, action
from bellwire.connectors.kit.stock import changed, the_only_one, wanted_changes
from bellwire.connectors.lightspeed import adjustments
from bellwire.connectors.lightspeed.lists import batches, listed
from bellwire.errors import OutcomeUnknown, VendorError

_BATCH = 1000
"""Adjustments in one request, and products in one question."""


async def sign_in(call: Call) -> Account:
    """Reads the retailer and its outlets."""
    retailer = (await call.api.get("retailer")).json()["data"]
    known = {outlet["id"]: outlet["name"] async for outlet in listed(call, "outlets")}
    names = ", ".join(f"{name} ({outlet})" for outlet, name in known.items())
    wanted = call.settings.outlet_id
    warnings = () if wanted in known else (f"This store has no outlet '{wanted}'. It has: {names or 'none'}.",)
    return Account(name=retailer["name"], detail=f"Outlets: {names}", warnings=warnings)


async def find_adjusted(call: Call, given: AdjustStock) -> StockChanges | None:
    """What an earlier attempt changed; None when some or all of it isn't done."""
    wanted = wanted_changes(given)
    missing = await adjustments.missing(call, await _adjustments(call, given, wanted))
    return None if missing else changed(wanted, _outlet(call, given))


@action(stock.ADJUST, repeat=LookUp(find_adjusted))
async def adjust(call: Call, given: AdjustStock) -> StockChanges:
    """Lines without goods (nothing ships, no SKU, no quantity) are left out; a SKU on several lines is added up.
    Nothing left: nothing is sent. Raises Refused `unknown-sku:SKU` before anything is changed.

    The store says of an adjustment why it was made, but has no room for the order's number.
    """
    wanted = wanted_changes(given)
    todo = await _adjustments(call, given, wanted)
    if call.again:
        todo = await adjustments.missing(call, todo)
    for number, batch in enumerate(batches(todo, _BATCH)):
        try:
            await adjustments.make(call, batch)
        except VendorError as error:
            if number == 0:
                raise
            # Whatever this one says, those before it are done: who repeats has to look.
            raise OutcomeUnknown(f"A part of the stock is changed. {error.sentence}", detail=error.detail) from error
    return changed(wanted, _outlet(call, given))


@action(stock.COUNT, repeat=Unkeyed("it only reads"))
async def count(call: Call, given: CountStock) -> StockCounts:
    """What the store never counted is 0; a part of one doesn't count. Raises Refused `unknown-sku:SKU`."""
    products, outlet = await _products(call, given.skus), _outlet(call, given)
    levels: dict[str, int] = {}
    for batch in batches(list(products.values()), _BATCH):
        levels |= await _levels(call, batch, outlet)
    return StockCounts(
        counts=tuple(
            StockCount(sku=sku, available=levels.get(product, 0), item_id=product) for sku, product in products.items()
        ),
        location=outlet,
    )


def _outlet(call: Call, given: AdjustStock | CountStock) -> str:
    outlet: str = given.location or call.settings.outlet_id
    return outlet


async def _adjustments(call: Call, given: AdjustStock, wanted: dict[str, int]) -> list[adjustments.Adjustment]:
    products = await _products(call, list(wanted))
    outlet = _outlet(call, given)
    reasons = {gain: await adjustments.reason(call, given.reason, gain) for gain in {n > 0 for n in wanted.values()}}
    return [
        adjustments.Adjustment(products[sku], outlet, number, reasons[number > 0]) for sku, number in wanted.items()
    ]


async def _levels(call: Call, products: Sequence[str], outlet: str) -> dict[str, int]:
    """Product → how many are at the outlet."""
    question = {
        "product_ids": products,
        "location_ids": [outlet],
        "include_inactive": True,
        "include_composites": True,
        "sort_type": "created_at",
        "sort_direction": "asc",
        "size": _BATCH,
    }
    levels: dict[str, int] = {}
    offset = 0
    while True:
        body = question | {"offset": offset}
        answer = (await call.api.request("POST", "inventory_levels", json=body, writes=False)).json()
        # The description shows a bare list; other lists of the API stand under `data`.
        found: list[dict[str, Any]] = answer["data"] if isinstance(answer, dict) else answer
        levels |= {level["product_id"]: math.floor(level["current_inventory_level"]) for level in found}
        offset += len(found)
        if not found or offset >= len(products):
            return levels


async def _products(call: Call, skus: Sequence[str]) -> dict[str, str]:
    """SKU → the id of the store's product: as somebody mapped it, else the one that has the SKU. Raises Refused."""
    return {sku: await call.mapped("product", sku) or await _search(call, sku) for sku in skus}


async def _search(call: Call, sku: str) -> str:
    found = (await call.api.get("products", params={"sku": sku})).json()["data"]
    # A product may have several codes: https://x-series-api.lightspeedhq.com/reference/listproducts
    ids = [product["id"] for product in found if sku.casefold() in _codes(product) and not product.get("deleted_at")]
    return the_only_one(call, sku, ids, vendor="Lightspeed", thing="product")


def _codes(product: Mapping[str, Any]) -> set[str]:
    codes = [product.get("sku"), *(code.get("code") for code in product.get("product_codes") or ())]
    return {code.casefold() for code in codes if code}
