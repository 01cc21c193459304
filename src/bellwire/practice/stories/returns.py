"""Returns: nine orders of which something comes back on a bad day, and what must be true afterwards."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import ClassVar

from bellwire.engine import retry
from bellwire.events import Customer
from bellwire.ledger import exceptions
from bellwire.practice.bygone import SentBack, Sold, sell
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Books, Helpdesk, Mailbox, Processor, Returns, Sale, SaleLine, Sent, Shop, Till
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, each_once, same

_GUEST = Customer(name="Ada Moss", phone="+15125550177")
_FAR_AND_WIDE = Customer(
    id="8",
    name="Zoë Ångström-Müller, Мария Иванова, 王小明, محمد الأمين",
    email="zoe@example.com",
    phone="+15125550188",
)
_A_WEEK = timedelta(days=7, minutes=1)
"""For how long a question about money stays open, and a little more."""


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


@dataclass(frozen=True)
class Announced:
    """A return, as the shop has it."""

    id: str
    number: str
    chapter: Chapter
    back: Back


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    shop: Shop
    returns: Returns
    processor: Processor
    books: Books
    till: Till
    helpdesk: Helpdesk
    mailbox: Mailbox

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("shop", Shop),  # type: ignore[type-abstract]
            stage.part("shop", Returns),  # type: ignore[type-abstract]
            stage.part("pay", Processor),  # type: ignore[type-abstract]
            stage.part("books", Books),  # type: ignore[type-abstract]
            stage.part("stock", Till),  # type: ignore[type-abstract]
            stage.part("helpdesk", Helpdesk),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
        )


class Past:
    """The orders that were sold, paid and booked before all this; and their returns, as they are announced."""

    def __init__(self, told: Sequence[Chapter], holdings: Holdings) -> None:
        self._holdings = holdings
        self.sold = {chapter.number: self._sell(chapter) for chapter in told}
        """By the order's number."""
        self.returns: list[Announced] = []
        self.stock = holdings.till.stock()

    def _sell(self, chapter: Chapter) -> Sold:
        held = self._holdings
        return sell(chapter.sale, held.shop, held.processor, None if chapter.unbooked else held.books)

    def announce(self, chapter: Chapter) -> Iterator[Announced]:
        """All returns of a chapter."""
        returns, order_id = self._holdings.returns, self.sold[chapter.number].order_id
        for back in chapter.backs:
            made = back.announce(returns, order_id)
            self.returns.append(Announced(made, returns.number_of(made), chapter, back))
            yield self.returns[-1]

    def receive(self, each: Announced) -> None:
        each.back.receive(self._holdings.returns, self.sold[each.chapter.number].order_id, each.id)


class ReturnsStory(Story):
    template: ClassVar[str] = "returns"
    title: ClassVar[str] = "Returns, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "What customers send back becomes a ticket, money back by your rules, a credit memo,",
        "stock that can be sold again, and mails that say so.",
    )

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        await stage.look_up()
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
        "mail": f"{len(_shown(holdings.mailbox))} mails to customers",
    }


def verdicts(past: Past, holdings: Holdings, *, unanswered: set[str], unbooked: set[str]) -> list[Verdict]:
    """What the vendors hold, against what the chapters say. `unanswered` and `unbooked`: orders that wait for an
    answer, or can't be in the books yet."""
    settled = [each for each in past.returns if each.chapter.given and each.chapter.number not in unanswered]
    paid_back = [each for each in settled if each.back.worth]
    credited = [each for each in paid_back if each.chapter.number not in unbooked]
    refused = [each for each in past.returns if not each.chapter.given and each.chapter.number not in unanswered]
    return [
        *_money(past, holdings, paid_back),
        *_credits(holdings, credited),
        *_after_a_no(past, holdings, refused),
        _stock(past, holdings),
        *_tickets(past, holdings, unanswered),
        *_mails(past, holdings, settled),
    ]


def _money(past: Past, holdings: Holdings, paid_back: Sequence[Announced]) -> Iterator[Verdict]:
    given: dict[str, list[Decimal]] = defaultdict(list)
    for refund in holdings.processor.refunds():
        given[refund.payment_id].append(refund.amount.amount)
    due: dict[str, list[Decimal]] = defaultdict(list)
    for each in paid_back:
        due[past.sold[each.chapter.number].payment_id].append(each.back.worth)
    orders = {sold.payment_id: number for number, sold in past.sold.items()}
    wrong = sorted(
        orders.get(payment_id, payment_id)
        for payment_id in {*given, *due}
        if sorted(given[payment_id]) != sorted(due[payment_id])
    )
    yield Verdict(
        "Each payment gave back what its returns are worth, to the cent, one refund for each",
        not wrong,
        f"wrong: {', '.join(wrong)}" if wrong else f"{sum(map(len, given.values()))} refunds",
    )
    above = sorted(
        number for number, sold in past.sold.items() if sum(given[sold.payment_id], Decimal()) > sold.paid.amount
    )
    yield Verdict("No payment gave back more than was paid", not above, ", ".join(above) or "none")


