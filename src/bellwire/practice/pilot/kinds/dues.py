"""What customers owe: payments that fail, and periods of subscriptions that are paid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from bellwire.events import Customer
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.money import Money
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.roles import Processor, Sale, SaleLine, Shop, Subscriptions
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.practice.stage import Stage

NO_ORDER = "999000999"
"""The practice shops have no order with this id."""

_NO_SHOP = "there is no practice shop with another order"
_PRICE = Money.of("24.40", "USD")
_YEN = Money.of("1200", "JPY")
_ROBIN = Customer(id="7", name="Robin Hill", email="robin@example.com", phone="+15125550123")
_NO_MAIL = Customer(id="9", name="Ada Moss", phone="+15125550177")
_NO_NAME = Customer(id="10", email="guest@example.com")
_FAR_AND_WIDE = Customer(
    id="8",
    name="Zoë Ångström-Müller y Þórdís O’Brien-Łukasiewicz, Мария Иванова, 王小明, محمد الأمين",
    email="zoe@example.com",
    phone="+15125550188",
)


class Later(StrEnum):
    """What happens once the flow waits, as it is told."""

    PAID = "subscription.renewed"
    ENDED = "subscription.ended"


@dataclass(frozen=True, kw_only=True)
class DueRecord(Record):
    """A period of a subscription that is charged."""

    customer: Customer = _ROBIN
    price: Money = _PRICE
    tries: int = 1
    """How often it failed."""
    later: Later | None = None
    sale: Sale | None = None
    """The order with which it began, or that is paid."""
    pays: Callable[[Money], Money] = lambda total: total
    """What is paid of an order, by what it comes to."""
    at_the_shop: bool = False
    """Whether the shop knows that it was paid."""


class _Dues(Kind[DueRecord]):
    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Subscriptions) else "it isn't a processor that can be practised"


class FailedPayments(_Dues):
    event_types: ClassVar[Sequence[str]] = ("payment.failed",)
    on_sandbox: ClassVar[Sequence[str]] = (
        "The payments are made up. Mails went to made-up addresses at example.com; what was made stays there.",
    )

    def records(self, first: int) -> list[DueRecord]:
        """Nothing of them is numbered. Few are never paid, as each of those makes several mails, and mail servers take
        only so many a minute."""
        return [
            DueRecord(1, "payment 1", "an ordinary one, and nobody pays"),
            DueRecord(2, "payment 2", "it is paid while the flow waits", later=Later.PAID),
            DueRecord(3, "payment 3", "the subscription ends while the flow waits", later=Later.ENDED),
            DueRecord(4, "payment 4", "the processor's second try fails, too", tries=2),
            DueRecord(5, "payment 5", "a customer without an e-mail address", customer=_NO_MAIL),
            DueRecord(6, "payment 6", "a long name, in several scripts", customer=_FAR_AND_WIDE),
            DueRecord(7, "payment 7", "neither an e-mail address nor cents", customer=_NO_MAIL, price=_YEN),
            DueRecord(8, "payment 8", "a large amount, in another currency", price=Money.of("12345.67", "EUR")),
            DueRecord(
                9,
                "payment 9",
                "the same webhook three times, then it is paid",
                copies=3,
                in_trouble=True,
                later=Later.PAID,
            ),
            DueRecord(10, "payment 10", "a customer without a name", customer=_NO_NAME),
        ]

    def happen(self, vendors: Vendors, record: DueRecord) -> Happened:
        pay = vendors.source
        assert isinstance(pay, Subscriptions)
        plan = pay.subscribe(record.price, record.customer)
        for _ in range(record.tries):
            pay.charge(plan, declined=True)

        def later() -> list[tuple[str, Webhook]]:
            if record.later is Later.ENDED:
                pay.end(plan)
            else:
                pay.charge(plan)
            return [(vendors.connection, pay.notice(plan, str(record.later)))]

        return Happened(plan, lambda: pay.notice(plan, vendors.event_type), later if record.later else None)


class Renewals(_Dues):
    event_types: ClassVar[Sequence[str]] = ("subscription.renewed",)
    on_sandbox: ClassVar[Sequence[str]] = (
        "The payments are made up, and your shop doesn't know the orders with which the subscriptions began.",
    )

    def records(self, first: int) -> list[DueRecord]:
        """The orders with which the subscriptions began are numbered from `first` on."""

        def sale(position: int, *skus: str, customer: Customer = _ROBIN, **more: Any) -> Sale:
            lines = [SaleLine(sku, 2) for sku in skus or ("TEA-100",)]
            return Sale(str(first + position - 1), lines, customer, **({"ago": timedelta(days=30)} | more))

        class_only = sale(8, "CLASS-01", shipping=Decimal(0))
        return [
            DueRecord(1, "renewal 1", "an ordinary one", sale=sale(1)),
            DueRecord(2, "renewal 2", "the first payment, a day after the order", sale=sale(2, ago=timedelta(days=1))),
            DueRecord(3, "renewal 3", "no order is named"),
            DueRecord(
                4, "renewal 4", "several articles, and a note", sale=sale(4, "MUG-RED", "POT-1L", note="2× läuten")
            ),
            DueRecord(
                5,
                "renewal 5",
                "a customer without an e-mail address",
                customer=_NO_MAIL,
                sale=sale(5, customer=_NO_MAIL),
            ),
            DueRecord(
                6,
                "renewal 6",
                "a long name, in several scripts",
                customer=_FAR_AND_WIDE,
                sale=sale(6, customer=_FAR_AND_WIDE),
            ),
            DueRecord(7, "renewal 7", "an amount without cents", price=_YEN, sale=sale(7)),
            DueRecord(8, "renewal 8", "an on-line class only: nothing to send", sale=class_only),
            DueRecord(
                9, "renewal 9", "the same webhook three times", str(first + 8), copies=3, in_trouble=True, sale=sale(9)
            ),
            DueRecord(10, "renewal 10", "an order that the shop doesn't know", unknown=NO_ORDER, sale=sale(10)),
        ]

    def happen(self, vendors: Vendors, record: DueRecord) -> Happened:
        pay = vendors.source
        assert isinstance(pay, Subscriptions)
        plan = pay.subscribe(record.price, record.customer, record.unknown or _place(vendors, record))
        pay.charge(plan)
        return Happened(plan, lambda: pay.notice(plan, vendors.event_type))

    def asks(self, record: DueRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of("storefront.read_order"))

    async def mend(self, stage: Stage, vendors: Vendors, record: DueRecord, stuck: ExceptionRow) -> str:
        """Says which order it really is."""
        if not (order_id := _place(vendors, record)):
            return _NO_SHOP
        await stage.put_right(stuck, "order_id", order_id, who="the pilot")
        return ""


class Payments(_Dues):
    event_types: ClassVar[Sequence[str]] = ("payment.succeeded",)
    on_sandbox: ClassVar[Sequence[str]] = ("The payments are made up, and your shop doesn't know the orders.",)

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return super().why_not(flow, simulator) or (
            "" if issubclass(simulator, Processor) else "it takes no payments that can be practised"
        )

    def begin(self, stage: Stage, vendors: Vendors) -> None:
        """The flow waits for a quarter of an hour, and the list of what is new is read after that."""
        assert isinstance(vendors.source, Subscriptions)
        vendors.source.go_by(stage.clock)

    def records(self, first: int) -> list[DueRecord]:
        """The orders are numbered from `first` on."""

        def sale(position: int, *skus: str, customer: Customer = _ROBIN, **more: Any) -> Sale:
            return Sale(str(first + position - 1), [SaleLine(sku, 2) for sku in skus or ("TEA-100",)], customer, **more)

        class_only = sale(8, "CLASS-01", shipping=Decimal(0))
        return [
            DueRecord(1, "payment 1", "of an order that the shop calls unpaid", sale=sale(1)),
            DueRecord(2, "payment 2", "the shop says itself that it is paid", sale=sale(2), at_the_shop=True),
            DueRecord(3, "payment 3", "it names no order"),
            DueRecord(
                4, "payment 4", "several articles, and a note", sale=sale(4, "MUG-RED", "POT-1L", note="2× läuten")
            ),
            DueRecord(5, "payment 5", "a cent less than the order comes to", sale=sale(5), pays=_a_cent_less),
            DueRecord(
                6,
                "payment 6",
                "a long name, in several scripts",
                customer=_FAR_AND_WIDE,
                sale=sale(6, customer=_FAR_AND_WIDE),
            ),
            DueRecord(7, "payment 7", "in another currency than the order", sale=sale(7), pays=_in_euros),
            DueRecord(8, "payment 8", "an on-line class only: nothing to send", sale=class_only),
            DueRecord(
                9, "payment 9", "the same webhook three times", str(first + 8), copies=3, in_trouble=True, sale=sale(9)
            ),
            DueRecord(10, "payment 10", "an order that the shop doesn't know", unknown=NO_ORDER, sale=sale(10)),
        ]

    def happen(self, vendors: Vendors, record: DueRecord) -> Happened:
        pay = vendors.source
        assert isinstance(pay, Subscriptions) and isinstance(pay, Processor)
        order_id = _place(vendors, record, paid=record.at_the_shop)
        shops = vendors.all_as(Shop)  # type: ignore[type-abstract]
        total = shops[0].total(order_id) if order_id else record.price
        paid = pay.take(record.pays(total), record.unknown or order_id)
        return Happened(paid, lambda: pay.notice(paid, vendors.event_type))

    def asks(self, record: DueRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of("storefront.read_order"))

    async def mend(self, stage: Stage, vendors: Vendors, record: DueRecord, stuck: ExceptionRow) -> str:
        """Says which order it really is."""
        if not (order_id := _place(vendors, record, paid=False)):
            return _NO_SHOP
        await stage.put_right(stuck, "order_id", order_id, who="the pilot")
        return ""


def _a_cent_less(total: Money) -> Money:
    return total - Money.from_minor(1, total.currency)


def _in_euros(total: Money) -> Money:
    return Money.of(str(total.amount), "EUR")


def _place(vendors: Vendors, record: DueRecord, *, paid: bool = True) -> str:
    """The shop's id of the order with which it began, or that is paid; empty: there is none, or no shop."""
    shops = vendors.all_as(Shop)  # type: ignore[type-abstract]
    if record.sale is None or not shops:
        return ""
    order_id = shops[0].place(record.sale)
    if paid:
        shops[0].pay(order_id)
    return order_id
