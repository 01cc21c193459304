"""What the vendors hold, against what the chapters say."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from bellwire.ledger import events
from bellwire.practice.roles import Ordered, Supply
from bellwire.practice.stories.inventory.chapters import Low, points
from bellwire.practice.stories.inventory.day import Day
from bellwire.practice.stories.telling import Verdict, each_once

_A_DAY = timedelta(days=1)


def verdicts(day: Day) -> list[Verdict]:
    """What the vendors hold, against what the chapters say."""
    return [*drafts(day), *flags(day), *_words(day)]


def drafts(day: Day) -> list[Verdict]:
    """One for each supplier of what was low within the hour."""
    buying, known = day.holdings.buying, {each.sku: each for each in points()}
    wanted: dict[tuple[int, str], dict[str, int]] = {}
    for number, low in enumerate(day.lows):
        for sku, available in low.available.items():
            terms = _terms(day, sku)
            units = wanted.setdefault((number, terms.supplier), {})
            units[sku] = known[sku].wanted(available, terms)
    orders = buying.ordered()
    references = list(dict.fromkeys(order.reference for order in orders))
    found = {(references.index(each.reference), each.supplier): dict(each.units) for each in orders}
    days = [_asked_on(order) + max(_terms(day, sku).lead_days for sku in order.units) * _A_DAY for order in orders]
    totals = [
        sum((_terms(day, sku).price * count for sku, count in order.units.items()), Decimal()) for order in orders
    ]
    return [
        each_once(
            "draft",
            {_draft(*names) for names in wanted},
            [_draft(references.index(order.reference), order.supplier) for order in orders],
            "supplier",
        ),
        Verdict(
            "Each has what was low, in quantities that suit target, minimum and pack",
            found == wanted,
            f"{sum(map(len, wanted.values()))} lines" if found == wanted else f"{found}, and not {wanted}",
        ),
        same_lists("Each is expected when its slowest line can be there", days, [order.expected for order in orders]),
        same_lists(
            "Each comes to its lines' prices, to the cent",
            [_cents(total) for total in totals],
            [_cents(order.total) for order in orders],
        ),
    ]


def _terms(day: Day, sku: str) -> Supply:
    terms = day.holdings.buying.supply(sku)
    assert terms is not None, f"somebody supplies {sku} by now"
    return terms


def _draft(number: int, supplier: str) -> str:
    return f"{supplier} (hour {number + 1})"


def _asked_on(order: Ordered) -> date:
    """The day that is in its reference."""
    found = re.fullmatch(r"LOW-(\d{8})-\d{6}", order.reference)
    return datetime.strptime(found[1], "%Y%m%d").date() if found else date.min  # noqa: DTZ007 - a day of its own zone


def _cents(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01")))


def low_flags(day: Day, low: set[str]) -> Verdict:
    return same_lists(
        "The shop shows that little is left of what it knows",
        sorted(low),
        sorted(sku for sku in low if "low-stock" in _flags_of(day, sku)),
    )


def _flags_of(day: Day, sku: str) -> frozenset[str]:
    return next((each.flags for each in day.holdings.shop.shown() if sku in each.skus), frozenset())


def flags(day: Day) -> list[Verdict]:
    """What is awaited is flagged as low and with the day of its newest order; all else isn't flagged."""
    expected = {sku: order.expected for order in day.holdings.buying.ordered() for sku in order.units}
    wanted = {sku: {"low-stock", f"eta-{expected.get(sku)}"} for sku in day.awaited}
    found = {sku: set(_flags_of(day, sku)) for sku in day.awaited}
    strange = [each for each in day.holdings.shop.shown() if each.flags and not each.skus & day.awaited]
    return [
        Verdict(
            "The shop shows what is low, and on which day more is expected",
            wanted == found,
            count_of(len(wanted), "product") if wanted == found else f"{found}, and not {wanted}",
        ),
        same_lists("No other product has a flag", [], sorted(sku for each in strange for sku in each.skus)),
    ]


def _words(day: Day) -> list[Verdict]:
    """What the buyer was told. Numbers of orders are the purchasing system's own."""
    texts = [message.text for message in day.holdings.chat.messages()]
    drafted = [text for text in texts if text.startswith("Low on stock")]
    came = [text for text in texts if text.startswith("Goods came in")]
    said = [set(text.partition(".")[0].removeprefix("Low on stock: ").split(", ")) for text in drafted]
    counts = [text.count("is drafted") for text in drafted]
    suppliers = {order.id: order.supplier for order in day.holdings.buying.ordered()}
    return [
        same_lists(
            "The buyer is told once of what was low within the hour, with each draft",
            [f"{', '.join(sorted(low.available))}: {count_of(_suppliers(day, low), 'draft')}" for low in day.lows],
            [
                f"{', '.join(sorted(skus))}: {count_of(number, 'draft')}"
                for skus, number in zip(said, counts, strict=True)
            ],
        ),
        same_lists(
            "The buyer is told of each time that goods came in, once",
            sorted(suppliers[order] for order in day.receipts),
            sorted(name for text in came for name in _supplier_in(text, suppliers)),
        ),
        Verdict(
            "The buyer is told nothing else",
            len(texts) == len(day.lows) + len(day.receipts),
            f"{len(texts)} messages in all",
        ),
    ]


def _suppliers(day: Day, low: Low) -> int:
    return len({_terms(day, sku).supplier for sku in low.available})


def _supplier_in(text: str, suppliers: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys(suppliers.values()) if f"from {name}" in text]


def same_lists(promise: str, expected: Sequence[object], found: Sequence[object]) -> Verdict:
    """Both lists are the same."""
    told = "; ".join(map(str, found)) or "none"
    held = list(expected) == list(found)
    return Verdict(promise, held, told if held else f"{told}, and not {'; '.join(map(str, expected)) or 'none'}")


def count_of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def held_up(day: Day) -> Verdict:
    """Of what is low, one item has no supplier."""
    count = len(day.holdings.buying.ordered())
    return Verdict("Nothing is ordered while that is open", count == 0, f"{count} orders")


async def told_once(day: Day) -> Verdict:
    """However often its stock went up and down: what is ordered together doesn't show that."""
    found = await day.stage.ledger.read(lambda rows: events.newest(rows, limit=100, type_="inventory.low"))
    skus = [event.subject.rpartition("/")[2] for event in found]
    return same_lists(
        "An item is low once each time that it falls to its reorder point",
        sorted(sku for low in day.lows for sku in low.available),
        sorted(skus),
    )
