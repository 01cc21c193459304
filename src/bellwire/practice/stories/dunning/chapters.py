"""What becomes of fifteen customers and three parcels, and what is expected of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bellwire.events import Customer
from bellwire.money import Money
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Tells

REMINDED_ON = {
    0: "Your payment of {} didn't go through",
    3: "A reminder: {} is still open",
    7: "Please pay {} within a week",
    14: "Last reminder: {} is open",
}
"""Day after the failure → what the mail of that day is called, with the amount."""
LAST_DAY = 30
"""On which the second period of a subscription is paid."""


class Owed(StrEnum):
    """What a payment is for."""

    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    CHECKOUT = "checkout"
    ORDER = "order"
    """An order of the shop, which is paid at once."""


class Step(StrEnum):
    """What happens at the processor."""

    FAILS = "a payment fails"
    PAID = "it is paid"
    ENDS = "the subscription ends"


@dataclass(frozen=True)
class Chapter:
    """One customer, what they owe, and what becomes of it."""

    customer: Customer
    price: str
    about: str
    happens: Sequence[tuple[int, Step]]
    """By day. Two of one day are a while apart."""
    owed: Owed = Owed.SUBSCRIPTION
    order: str = ""
    """The number of the order with which the subscription began, or that is paid."""
    at_the_shop: bool = True
    """Whether the shop knows that the order was paid."""
    ordered: timedelta = timedelta(days=30)
    """How long ago that was."""
    mended: str = ""
    """What the customer's e-mail address really is."""
    copies: int = 1
    """How often the first webhook comes."""
    overtaken: bool = False
    """The webhook of the first step comes after that of the second."""
    mail_fault: Fault | None = None
    shipping_fault: Fault | None = None

    @property
    def amount(self) -> Money:
        return Money.of(self.price, "USD")

    @property
    def address(self) -> str:
        return self.mended or self.customer.email

    def days(self, *steps: Step) -> list[int]:
        return [day for day, step in self.happens if step in steps]


def _who(number: int, name: str, email: str = "", phone: str = "") -> Customer:
    return Customer(id=str(number), name=name, email=email, phone=phone)


def chapters() -> list[Chapter]:
    """Fifteen of them. Everybody's amount is another one."""
    fails, paid, ends = Step
    return [
        Chapter(_who(1, "Zoë Ångström", "zoe@example.com"), "24.40", "is never paid", [(0, fails)], copies=3),
        Chapter(
            _who(2, "Ben Okafor", "ben@example.com"),
            "19.00",
            "is paid on day 5; the mail server loses an answer",
            [(0, fails), (5, paid)],
            order="2002",
            mail_fault=Fault(kind=FaultKind.LOST_ANSWER, match="MAIL ben@"),
            shipping_fault=Fault(kind=FaultKind.RATE_LIMITED, match="POST .*2002-", seconds=1),
        ),
        Chapter(
            _who(3, "林小雨", "xiaoyu@example.com"),
            "31.50",
            "is paid within the hour",
            [(0, fails), (0, paid)],
            order="2003",
        ),
        Chapter(
            _who(4, "Dilnoza Karimova", "dilnoza@example.com"),
            "12.00",
            "has its subscription ended on day 8",
            [(0, fails), (8, ends)],
        ),
        Chapter(
            _who(5, "Emre Yıldız", "emre@example.com"),
            "15.75",
            "fails again on day 5, is paid on day 6",
            [(0, fails), (5, fails), (6, paid)],
        ),
        Chapter(
            _who(6, "Fatou Ndiaye", "fatou@example.com"),
            "9.99",
            "was paid before the webhook of its failure came",
            [(0, fails), (0, paid)],
            overtaken=True,
        ),
        Chapter(
            _who(7, "Gus Larsen", "gus@example.com"), "44.00", "fails at the checkout", [(0, fails)], Owed.CHECKOUT
        ),
        Chapter(_who(8, "Ioana Țurcanu", phone="+15125550188"), "27.30", "has no e-mail address", [(0, fails)]),
        Chapter(
            _who(9, "Юлия Смирнова", "unknown.julia@example.com"),
            "18.20",
            "has an address that no mail server knows",
            [(0, fails), (2, paid)],
            mended="julia@example.com",
        ),
        Chapter(
            _who(10, "Hana Sato", "hana@example.com"),
            "120.00",
            "is for an invoice of no subscription, is paid on day 2",
            [(0, fails), (2, paid)],
            Owed.INVOICE,
        ),
        Chapter(
            _who(11, "Kai Müller", "kai@example.com"),
            "21.00",
            "is renewed, and again a month later",
            [(0, paid), (LAST_DAY, paid)],
            order="2011",
            copies=3,
        ),
        Chapter(
            _who(12, "Lena Novák", "lena@example.com"),
            "23.00",
            "is paid for the first time, a day after the order",
            [(0, paid)],
            order="2012",
            ordered=timedelta(days=1),
        ),
        Chapter(_who(13, "Mo Haddad", "mo@example.com"), "8.50", "is renewed, and names no order", [(0, paid)]),
        Chapter(
            _who(14, "Nia Brandt", "nia@example.com"),
            "60.00",
            "pays an order by a link in a mail, past the shop",
            [(0, paid)],
            Owed.ORDER,
            order="2014",
            at_the_shop=False,
            copies=3,
        ),
        Chapter(
            _who(15, "Otto Lind", "otto@example.com"),
            "61.00",
            "pays an order at the shop's checkout",
            [(0, paid)],
            Owed.ORDER,
            order="2015",
        ),
    ]


