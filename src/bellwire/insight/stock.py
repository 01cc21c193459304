"""When stock is low: once for each time that it falls to its reorder point."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Crossing:
    """What a count of the stock says."""

    low: bool
    """Whether the item is low from now on: to be kept until its next count."""
    crossed: bool
    """Whether it has become so by this count."""


def rearm_level(reorder_point: int) -> int:
    """Where stock counts as replenished unless somebody says otherwise: a tenth above the reorder point, at least by
    one."""
    return reorder_point + max(1, reorder_point // 10)


def crossed(low: bool, stock: int, reorder_point: int, rearm: int | None = None) -> Crossing:
    """Whether stock has fallen to its reorder point, or below it, with this count.

    An item that is low stays so until there are `rearm` or more of it again (`rearm_level` without it; never below one
    above the reorder point): what comes and goes around the reorder point tells of it once. `low` is what the count
    before said, False for the first. It is all that is kept: a change of the reorder point is a crossing too, if it
    makes the item low.
    """
    again = max(rearm_level(reorder_point) if rearm is None else rearm, reorder_point + 1)
    if low:
        return Crossing(low=stock < again, crossed=False)
    return Crossing(low=stock <= reorder_point, crossed=stock <= reorder_point)
