"""The story of dunning, as it is told."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import ClassVar

import orjson

from bellwire.ledger import Rows, events, exceptions, runs
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Tells
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.dunning.chapters import LAST_DAY, Chapter, Expected, chapters, parcels
from bellwire.practice.stories.dunning.holdings import Holdings
from bellwire.practice.stories.dunning.month import Month, line_of
from bellwire.practice.stories.dunning.promises import verdicts
from bellwire.practice.stories.telling import Act, Promises, Story, Told, mails_shown

_SHORTLY = timedelta(minutes=20)
_HOURS = timedelta(hours=2)


class Dunning(Story):
    template: ClassVar[str] = "dunning"
    title: ClassVar[str] = "Subscriptions and dunning, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "A payment that fails is followed up until it is paid, what is paid past the shop is packed,",
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
                yield line_of(f"parcel {parcel.number}", answer, parcel.about)
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
                for line in await month.send(chapter, step, month.notice(chapter, step), "the same fact, told anew"):
                    yield line
    await month.stage.settle()


async def _mend(stage: Stage, played: Iterable[Chapter]) -> None:
    for exception in await stage.ledger.read(lambda rows: exceptions.open_ones(rows)):
        right = next(each.mended for each in played if each.mended)
        await stage.correct(exception, "to", right, who="the demo")


def _held(month: Month) -> dict[str, str]:
    holdings = month.holdings
    return {
        "shop": f"{len(month.orders)} orders",
        "pay": f"{len(month.ids)} customers, whose payments failed or came in",
        "shipping": f"{len(holdings.carrier.labels())} labels",
        "mail": f"{len(mails_shown(holdings.mailbox))} mails to customers",
        "chat": f"{len(holdings.chat.messages())} messages to the team",
        "helpdesk": f"{len(holdings.helpdesk.opened())} ticket",
    }
