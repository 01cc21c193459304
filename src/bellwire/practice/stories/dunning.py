"""Subscriptions and dunning: a month of payments, renewals and parcels, begun on a bad day."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

import orjson

from bellwire.events import Customer
from bellwire.ledger import Rows, events, exceptions, runs
from bellwire.money import Money
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import (
    Carrier,
    Chat,
    Helpdesk,
    Mailbox,
    Parcels,
    Sale,
    SaleLine,
    Sent,
    Shop,
    Subscriptions,
    Tells,
)
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, each_once

REMINDED_ON = {
    0: "Your payment of {} didn't go through",
    3: "A reminder: {} is still open",
    7: "Please pay {} within a week",
    14: "Last reminder: {} is open",
}
"""Day after the failure → what the mail of that day is called, with the amount."""
LAST_DAY = 30
"""On which the second period of a subscription is paid."""
_SHORTLY = timedelta(minutes=20)
_HOURS, _A_DAY = timedelta(hours=2), timedelta(days=1)


class Owed(StrEnum):
    """What a payment is for."""

    SUBSCRIPTION = "subscription"
    INVOICE = "invoice"
    CHECKOUT = "checkout"


class Step(StrEnum):
    """What happens at the processor."""

    FAILS = "a payment fails"
    PAID = "it is paid"
    ENDS = "the subscription ends"


_TOLD_AS = {
    Step.FAILS: "payment.failed",
    Step.PAID: "subscription.renewed",
    Step.ENDS: "subscription.ended",
}


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
    """The number of the order with which the subscription began."""
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
    """Thirteen of them. Everybody's amount is another one."""
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
            (start + after, subject.format(_dollars(self.chapter.amount)))
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
    def known_order(self) -> bool:
        return bool(self.chapter.order) and self.tells.orders

    @property
    def packed(self) -> int:
        """How many parcels: the first payment's is the order's own."""
        return self.periods if self.known_order and self.chapter.ordered > timedelta(days=3) else 0

    @property
    def asked(self) -> int:
        """How often the team is asked what is to be sent."""
        return 0 if self.known_order else self.periods


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    shop: Shop
    pay: Subscriptions
    carrier: Carrier
    parcels: Parcels
    chat: Chat
    mailbox: Mailbox
    helpdesk: Helpdesk

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("shop", Shop),  # type: ignore[type-abstract]
            stage.part("pay", Subscriptions),  # type: ignore[type-abstract]
            stage.part("shipping", Carrier),  # type: ignore[type-abstract]
            stage.part("shipping", Parcels),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
            stage.part("helpdesk", Helpdesk),  # type: ignore[type-abstract]
        )


@dataclass
class Month:
    """What has come about so far."""

    stage: Stage
    holdings: Holdings
    told: Sequence[Chapter]
    begun: datetime
    ids: dict[str, str] = field(default_factory=dict)
    """By the customer's name, what the processor knows the matter by: a subscription, an invoice or a payment."""
    orders: dict[str, str] = field(default_factory=dict)
    """The shop's ids of the orders, by number."""
    arrived: dict[str, int] = field(default_factory=dict)
    """Message-ID → the day on which the mail arrived."""

    @property
    def pay(self) -> Subscriptions:
        return self.holdings.pay

    async def go_on(self, day: int, until: int) -> list[Sent]:
        """From a day until a later one begins; gives the mails that arrived meanwhile."""
        await self.stage.let_pass(max(self.begun + until * _A_DAY - self.stage.clock(), timedelta()))
        new = [mail for mail in _shown(self.holdings.mailbox) if mail.id not in self.arrived]
        self.arrived |= {mail.id: day for mail in new}
        return new

    def open(self, chapter: Chapter) -> bool:
        """Have the processor know of it. False: it has nothing of the kind."""
        amount, customer, name = chapter.amount, chapter.customer, chapter.customer.name
        if chapter.order:
            sale = Sale(chapter.order, [SaleLine("TEA-100", 2)], customer, ago=chapter.ordered)
            self.orders[chapter.order] = self.holdings.shop.place(sale)
            self.holdings.shop.pay(self.orders[chapter.order])
        match chapter.owed:
            case Owed.SUBSCRIPTION:
                known_as = self.pay.subscribe(amount, customer, self.orders.get(chapter.order, ""))
            case Owed.INVOICE:
                known_as = self.pay.bill(amount, customer)
            case Owed.CHECKOUT:
                known_as = self.pay.refuse(amount, customer)
        if known_as:
            self.ids[name] = known_as
        return bool(known_as)

    def take(self, chapter: Chapter, step: Step) -> Webhook:
        """Something happens; gives what the processor sends of it."""
        about = self.ids[chapter.customer.name]
        match step:
            case Step.ENDS:
                self.pay.end(about)
            case _ if chapter.owed is not Owed.CHECKOUT:
                self.pay.charge(about, declined=step is Step.FAILS)
        kind = _TOLD_AS[step]
        if step is Step.PAID and chapter.owed is Owed.INVOICE:
            kind = "payment.succeeded"
        return self.pay.notice(about, kind)

    async def send(self, chapter: Chapter, step: Step, webhook: Webhook, note: str = "", times: int = 1) -> list[str]:
        answers = await self.stage.send_often("pay", webhook, times)
        notes = [note, *["the same delivery again"] * (times - 1)]
        said = f"{chapter.customer.name}: {step}"
        return [_line(said, answer, words) for answer, words in zip(answers, notes, strict=True)]


