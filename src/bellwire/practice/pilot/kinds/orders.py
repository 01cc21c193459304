"""Orders: what goes well, what goes wrong, and the odd cases between."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from bellwire.events import Customer
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow, crosswalk
from bellwire.money import Money
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, equal
from bellwire.practice.roles import Booked, Books, Carrier, Chat, Mailbox, Sale, SaleLine, Sent, Shop, Till
from bellwire.practice.simulator import Simulator
from bellwire.practice.stage import Stage

UNKNOWN_SKU = next(good.sku for good in CATALOGUE if not good.in_books)

_SHIPS = {good.sku: good.ships for good in CATALOGUE}
_GUEST = Customer(name="Ada Moss", phone="+15125550177")
_FAR_AND_WIDE = Customer(
    id="8",
    name="Zoë Ångström-Müller y Þórdís O’Brien-Łukasiewicz, Мария Иванова, 王小明, محمد الأمين",
    email="zoe@example.com",
    phone="+15125550188",
    company="Café “Zur schönen Aussicht” & Söhne, Feinkost und Teehandel seit 1887",
)
_BOOKING = ("accounting.create_invoice", "accounting.create_sales_receipt")
_PAYING = ("accounting.record_payment", "accounting.redeem_gift_card", "accounting.create_sales_receipt")
_MAILING = ("email.send_notice", "email.send_mail")


@dataclass(frozen=True, kw_only=True)
class OrderRecord(Record):
    sale: Sale

    @property
    def ships(self) -> bool:
        return any(_SHIPS[line.sku] for line in self.sale.lines)

    @property
    def sold(self) -> dict[str, int]:
        """What leaves the stock: SKU → how many."""
        return {line.sku: line.quantity for line in self.sale.lines if _SHIPS[line.sku]}


@dataclass(frozen=True)
class Held:
    """What all vendors together hold at one time."""

    booked: Mapping[str, Booked]
    labels: frozenset[Sent]
    messages: frozenset[Sent]
    mails: frozenset[Sent]
    fulfilled: frozenset[str]
    stock: Mapping[str, int]

    @classmethod
    def by(cls, vendors: Vendors) -> "Held":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        shops, tills = vendors.all_as(Shop), vendors.all_as(Till)  # type: ignore[type-abstract]
        return cls(
            {each.id: each for books in vendors.all_as(Books) for each in books.booked()},  # type: ignore[type-abstract]
            frozenset(each for carrier in vendors.all_as(Carrier) for each in carrier.labels()),  # type: ignore[type-abstract]
            frozenset(each for chat in vendors.all_as(Chat) for each in chat.messages()),  # type: ignore[type-abstract]
            frozenset(each for box in vendors.all_as(Mailbox) for each in box.mails()),  # type: ignore[type-abstract]
            frozenset(order_id for shop in shops for order_id in shop.fulfilled()),
            {sku: count for till in tills for sku, count in till.stock().items()},
        )


class Orders(Kind[OrderRecord]):
    event_types: ClassVar[Sequence[str]] = ("order.created", "order.paid", "order.updated")
    covers: ClassVar[frozenset[str]] = frozenset(
        {*_BOOKING, *_PAYING, *_MAILING, "shipping.create_label", "chat.post_message", "storefront.mark_fulfilled"}
    )
    on_sandbox: ClassVar[Sequence[str]] = (
        "The orders are made up, so your shop doesn't know them: what the flow would tell the shop isn't judged.",
        "They sell the practice articles (TEA-100, MUG-RED …), which your accounts have to know or have mapped."
        " Mails went to made-up addresses at example.com. What was made there stays there.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Shop) else "it isn't a shop that can be practised"

    def records(self, first: int) -> list[OrderRecord]:
        return records(first)

    def happen(self, vendors: Vendors, record: OrderRecord) -> Happened:
        shop, event_type = vendors.source, vendors.event_type
        assert isinstance(shop, Shop)
        order_id = shop.place(record.sale)
        if event_type != "order.created":
            shop.pay(order_id)
        if event_type == "order.updated":
            shop.edit(order_id, "Please gift-wrap it.")
        return Happened(order_id, lambda: shop.webhook(order_id, event_type))

    def state(self, vendors: Vendors) -> Held:
        return Held.by(vendors)

    def checks(
        self, record: OrderRecord, happened: Happened, vendors: Vendors, wanted: Wanted, before: Held
    ) -> Iterator[Check]:
        """Compares what has come since `before` with what the order says, for what the flow does."""
        after, shop = Held.by(vendors), vendors.source
        assert isinstance(shop, Shop)
        if wanted.asks_for(*_BOOKING):
            new = [booked for id_, booked in after.booked.items() if id_ not in before.booked]
            yield _in_the_books(shop.total(happened.id), wanted, new)
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
            yield equal("In the shop", _sent(sent), _sent(happened.id in after.fulfilled))

    def asks(self, record: OrderRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of(*_BOOKING))

    async def mend(self, stage: Stage, vendors: Vendors, record: OrderRecord, stuck: ExceptionRow) -> str:
        """Maps the article to an item of the books."""
        books = vendors.behind(stuck.connection)
        item = books.item_for(record.unknown) if isinstance(books, Books) else None
        if item is None:
            return "the practice books have nothing to map it to"
        mapping = crosswalk.Mapping(stuck.connection, "product", record.unknown, item)
        await stage.ledger.write(lambda rows: crosswalk.put(rows, mapping, stage.clock()))
        return ""


def _in_the_books(total: Money, wanted: Wanted, new: list[Booked]) -> Check:
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


def records(first: int) -> list[OrderRecord]:
    """Ten of them. Their orders are numbered from `first` on."""
    numbers = [str(first + position) for position in range(10)]
    return [
        _record(1, Sale(numbers[0], [SaleLine("TEA-100", 2)]), "an ordinary order"),
        _record(
            2,
            Sale(numbers[1], [SaleLine("MUG-RED", 2, discount=Decimal("2.59")), SaleLine("TEA-100")]),
            "a discount on one line",
        ),
        _record(3, Sale(numbers[2], [SaleLine("TEA-250", 3)], taxes_included=True), "prices that include tax"),
        _record(
            4,
            Sale(numbers[3], [SaleLine("POT-1L")], tip=Decimal("4.00"), gift_card=Decimal("25.00")),
            "a tip, and a gift card for a part of it where the shop has them",
        ),
        _record(
            5,
            Sale(numbers[4], [SaleLine("SCOOP-01", 3), SaleLine("TEA-100")], order_discount=Decimal("1.00")),
            "cents that don't divide: three at 3.33, less 1.00",
        ),
        _record(
            6, Sale(numbers[5], [SaleLine("CLASS-01")], shipping=Decimal(0)), "an on-line class only: nothing to send"
        ),
        _record(7, Sale(numbers[6], [SaleLine("GIFT-BOX", 4)], customer=_GUEST), "a guest who gave no e-mail address"),
        _record(
            8,
            Sale(numbers[7], [SaleLine("MUG-BLUE")], customer=_FAR_AND_WIDE),
            "a long name, in several scripts",
        ),
        _record(
            9,
            Sale(numbers[8], [SaleLine("POT-1L"), SaleLine("MUG-RED")]),
            "the same webhook three times",
            copies=3,
            in_trouble=True,
        ),
        _record(
            10,
            Sale(numbers[9], [SaleLine(UNKNOWN_SKU), SaleLine("TEA-100")]),
            "an article that the books don't know",
            unknown=UNKNOWN_SKU,
        ),
    ]


def _record(
    position: int, sale: Sale, about: str, *, copies: int = 1, in_trouble: bool = False, unknown: str = ""
) -> OrderRecord:
    return OrderRecord(
        position, f"order {sale.number}", about, sale.number, copies, in_trouble=in_trouble, unknown=unknown, sale=sale
    )
