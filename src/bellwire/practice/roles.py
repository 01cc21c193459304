"""What a demo, a pilot or a test may ask of any simulator of a capability, whatever the vendor."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from bellwire.clock import Clock
from bellwire.events import Condition, Customer, Fact, Signer
from bellwire.money import Money
from bellwire.practice.catalogue import GOODS
from bellwire.practice.simulator import Webhook


@dataclass(frozen=True)
class SaleLine:
    """Of the practice catalogue, by SKU; price before tax unless the sale's prices include it."""

    sku: str
    quantity: int = 1
    discount: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        """What it comes to after its own discount."""
        return GOODS[self.sku].price * self.quantity - self.discount


@dataclass(frozen=True)
class Sale:
    """An order that a practice customer places. The shop works out totals, taxes and roundings itself."""

    number: str
    lines: Sequence[SaleLine]
    customer: Customer = field(
        default_factory=lambda: Customer(id="7", name="Robin Hill", email="robin@example.com", phone="+15125550123")
    )
    currency: str = "USD"
    tax_rate: Decimal = Decimal("0.0825")
    taxes_included: bool = False
    shipping: Decimal = Decimal("6.00")
    """Zero (and nothing that ships): no shipping line and no shipping address."""
    order_discount: Decimal = Decimal(0)
    """Spread over the lines, as the shop does it."""
    tip: Decimal = Decimal(0)
    gift_card: Decimal = Decimal(0)
    """How much a gift card has left: it pays first, where the shop has gift cards."""
    note: str = ""
    ago: timedelta = timedelta()
    """How long it is since it was placed."""


@runtime_checkable
class Shop(Protocol):
    """A simulated storefront."""

    def number_from(self, first: int) -> None:
        """Give what is new ids from `first` on, as a shop does that has been open for long."""

    def place(self, sale: Sale) -> str:
        """Take the order, unpaid; gives the shop's id of it."""

    def pay(self, order_id: str, gateway: str = ..., payment_id: str = "") -> None:
        """At a gateway as the shop names it, which knows the payment as `payment_id`; else at the shop's own for
        tests."""

    def edit(self, order_id: str, note: str) -> None:
        """Change something about it, which makes a later state."""

    def webhook(self, order_id: str, event_type: str) -> Webhook:
        """What the shop would send now for a canonical event type (`order.paid`, `order.updated` …): the state as it
        is now, correctly signed, with a delivery id of its own."""

    def total(self, order_id: str) -> Money: ...

    def fulfilled(self) -> list[str]:
        """The ids of the orders that were marked as sent."""


@runtime_checkable
class Returns(Protocol):
    """A simulated storefront to which customers send things back."""

    def line_of(self, order_id: str, sku: str) -> str:
        """The id of an order's line."""

    def number_of(self, return_id: str) -> str:
        """What people call a return."""

    def announce(self, order_id: str, units: Mapping[str, int]) -> str:
        """`units` of an order (line id → how many) are to come back, and the shop agrees; gives the return's id."""

    def receive(
        self,
        return_id: str,
        condition: Condition = Condition.SELLABLE,
        units: Mapping[str, int] | None = None,
    ) -> None:
        """`units` of a return (line id → how many; None: all that nobody has looked at yet) are in a condition."""

    def return_webhook(self, return_id: str, event_type: str) -> Webhook:
        """What the shop would send now for `return.created` or `return.received`."""


@dataclass(frozen=True)
class Booked:
    """An invoice or sales receipt in simulated books. `reference` is the order's number, `total` what the sale comes
    to, whether money or gift cards paid it."""

    id: str
    reference: str
    total: Money
    paid: bool
    tax: Money | None = field(default=None, compare=False)
    """What of the total is tax; None where the simulated books don't tell."""


@dataclass(frozen=True)
class Credited:
    """What simulated books hold of something that was given back of an invoice. `reference` is what people know it by,
    e.g. the return's number; `total` is with tax."""

    id: str
    reference: str
    invoice: str
    """The invoice's number."""
    total: Money
    paid_out: bool
    """Whether money was given back; else it was set against what was still to be paid."""
    left: Money
    """What of it is neither yet."""