class Dunning(Story):
    template: ClassVar[str] = "dunning"
    title: ClassVar[str] = "Subscriptions and dunning, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "A payment that fails is followed up until it is paid, a renewal is packed,",
        "and customers hear what becomes of their parcels.",
    )

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        holdings, sent = Holdings.of(stage), parcels()
        holdings.pay.go_by(stage.clock)
        month = Month(stage, holdings, chapters(), stage.clock())
        yield Act("What arrives")
        _place_faults(month)
        for line in _what_it_tells(holdings.pay.tells()):
            yield line
        played = [chapter for chapter in month.told if month.open(chapter)]
        for chapter in month.told:
            if chapter not in played:
                yield f"{chapter.customer.name}: left out, as this processor has no such {chapter.owed}s"
        async for line in _day_of(month, played, 0, first=True):
            yield line
        labels = {parcel.number: holdings.parcels.hand_in(parcel.number, parcel.recipient) for parcel in sent}
        for parcel in sent:
            webhook = holdings.parcels.turn(labels[parcel.number], parcel.event_type)
            for answer in await stage.send_often("shipping", webhook, parcel.copies):
                yield _line(f"parcel {parcel.number}", answer, parcel.about)
        # What a webhook only hints at is looked up.
        await stage.look_up()
        await stage.let_pass(_SHORTLY)
        async for line in _day_of(month, played, 0, first=False):
            yield line
        await stage.let_pass(_HOURS)
        async for each in exceptions_told(stage):
            yield each
        one = await exceptions_are(stage, "One exception, and its sentence names the address", 1, "unknown.julia@")
        yield Promises("What needs a person now", [one])
        yield Act("The owner puts the address right, and has that one mail sent again.")
        await _mend(stage, played)
        expected = [Expected(chapter, holdings.pay.tells()) for chapter in played]
        yield Act("Time passes")
        for day, until in pairwise(_days(expected)):
            if day:
                async for line in _day_of(month, played, day, first=True):
                    yield f"day {day:<2}  {line}"
            if mails := await month.go_on(day, until):
                yield f"day {day:<2}  mails to {', '.join(sorted(mail.to for mail in mails))}"
        async for each in retries_told(stage, await _names(stage)):
            yield each
        none_left = await exceptions_are(stage, "No exception is left", 0)
        held = verdicts(expected, sent, labels, month)
        yield Promises("What the vendors hold after a month", [*held, none_left, *await balance(stage)])
        async for each in holdings_told(stage, _held(month)):
            yield each


def _place_faults(month: Month) -> None:
    simulators = month.stage.simulators
    simulators["helpdesk"].faults.add(Fault(kind=FaultKind.FAILED, match="POST /api/v2/tickets"))
    for chapter in month.told:
        if chapter.mail_fault:
            simulators["mail"].faults.add(chapter.mail_fault)
        if chapter.shipping_fault:
            simulators["shipping"].faults.add(chapter.shipping_fault)


def _what_it_tells(tells: Tells) -> Iterator[str]:
    if not tells.orders:
        yield "This processor doesn't say which order a subscription began with: the team is asked each time."
    if not tells.tries:
        yield "This processor doesn't count how often it tries: each failure begins reminders of its own."


