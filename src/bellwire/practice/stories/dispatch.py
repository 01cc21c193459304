"""Dispatch: thirteen customers book visits on a bad day, the visits are made, and what must be true afterwards."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from bellwire.engine import retry
from bellwire.events import Customer
from bellwire.ledger import exceptions
from bellwire.practice.driving import Answer
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Bookings, Books, Calendar, Chat, Fieldwork, Texts, Visit
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, each_once

RATE = Decimal("95.00")
"""For an hour, as it stands in the flow."""
_ZONE = ZoneInfo("America/Chicago")
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_QUIET_FROM, _QUIET_TO = time(21), time(8)
_CHANGE = " To change it:"
"""What follows in a message is the link with which the customer changes the booking."""
_SOON = 3
"""Hours until the visit of who books on the same day."""


@dataclass(frozen=True)
class When:
    """A time on the customers' clock, so many days after the story begins; without a time, in a few hours."""

    days: int = 0
    clock: time | None = None

    def after(self, begin: datetime) -> datetime:
        if self.clock is None:
            return begin.replace(second=0, microsecond=0) + _SOON * _HOUR
        day = begin.astimezone(_ZONE).date() + self.days * _DAY
        return datetime.combine(day, self.clock, _ZONE).astimezone(UTC)


@dataclass(frozen=True)
class Work:
    """What comes of a visit. `minutes` has what each technician entered."""

    about: str
    minutes: Sequence[int]
    running: bool = False
    """Somebody's clock still runs when the work is reported as done."""
    invoiced: bool = True
    """Where a clock still runs, whether the owner says yes to the minutes that are entered."""
    copies: int = 1


@dataclass(frozen=True)
class Chapter:
    """One customer's booking, and what is peculiar about it."""

    name: str
    when: When
    about: str
    number: int = 0
    """The last digits of the phone; 0: there is none."""
    service: str = "Boiler service"
    copies: int = 1
    """How often its webhook arrives."""
    moves: Sequence[When] = ()
    jumbled: bool = False
    """The last move is told first."""
    called_off: str = ""
    """Why, if it is."""
    overtaken: bool = False
    """The word that it is called off comes before the word that it was made."""
    opted_out: bool = False
    """No text message may be sent to the number, until the customer says otherwise."""
    work: Work | None = None
    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    """By connection, from the beginning."""
    later_faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    """From when it is moved or called off."""

    @property
    def phone(self) -> str:
        return f"+1512555{self.number:04}" if self.number else ""

    @property
    def customer(self) -> Customer:
        return Customer(name=self.name, email=f"{self.name.partition(' ')[0].lower()}@example.com", phone=self.phone)

    @property
    def kept(self) -> bool:
        """Whether anybody comes."""
        return not self.called_off

    @property
    def last(self) -> When:
        """When it is to be in the end."""
        return self.moves[-1] if self.moves else self.when

    @property
    def heard(self) -> Sequence[When]:
        """The moves that something follows from: one that is told after a later one is left out."""
        return self.moves[-1:] if self.jumbled else self.moves

    def visit(self, begin: datetime) -> Visit:
        return Visit(self.when.after(begin), self.customer, self.service)