def credited_for(text: str) -> tuple[str, str] | None:
    """Reference and invoice's number of a credit whose mark is `R-7 for invoice 1001`; None: it is something
    else, such as a gift card."""
    found = re.match(r"(.+) for invoice (.+)$", text.partition("\n")[0])
    return (found[1], found[2]) if found else None


@runtime_checkable
class Books(Protocol):
    def book(self, sale: Sale, total: Money) -> str:
        """What a person booked long ago: an invoice with the sale's number, paid, that comes to `total`; what that is
        beyond goods and shipping is tax. Gives the invoice's id."""

    def booked(self) -> list[Booked]: ...

    def credits(self) -> list[Credited]:
        """All that was given back of invoices."""

    def mailed(self) -> list["Sent"]:
        """The invoices that it was told to e-mail: one for each time; `reference` is the invoice's number, `text` the
        address."""

    def item_for(self, sku: str) -> str | None:
        """What a person would map the SKU to: the id of an item that exists, else None."""


@runtime_checkable
class Till(Protocol):
    def stock(self) -> dict[str, int]:
        """SKU → how many are there."""


@runtime_checkable
class Warehouse(Protocol):
    """A simulated till or warehouse in which people move goods too."""

    def go_by(self, clock: Clock) -> None:
        """What happens from now on happens at the times of this clock."""

    def stock(self) -> dict[str, int]:
        """SKU → how many are there."""

    def move(self, sku: str, by: int) -> None:
        """So many come in or, if it is negative, go out."""

    def stock_webhook(self, sku: str) -> Webhook | None:
        """What is sent of an item's stock as it is now; None: nothing is, and a list tells of it."""


@dataclass(frozen=True)
class Shown:
    """A product as a simulated shop shows it, with the flags that were put on it."""

    skus: frozenset[str]
    flags: frozenset[str]


@runtime_checkable
class Window(Protocol):
    """What a simulated shop shows of its products."""

    def shown(self) -> list[Shown]:
        """All products."""

    def rename(self, sku: str, new: str) -> None:
        """Somebody gives an item another SKU."""

    def flag(self, sku: str, flags: Collection[str]) -> None:
        """Somebody sees to it that the item's product has these flags, and no others."""


@dataclass(frozen=True)
class Supply:
    """On which terms an item is bought, as people see it in a simulated purchasing system."""

    supplier: str
    lead_days: int
    minimum: int
    pack: int
    price: Decimal
    """Of one."""


@dataclass(frozen=True)
class Ordered:
    """An order to a supplier, in a simulated purchasing system."""

    id: str
    """As its operations give it."""
    reference: str
    supplier: str
    units: Mapping[str, int]
    """SKU → how many."""
    expected: date | None
    total: Decimal


@runtime_checkable
class Purchasing(Protocol):
    """A simulated purchasing system."""

    def go_by(self, clock: Clock) -> None:
        """What happens from now on happens at the times of this clock."""

    def suppliers(self) -> list[str]:
        """The names of at least two."""

    def supply(self, sku: str) -> Supply | None:
        """None: nobody is known to supply the item."""

    def buy_from(self, sku: str, supplier: str) -> None:
        """Somebody enters who supplies an item; empty: nobody does any more."""

    def order(self, supplier: str, units: Mapping[str, int]) -> str:
        """Somebody orders so many (SKU → units) by hand; gives the order's id."""

    def ordered(self) -> list[Ordered]:
        """All orders to suppliers, drafts too."""

    def bring(self, order_id: str, most: int | None = None) -> Webhook | None:
        """The supplier brings what is still open of an order, or at most so many of each item. Gives what is sent of
        it; None: nothing is, and a list tells of it."""


@dataclass(frozen=True)
class Sent:
    """A label, a message or a mail at its end. `reference` is the order's number, where it is known; `to` and `subject`
    are a mail's."""

    id: str
    reference: str
    text: str = ""
    to: str = ""
    subject: str = ""


def mentioned_order(text: str) -> str:
    """The number of the order that a text is about (`Order 1001 is paid`, `order #R-7`); empty when it names none."""
    found = re.search(r"\border\s+#?((?:[A-Z]+-?)?\d[\w-]*)", text, re.IGNORECASE)
    return found[1] if found else ""