def _days(expected: Iterable[Expected]) -> list[int]:
    """Those on which something happens or a mail is due, and those after, so that a mail of another day shows."""
    due = {day for each in expected for day, _ in each.reminders}
    happens = {day for each in expected for day, _ in each.chapter.happens}
    return sorted({0, *happens, *(day + after for day in due for after in (0, 1)), LAST_DAY, LAST_DAY + 1})


async def _names(stage: Stage) -> dict[str, str]:
    """Whom or what an event is about, by its subject."""

    def query(rows: Rows) -> dict[str, str]:
        found = [event for run in runs.newest(rows, limit=100) if (event := events.find(rows, run.event))]
        told = [(event.subject, orjson.loads(event.data)) for event in found]
        return {subject: (data.get("customer") or {}).get("name") or data["reference"] for subject, data in told}

    return {subject: name for subject, name in (await stage.ledger.read(query)).items() if name}


async def _day_of(month: Month, played: Iterable[Chapter], day: int, *, first: bool) -> AsyncIterator[str]:
    """What happens on a day: each customer's first step, or the one that comes a while later."""
    for chapter in played:
        steps = [step for when, step in chapter.happens if when == day]
        if chapter.overtaken and len(steps) == 2:
            if first:
                fails, paid = (month.take(chapter, step) for step in steps)
                for line in await month.send(chapter, steps[1], paid, chapter.about):
                    yield line
                for line in await month.send(chapter, steps[0], fails, "the webhook that it overtook"):
                    yield line
            continue
        for step in steps[:1] if first else steps[1:]:
            again = (day, step) != chapter.happens[0]
            times = 1 if again or chapter.copies == 1 else chapter.copies - 1
            for line in await month.send(
                chapter, step, month.take(chapter, step), "" if again else chapter.about, times
            ):
                yield line
            if times > 1:
                about = month.ids[chapter.customer.name]
                anew = month.pay.notice(about, _TOLD_AS[step])
                for line in await month.send(chapter, step, anew, "the same fact, told anew"):
                    yield line
    await month.stage.settle()


async def _mend(stage: Stage, played: Iterable[Chapter]) -> None:
    for exception in await stage.ledger.read(lambda rows: exceptions.open_ones(rows)):
        right = next(each.mended for each in played if each.mended)
        await stage.correct(exception, "to", right, who="the demo")


def _line(said: str, answer: object, note: str) -> str:
    return f"{said:<42} {answer!s:<28} {note}".rstrip()


def _dollars(amount: Money) -> str:
    return f"${amount.amount:,.2f}"


def _shown(mailbox: Mailbox) -> list[Sent]:
    """What a mailbox shows: of several mails with the same Message-ID, one."""
    return list({mail.id: mail for mail in mailbox.mails()}.values())


def _held(month: Month) -> dict[str, str]:
    holdings = month.holdings
    return {
        "shop": f"{len(month.orders)} orders with which subscriptions began",
        "pay": f"{len(month.ids)} customers, whose payments failed or came in",
        "shipping": f"{len(holdings.carrier.labels())} labels",
        "mail": f"{len(_shown(holdings.mailbox))} mails to customers",
        "chat": f"{len(holdings.chat.messages())} messages to the team",
        "helpdesk": f"{len(holdings.helpdesk.opened())} ticket",
    }


def verdicts(
    expected: Sequence[Expected], sent: Sequence[Parcel], labels: Mapping[str, str], month: Month
) -> list[Verdict]:
    """What the vendors hold, against what the chapters say."""
    holdings, shown = month.holdings, _shown(month.holdings.mailbox)
    about_parcels = [mail for mail in shown if mail.subject.startswith("Your parcel ")]
    reminders = Counter((month.arrived[mail.id], mail.to, mail.subject) for mail in shown if mail not in about_parcels)
    wanted = Counter((day, each.chapter.address, subject) for each in expected for day, subject in each.reminders)
    silent = {each.chapter.customer.email for each in expected if not each.reminders} - {""}
    return [
        Verdict(
            "Each reminder went to its customer on its day, and no other",
            reminders == wanted,
            f"{reminders.total()} mails to {len({to for _, to, _ in reminders})} customers"
            if reminders == wanted
            else f"missing: {_listed(wanted - reminders)}; too many: {_listed(reminders - wanted)}",
        ),
        Verdict(
            "Nobody is reminded who paid in time, was at the checkout, or owes nothing",
            not [mail for mail in shown if mail.to in silent],
            f"no mail to {len(silent)} customers",
        ),
        each_once(
            "ticket",
            {f"{each.chapter.address}, Unpaid: {_dollars(each.chapter.amount)}" for each in expected if each.unpaid},
            [f"{ticket.email}, {ticket.subject}" for ticket in holdings.helpdesk.opened()],
            "customer who never paid",
        ),
        *_labels(expected, sent, month),
        *_parcels(sent, about_parcels),
        *_words(expected, sent, labels, month),
    ]