def chapters() -> list[Chapter]:
    """Thirteen of them."""
    ten = time(10)
    return [
        Chapter(
            "Ada Moss",
            When(2, ten),
            "an ordinary booking",
            101,
            service="First visit",
            work=Work("90 minutes, and the books fail (500)", [90]),
            faults={"books": [Fault(kind=FaultKind.FAILED, match="(?s)^(POST|PUT) .*First visit")]},
        ),
        Chapter(
            "Ben Ortiz",
            When(2, ten),
            "its webhook comes three times",
            102,
            copies=3,
            work=Work(
                "50 and 30 minutes; the books do it, then the line goes dead; the word of it comes twice",
                [50, 30],
                copies=2,
            ),
            faults={"books": [Fault(kind=FaultKind.LOST_ANSWER, match="(?s)^(POST|PUT) .*Boiler service")]},
        ),
        Chapter(
            "Chloe Dent",
            When(2, ten),
            "the message to the customer goes out, then the line goes dead",
            103,
            work=Work("an hour, and somebody's clock still runs: the owner says yes to the hour", [60], running=True),
            faults={"sms": [Fault(kind=FaultKind.LOST_ANSWER, match=r"POST .*5550103")]},
        ),
        Chapter(
            "Dan Roe",
            When(2, ten),
            "the field service asks to slow down (429)",
            104,
            work=Work(
                "20 minutes, and somebody's clock still runs: the owner says no", [20], running=True, invoiced=False
            ),
            faults={"field": [Fault(kind=FaultKind.RATE_LIMITED, match=r"(?s)POST .*dan@example\.com", skip=1)]},
        ),
        Chapter("Eve Lind", When(2, ten), "moved to another day", 105, moves=[When(4, ten)]),
        Chapter(
            "Finn Gray",
            When(3, ten),
            "moved twice, the second time to an earlier day",
            106,
            moves=[When(5, ten), When(3, time(22, 30))],
        ),
        Chapter(
            "Mia Stone",
            When(3, ten),
            "moved twice, and the second move is told first",
            113,
            moves=[When(5, ten), When(4, ten)],
            jumbled=True,
        ),
        Chapter(
            "Grace Hall",
            When(3, ten),
            "called off before anybody is reminded, while the calendar fails (500)",
            107,
            called_off="Sold the house",
            later_faults={"calendar": [Fault(kind=FaultKind.FAILED, match="^(POST|PUT|PATCH|DELETE) ")]},
        ),
        Chapter(
            "Hugo Wall",
            When(3, ten),
            "called off, and that is heard before the booking itself",
            108,
            called_off="Ill",
            overtaken=True,
        ),
        Chapter("Iris Noon", When(2, ten), "a guest who left no phone number"),
        Chapter("Zoë O’Brien-Łukasiewicz 王小明", When(2, time(7)), "a name in several scripts, early in the day", 110),
        Chapter(
            "Kim Vale",
            When(),
            "books a few hours ahead: nobody has to be reminded",
            111,
            work=Work("nobody entered any time", []),
        ),
        Chapter("Lena Park", When(2, ten), "no text message may go to this number", 112, opted_out=True),
    ]


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    bookings: Bookings
    calendar: Calendar
    texts: Texts
    field: Fieldwork
    books: Books
    chat: Chat

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("booking", Bookings),  # type: ignore[type-abstract]
            stage.part("calendar", Calendar),  # type: ignore[type-abstract]
            stage.part("sms", Texts),  # type: ignore[type-abstract]
            stage.part("field", Fieldwork),  # type: ignore[type-abstract]
            stage.part("books", Books),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
        )


@dataclass
class Diary:
    """What the story itself knows of what has happened so far."""

    begin: datetime
    made: dict[str, str] = field(default_factory=dict)
    """Customer → their booking, as it was made."""
    now: dict[str, str] = field(default_factory=dict)
    """Customer → their booking, as it is called now."""
    reminded: dict[str, str] = field(default_factory=dict)
    """Customer → when a reminder was found, as the clock on their wall says it."""
    mended: bool = False
    passed: bool = False
    """Whether the days went by."""


class Dispatch(Story):
    template: ClassVar[str] = "dispatch"
    title: ClassVar[str] = "Dispatch, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "A booked visit becomes an appointment, messages to the customer and a work order;",
        "the work that is done becomes an invoice.",
    )

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        told, holdings = chapters(), Holdings.of(stage)
        diary = Diary(stage.clock())

        yield Act("What arrives")
        async for each in _booked(stage, holdings, told, diary):
            yield each
        async for each in _moved(stage, holdings, told, diary):
            yield each
        yield Act("What needs a person")
        async for each in exceptions_told(stage):
            if not isinstance(each, Act):
                yield each
        one = await exceptions_are(stage, "One exception: one number takes no messages", 1)
        yield Promises("What the vendors hold now", [*of_bookings(told, holdings, diary), one])

        yield Act("The customer wants messages after all, and the owner retries that one action.")
        await _mend(stage, holdings, told)
        diary.mended = True

        yield Act("Days go by: each is reminded a day before, but nobody at night")
        async for each in _days_go_by(stage, holdings, told, diary):
            yield each

        yield Act("The work is done")
        async for each in _worked(stage, holdings, told, diary):
            yield each

        names = {f"booking/{booking}": name for name, booking in [*diary.made.items(), *diary.now.items()]}
        names |= {f"job/{order.id}": f"order {order.number}" for order in holdings.field.work_orders()}
        async for each in retries_told(stage, names):
            yield each
        yield Promises(
            "When all is done",
            [
                *of_bookings(told, holdings, diary),
                *of_work(told, holdings, diary),
                await exceptions_are(stage, "No exception is left", 0),
                *await balance(stage),
            ],
        )
        async for each in holdings_told(stage, _held(holdings)):
            yield each


