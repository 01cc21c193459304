"""The simulated vendors of a pilot: what they hold, and what they have to hold after a record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from bellwire.flows import Flow, FlowAction
from bellwire.money import Money
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.pilot.records import Record
from bellwire.practice.pilot.verdict import Check, equal
from bellwire.practice.roles import Booked, Books, Carrier, Chat, Mailbox, Sent, Shop, Till
from bellwire.practice.simulator import Simulator

R = TypeVar("R")

_BOOKING = ("accounting.create_invoice", "accounting.create_sales_receipt")
_PAYING = ("accounting.record_payment", "accounting.redeem_gift_card", "accounting.create_sales_receipt")
_MAILING = ("email.send_notice", "email.send_mail")
_WRITING = "(?s)^(POST|PUT|PATCH|MAIL) "
"""The requests that change something."""


@dataclass(frozen=True)
class Held:
    """What all vendors together hold at one time."""

    booked: Mapping[str, Booked]
    labels: frozenset[Sent]
    messages: frozenset[Sent]
    mails: frozenset[Sent]
    fulfilled: frozenset[str]
    stock: Mapping[str, int]


@dataclass(frozen=True)
class Wanted:
    """How often each action of the flow was wanted for a record."""

    operations: Mapping[str, str]
    """Action → `capability.operation`."""
    times: Mapping[str, int]
    """Action → how often: 0 when its `if` said no, one for each item of a `for_each`."""

    def of(self, *operations: str) -> int:
        return sum(self.times[name] for name, operation in self.operations.items() if operation in operations)

    def asks_for(self, *operations: str) -> bool:
        """Whether the flow has such an action at all."""
        return any(operation in operations for operation in self.operations.values())


class Vendors:
    """The simulators behind a flow's connections. `simulators` is by connection name."""

    def __init__(self, flow: Flow, simulators: Mapping[str, Simulator]) -> None:
        self._flow = flow
        self._simulators = simulators

    @property
    def shop(self) -> Shop:
        """Where the flow's orders come from."""
        shop = self._simulators[self._flow.connection]
        assert isinstance(shop, Shop)
        return shop

    def books_item(self, connection: str, sku: str) -> str | None:
        """What a person would map a SKU to at these books."""
        books = self._simulators[connection]
        return books.item_for(sku) if isinstance(books, Books) else None

    def held(self) -> Held:
        tills = self._in_role(Till)  # type: ignore[type-abstract]
        return Held(
            {each.id: each for books in self._in_role(Books) for each in books.booked()},  # type: ignore[type-abstract]
            frozenset(each for carrier in self._in_role(Carrier) for each in carrier.labels()),  # type: ignore[type-abstract]
            frozenset(each for chat in self._in_role(Chat) for each in chat.messages()),  # type: ignore[type-abstract]
            frozenset(each for box in self._in_role(Mailbox) for each in box.mails()),  # type: ignore[type-abstract]
            frozenset(self.shop.fulfilled()),
            {sku: count for till in tills for sku, count in till.stock().items()},
        )

    def _in_role(self, kind: type[R]) -> list[R]:
        return [simulator for simulator in self._distinct if isinstance(simulator, kind)]

    @cached_property
    def _distinct(self) -> list[Simulator]:
        return list({id(simulator): simulator for simulator in self._simulators.values()}.values())

    # Trouble

    def make_trouble(self, number: str, actions: Iterable[tuple[FlowAction, bool]]) -> str:
        """Let one vendor do its part of order `number` and not say so, and another fail once before it does anything;
        says which. `actions`: those that change something and can be sent again, and whether each is given the order;
        the first loses its answer.
        """
        (losing, given_order), *others = actions
        lost, loser = Fault(kind=FaultKind.LOST_ANSWER, match=_WRITING + f".*{number}" * given_order), losing.connection
        failer = next(
            (a.connection for a, _ in others if self._simulators[a.connection] is not self._simulators[loser]), loser
        )
        self._simulators[failer].faults.add(Fault(kind=FaultKind.FAILED, match=_WRITING))
        self._simulators[loser].faults.add(lost)
        return f"'{failer}' fails once and '{loser}' does its part without answering once"

    def end_trouble(self) -> list[FaultKind]:
        """Take back the faults that nothing met; gives those that were met since the beginning."""
        for simulator in self._distinct:
            simulator.faults.clear()
        return [FaultKind(call.fault) for each in self._distinct for call in each.received if call.fault]

    # What must be true after a record

    def checks(self, record: Record, order_id: str, wanted: Wanted, before: Held) -> Iterator[Check]:
        """Compares what has come since `before` with what the order says, for what the flow does."""
        after = self.held()
        if wanted.asks_for(*_BOOKING):
            new = [booked for id_, booked in after.booked.items() if id_ not in before.booked]
            yield self._books(self.shop.total(order_id), wanted, new)
        if wanted.asks_for("stock.adjust"):
            sold = record.sold if wanted.of("stock.adjust") else {}
            gone = {sku: was - after.stock[sku] for sku, was in before.stock.items() if was != after.stock[sku]}
            yield equal("Stock", _stock(sold), _stock(gone))
        if wanted.asks_for("shipping.create_label"):
            labels = wanted.of("shipping.create_label") if record.ships else 0
            yield equal("Shipping labels", _count(labels), _count(len(after.labels - before.labels)))
        if wanted.asks_for(*_MAILING):
            mails = wanted.of(*_MAILING) if record.sale.customer.email else 0
            yield equal("Mails", _count(mails), _count(len(after.mails - before.mails)))
        if wanted.asks_for("chat.post_message"):
            messages = wanted.of("chat.post_message")
            yield equal("Messages to the team", _count(messages), _count(len(after.messages - before.messages)))
        if wanted.asks_for("storefront.mark_fulfilled"):
            sent = bool(wanted.of("storefront.mark_fulfilled"))
            yield equal("In the shop", _sent(sent), _sent(order_id in after.fulfilled))

    @staticmethod
    def _books(total: Money, wanted: Wanted, new: list[Booked]) -> Check:
        expected = [_booked(total, paid=bool(wanted.of(*_PAYING)))] * wanted.of(*_BOOKING)
        return equal("In the books", _listed(expected), _listed([_booked(each.total, paid=each.paid) for each in new]))


def _booked(total: Money, *, paid: bool) -> str:
    return f"{total.rounded().amount} {total.currency}, {'paid' if paid else 'open'}"


def _listed(entries: list[str]) -> str:
    return " and ".join(entries) or "nothing"


def _count(count: int) -> str:
    return str(count) if count else "none"


def _stock(gone: Mapping[str, int]) -> str:
    return ", ".join(f"{sku}: {-count:+d}" for sku, count in sorted(gone.items())) or "no change"


def _sent(sent: bool) -> str:
    return "shown as sent" if sent else "not sent"
