"""Returns: what goes well, what goes wrong, and the odd cases between."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from bellwire.events import Customer
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.money import Money, total
from bellwire.practice.bygone import SentBack, Sold, sell
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, equal
from bellwire.practice.roles import (
    Books,
    Credited,
    GivenBack,
    Mailbox,
    Processor,
    Returns,
    Sale,
    SaleLine,
    Sent,
    Shop,
    Till,
)
from bellwire.practice.simulator import Simulator
from bellwire.practice.stage import Stage

_GUEST = Customer(name="Ada Moss", phone="+15125550177")
_FAR_AND_WIDE = Customer(
    id="8",
    name="Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين",
    email="zoe@example.com",
    phone="+15125550188",
)
_REFUND, _CREDIT, _STOCK = "payments.refund", "accounting.create_credit_memo", "stock.adjust"
_MAILING = ("email.send_notice", "email.send_mail")


@dataclass(frozen=True, kw_only=True)
class ReturnRecord(Record):
    sale: Sale
    back: SentBack
    booked: bool = True


@dataclass(frozen=True)
class Held:
    """What all vendors together hold at one time."""

    refunds: Mapping[str, GivenBack]
    credits: Mapping[str, Credited]
    mails: frozenset[Sent]
    stock: Mapping[str, int]
    """Of all tills together: who takes payments may have one too."""

    @classmethod
    def by(cls, vendors: Vendors) -> "Held":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        processors, tills = vendors.all_as(Processor), vendors.all_as(Till)  # type: ignore[type-abstract]
        stock = Counter[str]()
        for till in tills:
            stock.update(till.stock())
        return cls(
            {each.id: each for processor in processors for each in processor.refunds()},
            {each.id: each for books in vendors.all_as(Books) for each in books.credits()},  # type: ignore[type-abstract]
            frozenset(each for box in vendors.all_as(Mailbox) for each in box.mails()),  # type: ignore[type-abstract]
            stock,
        )


class ReturnsKind(Kind[ReturnRecord]):
    event_types: ClassVar[Sequence[str]] = ("return.created", "return.received")
    covers: ClassVar[frozenset[str]] = frozenset({_REFUND, _CREDIT, *_MAILING})
    on_sandbox: ClassVar[Sequence[str]] = (
        "The returns are made up, so your shop and your processor know neither the orders nor the payments.",
    )

    def __init__(self) -> None:
        self._sold: dict[int, Sold] = {}
        """What was sold long ago, by the position of the record that is about it."""

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        able = issubclass(simulator, Shop) and issubclass(simulator, Returns)
        return "" if able else "it isn't a shop whose returns can be practised"

    def records(self, first: int) -> list[ReturnRecord]:
        return records(first)

    def happen(self, vendors: Vendors, record: ReturnRecord) -> Happened:
        """The order was sold, paid and booked long ago, as far as the flow has to do with who does that."""
        shop, event_type = vendors.source, vendors.event_type
        assert isinstance(shop, Shop) and isinstance(shop, Returns)
        processor = next(iter(vendors.doing(Processor, "read_payment", "refund")), None)  # type: ignore[type-abstract]
        books = next(iter(vendors.all_as(Books)), None)  # type: ignore[type-abstract]
        sold = self._sold[record.position] = sell(record.sale, shop, processor, books if record.booked else None)
        made = record.back.announce(shop, sold.order_id)
        if event_type == "return.received":
            record.back.receive(shop, sold.order_id, made)
        return Happened(made, lambda: shop.return_webhook(made, event_type))

    def state(self, vendors: Vendors) -> Held:
        return Held.by(vendors)

    def checks(
        self, record: ReturnRecord, happened: Happened, vendors: Vendors, wanted: Wanted, before: Held
    ) -> Iterator[Check]:
        """Compares what has come since `before` with what came back. How much is due for it, the flow's rules say."""
        after, sold = Held.by(vendors), self._sold[record.position]
        refunds = [each for id_, each in after.refunds.items() if id_ not in before.refunds]
        given = total((each.amount for each in refunds), sold.paid.currency)
        if wanted.asks_for(_REFUND):
            yield _given_back(sold, wanted.of(_REFUND), refunds, given)
        if wanted.asks_for(_CREDIT):
            due = [_credit(given, record.sale.number)] * wanted.of(_CREDIT)
            new = [each for id_, each in after.credits.items() if id_ not in before.credits]
            yield equal("In the books", _listed(due), _listed([_credit(each.total, each.invoice) for each in new]))
        if wanted.asks_for(_STOCK):
            sellable = record.back.sellable if wanted.of(_STOCK) else 0
            moved = {sku: after.stock[sku] - was for sku, was in before.stock.items() if after.stock[sku] != was}
            yield equal("Stock", _stock({record.back.sku: sellable} if sellable else {}), _stock(moved))
        if wanted.asks_for(*_MAILING):
            mails = wanted.of(*_MAILING) if record.sale.customer.email else 0
            yield equal("Mails", str(mails), str(len(after.mails - before.mails)))

    def asks(self, record: ReturnRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of(_CREDIT))

    async def mend(self, stage: Stage, vendors: Vendors, record: ReturnRecord, stuck: ExceptionRow) -> str:
        """Books the sale that nobody had booked."""
        books = vendors.behind(stuck.connection)
        if not isinstance(books, Books):
            return "no sale can be booked there"
        books.book(record.sale, self._sold[record.position].total)
        return ""


