"""Goods by their SKU: what a change of the stock comes to, and which of a vendor's products is meant."""

from collections.abc import Mapping, Sequence

from bellwire.capabilities.stock import AdjustStock, StockChange, StockChanges, StockReason
from bellwire.connectors.kit.actions import Call
from bellwire.errors import Refused


def wanted_changes(given: AdjustStock) -> dict[str, int]:
    """SKU → how the stock changes; negative: it gets less. Lines without goods (nothing ships, no SKU) are left out, a
    SKU on several lines is added up, and what comes to nothing isn't there."""
    sign = -1 if given.reason is StockReason.SALE else 1
    changes: dict[str, int] = {}
    for line in given.lines:
        if line.ships and line.sku:
            changes[line.sku] = changes.get(line.sku, 0) + sign * line.quantity
    return {sku: change for sku, change in changes.items() if change}


def changed(changes: Mapping[str, int], location: str = "") -> StockChanges:
    """The result, for vendors that don't say what they count afterwards."""
    return StockChanges(
        changes=tuple(StockChange(sku=sku, change=change) for sku, change in changes.items()), location=location
    )


def the_only_one(call: Call, sku: str, ids: Sequence[str], *, vendor: str, thing: str) -> str:
    """The id of the one product (`thing`: what the vendor calls it) that has the SKU. Raises Refused (unknown-sku:SKU,
    ambiguous-sku:SKU)."""
    remedy = (
        f"Give the {thing} that SKU in {vendor}, or say which {thing} it is: "
        f'`bellwire records map {call.connection.name} product {sku} "ID"`. Then retry.'
    )
    if not ids:
        raise Refused(f"{vendor} knows no {thing} with the SKU '{sku}'.", cause=f"unknown-sku:{sku}", remedy=remedy)
    if len(ids) > 1:
        raise Refused(
            f"{vendor} has {len(ids)} {thing}s with the SKU '{sku}'.",
            cause=f"ambiguous-sku:{sku}",
            detail=", ".join(ids),
            remedy=remedy,
        )
    return ids[0]