async def _booked(stage: Stage, holdings: Holdings, told: Sequence[Chapter], diary: Diary) -> AsyncIterator[Told]:
    """All customers book; with what is sent of it."""
    bookings = holdings.bookings
    for chapter in told:
        _make_trouble(stage, chapter.faults)
        if chapter.opted_out:
            holdings.texts.opt_out(chapter.phone)
        booking = bookings.book(visit=chapter.visit(diary.begin), at=stage.clock())
        diary.made[chapter.name] = diary.now[chapter.name] = booking
        created, note = bookings.webhooks(booking, "booking.created"), chapter.about
        if chapter.overtaken:
            bookings.call_off(booking, chapter.called_off, at=stage.clock())
            for webhook in bookings.webhooks(booking, "booking.cancelled"):
                yield _line(chapter, await stage.send("booking", webhook), note)
            note = "the booking, which that overtook"
        for webhook in created:
            for answer in await stage.send_often("booking", webhook, max(1, chapter.copies - 1)):
                yield _line(chapter, answer, note)
                note = "the same delivery again"
        if chapter.copies > 1:
            for webhook in bookings.webhooks(booking, "booking.created"):
                yield _line(chapter, await stage.send("booking", webhook), "the same fact, a new delivery")
    await stage.settle()


async def _moved(stage: Stage, holdings: Holdings, told: Sequence[Chapter], diary: Diary) -> AsyncIterator[Told]:
    """Some think better of it."""
    bookings = holdings.bookings
    for chapter in told:
        _make_trouble(stage, chapter.later_faults)
        moves: list[tuple[When, list[Webhook]]] = []
        for when in chapter.moves:
            moved = bookings.move(diary.now[chapter.name], start=when.after(diary.begin), at=stage.clock())
            diary.now[chapter.name] = moved
            moves.append((when, bookings.webhooks(moved, "booking.changed")))
        for when, webhooks in reversed(moves) if chapter.jumbled else moves:
            for webhook in webhooks:
                answer = await stage.send("booking", webhook)
                yield _line(chapter, answer, f"moves it to {_wall(when.after(diary.begin))}")
            await stage.settle()
        if chapter.called_off and not chapter.overtaken:
            bookings.call_off(diary.now[chapter.name], chapter.called_off, at=stage.clock())
            for webhook in bookings.webhooks(diary.now[chapter.name], "booking.cancelled"):
                yield _line(chapter, await stage.send("booking", webhook), "calls it off")
            await stage.settle()
    # Only then the appointments of bookings that were replaced are taken out.
    await stage.let_pass(3 * _MINUTE)


async def _mend(stage: Stage, holdings: Holdings, told: Sequence[Chapter]) -> None:
    for chapter in told:
        if chapter.opted_out:
            holdings.texts.opt_in(chapter.phone)
    now = stage.clock()
    for exception in await stage.ledger.read(lambda rows: exceptions.open_ones(rows)):
        await stage.ledger.write(partial(retry, exception=exception.id, now=now, who="the demo"))
    await stage.settle()


async def _days_go_by(stage: Stage, holdings: Holdings, told: Sequence[Chapter], diary: Diary) -> AsyncIterator[Told]:
    """To just before each moment at which somebody is to be reminded, and just past it."""
    phones = {chapter.phone: chapter.name for chapter in told if chapter.phone}
    seen = {text.id for text in holdings.texts.texts()}
    for moment in sorted(set(_reminders(told, diary.begin).values())):
        for until, found in ((moment - _MINUTE, "before its time"), (moment + _MINUTE, _wall(moment))):
            await stage.let_pass(until - stage.clock())
            for text in holdings.texts.texts():
                if text.id not in seen:
                    seen.add(text.id)
                    name = phones.get(text.reference, text.reference)
                    diary.reminded[name] = f"{diary.reminded[name]} and {found}" if name in diary.reminded else found
                    yield f"{_wall(moment)}  {name:<16} {text.text.partition(_CHANGE)[0]}"
    diary.passed = True
    await stage.let_pass(max(chapter.last.after(diary.begin) for chapter in told) + 2 * _HOUR - stage.clock())


