"""Sales of the past, and what comes back of them: where stories and pilots of returns begin."""

from dataclasses import dataclass

from bellwire.events import Condition
from bellwire.money import Money
from bellwire.practice.roles import Books, Processor, Returns, Sale, Shop


@dataclass(frozen=True)
class Sold:
    """An order that was paid."""

    order_id: str
    total: Money
    payment_id: str
    """The processor's; empty where there is none."""
    paid: Money
    """What the processor took: all but gift cards."""


def sell(sale: Sale, shop: Shop, processor: Processor | None, books: Books | None) -> Sold:
    """Has it sold, paid and booked, as far as there is somebody to do it."""
    order_id = shop.place(sale)
    total = shop.total(order_id)
    paid = total - Money.of(sale.gift_card, sale.currency)
    payment_id = processor.take(paid, sale.number) if processor else ""
    shop.pay(order_id, "card", payment_id)
    if books:
        books.book(sale, total)
    return Sold(order_id, total, payment_id, paid)


@dataclass(frozen=True)
class SentBack:
    """Units of one line of an order that come back in one return, by the condition they turn out to be in."""

    sku: str
    sellable: int = 0
    damaged: int = 0
    missing: int = 0

    def announce(self, returns: Returns, order_id: str) -> str:
        """Gives the return's id."""
        return returns.announce(order_id, {returns.line_of(order_id, self.sku): sum(self._units.values())})

    def receive(self, returns: Returns, order_id: str, return_id: str) -> None:
        line = returns.line_of(order_id, self.sku)
        for condition, count in self._units.items():
            returns.receive(return_id, condition, {line: count})

    @property
    def _units(self) -> dict[Condition, int]:
        every = {
            Condition.SELLABLE: self.sellable,
            Condition.DAMAGED: self.damaged,
            Condition.MISSING: self.missing,
        }
        return {condition: count for condition, count in every.items() if count}
