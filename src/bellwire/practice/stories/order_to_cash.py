"""Order to cash: ten orders on a bad day, and what must be true afterwards."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import ClassVar

from bellwire.engine import retry
from bellwire.ledger import crosswalk, exceptions
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Books, Carrier, Chat, Mailbox, Sale, SaleLine, Shop, Till
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, each_once, mails_shown

UNKNOWN_SKU = "TEA-500-NEW"
"""The practice books have no item for it."""


@dataclass(frozen=True)
class Chapter:
    """One order, and what is peculiar about it."""

    sale: Sale
    about: str
    copies: int = 1
    """How often its webhook arrives."""
    overtaken: bool = False
    """A later state of it arrives before the webhook that says it is paid."""
    books_fault: Fault | None = None
    shipping_fault: Fault | None = None


def chapters() -> list[Chapter]:
    """Ten of them; all ship."""
    return [
        Chapter(Sale("1001", [SaleLine("TEA-100", 2)]), "an ordinary order"),
        Chapter(Sale("1002", [SaleLine("MUG-RED"), SaleLine("MUG-BLUE")]), "its webhook comes three times", copies=3),
        Chapter(Sale("1003", [SaleLine("TEA-250", 1)]), "a later state of it overtakes the webhook", overtaken=True),
        Chapter(
            Sale("1004", [SaleLine("POT-1L")]),
            "the shipping system asks to slow down (429)",
            shipping_fault=Fault(kind=FaultKind.RATE_LIMITED, match="POST .*1004", seconds=1),
        ),
        Chapter(
            Sale("1005", [SaleLine("GIFT-BOX", 4)]),
            "the books do it, then the line goes dead",
            books_fault=Fault(kind=FaultKind.LOST_ANSWER, match='(POST|PUT) .*"1005"'),
        ),
        Chapter(Sale("1006", [SaleLine(UNKNOWN_SKU), SaleLine("TEA-100")]), "the books don't know one of its SKUs"),
        Chapter(
            Sale("1007", [SaleLine("MUG-RED", 2, discount=Decimal("2.59")), SaleLine("TEA-100")]),
            "a discount on one line",
        ),
        Chapter(Sale("1008", [SaleLine("TEA-250", 3)], taxes_included=True), "prices that include tax"),
        Chapter(
            Sale("1009", [SaleLine("SCOOP-01", 3), SaleLine("TEA-100", 5)], order_discount=Decimal("1.00")),
            "a discount that doesn't divide evenly",
        ),
        Chapter(
            Sale(
                "1010", [SaleLine("POT-1L"), SaleLine("MUG-BLUE", 2)], tip=Decimal("4.00"), gift_card=Decimal("25.00")
            ),
            "a tip, and a gift card for a part of it where the shop has them",
        ),
    ]


@dataclass(frozen=True)
class Delivery:
    """One webhook of the story, in the order they are sent."""

    number: str
    webhook: Webhook
    note: str = ""


def deliveries(shop: Shop, told: Sequence[Chapter], placed: dict[str, str]) -> Iterator[Delivery]:
    """Has the orders placed and paid at the shop, notes their ids in `placed` by number, and gives what it sends."""
    for chapter in told:
        order_id = placed[chapter.sale.number] = shop.place(chapter.sale)
        shop.pay(order_id)
        number = chapter.sale.number
        paid = shop.webhook(order_id, "order.paid")
        if chapter.overtaken:
            shop.edit(order_id, "Please gift-wrap it.")
            yield Delivery(number, shop.webhook(order_id, "order.updated"), "a later state of it comes first")
        yield Delivery(number, paid, "the webhook that it overtook" if chapter.overtaken else "")
        if chapter.copies > 1:
            # A shop that gets no answer repeats the delivery; one that is unsure makes a new one of the same fact.
            for _ in range(chapter.copies - 2):
                yield Delivery(number, paid, "the same delivery again")
            yield Delivery(number, shop.webhook(order_id, "order.paid"), "the same fact, a new delivery")


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    shop: Shop
    books: Books
    till: Till
    carrier: Carrier
    chat: Chat
    mailbox: Mailbox

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("shop", Shop),  # type: ignore[type-abstract]
            stage.part("books", Books),  # type: ignore[type-abstract]
            stage.part("stock", Till),  # type: ignore[type-abstract]
            stage.part("shipping", Carrier),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
            stage.part("mail", Mailbox),  # type: ignore[type-abstract]
        )


class OrderToCash(Story):
    template: ClassVar[str] = "order-to-cash"
    title: ClassVar[str] = "Order to cash, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "A paid order becomes an invoice, less stock, a label,",
        "a mail to the customer and a word to the packing bench.",
    )

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        told, holdings, placed = chapters(), Holdings.of(stage), dict[str, str]()
        stock_before = holdings.till.stock()

        def promises(unbooked: set[str]) -> list[Verdict]:
            return verdicts(told, holdings, placed=placed, stock_before=stock_before, unbooked=unbooked)

        yield Act("What arrives")
        for chapter in told:
            if chapter.books_fault:
                stage.simulators["books"].faults.add(chapter.books_fault)
            if chapter.shipping_fault:
                stage.simulators["shipping"].faults.add(chapter.shipping_fault)
        about = {chapter.sale.number: chapter.about for chapter in told}
        for delivery in deliveries(holdings.shop, told, placed):
            answer = await stage.send("shop", delivery.webhook)
            note = delivery.note or about.pop(delivery.number, "")
            yield f"order {delivery.number}  {answer!s:<28} {note}"
        await stage.settle()
        numbers = {f"order/{order_id}": f"order {number}" for number, order_id in placed.items()}
        async for each in retries_told(stage, numbers):
            yield each
        async for each in exceptions_told(stage):
            yield each
        one = await exceptions_are(stage, "One exception, and its sentence names the SKU", 1, UNKNOWN_SKU)
        yield Promises("What the vendors hold now", [*promises({"1006"}), one])
        yield Act(f"The owner maps {UNKNOWN_SKU} to an item of the books, and retries that one action.")
        await _mend(stage, holdings.books)
        none_left = await exceptions_are(stage, "No exception is left", 0)
        yield Promises("After the mending", [*promises(set()), none_left, *await balance(stage)])
        async for each in holdings_told(stage, _held(holdings, placed, stock_before)):
            yield each


async def _mend(stage: Stage, books: Books) -> None:
    item = books.item_for(UNKNOWN_SKU)
    assert item is not None, "the practice books have an item to map to"
    mapping, now = crosswalk.Mapping("books", "product", UNKNOWN_SKU, item), stage.clock()
    open_ones = await stage.ledger.read(lambda rows: exceptions.open_ones(rows))
    await stage.ledger.write(lambda rows: crosswalk.put(rows, mapping, now))
    for exception in open_ones:
        await stage.ledger.write(partial(retry, exception=exception.id, now=now, who="the demo"))
    await stage.settle()


def _held(holdings: Holdings, placed: Mapping[str, str], stock_before: Mapping[str, int]) -> dict[str, str]:
    booked, now = holdings.books.booked(), holdings.till.stock()
    gone = sum(before - now[sku] for sku, before in stock_before.items())
    return {
        "shop": f"{len(placed)} orders, {len(holdings.shop.fulfilled())} of them shown as sent",
        "books": f"{len(booked)} invoices, {sum(each.paid for each in booked)} of them paid",
        "stock": f"{gone} units fewer than before",
        "shipping": f"{len(holdings.carrier.labels())} labels",
        "mail": f"{len(holdings.mailbox.mails())} mails to customers",
        "chat": f"{len(holdings.chat.messages())} messages in the packing channel",
    }


def verdicts(
    told: Sequence[Chapter],
    holdings: Holdings,
    *,
    placed: dict[str, str],
    stock_before: dict[str, int],
    unbooked: set[str],
) -> list[Verdict]:
    """What the vendors hold, against what the orders say. `unbooked`: orders that can't be in the books yet."""
    numbers = {chapter.sale.number for chapter in told}
    booked = holdings.books.booked()
    totals = {number: holdings.shop.total(order_id) for number, order_id in placed.items()}
    wrong = [each for each in booked if totals.get(each.reference) != each.total or not each.paid]
    expected = numbers - unbooked
    sold = Counter[str]()
    for chapter in told:
        for line in chapter.sale.lines:
            sold[line.sku] += line.quantity
    now = holdings.till.stock()
    moved = {sku: before - now[sku] for sku, before in stock_before.items() if before != now[sku]}
    return [
        _each_order_once("invoice", expected, [each.reference for each in booked]),
        Verdict(
            "Every invoice's total is its order's, to the cent, and is paid",
            not wrong,
            "all equal" if not wrong else f"wrong: {', '.join(each.reference for each in wrong)}",
        ),
        _each_order_once("label", numbers, [each.reference for each in holdings.carrier.labels()]),
        _each_order_once(
            "message to the packing bench", numbers, [each.reference for each in holdings.chat.messages()]
        ),
        _each_order_once("mail to the customer", numbers, [each.reference for each in mails_shown(holdings.mailbox)]),
        Verdict(
            "The stock is down by exactly what was sold",
            moved == dict(sold),
            f"{sum(moved.values())} units of {len(moved)} articles"
            if moved == dict(sold)
            else f"{moved} for {dict(sold)}",
        ),
    ]


def _each_order_once(what: str, expected: set[str], found: list[str]) -> Verdict:
    return each_once(what, expected, found, "order")
