"""A purchase order beside another, whoever keeps them."""

from collections.abc import Iterable, Mapping

from bellwire.capabilities.purchasing import PurchaseLine
from bellwire.connectors.kit.looking import Compared


def quantities(wanted: Iterable[PurchaseLine], there: Mapping[str, int]) -> tuple[Compared, ...]:
    """How many of each SKU, in either of the two."""
    ours: dict[str, int] = {}
    for line in wanted:
        ours[line.sku] = ours.get(line.sku, 0) + line.quantity
    skus = dict.fromkeys([*ours, *there])
    return tuple(Compared(sku, _written(ours.get(sku)), _written(there.get(sku))) for sku in skus)


def _written(count: int | None) -> str:
    return "" if count is None else str(count)