@dataclass(frozen=True)
class Parcel:
    """A parcel whose label somebody bought by hand, and how it ends."""

    number: str
    recipient: Customer
    event_type: str
    about: str
    copies: int = 1


def parcels() -> list[Parcel]:
    return [
        Parcel("4001", _who(21, "Noor Ali", "noor@example.com"), "shipment.delivered", "arrives, told twice", copies=2),
        Parcel("4002", _who(22, "Olu Adé", "olu@example.com"), "shipment.exception", "is held up"),
        Parcel("4003", _who(23, "Pia Rossi"), "shipment.delivered", "arrives; there is no e-mail address"),
    ]


@dataclass(frozen=True)
class Expected:
    """What follows for a chapter, by what the processor can tell of it."""

    chapter: Chapter
    tells: Tells

    @property
    def told(self) -> bool:
        """Whether a failure of it can be followed up: else it was seen at the checkout, or nothing would say that it
        is paid."""
        owed = self.chapter.owed
        return owed is Owed.SUBSCRIPTION or (owed is Owed.INVOICE and self.tells.invoices)

    @property
    def no_address(self) -> bool:
        return self.told and bool(self.chapter.days(Step.FAILS)) and not self.chapter.address

    @property
    def reminders(self) -> list[tuple[int, str]]:
        """Day and subject of each mail. A processor that doesn't count its tries begins anew with each."""
        if not self.told or not self.chapter.address:
            return []
        begun = self.chapter.days(Step.FAILS)
        over = min(self.chapter.days(Step.PAID, Step.ENDS), default=LAST_DAY)
        return [
            (start + after, subject.format(dollars(self.chapter.amount)))
            for start in (begun[:1] if self.tells.tries else begun)
            for after, subject in REMINDED_ON.items()
            if start + after < over
        ]

    @property
    def unpaid(self) -> bool:
        return len(self.reminders) >= len(REMINDED_ON)

    @property
    def periods(self) -> int:
        """How many are paid."""
        return len(self.chapter.days(Step.PAID)) if self.chapter.owed is Owed.SUBSCRIPTION else 0

    @property
    def past_the_shop(self) -> bool:
        """Whether the shop doesn't know that its order was paid."""
        return self.chapter.owed is Owed.ORDER and not self.chapter.at_the_shop

    @property
    def known_order(self) -> bool:
        return bool(self.chapter.order) and self.tells.orders

    @property
    def packed(self) -> int:
        """How many parcels: the first payment's is the order's own, and what is paid at the shop is sent by that."""
        if self.chapter.owed is Owed.ORDER:
            return int(self.past_the_shop)
        return self.periods if self.known_order and self.chapter.ordered > timedelta(days=3) else 0

    @property
    def asked(self) -> int:
        """How often the team is asked what is to be sent."""
        return 0 if self.known_order else self.periods


def dollars(amount: Money) -> str:
    return f"${amount.amount:,.2f}"