def _credits(holdings: Holdings, credited: Sequence[Announced]) -> Iterator[Verdict]:
    found = holdings.books.credits()
    yield each_once("credit", {each.number for each in credited}, [each.reference for each in found], "return")
    due = {each.number: (each.chapter.number, each.back.worth) for each in credited}
    wrong = [
        each.reference
        for each in found
        if due.get(each.reference) != (each.invoice, each.total.amount) or each.left or not each.paid_out
    ]
    yield Verdict(
        "Each credit comes to its refund, is tied to the order's invoice, and is paid out",
        not wrong,
        f"wrong: {', '.join(wrong)}" if wrong else "all equal",
    )


def _after_a_no(past: Past, holdings: Holdings, refused: Sequence[Announced]) -> Iterator[Verdict]:
    for each in refused:
        payment_id = past.sold[each.chapter.number].payment_id
        done = {
            "money": any(refund.payment_id == payment_id for refund in holdings.processor.refunds()),
            "a credit": any(credit.reference == each.number for credit in holdings.books.credits()),
            "a mail": any(mail.subject == f"{_subject(each)} is here" for mail in _shown(holdings.mailbox)),
        }
        found = [what for what, there in done.items() if there]
        promise = f"After the no about {each.number}: no money, no credit, and no mail that promises any"
        yield Verdict(promise, not found, " and ".join(found) or "none")


def _stock(past: Past, holdings: Holdings) -> Verdict:
    sellable = Counter[str]()
    for each in past.returns:
        sellable[each.back.sku] += each.back.sellable
    now = holdings.till.stock()
    moved = {sku: now[sku] - before for sku, before in past.stock.items() if now[sku] != before}
    return same("The stock is up by exactly what can be sold again", dict(+sellable), moved)


def _tickets(past: Past, holdings: Holdings, unanswered: set[str]) -> Iterator[Verdict]:
    """A guest without an address can't have one. Support hears how it ended once it has ended."""
    named = [each for each in past.returns if each.chapter.sale.customer.email]
    ended = [each for each in named if each.chapter.number not in unanswered]
    found = holdings.helpdesk.opened()
    for what, expected, back in (
        ("ticket of what is announced", named, False),
        ("ticket of what is back", ended, True),
    ):
        told = [ticket.reference for ticket in found if ticket.subject.endswith("is back") is back]
        yield each_once(what, {f"return {each.number}" for each in expected}, told, "return")
    theirs = {f"return {each.number}": each.chapter.sale.customer.email for each in named}
    wrong = sorted(ticket.reference for ticket in found if theirs.get(ticket.reference) != ticket.email)
    yield Verdict("Each ticket is of its customer", not wrong, ", ".join(wrong) or "all")


def _mails(past: Past, holdings: Holdings, settled: Sequence[Announced]) -> Iterator[Verdict]:
    """A guest without an address gets none, and after a no support writes."""
    mails = _shown(holdings.mailbox)
    how = {_subject(each): each for each in past.returns if each.chapter.sale.customer.email}
    what = {f"{_subject(each)} is here": each for each in settled if each.chapter.sale.customer.email}
    back = [mail.subject for mail in mails if mail.subject.endswith("is here")]
    yield each_once(
        "mail how to send it", set(how), [mail.subject for mail in mails if mail.subject not in back], "return"
    )
    yield each_once("mail of what is given back", set(what), back, "return")
    wrong = [mail.subject for mail in mails if not _is_right(mail, how.get(mail.subject), what.get(mail.subject))]
    yield Verdict("Each mail went to its customer, and names the amount", not wrong, "; ".join(sorted(wrong)) or "all")


def _is_right(mail: Sent, how: Announced | None, what: Announced | None) -> bool:
    each = how or what
    if each is None or mail.to != each.chapter.sale.customer.email:
        return False
    worth = each.back.worth
    words = f"We give you ${worth:,} back" if worth else "We give nothing back"
    return how is not None or words in mail.text


def _subject(each: Announced) -> str:
    """Of the mail how to send it."""
    return f"Your return {each.number} of order {each.chapter.number}"


def _shown(mailbox: Mailbox) -> list[Sent]:
    """Of several with the same Message-ID a mailbox shows one."""
    return list({mail.id: mail for mail in mailbox.mails()}.values())
