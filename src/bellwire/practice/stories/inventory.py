"""Inventory: two days on which much runs low, and what was ordered of it comes in."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import ClassVar

import orjson

from bellwire.engine import retry_run
from bellwire.ledger import Rows, events, exceptions, runs
from bellwire.practice.catalogue import GOODS
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.roles import Chat, Ordered, Purchasing, Supply, Warehouse, Window
from bellwire.practice.simulator import Webhook
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict, each_once

UNKNOWN_SKU, NOT_SUPPLIED = "TEA-250", "SCOOP-01"
"""What the shop has by another name, and what has no supplier, until somebody mends it."""
AGAIN = "TEA-100"
"""Runs low a second time, with so many left."""
_LEFT = 31
_OTHER_NAME = "TEA-QUARTER"
_GATHERED = timedelta(hours=1)


@dataclass(frozen=True)
class Point:
    """A line of stock.csv."""

    sku: str
    reorder_point: int
    target: int | None = None
    rearm: int | None = None

    @property
    def line(self) -> str:
        cells = (self.reorder_point, self.target, self.rearm)
        return ",".join([self.sku, *("" if cell is None else str(cell) for cell in cells), f'"{GOODS[self.sku].name}"'])

    def wanted(self, available: int, terms: Supply) -> int:
        """How many are to be ordered: up to the target, or twice the reorder point, as the supplier sells them."""
        level = 2 * self.reorder_point if self.target is None else self.target
        return -(-max(level - available, terms.minimum) // terms.pack) * terms.pack


def points() -> list[Point]:
    """All but the last run low."""
    return [
        Point("TEA-100", 40, target=120),
        Point("TEA-250", 30),
        Point("MUG-RED", 12, rearm=20),
        Point("SCOOP-01", 100),
        Point("GIFT-BOX", 150, target=300),
        Point("TEA-500-NEW", 10),
    ]


@dataclass(frozen=True)
class Chapter:
    """What happens to an item's stock within the hour."""

    sku: str
    moves: Sequence[int]
    about: str
    low_at: int | None = None
    """How many are there when it falls to its reorder point; None: it doesn't, or nobody watches it."""
    copies: int = 1
    """How often each webhook comes."""
    order: Sequence[int] = ()
    """In which the webhooks of the moves come; empty: as it happens."""


def chapters() -> list[Chapter]:
    return [
        Chapter("GIFT-BOX", [], "is at its reorder point; no webhook told of it, the morning's count does", 150),
        Chapter("TEA-100", [-75, -7, 4, -5], "goes up and down around its reorder point", 38),
        Chapter(UNKNOWN_SKU, [-55], "the shop has it by another SKU; its webhook comes three times", 25, copies=3),
        Chapter("MUG-RED", [-30, -20, -1], "an older webhook comes after a newer one", 10, order=[1, 0, 2]),
        Chapter(NOT_SUPPLIED, [-205], "nobody supplies it", 95),
        Chapter("TEA-500-NEW", [-5], "is above its reorder point"),
        Chapter("MUG-BLUE", [-59], "is nearly gone, but not in stock.csv"),
    ]


@dataclass(frozen=True)
class Low:
    """What was low within an hour, with how many of it were there: one run."""

    available: Mapping[str, int]


@dataclass(frozen=True)
class Holdings:
    """The simulated vendors, by what they are."""

    stock: Warehouse
    buying: Purchasing
    shop: Window
    chat: Chat

    @classmethod
    def of(cls, stage: Stage) -> "Holdings":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            stage.part("stock", Warehouse),  # type: ignore[type-abstract]
            stage.part("buying", Purchasing),  # type: ignore[type-abstract]
            stage.part("shop", Window),  # type: ignore[type-abstract]
            stage.part("chat", Chat),  # type: ignore[type-abstract]
        )


