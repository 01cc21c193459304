"""What runs low within an hour, what is peculiar about each item, and what stock.csv says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bellwire.practice.catalogue import GOODS
from bellwire.practice.roles import Supply

UNKNOWN_SKU, NOT_SUPPLIED = "TEA-250", "SCOOP-01"
"""What the shop has by another name, and what has no supplier, until somebody mends it."""
AGAIN = "TEA-100"
"""Runs low a second time, with so many left."""
LEFT = 31
OTHER_NAME = "TEA-QUARTER"


@dataclass(frozen=True)
class Point:
    """A line of stock.csv."""

    sku: str
    reorder_point: int
    target: int | None = None
    rearm: int | None = None

    @property
    def line(self) -> str:
        cells = (self.reorder_point, self.target, self.rearm)
        return ",".join([self.sku, *("" if cell is None else str(cell) for cell in cells), f'"{GOODS[self.sku].name}"'])

    def wanted(self, available: int, terms: Supply) -> int:
        """How many are to be ordered: up to the target, or twice the reorder point, as the supplier sells them."""
        level = 2 * self.reorder_point if self.target is None else self.target
        return -(-max(level - available, terms.minimum) // terms.pack) * terms.pack


def points() -> list[Point]:
    """All but the last run low."""
    return [
        Point("TEA-100", 40, target=120),
        Point("TEA-250", 30),
        Point("MUG-RED", 12, rearm=20),
        Point("SCOOP-01", 100),
        Point("GIFT-BOX", 150, target=300),
        Point("TEA-500-NEW", 10),
    ]


@dataclass(frozen=True)
class Chapter:
    """What happens to an item's stock within the hour."""

    sku: str
    moves: Sequence[int]
    about: str
    low_at: int | None = None
    """How many are there when it falls to its reorder point; None: it doesn't, or nobody watches it."""
    copies: int = 1
    """How often each webhook comes."""
    order: Sequence[int] = ()
    """In which the webhooks of the moves come; empty: as it happens."""


def chapters() -> list[Chapter]:
    return [
        Chapter("GIFT-BOX", [], "is at its reorder point; no webhook told of it, the morning's count does", 150),
        Chapter("TEA-100", [-75, -7, 4, -5], "goes up and down around its reorder point", 38),
        Chapter(UNKNOWN_SKU, [-55], "the shop has it by another SKU; its webhook comes three times", 25, copies=3),
        Chapter("MUG-RED", [-30, -20, -1], "an older webhook comes after a newer one", 10, order=[1, 0, 2]),
        Chapter(NOT_SUPPLIED, [-205], "nobody supplies it", 95),
        Chapter("TEA-500-NEW", [-5], "is above its reorder point"),
        Chapter("MUG-BLUE", [-59], "is nearly gone, but not in stock.csv"),
    ]


@dataclass(frozen=True)
class Low:
    """What was low within an hour, with how many of it were there: one run."""

    available: Mapping[str, int]
