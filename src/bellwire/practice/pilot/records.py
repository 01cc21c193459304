"""The ten records: what goes well, what goes wrong, and the odd cases between."""

from dataclasses import dataclass
from decimal import Decimal

from bellwire.events import Customer
from bellwire.practice.catalogue import CATALOGUE
from bellwire.practice.roles import Sale, SaleLine

EVENT_TYPES = ("order.created", "order.paid", "order.updated")
"""What a flow may start with to be practised: what the simulated shops send about an order."""

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


@dataclass(frozen=True)
class Record:
    """One order, and what is peculiar about it."""

    position: int
    """From 1."""
    sale: Sale
    about: str
    copies: int = 1
    """How often its webhook arrives."""
    in_trouble: bool = False
    """While it is under way, one system fails once and one doesn't answer once, if they are simulated."""

    @property
    def ships(self) -> bool:
        return any(_SHIPS[line.sku] for line in self.sale.lines)

    @property
    def unknown(self) -> str:
        """The SKU in it that the books don't know; empty when they know all."""
        return next((line.sku for line in self.sale.lines if line.sku == UNKNOWN_SKU), "")

    @property
    def sold(self) -> dict[str, int]:
        """What leaves the stock: SKU → how many."""
        return {line.sku: line.quantity for line in self.sale.lines if _SHIPS[line.sku]}


def records(first: int) -> list[Record]:
    """Ten of them. Their orders are numbered from `first` on."""
    numbers = [str(first + position) for position in range(10)]
    return [
        Record(1, Sale(numbers[0], [SaleLine("TEA-100", 2)]), "an ordinary order"),
        Record(
            2,
            Sale(numbers[1], [SaleLine("MUG-RED", 2, discount=Decimal("2.59")), SaleLine("TEA-100")]),
            "a discount on one line",
        ),
        Record(3, Sale(numbers[2], [SaleLine("TEA-250", 3)], taxes_included=True), "prices that include tax"),
        Record(
            4,
            Sale(numbers[3], [SaleLine("POT-1L")], tip=Decimal("4.00"), gift_card=Decimal("25.00")),
            "a tip, and a gift card for a part of it where the shop has them",
        ),
        Record(
            5,
            Sale(numbers[4], [SaleLine("SCOOP-01", 3), SaleLine("TEA-100")], order_discount=Decimal("1.00")),
            "cents that don't divide: three at 3.33, less 1.00",
        ),
        Record(
            6, Sale(numbers[5], [SaleLine("CLASS-01")], shipping=Decimal(0)), "an on-line class only: nothing to send"
        ),
        Record(7, Sale(numbers[6], [SaleLine("GIFT-BOX", 4)], customer=_GUEST), "a guest who gave no e-mail address"),
        Record(
            8,
            Sale(numbers[7], [SaleLine("MUG-BLUE")], customer=_FAR_AND_WIDE),
            "a long name, in several scripts",
        ),
        Record(
            9,
            Sale(numbers[8], [SaleLine("POT-1L"), SaleLine("MUG-RED")]),
            "the same webhook three times",
            copies=3,
            in_trouble=True,
        ),
        Record(
            10,
            Sale(numbers[9], [SaleLine(UNKNOWN_SKU), SaleLine("TEA-100")]),
            "an article that the books don't know",
        ),
    ]