@dataclass
class Day:
    """What has come about so far."""

    stage: Stage
    holdings: Holdings
    lows: list[Low] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    """The ids of the orders that were brought, once for each time."""
    shelved: Counter[str] = field(default_factory=Counter)
    """SKU → how many of what came in somebody has put where the stock is kept."""
    awaited: set[str] = field(default_factory=set)
    """SKUs of which more is on order, and nothing has come yet."""

    @property
    def tells(self) -> bool:
        """Whether the stock tells of itself, or has to be asked."""
        return self.holdings.stock.stock_webhook("TEA-100") is not None

    async def move(self, chapter: Chapter) -> AsyncIterator[str]:
        if not self.tells:
            for by in chapter.moves:
                self.holdings.stock.move(chapter.sku, by)
                await self.stage.look_at("stock")
            yield f"{chapter.sku:<12} {_moved(chapter.moves):<36} {chapter.about}"
            return
        sent: list[Webhook] = []
        for by in chapter.moves:
            self.holdings.stock.move(chapter.sku, by)
            sent += [webhook for webhook in [self.holdings.stock.stock_webhook(chapter.sku)] if webhook]
        notes = [chapter.about]
        for number in chapter.order or range(len(sent)):
            for answer in await self.stage.send_often("stock", sent[number], chapter.copies):
                note = notes.pop() if notes else ""
                yield f"{chapter.sku:<12} {_moved([chapter.moves[number]]):<6} {answer!s:<29} {note}".rstrip()
        if not sent:
            yield f"{chapter.sku:<12} {'':<36} {chapter.about}"
        await self.stage.settle()

    async def bring(
        self, orders: Sequence[Ordered], most: int | None, about: str, copies: int = 1
    ) -> AsyncIterator[str]:
        """Goods come in; where the stock is kept elsewhere than in the purchasing system, somebody puts them there."""
        before, sent = dict(self.holdings.stock.stock()), list[Webhook]()
        for order in orders:
            webhook, note = self.holdings.buying.bring(order.id, most), about
            self.receipts.append(order.id)
            self.awaited -= set(order.units)
            if webhook is None:
                yield f"{order.supplier:<20} {about}"
                continue
            sent.append(webhook)
            for answer in await self.stage.send_often("buying", webhook, copies):
                yield f"{order.supplier:<20} {answer!s:<29} {note}"
                note = "the same delivery again"
        if sent:
            await self.stage.look_up("buying")
        else:
            await self.stage.look_at("buying")
        if self.holdings.stock.stock() == before:
            for sku, count in (units for order in orders for units in order.units.items()):
                came = count - self.shelved[sku] if most is None else min(count, most)
                self.shelved[sku] += came
                self.holdings.stock.move(sku, came)
                if told := self.holdings.stock.stock_webhook(sku):
                    await self.stage.send("stock", told)
        if not self.tells:
            await self.stage.look_at("stock")
        await self.stage.settle()