@runtime_checkable
class Carrier(Protocol):
    def labels(self) -> list[Sent]:
        """Bought and not voided."""


@dataclass(frozen=True)
class Visit:
    """What a practice customer books: an hour from `start` on."""

    start: datetime
    """UTC."""
    customer: Customer = field(
        default_factory=lambda: Customer(name="Robin Hill", email="robin@example.com", phone="+15125550123")
    )
    service: str = "Boiler service"
    """`Boiler service` or `First visit`: what the practice business does."""
    zone: str = "America/Chicago"
    """Of the customer."""


@runtime_checkable
class Parcels(Protocol):
    """A simulated carrier's way with parcels."""

    def hand_in(self, number: str, recipient: Customer) -> str:
        """Somebody buys a label by hand; gives its id."""

    def turn(self, label_id: str, event_type: str) -> Webhook:
        """A parcel arrives (`shipment.delivered`) or is in trouble (`shipment.exception`); gives what is sent of it."""

    def listed(self, label_id: str) -> Webhook:
        """What is told of a parcel as it is now, in a delivery: where webhooks say only that there is something new,
        what the list says then."""


@runtime_checkable
class Bookings(Protocol):
    """A simulated page on which customers book. Bookings are named as their connector names them; `at` is when the
    customer does it (None: now)."""

    def book(self, *, visit: Visit | None = None, at: datetime | None = None) -> str:
        """A customer books (None: whatever it may be); gives the booking."""

    def move(self, booking: str, *, start: datetime | None = None, at: datetime | None = None) -> str:
        """They take another time; gives the booking, which is another one where the vendor makes a new one of it."""

    def call_off(self, booking: str, reason: str = "", *, at: datetime | None = None) -> None: ...

    def webhooks(self, booking: str, event_type: str) -> list[Webhook]:
        """All that is sent when `booking.created`, `booking.changed` or `booking.cancelled` has happened to it: the
        state as it is now."""


@dataclass(frozen=True)
class Appointed:
    """An appointment that a flow has put into a simulated calendar. `reference` is what the flow calls it; times are in
    UTC."""

    id: str
    reference: str
    title: str
    start: datetime
    end: datetime


@runtime_checkable
class Calendar(Protocol):
    def appointments(self) -> list[Appointed]:
        """Those that weren't cancelled."""


@runtime_checkable
class Texts(Protocol):
    """A simulated sender of text messages."""

    def texts(self) -> list["Sent"]:
        """All that were taken to be sent, oldest first; `reference` is the number they go to."""

    def opt_out(self, number: str) -> None:
        """Whoever has this number wants no more messages: those to it are refused."""

    def opt_in(self, number: str) -> None:
        """They want them after all."""


@dataclass(frozen=True)
class WorkOrder:
    """In a simulated field service. `number` is what people call it, `reference` what a flow opened it for."""

    id: str
    number: str
    reference: str
    notes: Sequence[str]
    closed: bool


@runtime_checkable
class Fieldwork(Protocol):
    """A simulated field service."""

    def work_orders(self) -> list[WorkOrder]: ...

    def take_on(self, customer: Customer, title: str) -> str:
        """The office opens a work order by hand; gives its id."""

    def work(self, job_id: str, start: datetime, minutes: int | None) -> None:
        """Somebody works on it for so long; None: their clock still runs."""

    def complete(self, job_id: str, *, at: datetime | None = None) -> None:
        """The technician says that it is done; `at` is when (None: now)."""

    def job_webhook(self, job_id: str) -> Webhook:
        """What is sent when something about it has changed."""

    def listed_job(self, job_id: str) -> Webhook:
        """What is told of it as it is now, in a delivery: where webhooks say only that something has changed, what the
        list says then."""


@dataclass(frozen=True)
class Known:
    """A person in a simulated CRM."""

    id: str
    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Hoped:
    """A sale that may come, in a simulated CRM. `reference` is what people know it by."""

    id: str
    reference: str
    contact_id: str


@dataclass(frozen=True)
class Planned:
    """Something to do about a person, in a simulated CRM."""

    id: str
    contact_id: str
    subject: str
    due: datetime
    """UTC."""


