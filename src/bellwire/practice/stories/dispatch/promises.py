"""What has to follow from the bookings and from the work, against what the vendors hold."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwire.practice.stories.dispatch.chapters import Chapter, When, Work, reminders, wall
from bellwire.practice.stories.dispatch.diary import Diary
from bellwire.practice.stories.dispatch.holdings import Holdings
from bellwire.practice.stories.telling import Verdict, each_once

RATE = Decimal("95.00")
"""For an hour, as it stands in the flow."""
CHANGE = " To change it:"
"""What follows in a message is the link with which the customer changes the booking."""
TECHNICIAN = "kim@example.com"
"""With whom visits are booked."""
_NOTES = {"moved": "The customer moved it to ", "called off": "The customer called it off.", "time": "Timesheet: "}


def of_bookings(told: Sequence[Chapter], holdings: Holdings, diary: Diary) -> list[Verdict]:
    """What has to follow from the bookings by now."""
    names = {booking: name for name, booking in [*diary.made.items(), *diary.now.items()]}
    appointed = holdings.calendar.appointments()
    kept = {chapter.name: chapter for chapter in told if chapter.kept}
    wrong = {
        names.get(each.reference, each.reference): wall(each.start)
        for each in appointed
        if (name := names.get(each.reference)) in kept and each.start != kept[str(name)].last.after(diary.begin)
    }
    expected = Counter((chapter.phone, text) for chapter in told for text in _texts(chapter, diary))
    found = Counter((text.reference, text.text.partition(CHANGE)[0]) for text in holdings.texts.texts())
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
        due = {name: wall(moment) for name, moment in reminders(told, diary.begin).items()}
        off = {name: at for name, at in diary.reminded.items() if due.get(name) != at}
        off |= dict.fromkeys(due.keys() - diary.reminded.keys(), "never")
        verdicts.append(
            Verdict(
                "Every reminder comes a day before, to the minute, and at 8:00 instead of in the night",
                not off,
                f"{len(due)} of them" if not off else ", ".join(f"{name}: {at}" for name, at in off.items()),
            )
        )
        verdicts.append(_of_clocks(told, holdings, diary))
    return verdicts


def _of_clocks(told: Sequence[Chapter], holdings: Holdings, diary: Diary) -> Verdict:
    """Where the work order can be found by the booking."""
    expected = [
        (diary.made[chapter.name], wall(chapter.last.after(diary.begin)))
        for chapter in told
        if chapter.kept and (not chapter.moves or _moves_found(chapter, diary) == chapter.heard)
    ]
    clocks = [each for each in holdings.field.clocked() if each.person == TECHNICIAN]
    return _all_of(
        "The technician's clock was started when the visit began, once",
        Counter(expected),
        Counter((each.reference, wall(each.start)) for each in clocks),
    )


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


def _texts(chapter: Chapter, diary: Diary) -> list[str]:
    """What the customer is to have been told by now."""
    if not chapter.phone:
        return []
    service, texts = chapter.service, []
    if not chapter.overtaken and (diary.mended or not chapter.opted_out):
        texts.append(f"{service} is booked for {wall(chapter.when.after(diary.begin))}.")
    texts += [f"{service} is now booked for {wall(when.after(diary.begin))}." for when in chapter.heard]
    last = wall(chapter.last.after(diary.begin))
    if chapter.called_off:
        texts.append(f"{service} on {last} is called off.")
    elif diary.passed and chapter.last.clock is not None:
        texts.append(f"{service}: we come on {last}.")
    return texts


def _price(work: Work) -> Decimal:
    hours = (Decimal(sum(work.minutes)) / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return (hours * RATE).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _kind(note: str) -> str:
    return next((kind for kind, beginning in _NOTES.items() if note.startswith(beginning)), note)


def _notes(told: Sequence[Chapter], diary: Diary) -> Iterator[tuple[str, str]]:
    for chapter in told:
        made = diary.made[chapter.name]
        yield from [(made, "moved")] * len(_moves_found(chapter, diary))
        if chapter.called_off and not chapter.overtaken:
            yield made, "called off"
        if chapter.work:
            yield made, "time"


def _moves_found(chapter: Chapter, diary: Diary) -> Sequence[When]:
    """A work order keeps the booking for which it was opened: of another that was made of it when it was moved, a
    further move is said to the dispatcher only."""
    if diary.made[chapter.name] == diary.now[chapter.name]:
        return chapter.heard
    return chapter.moves[:1] if chapter.heard == chapter.moves else ()


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