class Inventory(Story):
    template: ClassVar[str] = "inventory"
    title: ClassVar[str] = "Inventory, on a bad day."
    summary: ClassVar[Sequence[str]] = (
        "What runs low is ordered, one draft for each supplier, and the shop shows it;",
        "when goods come in, the shop's flags go. The buyer hears of both.",
    )
    files: ClassVar[Mapping[str, str]] = {
        "stock.csv": "sku,reorder_point,target,rearm,name\n" + "".join(f"{each.line}\n" for each in points())
    }

    async def tell(self, stage: Stage) -> AsyncIterator[Told]:
        day, told = Day(stage, Holdings.of(stage)), chapters()
        _set_up(day)
        await stage.look_up()
        yield Act("What arrives")
        if not day.tells:
            yield "This stock sends no webhooks: its lists are read after each change."
        await _until_the_count(stage)
        yield "It is seven in the morning: the stock is counted."
        await stage.look_up("stock")
        for chapter in told:
            async for line in day.move(chapter):
                yield line
        day.lows.append(Low({each.sku: each.low_at for each in told if each.low_at is not None}))
        await stage.let_pass(_GATHERED)
        async for each in exceptions_told(stage):
            yield each
        both = [
            await exceptions_are(stage, "Two exceptions: what has no supplier, what the shop doesn't know", 2),
            *await _names_them(stage, {UNKNOWN_SKU, NOT_SUPPLIED}),
            _held_up(day),
            _low_flags(day, set(day.lows[0].available) - {UNKNOWN_SKU}),
        ]
        yield Promises("What needs a person now", both)
        yield Act(f"The owner enters who supplies {NOT_SUPPLIED}, corrects the shop's SKU, and has both tried again.")
        await _mend(day)
        day.awaited |= set(day.lows[0].available)
        yield Promises("What is drafted now", [*_drafts(day), *_flags(day)])
        yield Act("Goods come in")
        tea, *others = sorted(day.holdings.buying.ordered(), key=lambda order: AGAIN not in order.units)
        async for line in day.bring([tea], 20, "brings a part, told three times", copies=3):
            yield line
        yield Promises("What the shop shows now", _flags(day))
        async for line in day.bring([tea, *others], None, "brings what is open"):
            yield line
        yield Act("A day later")
        await _until_the_count(stage)
        await stage.look_up("stock")
        yield "The stock is counted again: nothing is low."
        left = day.holdings.stock.stock()[AGAIN] - _LEFT
        async for line in day.move(Chapter(AGAIN, [-left], "is low a second time")):
            yield line
        day.lows.append(Low({AGAIN: _LEFT}))
        await stage.let_pass(_GATHERED)
        day.awaited.add(AGAIN)
        async for each in retries_told(stage, await _names(stage)):
            yield each
        none_left = await exceptions_are(stage, "No exception is left", 0)
        once = await _told_once(day)
        yield Promises("What the vendors hold in the end", [*verdicts(day), once, none_left, *await balance(stage)])
        async for each in holdings_told(stage, _held(day)):
            yield each


def _set_up(day: Day) -> None:
    """Who supplies what, and what will go wrong."""
    holdings, simulators = day.holdings, day.stage.simulators
    holdings.stock.go_by(day.stage.clock)
    holdings.buying.go_by(day.stage.clock)
    tea, pottery, *_ = holdings.buying.suppliers()
    for sku in ("TEA-100", "TEA-250", "GIFT-BOX"):
        holdings.buying.buy_from(sku, tea)
    holdings.buying.buy_from("MUG-RED", pottery)
    holdings.buying.buy_from(NOT_SUPPLIED, "")
    holdings.shop.rename(UNKNOWN_SKU, _OTHER_NAME)
    simulators["buying"].faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"^(POST|PUT) (?s:.*)LOW-\d"))
    simulators["shop"].faults.add(Fault(kind=FaultKind.RATE_LIMITED, match="low-stock", seconds=1))
    simulators["chat"].faults.add(Fault(kind=FaultKind.FAILED, match="Low on stock"))


async def _until_the_count(stage: Stage) -> None:
    """Until the flow that counts begins, and is done."""
    due = await stage.next_due()
    assert due is not None, "the stock is counted every day"
    await stage.let_pass(due - stage.clock())


async def _names_them(stage: Stage, words: set[str]) -> list[Verdict]:
    found = await stage.ledger.read(lambda rows: exceptions.open_ones(rows))
    named = {word for word in words for each in found if word in each.sentence and each.remedy}
    return [_same("Each names its SKU, and says what to do", sorted(words), sorted(named))]


async def _told_once(day: Day) -> Verdict:
    """However often its stock went up and down: what is ordered together doesn't show that."""
    found = await day.stage.ledger.read(lambda rows: events.newest(rows, limit=100, type_="inventory.low"))
    skus = [event.subject.rpartition("/")[2] for event in found]
    return _same(
        "An item is low once each time that it falls to its reorder point",
        sorted(sku for low in day.lows for sku in low.available),
        sorted(skus),
    )


def _held_up(day: Day) -> Verdict:
    """Of what is low, one item has no supplier."""
    count = len(day.holdings.buying.ordered())
    return Verdict("Nothing is ordered while that is open", count == 0, f"{count} orders")


