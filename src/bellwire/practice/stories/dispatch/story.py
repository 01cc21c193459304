"""The story of dispatch, as it is told."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

from bellwire.engine import retry
from bellwire.ledger import exceptions
from bellwire.practice.driving import Answer
from bellwire.practice.faults import Fault
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.dispatch.chapters import Chapter, When, chapters, reminders, wall
from bellwire.practice.stories.dispatch.diary import Diary
from bellwire.practice.stories.dispatch.holdings import Holdings
from bellwire.practice.stories.dispatch.promises import CHANGE, of_bookings, of_work
from bellwire.practice.stories.telling import Act, Promises, Story, Told

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Dispatch(Story):
    template: ClassVar[str] = "dispatch"
    title: ClassVar[str] = "Dispatch, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "A booked visit becomes an appointment, messages to the customer and a work order, whose clock is started;",
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
                yield _line(chapter, answer, f"moves it to {wall(when.after(diary.begin))}")
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
    for moment in sorted(set(reminders(told, diary.begin).values())):
        for until, found in ((moment - _MINUTE, "before its time"), (moment + _MINUTE, wall(moment))):
            await stage.let_pass(until - stage.clock())
            for text in holdings.texts.texts():
                if text.id not in seen:
                    seen.add(text.id)
                    name = phones.get(text.reference, text.reference)
                    diary.reminded[name] = f"{diary.reminded[name]} and {found}" if name in diary.reminded else found
                    yield f"{wall(moment)}  {name:<16} {text.text.partition(CHANGE)[0]}"
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


def _held(holdings: Holdings) -> dict[str, str]:
    orders, booked = holdings.field.work_orders(), holdings.books.booked()
    return {
        "calendar": f"{len(holdings.calendar.appointments())} appointments",
        "sms": f"{len(holdings.texts.texts())} messages to customers",
        "field": f"{len(orders)} work orders, {sum(order.closed for order in orders)} of them closed",
        "books": f"{len(booked)} invoices, {len(holdings.books.mailed())} of them mailed",
        "chat": f"{len(holdings.chat.messages())} words to the dispatcher",
    }
