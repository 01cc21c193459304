"""What has come about so far, and how stock moves and goods come in."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from bellwire.practice.roles import Ordered
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.inventory.chapters import Chapter, Low
from bellwire.practice.stories.inventory.holdings import Holdings


@dataclass
class Day:
    """What has come about so far."""

    stage: Stage
    holdings: Holdings
    lows: list[Low] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    """The ids of the orders that were brought, once for each time."""
    shelved: Counter[str] = field(default_factory=Counter)
    """SKU → how many of what came in somebody has put where the stock is kept."""
    awaited: set[str] = field(default_factory=set)
    """SKUs of which more is on order, and nothing has come yet."""

    @property
    def tells(self) -> bool:
        """Whether the stock tells of itself, or has to be asked."""
        return self.holdings.stock.stock_webhook("TEA-100") is not None

    async def move(self, chapter: Chapter) -> AsyncIterator[str]:
        if not self.tells:
            for by in chapter.moves:
                self.holdings.stock.move(chapter.sku, by)
                await self.stage.look_at("stock")
            yield f"{chapter.sku:<12} {_moved(chapter.moves):<36} {chapter.about}"
            return
        sent: list[Webhook] = []
        for by in chapter.moves:
            self.holdings.stock.move(chapter.sku, by)
            sent += [webhook for webhook in [self.holdings.stock.stock_webhook(chapter.sku)] if webhook]
        notes = [chapter.about]
        for number in chapter.order or range(len(sent)):
            for answer in await self.stage.send_often("stock", sent[number], chapter.copies):
                note = notes.pop() if notes else ""
                yield f"{chapter.sku:<12} {_moved([chapter.moves[number]]):<6} {answer!s:<29} {note}".rstrip()
        if not sent:
            yield f"{chapter.sku:<12} {'':<36} {chapter.about}"
        await self.stage.settle()

    async def bring(
        self, orders: Sequence[Ordered], most: int | None, about: str, copies: int = 1
    ) -> AsyncIterator[str]:
        """Goods come in; where the stock is kept elsewhere than in the purchasing system, somebody puts them there."""
        before, sent = dict(self.holdings.stock.stock()), list[Webhook]()
        for order in orders:
            webhook, note = self.holdings.buying.bring(order.id, most), about
            self.receipts.append(order.id)
            self.awaited -= set(order.units)
            if webhook is None:
                yield f"{order.supplier:<20} {about}"
                continue
            sent.append(webhook)
            for answer in await self.stage.send_often("buying", webhook, copies):
                yield f"{order.supplier:<20} {answer!s:<29} {note}"
                note = "the same delivery again"
        if sent:
            await self.stage.look_up("buying")
        else:
            await self.stage.look_at("buying")
        if self.holdings.stock.stock() == before:
            for sku, count in (units for order in orders for units in order.units.items()):
                came = count - self.shelved[sku] if most is None else min(count, most)
                self.shelved[sku] += came
                self.holdings.stock.move(sku, came)
                if told := self.holdings.stock.stock_webhook(sku):
                    await self.stage.send("stock", told)
        if not self.tells:
            await self.stage.look_at("stock")
        await self.stage.settle()


def _moved(moves: Sequence[int]) -> str:
    return ", ".join(f"{by:+d}" for by in moves)