async def _names(stage: Stage) -> dict[str, str]:
    """What the events are about that began runs."""

    def query(rows: Rows) -> dict[str, str]:
        found = [event for run in runs.newest(rows, limit=100) if (event := events.find(rows, run.event))]
        told = [(event.subject, orjson.loads(event.data)) for event in found]
        return {subject: data.get("sku") or data.get("supplier_name") or "" for subject, data in told}

    return {subject: name for subject, name in (await stage.ledger.read(query)).items() if name}


async def _mend(day: Day) -> None:
    _, pottery, *_ = day.holdings.buying.suppliers()
    day.holdings.buying.buy_from(NOT_SUPPLIED, pottery)
    day.holdings.shop.rename(_OTHER_NAME, UNKNOWN_SKU)
    open_ones = await day.stage.ledger.read(lambda rows: exceptions.open_ones(rows))
    for run in {each.run for each in open_ones if each.run is not None}:
        await day.stage.ledger.write(partial(retry_run, run=run, now=day.stage.clock(), who="the demo"))
    await day.stage.settle()


def verdicts(day: Day) -> list[Verdict]:
    """What the vendors hold, against what the chapters say."""
    return [*_drafts(day), *_flags(day), *_words(day)]


def _drafts(day: Day) -> list[Verdict]:
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
        _same("Each is expected when its slowest line can be there", days, [order.expected for order in orders]),
        _same(
            "Each comes to its lines' prices, to the cent",
            [_cents(total) for total in totals],
            [_cents(order.total) for order in orders],
        ),
    ]


_A_DAY = timedelta(days=1)


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


def _low_flags(day: Day, low: set[str]) -> Verdict:
    return _same(
        "The shop shows that little is left of what it knows",
        sorted(low),
        sorted(sku for sku in low if "low-stock" in _flags_of(day, sku)),
    )


def _flags_of(day: Day, sku: str) -> frozenset[str]:
    return next((each.flags for each in day.holdings.shop.shown() if sku in each.skus), frozenset())


def _flags(day: Day) -> list[Verdict]:
    """What is awaited is flagged as low and with the day of its newest order; all else isn't flagged."""
    expected = {sku: order.expected for order in day.holdings.buying.ordered() for sku in order.units}
    wanted = {sku: {"low-stock", f"eta-{expected.get(sku)}"} for sku in day.awaited}
    found = {sku: set(_flags_of(day, sku)) for sku in day.awaited}
    strange = [each for each in day.holdings.shop.shown() if each.flags and not each.skus & day.awaited]
    return [
        Verdict(
            "The shop shows what is low, and on which day more is expected",
            wanted == found,
            _count(len(wanted), "product") if wanted == found else f"{found}, and not {wanted}",
        ),
        _same("No other product has a flag", [], sorted(sku for each in strange for sku in each.skus)),
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
        _same(
            "The buyer is told once of what was low within the hour, with each draft",
            [f"{', '.join(sorted(low.available))}: {_count(_suppliers(day, low), 'draft')}" for low in day.lows],
            [
                f"{', '.join(sorted(skus))}: {_count(number, 'draft')}"
                for skus, number in zip(said, counts, strict=True)
            ],
        ),
        _same(
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


def _same(promise: str, expected: Sequence[object], found: Sequence[object]) -> Verdict:
    """Both lists are the same."""
    told = "; ".join(map(str, found)) or "none"
    held = list(expected) == list(found)
    return Verdict(promise, held, told if held else f"{told}, and not {'; '.join(map(str, expected)) or 'none'}")


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _moved(moves: Sequence[int]) -> str:
    return ", ".join(f"{by:+d}" for by in moves)


def _held(day: Day) -> dict[str, str]:
    orders = day.holdings.buying.ordered()
    flagged = sum(bool(each.flags) for each in day.holdings.shop.shown())
    return {
        "stock": f"{sum(day.holdings.stock.stock().values())} units",
        "buying": f"{len(orders)} orders to {len({order.supplier for order in orders})} suppliers",
        "shop": f"{_count(flagged, 'product')} with flags",
        "chat": f"{len(day.holdings.chat.messages())} messages to the buyer",
    }
