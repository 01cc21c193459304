"""Inventory: two days on which much runs low, and what was ordered of it comes in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import ClassVar

import orjson

from bellwire.engine import retry_run
from bellwire.ledger import Rows, events, exceptions, runs
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.stage import Stage
from bellwire.practice.stories.acts import balance, exceptions_are, exceptions_told, holdings_told, retries_told
from bellwire.practice.stories.inventory.chapters import (
    AGAIN,
    LEFT,
    NOT_SUPPLIED,
    OTHER_NAME,
    UNKNOWN_SKU,
    Chapter,
    Low,
    chapters,
    points,
)
from bellwire.practice.stories.inventory.day import Day
from bellwire.practice.stories.inventory.holdings import Holdings
from bellwire.practice.stories.inventory.promises import (
    count_of,
    drafts,
    flags,
    held_up,
    low_flags,
    same_lists,
    told_once,
    verdicts,
)
from bellwire.practice.stories.telling import Act, Promises, Story, Told, Verdict

_GATHERED = timedelta(hours=1)


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
            held_up(day),
            low_flags(day, set(day.lows[0].available) - {UNKNOWN_SKU}),
        ]
        yield Promises("What needs a person now", both)
        yield Act(f"The owner enters who supplies {NOT_SUPPLIED}, corrects the shop's SKU, and has both tried again.")
        await _mend(day)
        day.awaited |= set(day.lows[0].available)
        yield Promises("What is drafted now", [*drafts(day), *flags(day)])
        yield Act("Goods come in")
        tea, *others = sorted(day.holdings.buying.ordered(), key=lambda order: AGAIN not in order.units)
        async for line in day.bring([tea], 20, "brings a part, told three times", copies=3):
            yield line
        yield Promises("What the shop shows now", flags(day))
        async for line in day.bring([tea, *others], None, "brings what is open"):
            yield line
        yield Act("A day later")
        await _until_the_count(stage)
        await stage.look_up("stock")
        yield "The stock is counted again: nothing is low."
        left = day.holdings.stock.stock()[AGAIN] - LEFT
        async for line in day.move(Chapter(AGAIN, [-left], "is low a second time")):
            yield line
        day.lows.append(Low({AGAIN: LEFT}))
        await stage.let_pass(_GATHERED)
        day.awaited.add(AGAIN)
        async for each in retries_told(stage, await _names(stage)):
            yield each
        none_left = await exceptions_are(stage, "No exception is left", 0)
        once = await told_once(day)
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
    holdings.shop.rename(UNKNOWN_SKU, OTHER_NAME)
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
    return [same_lists("Each names its SKU, and says what to do", sorted(words), sorted(named))]


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
    day.holdings.shop.rename(OTHER_NAME, UNKNOWN_SKU)
    open_ones = await day.stage.ledger.read(lambda rows: exceptions.open_ones(rows))
    for run in {each.run for each in open_ones if each.run is not None}:
        await day.stage.ledger.write(partial(retry_run, run=run, now=day.stage.clock(), who="the demo"))
    await day.stage.settle()


def _held(day: Day) -> dict[str, str]:
    orders = day.holdings.buying.ordered()
    flagged = sum(bool(each.flags) for each in day.holdings.shop.shown())
    return {
        "stock": f"{sum(day.holdings.stock.stock().values())} units",
        "buying": f"{len(orders)} orders to {len({order.supplier for order in orders})} suppliers",
        "shop": f"{count_of(flagged, 'product')} with flags",
        "chat": f"{len(day.holdings.chat.messages())} messages to the buyer",
    }