def _given_back(sold: Sold, times: int, refunds: Sequence[GivenBack], given: Money) -> Check:
    """As often as the run says, of this payment alone, and never more than it took."""
    held = (
        len(refunds) == times
        and all(each.payment_id == sold.payment_id for each in refunds)
        and given <= sold.paid
        and bool(given) is bool(times)
    )
    expected = f"{times} of the payment, at most {sold.paid}" if times else "nothing"
    return Check("Given back", expected, _listed([f"{each.amount} of {each.payment_id}" for each in refunds]), held)


def _credit(amount: Money, invoice: str) -> str:
    return f"{amount} of invoice {invoice}"


def _listed(entries: Sequence[str]) -> str:
    return " and ".join(entries) or "nothing"


def _stock(moved: Mapping[str, int]) -> str:
    return ", ".join(f"{sku}: {count:+d}" for sku, count in sorted(moved.items())) or "no change"


def records(first: int) -> list[ReturnRecord]:
    """Ten of them. Their orders are numbered from `first` on."""
    numbers = [str(first + position) for position in range(10)]
    pots = [SaleLine("POT-1L", 3)]
    return [
        _record(1, Sale(numbers[0], [SaleLine("TEA-250", 2)]), SentBack("TEA-250", sellable=1), "one of two"),
        _record(2, Sale(numbers[1], [SaleLine("MUG-RED", 2)]), SentBack("MUG-RED", sellable=2), "all of an order"),
        _record(3, Sale(numbers[2], [SaleLine("POT-1L")]), SentBack("POT-1L", damaged=1), "damaged"),
        _record(4, Sale(numbers[3], [SaleLine("MUG-BLUE")]), SentBack("MUG-BLUE", missing=1), "an empty parcel"),
        _record(
            5,
            Sale(numbers[4], [SaleLine("SCOOP-01", 3)], order_discount=Decimal("1.00")),
            SentBack("SCOOP-01", sellable=2),
            "cents that don't divide: two of three at 3.33, less 1.00",
        ),
        _record(
            6, Sale(numbers[5], pots), SentBack("POT-1L", sellable=3), "much money: whoever is asked about it says yes"
        ),
        _record(
            7,
            Sale(numbers[6], pots),
            SentBack("POT-1L", sellable=3),
            "much money: whoever is asked about it says no",
            yes=False,
        ),
        _record(
            8,
            Sale(numbers[7], [SaleLine("TEA-100", 2)], customer=_GUEST),
            SentBack("TEA-100", sellable=1, missing=1),
            "a guest who gave no e-mail address; one of two is missing",
        ),
        _record(
            9,
            Sale(numbers[8], [SaleLine("POT-1L")], customer=_FAR_AND_WIDE, gift_card=Decimal("25.00")),
            SentBack("POT-1L", sellable=1),
            "the same webhook three times; a name in several scripts, a gift card for a part of it",
            copies=3,
        ),
        _record(
            10,
            Sale(numbers[9], [SaleLine("TEA-100")]),
            SentBack("TEA-100", sellable=1),
            "an order that was never booked",
            unknown=numbers[9],
        ),
    ]


def _record(
    position: int, sale: Sale, back: SentBack, about: str, *, copies: int = 1, unknown: str = "", yes: bool = True
) -> ReturnRecord:
    return ReturnRecord(
        position,
        f"a return of order {sale.number}",
        about,
        sale.number,
        copies,
        unknown=unknown,
        yes=yes,
        sale=sale,
        back=back,
        booked=not unknown,
    )
