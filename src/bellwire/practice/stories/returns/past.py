"""What lies behind the story of returns: the orders that were sold, and the returns that are announced."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bellwire.practice.bygone import Sold, sell
from bellwire.practice.stories.returns.chapters import Back, Chapter
from bellwire.practice.stories.returns.holdings import Holdings


@dataclass(frozen=True)
class Announced:
    """A return, as the shop has it."""

    id: str
    number: str
    chapter: Chapter
    back: Back


class Past:
    """The orders that were sold, paid and booked before all this; and their returns, as they are announced."""

    def __init__(self, told: Sequence[Chapter], holdings: Holdings) -> None:
        self._holdings = holdings
        self.sold = {chapter.number: self._sell(chapter) for chapter in told}
        """By the order's number."""
        self.returns: list[Announced] = []
        self.stock = holdings.till.stock()

    def _sell(self, chapter: Chapter) -> Sold:
        held = self._holdings
        return sell(chapter.sale, held.shop, held.processor, None if chapter.unbooked else held.books)

    def announce(self, chapter: Chapter) -> Iterator[Announced]:
        """All returns of a chapter."""
        returns, order_id = self._holdings.returns, self.sold[chapter.number].order_id
        for back in chapter.backs:
            made = back.announce(returns, order_id)
            self.returns.append(Announced(made, returns.number_of(made), chapter, back))
            yield self.returns[-1]

    def receive(self, each: Announced) -> None:
        each.back.receive(self._holdings.returns, self.sold[each.chapter.number].order_id, each.id)
