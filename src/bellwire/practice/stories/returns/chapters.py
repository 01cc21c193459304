"""Nine orders, and what comes back of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bellwire.events import Customer
from bellwire.practice.bygone import SentBack
from bellwire.practice.faults import FaultKind
from bellwire.practice.roles import Sale, SaleLine

_GUEST = Customer(name="Ada Moss", phone="+15125550177")
_FAR_AND_WIDE = Customer(
    id="8",
    name="Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين",
    email="zoe@example.com",
    phone="+15125550188",
)


@dataclass(frozen=True, kw_only=True)
class Back(SentBack):
    worth: Decimal
    """The money to give back for it."""


@dataclass(frozen=True)
class Chapter:
    """One order that was sold long ago, and what is peculiar about what comes back of it."""

    sale: Sale
    about: str
    backs: Sequence[Back]
    """One for each of its returns."""
    copies: int = 1
    """How often each of its webhooks arrives."""
    overtaken: bool = False
    """That it was received is told before it was announced."""
    unbooked: bool = False
    """Nobody wrote its invoice."""
    answers: Sequence[bool | None] = ()
    """What people say to the question about its money, one time after the other; None: nothing, for a week."""
    faults: Mapping[str, FaultKind] = field(default_factory=dict)
    """Connection → what it does to the first that is written there of its return."""

    @property
    def number(self) -> str:
        return self.sale.number

    @property
    def given(self) -> bool:
        """Whether money goes back in the end."""
        return False not in self.answers


def chapters() -> list[Chapter]:
    """Nine of them. What is due is what was paid for the goods with their tax, half of it for what is damaged, nothing
    for what is missing; and the shipping (6.00), once all of the order is back."""
    return [
        Chapter(
            Sale("1001", [SaleLine("TEA-250", 2)]),
            "one of two; the money goes back and the line goes dead, then the books fail (500)",
            [Back("TEA-250", worth=Decimal("19.49"), sellable=1)],
            faults={"pay": FaultKind.LOST_ANSWER, "books": FaultKind.FAILED},
        ),
        Chapter(
            Sale("1002", [SaleLine("MUG-RED", 2)]),
            "all of it; each webhook comes three times",
            [Back("MUG-RED", worth=Decimal("34.04"), sellable=2)],
            copies=3,
        ),
        Chapter(
            Sale("1003", [SaleLine("POT-1L")]),
            "damaged, and back before it was announced; support asks to slow down (429)",
            [Back("POT-1L", worth=Decimal("27.60"), damaged=1)],
            overtaken=True,
            faults={"helpdesk": FaultKind.RATE_LIMITED},
        ),
        Chapter(
            Sale("1004", [SaleLine("SCOOP-01", 3)], order_discount=Decimal("1.00")),
            "two returns of one order, of cents that don't divide",
            [Back("SCOOP-01", worth=Decimal("3.25"), sellable=1), Back("SCOOP-01", worth=Decimal("12.48"), sellable=2)],
        ),
        Chapter(
            Sale("1005", [SaleLine("POT-1L", 3)], customer=_FAR_AND_WIDE),
            "so much money that somebody has to say yes; a name in several scripts",
            [Back("POT-1L", worth=Decimal("135.58"), sellable=3)],
            answers=[True],
        ),
        Chapter(
            Sale("1006", [SaleLine("POT-1L", 3)]),
            "so much money again; nobody answers for a week, and then somebody says no",
            [Back("POT-1L", worth=Decimal("135.58"), sellable=3)],
            answers=[None, False],
        ),
        Chapter(
            Sale("1007", [SaleLine("POT-1L")], gift_card=Decimal("25.00")),
            "a gift card paid 25.00 of it: the processor gives back the rest, and no more",
            [Back("POT-1L", worth=Decimal("24.19"), sellable=1)],
        ),
        Chapter(
            Sale("1008", [SaleLine("TEA-100", 2)], customer=_GUEST),
            "a guest without e-mail; one of two is missing; the sale was never booked",
            [Back("TEA-100", worth=Decimal("9.20"), sellable=1, missing=1)],
            unbooked=True,
        ),
        Chapter(
            Sale("1009", [SaleLine("MUG-BLUE")]), "the parcel is empty", [Back("MUG-BLUE", worth=Decimal(0), missing=1)]
        ),
    ]