async def _worked(stage: Stage, holdings: Holdings, told: Sequence[Chapter], diary: Diary) -> AsyncIterator[Told]:
    orders = {order.reference: order for order in holdings.field.work_orders()}
    for chapter in told:
        order = orders.get(diary.made[chapter.name])
        if chapter.work is None or order is None:
            continue
        start = chapter.last.after(diary.begin)
        for minutes in [*chapter.work.minutes, *([None] if chapter.work.running else [])]:
            holdings.field.work(order.id, start, minutes)
        holdings.field.complete(order.id, at=stage.clock())
        webhook = holdings.field.job_webhook(order.id)
        for answer in await stage.send_often("field", webhook, chapter.work.copies):
            yield _line(chapter, answer, chapter.work.about)
    await stage.look_up()
    yes = {orders[diary.made[chapter.name]].number: chapter.work.invoiced for chapter in told if chapter.work}
    for question in await stage.asked():
        number = next((number for number in yes if f"order {number}." in question.text), "")
        agreed = yes.get(number, False)
        yield f"{question.text}  {'Yes.' if agreed else 'No.'}"
        await stage.answer(question, yes=agreed, who="the demo", reason="" if agreed else "Stop the clock first.")


def _make_trouble(stage: Stage, faults: Mapping[str, Sequence[Fault]]) -> None:
    for connection, wanted in faults.items():
        for fault in wanted:
            stage.simulators[connection].faults.add(fault)


def _line(chapter: Chapter, answer: Answer, note: str) -> str:
    return f"{chapter.name:<16} {answer!s:<28} {note}"


def _wall(moment: datetime) -> str:
    """As the customers' clock says it, and the messages to them."""
    return f"{moment.astimezone(_ZONE):%A, %-d %B, %H:%M}"


# What must be true


def _reminders(told: Sequence[Chapter], begin: datetime) -> dict[str, datetime]:
    """Customer → when they are to be reminded: at the same time of the day before, but not in the night."""
    found = {}
    for chapter in told:
        if chapter.kept and chapter.phone and chapter.last.clock is not None:
            before = chapter.last.after(begin).astimezone(_ZONE)
            day, clock = before.date() - _DAY, before.time()
            if clock >= _QUIET_FROM:
                day, clock = day + _DAY, _QUIET_TO
            found[chapter.name] = datetime.combine(day, max(clock, _QUIET_TO), _ZONE).astimezone(UTC)
    return found


def _texts(chapter: Chapter, diary: Diary) -> list[str]:
    """What the customer is to have been told by now."""
    if not chapter.phone:
        return []
    service, texts = chapter.service, []
    if not chapter.overtaken and (diary.mended or not chapter.opted_out):
        texts.append(f"{service} is booked for {_wall(chapter.when.after(diary.begin))}.")
    texts += [f"{service} is now booked for {_wall(when.after(diary.begin))}." for when in chapter.heard]
    last = _wall(chapter.last.after(diary.begin))
    if chapter.called_off:
        texts.append(f"{service} on {last} is called off.")
    elif diary.passed and chapter.last.clock is not None:
        texts.append(f"{service}: we come on {last}.")
    return texts


def of_bookings(told: Sequence[Chapter], holdings: Holdings, diary: Diary) -> list[Verdict]:
    """What has to follow from the bookings by now."""
    names = {booking: name for name, booking in [*diary.made.items(), *diary.now.items()]}
    appointed = holdings.calendar.appointments()
    kept = {chapter.name: chapter for chapter in told if chapter.kept}
    wrong = {
        names.get(each.reference, each.reference): _wall(each.start)
        for each in appointed
        if (name := names.get(each.reference)) in kept and each.start != kept[str(name)].last.after(diary.begin)
    }
    expected = Counter((chapter.phone, text) for chapter in told for text in _texts(chapter, diary))
    found = Counter((text.reference, text.text.partition(_CHANGE)[0]) for text in holdings.texts.texts())
    verdicts = [
        each_once(
            "appointment",
            {diary.now[name] for name in kept},
            [each.reference for each in appointed],
            "visit",
        ),
        Verdict(
            "Every appointment is at the time that was booked last",
            not wrong,
            "all are" if not wrong else ", ".join(f"{name}: {at}" for name, at in wrong.items()),
        ),
        _all_of("Every message to a customer goes out once, and no other", expected, found),
        each_once(
            "work order",
            {diary.made[chapter.name] for chapter in told if not chapter.overtaken},
            [order.reference for order in holdings.field.work_orders()],
            "booking",
        ),
    ]
    if diary.passed:
        due = {name: _wall(moment) for name, moment in _reminders(told, diary.begin).items()}
        off = {name: at for name, at in diary.reminded.items() if due.get(name) != at}
        off |= dict.fromkeys(due.keys() - diary.reminded.keys(), "never")
        verdicts.append(
            Verdict(
                "Every reminder comes a day before, to the minute, and at 8:00 instead of in the night",
                not off,
                f"{len(due)} of them" if not off else ", ".join(f"{name}: {at}" for name, at in off.items()),
            )
        )
    return verdicts


