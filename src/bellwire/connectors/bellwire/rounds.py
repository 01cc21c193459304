"""A round of visits in whole seconds after it begins: what an order of them comes to."""

from collections.abc import Iterable
from dataclasses import dataclass

Matrix = tuple[tuple[int, ...], ...]
"""Seconds from each place (row) to each other (column)."""


@dataclass(frozen=True)
class Visit:
    takes: int
    earliest: int
    """It begins no earlier: who is there before waits."""
    latest: int
    """It begins no later."""


@dataclass(frozen=True)
class Walk:
    """An order of visits, by their numbers, in which all of them are in time."""

    order: tuple[int, ...]
    begins: tuple[int, ...]
    """When each of them begins."""
    arrives: int
    """At the end."""
    travel: int

    @property
    def cost(self) -> int:
        """Time on the road costs more than time: it counts twice, by itself and in how long the day is."""
        return self.travel + self.arrives


@dataclass(frozen=True)
class Round:
    travel: Matrix
    """The start, the visits, the end."""
    visits: tuple[Visit, ...]
    ends: int
    """The end is reached no later."""

    def walk(self, order: Iterable[int]) -> Walk | None:
        """None: something is late."""
        order, now, travel, before = tuple(order), 0, 0, 0
        begins = []
        for number in order:
            visit, way = self.visits[number], self.travel[before][number + 1]
            begin = max(now + way, visit.earliest)
            if begin > visit.latest:
                return None
            begins.append(begin)
            now, travel, before = begin + visit.takes, travel + way, number + 1
        home = self.travel[before][-1]
        return Walk(order, tuple(begins), now + home, travel + home) if now + home <= self.ends else None

    def in_turn(self) -> Walk:
        """The order given; where something is late, without what was late when its turn came."""
        given = self.walk(range(len(self.visits)))
        if given is not None:
            return given
        kept = Walk((), (), 0, 0)
        for number in range(len(self.visits)):
            kept = self.walk((*kept.order, number)) or kept
        return kept
