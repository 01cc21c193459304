"""The demo's story: ten orders on a bad day, and what must be true afterwards."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Books, Carrier, Chat, Mailbox, Sale, SaleLine, Sent, Shop, Till
from bellwire.practice.simulator import Webhook

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


def deliveries(shop: Shop, told: list[Chapter], placed: dict[str, str]) -> Iterator[Delivery]:
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
class Verdict:
    """One promise, and whether it held."""

    promise: str
    held: bool
    found: str


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    shop: Shop
    books: Books
    till: Till
    carrier: Carrier
    chat: Chat
    mailbox: Mailbox


def verdicts(
    told: list[Chapter],
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
        _each_once("invoice", expected, [each.reference for each in booked]),
        Verdict(
            "Every invoice's total is its order's, to the cent, and is paid",
            not wrong,
            "all equal" if not wrong else f"wrong: {', '.join(each.reference for each in wrong)}",
        ),
        _each_once("label", numbers, [each.reference for each in holdings.carrier.labels()]),
        _each_once("message to the packing bench", numbers, [each.reference for each in holdings.chat.messages()]),
        _each_once("mail to the customer", numbers, _as_shown(holdings.mailbox.mails())),
        Verdict(
            "The stock is down by exactly what was sold",
            moved == dict(sold),
            f"{sum(moved.values())} units of {len(moved)} articles"
            if moved == dict(sold)
            else f"{moved} for {dict(sold)}",
        ),
    ]


def _as_shown(mails: list[Sent]) -> list[str]:
    """The orders that a mailbox shows mails of: of several with the same Message-ID it shows one."""
    return list({mail.id: mail.reference for mail in mails}.values())


def _each_once(what: str, expected: set[str], found: list[str]) -> Verdict:
    missing, counts = expected - set(found), Counter(found)
    extra = {number for number, count in counts.items() if count > 1 or number not in expected}
    told = f"{len(found)} for {len(expected)} orders"
    told += f"; missing: {', '.join(sorted(missing))}" if missing else ""
    told += f"; too many: {', '.join(sorted(extra))}" if extra else ""
    return Verdict(f"One {what} for each order", not (missing or extra), told)