@runtime_checkable
class Crm(Protocol):
    def enter(self, name: str, email: str) -> str:
        """Somebody adds a person by hand; gives the contact's id."""

    def people(self) -> list[Known]: ...

    def hoped(self) -> list[Hoped]:
        """All deals."""

    def planned(self) -> list[Planned]: ...


@dataclass(frozen=True)
class Checklist:
    """A task with steps, in a simulated project tool. References are what people know it and its project by."""

    reference: str
    project: str
    due: date | None
    steps: Sequence[str]


@dataclass(frozen=True)
class Begun:
    """A project in a simulated tool for projects."""

    id: str
    reference: str
    """What people know it by; empty where it has none."""
    name: str
    due: date | None


@runtime_checkable
class Projects(Protocol):
    def begun(self) -> list[Begun]: ...

    def checklists(self) -> list[Checklist]:
        """All tasks that are no steps themselves."""


@runtime_checkable
class Signing(Protocol):
    """A simulated service for signatures."""

    def send_out(self, title: str, reference: str, signers: Sequence[Signer]) -> str:
        """A contract goes to those who are to sign it; gives its id."""

    def sign(self, contract_id: str) -> datetime:
        """Everybody does; gives when (UTC)."""

    def decline(self, contract_id: str, reason: str) -> None:
        """The first of them does."""

    def webhook(self, contract_id: str, *, retries: int = 0) -> Webhook:
        """What is sent when everybody has signed, or one has declined; `retries`: how often it was sent before."""


@runtime_checkable
class Teller(Protocol):
    """A simulated sender of the business's own, such as its website."""

    def tell(self, event_type: str, fact: Fact) -> Webhook:
        """What it would send now to say so, correctly signed, for a canonical event type; what it has no word for is
        left out. Raises ValueError when it can't say it at all."""


@runtime_checkable
class Chat(Protocol):
    def messages(self) -> list[Sent]: ...


@runtime_checkable
class Mailbox(Protocol):
    def mails(self) -> list[Sent]:
        """One for each copy that arrived; `id` is the Message-ID."""


@dataclass(frozen=True)
class Ticket:
    """`email` is whom it is for; `reference` is what people know its matter by, e.g. `return 77`."""

    id: str
    reference: str
    subject: str
    email: str
    text: str
    """The first that was written of it."""


@runtime_checkable
class Helpdesk(Protocol):
    def opened(self) -> list[Ticket]:
        """All tickets, oldest first."""


@dataclass(frozen=True)
class GivenBack:
    """Money of a payment that was given back, or is about to be."""

    id: str
    payment_id: str
    amount: Money


@runtime_checkable
class Processor(Protocol):
    def take(self, amount: Money, reference: str = "") -> str:
        """A customer pays; gives the payment's id."""

    def refunds(self) -> list[GivenBack]: ...


@dataclass(frozen=True)
class Tells:
    """What a processor can say of what customers owe."""

    invoices: bool
    """Which invoice a payment was for, also if it is of no subscription."""
    tries: bool
    """How often it has tried to charge it."""
    orders: bool
    """With which order of the shop a subscription began."""


@runtime_checkable
class Subscriptions(Protocol):
    """A simulated processor that charges by itself what customers owe."""

    def tells(self) -> Tells: ...

    def go_by(self, clock: Clock) -> None:
        """What happens from now on happens at the times of this clock."""

    def subscribe(self, amount: Money, customer: Customer, order_id: str = "") -> str:
        """`amount` is for a period, `order_id` the shop's order with which it begins; gives the subscription's id."""

    def bill(self, amount: Money, customer: Customer) -> str:
        """An invoice for something else than a subscription, which is yet to be charged; gives its id. Empty: the
        processor has none."""

    def charge(self, owed: str, *, declined: bool = False) -> None:
        """Try to take what is open of a subscription or an invoice; where all is paid, a new period begins."""

    def end(self, subscription_id: str) -> None: ...

    def refuse(self, amount: Money, customer: Customer) -> str:
        """A card is declined at the checkout; gives the payment's id."""

    def notice(self, about: str, event_type: str) -> Webhook:
        """What is sent of the last that happened with a subscription, an invoice or a payment, by what it is to us:
        `payment.failed`, `payment.succeeded`, `subscription.renewed` or `subscription.ended`."""