def _labels(expected: Sequence[Expected], sent: Sequence[Parcel], month: Month) -> list[Verdict]:
    """A renewal's label has the order's number, with the day of the payment."""
    by_hand = {parcel.number for parcel in sent}
    bought = [label for label in month.holdings.carrier.labels() if label.reference not in by_hand]
    periods = Counter(label.reference.rpartition("-")[0] for label in bought)
    listed = Counter(found[1] for text in _texts(month) if (found := re.search(r": pack (\S+)\.", text)))
    wanted = Counter({each.chapter.order: each.packed for each in expected if each.packed})
    return [
        Verdict(
            "One label for each paid period whose order is known",
            periods == wanted and len({label.reference for label in bought}) == len(bought),
            f"{len(bought)} labels for {wanted.total()} periods",
        ),
        each_once("packing list", {label.reference for label in bought}, listed.elements(), "label"),
    ]


def _parcels(sent: Sequence[Parcel], mails: Sequence[Sent]) -> list[Verdict]:
    words = {"shipment.delivered": "has arrived", "shipment.exception": "is delayed"}
    return [
        each_once(
            "mail, if there is an address,",
            {
                f"{parcel.recipient.email}: Your parcel {parcel.number} {words[parcel.event_type]}"
                for parcel in sent
                if parcel.recipient.email
            },
            [f"{mail.to}: {mail.subject}" for mail in mails],
            "parcel",
        )
    ]


def _words(
    expected: Sequence[Expected], sent: Sequence[Parcel], labels: Mapping[str, str], month: Month
) -> list[Verdict]:
    """What the team was told. A processor may name the subscription and not the customer."""
    tracking = {label.id: label.text for label in month.holdings.carrier.labels()}
    texts = _texts(month)

    def telling(words: str) -> list[str]:
        return [text for text in texts if words in text]

    def about(each: Expected, found: Iterable[str]) -> int:
        names = (each.chapter.customer.name, month.ids[each.chapter.customer.name])
        return sum(any(name in text for name in names) for text in found)

    unpaid, no_address = telling("after four mails in two weeks"), telling("no e-mail address to write to")
    asked, trouble = telling("doesn't say which order it began with"), telling("Trouble with the parcel")
    packed = telling(": pack ")
    held_up = [tracking[labels[parcel.number]] for parcel in sent if parcel.event_type == "shipment.exception"]
    counts = [
        ("The team hears of who never paid, once", unpaid, [int(each.unpaid) for each in expected]),
        ("The team hears at once of who can't be written to", no_address, [int(each.no_address) for each in expected]),
        ("The team is asked about each renewal whose order isn't known", asked, [each.asked for each in expected]),
    ]
    return [
        *(
            Verdict(
                promise,
                [about(each, found) for each in expected] == wanted and len(found) == sum(wanted),
                f"{len(found)} message{'' if len(found) == 1 else 's'}",
            )
            for promise, found, wanted in counts
        ),
        each_once("word to the team", held_up, [text.split()[4] for text in trouble], "parcel in trouble"),
        Verdict(
            "The team is told nothing else",
            len(texts) == sum(map(len, (unpaid, no_address, asked, trouble, packed))),
            f"{len(texts)} messages in all",
        ),
    ]


def _texts(month: Month) -> list[str]:
    return [message.text for message in month.holdings.chat.messages()]


def _listed(counts: Counter[tuple[int, str, str]]) -> str:
    return ", ".join(f"day {day} {to} '{subject}'" for day, to, subject in counts.elements()) or "none"