def of_work(told: Sequence[Chapter], holdings: Holdings, diary: Diary) -> list[Verdict]:
    """What has to follow from the work, and what people were told of all of it."""
    orders = {order.reference: order for order in holdings.field.work_orders()}
    done = [(chapter, work, orders[diary.made[chapter.name]]) for chapter in told if (work := chapter.work)]
    invoiced = [(chapter, work, order.number) for chapter, work, order in done if work.minutes and work.invoiced]
    owed = [(number, f"{_price(work)} before tax") for _, work, number in invoiced]
    to = [(number, chapter.customer.email) for chapter, _, number in invoiced]
    booked = holdings.books.booked()
    found = [
        (each.reference, f"{(each.total - each.tax if each.tax else each.total).rounded().amount} before tax")
        for each in booked
    ]
    return [
        _all_of(
            "One invoice for each work order with hours to invoice: the hours, to two decimals, at the rate",
            Counter(owed),
            Counter(found),
        ),
        _all_of(
            "Every invoice is mailed once, to its customer",
            Counter(to),
            Counter((mail.reference, mail.text) for mail in holdings.books.mailed()),
        ),
        _all_of(
            "Every work order on which the work was done is closed, and no other",
            Counter(order.number for _, _, order in done),
            Counter(order.number for order in orders.values() if order.closed),
        ),
        _all_of(
            "Every work order says what became of it",
            Counter(_notes(told, diary)),
            Counter((reference, _kind(note)) for reference, order in orders.items() for note in order.notes),
        ),
        _all_of(
            "The dispatcher hears what a person has to do, and nothing else",
            Counter(_words(told)),
            Counter(_who(message.text, told) for message in holdings.chat.messages()),
        ),
    ]


def _price(work: Work) -> Decimal:
    hours = (Decimal(sum(work.minutes)) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return (hours * RATE).quantize(Decimal("0.01"), ROUND_HALF_UP)


_NOTES = {"moved": "The customer moved it to ", "called off": "The customer called it off.", "time": "Timesheet: "}


def _kind(note: str) -> str:
    return next((kind for kind, beginning in _NOTES.items() if note.startswith(beginning)), note)


def _notes(told: Sequence[Chapter], diary: Diary) -> Iterator[tuple[str, str]]:
    """A work order keeps the booking for which it was opened: of another that was made of it when it was moved, a
    further move is said to the dispatcher only."""
    for chapter in told:
        made, now = diary.made[chapter.name], diary.now[chapter.name]
        found = chapter.heard if made == now else chapter.moves[:1] if chapter.heard == chapter.moves else ()
        yield from [(made, "moved")] * len(found)
        if chapter.called_off and not chapter.overtaken:
            yield made, "called off"
        if chapter.work and chapter.work.minutes:
            yield made, "time"


def _words(told: Sequence[Chapter]) -> Iterator[str]:
    """Whom each word to the dispatcher is about."""
    for chapter in told:
        yield from [chapter.name] * len(chapter.heard)
        yield from [chapter.name] * bool(chapter.called_off)
        yield from [chapter.name] * (not chapter.phone)
        if chapter.work and not (chapter.work.minutes and chapter.work.invoiced):
            yield chapter.name


def _who(text: str, told: Sequence[Chapter]) -> str:
    return next((chapter.name for chapter in told if chapter.name in text), text)


def _all_of(promise: str, expected: Counter[Any], found: Counter[Any]) -> Verdict:
    missing, extra = expected - found, found - expected
    told = f"{found.total()} of {expected.total()}"
    told += f"; missing: {_listed(missing)}" if missing else ""
    told += f"; too many: {_listed(extra)}" if extra else ""
    return Verdict(promise, not (missing or extra), told)


def _listed(counted: Counter[Any]) -> str:
    return ", ".join(each if isinstance(each, str) else ": ".join(each) for each in counted.elements())


def _held(holdings: Holdings) -> dict[str, str]:
    orders, booked = holdings.field.work_orders(), holdings.books.booked()
    return {
        "calendar": f"{len(holdings.calendar.appointments())} appointments",
        "sms": f"{len(holdings.texts.texts())} messages to customers",
        "field": f"{len(orders)} work orders, {sum(order.closed for order in orders)} of them closed",
        "books": f"{len(booked)} invoices, {len(holdings.books.mailed())} of them mailed",
        "chat": f"{len(holdings.chat.messages())} words to the dispatcher",
    }
