"""The story of returns, as it is told."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import ClassVar

from bellwire.engine import retry
from bellwire.ledger import exceptions
from bellwire.practice.faults import Fault
from bellwire.practice.roles import Returns
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.returns.chapters import Chapter, chapters
from bellwire.practice.stories.returns.holdings import Holdings
from bellwire.practice.stories.returns.past import Announced, Past
from bellwire.practice.stories.returns.promises import verdicts
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, mails_shown, same

_A_WEEK = timedelta(days=7, minutes=1)
"""For how long a question about money stays open, and a little more."""


class ReturnsStory(Story):
    template: ClassVar[str] = "returns"
    title: ClassVar[str] = "Returns, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "What customers send back becomes a ticket, money back by your rules, a credit memo,",
        "stock that can be sold again, and mails that say so.",
    )

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        told, holdings = chapters(), Holdings.of(stage)
        past = Past(told, holdings)

        def promises(unanswered: set[str], unbooked: set[str]) -> list[Verdict]:
            return verdicts(past, holdings, unanswered=unanswered, unbooked=unbooked)

        yield Act("What arrives")
        for chapter in told:
            async for line in _announced(stage, past, chapter):
                yield line
        await stage.look_up()
        for announced in past.returns:
            async for line in _received(stage, past, announced):
                yield line
        await stage.look_up()

        names = {f"return/{announced.id}": f"return {announced.number}" for announced in past.returns}
        async for each in retries_told(stage, names):
            yield each
        async for each in exceptions_told(stage):
            yield each
        for question in await stage.asked():
            yield f"question {question.id}: {question.text}"
        unanswered = {chapter.number for chapter in told if chapter.answers}
        unbooked = {chapter.number for chapter in told if chapter.unbooked}
        one = await exceptions_are(stage, "One exception, and its sentence names the invoice", 1, *unbooked)
        asked = same("A question for each return of much money", len(unanswered), len(await stage.asked()))
        yield Promises("What the vendors hold now", [*promises(unanswered, unbooked), one, asked])

        yield Act("The owner books the sale that was forgotten, retries that one action, and answers a question.")
        for chapter in told:
            if chapter.unbooked:
                holdings.books.book(chapter.sale, past.sold[chapter.number].total)
        await _retry_all(stage)
        async for line in _answered(stage, told, 0):
            yield line
        unanswered = {chapter.number for chapter in told if len(chapter.answers) > 1}
        none_left = await exceptions_are(stage, "No exception is left", 0)
        yield Promises("After the mending", [*promises(unanswered, set()), none_left])

        await stage.let_pass(_A_WEEK)
        async for each in exceptions_told(stage, "A week goes by, without an answer to the other question."):
            yield each
        late = await exceptions_are(stage, "An exception for the question that nobody answered", len(unanswered))
        yield Promises("Nothing went back without an answer", [*promises(unanswered, set()), late])
        await _retry_all(stage)
        async for line in _answered(stage, told, 1):
            yield line
        none_left = await exceptions_are(stage, "No exception is left", 0)
        yield Promises("At the end", [*promises(set(), set()), none_left, *await balance(stage)])
        async for each in holdings_told(stage, _held(past, holdings)):
            yield each


async def _announced(stage: Stage, past: Past, chapter: Chapter) -> AsyncIterator[str]:
    for each in past.announce(chapter):
        if chapter.overtaken:
            continue
        async for line in _sent(stage, past, each, "return.created", chapter.about):
            yield line


async def _received(stage: Stage, past: Past, each: Announced) -> AsyncIterator[str]:
    chapter = each.chapter
    for connection, kind in chapter.faults.items():
        fault = Fault(kind=kind, match=f"(POST|PUT) .*{each.number}", seconds=1)
        stage.simulators[connection].faults.add(fault)
    past.receive(each)
    async for line in _sent(stage, past, each, "return.received", chapter.about if chapter.overtaken else ""):
        yield line
    if chapter.overtaken:
        async for line in _sent(stage, past, each, "return.created", "the webhook that it overtook"):
            yield line


async def _sent(stage: Stage, past: Past, each: Announced, event_type: str, note: str) -> AsyncIterator[str]:
    """A shop that gets no answer repeats the delivery; one that is unsure makes a new one of the same fact."""
    returns = stage.part("shop", Returns)  # type: ignore[type-abstract]
    what = f"return {each.number}  {'announced' if event_type == 'return.created' else 'received '}"
    webhook = returns.return_webhook(each.id, event_type)
    notes = [note, *["the same delivery again"] * (each.chapter.copies - 2)]
    for answer, about in zip(await stage.send_often("shop", webhook, len(notes)), notes, strict=True):
        yield f"{what}  {answer!s:<28} {about}"
    if each.chapter.copies > 1:
        answer = await stage.send("shop", returns.return_webhook(each.id, event_type))
        yield f"{what}  {answer!s:<28} the same fact, a new delivery"


async def _retry_all(stage: Stage) -> None:
    now = stage.clock()
    for exception in await stage.ledger.read(lambda rows: exceptions.open_ones(rows)):
        await stage.ledger.write(partial(retry, exception=exception.id, now=now, who="the demo"))
    await stage.settle()


async def _answered(stage: Stage, told: Sequence[Chapter], nth: int) -> AsyncIterator[str]:
    """The questions that are answered the `nth` time that they are asked."""
    for question in await stage.asked():
        chapter = next(each for each in told if f"order {each.number}?" in question.text)
        yes = chapter.answers[nth]
        if yes is None:
            continue
        await stage.answer(question, yes=yes, who="Dana", reason="" if yes else "sent back by agreement")
        yield f"question {question.id}, of order {chapter.number}: Dana says {'yes' if yes else 'no'}"


def _held(past: Past, holdings: Holdings) -> dict[str, str]:
    now, refunds = holdings.till.stock(), holdings.processor.refunds()
    more = sum(now[sku] - before for sku, before in past.stock.items())
    given = sum((each.amount.amount for each in refunds), Decimal())
    return {
        "shop": f"{len(past.returns)} returns of {len(past.sold)} orders",
        "pay": f"{len(refunds)} refunds, together {given:,}",
        "books": f"{len(holdings.books.booked())} invoices, {len(holdings.books.credits())} credits",
        "stock": f"{more} units more than before",
        "helpdesk": f"{len(holdings.helpdesk.opened())} tickets",
        "mail": f"{len(mails_shown(holdings.mailbox))} mails to customers",
    }
