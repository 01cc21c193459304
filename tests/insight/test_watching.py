"""What Bellwire says of stock and sales: over whole engines, with counts and orders as they come."""

import asyncio
import itertools
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.capabilities import chat, stock
from bellwire.connectors.kit import Action, Call, Unkeyed
from bellwire.connectors.opening import own_connection
from bellwire.events import OWN, Environment, Event, InventoryLevel, LowStock, SalesSpike, data_model
from bellwire.flows import bundled
from bellwire.insight import StockWatcher, crossed
from bellwire.ledger import Database, EventRow, Rows, RunState, events, open_ledger, sales
from bellwire.ledger import stock as levels
from bellwire.ledger.sqlite import SqliteRows
from bellwire.ledger.stock import Shelf
from bellwire.settings import ReorderPoint
from tests.engine.test_waiting import Clock, Place
from tests.engine.vendor import Vendor
from tests.ledgers import Ledgers
from tests.samples import NOW, line, order

TEA = ReorderPoint("TEA-100", 10, target=60, rearm=15, name="Green tea")
TOLD = """
name: Told
trigger: bellwire.inventory.low
actions:
  buyer:
    do: till.post_message
    with: {channel: buying, text: "{{ event.name }}: {{ event.available }}"}
"""
SELL = """
name: Sell
trigger: till.order.paid
actions:
  stock:
    do: till.adjust
    with: {lines: "{{ event.lines }}", reason: sale}
"""
SPIKING = TOLD.replace("inventory.low", "inventory.spiking").replace("event.available", "event.sold")
DAY = timedelta(days=1)


@pytest.fixture
def file(ledgers: Ledgers, tmp_path: Path) -> str:
    """The address of a ledger that one process has to itself."""
    return f"sqlite:///{ledgers.sqlite(tmp_path)}"


@pytest.fixture
def shared(ledgers: Ledgers) -> str:
    """Of one that several share."""
    return ledgers.postgres()


class Till(Vendor):
    """Has shelves; whether it says what is left after a change is its own business."""

    def __init__(self, name: str = "till", environment: Environment = Environment.SANDBOX) -> None:
        super().__init__(name, environment)
        self.shelves = {"TEA-100": 20}
        self.says = True

    def actions(self) -> list[Action]:
        return [
            Action(chat.POST_MESSAGE, Unkeyed("a toy"), self.post),
            Action(stock.ADJUST, self.stock_repeat, self.adjust),
            Action(stock.COUNT, Unkeyed("it only reads"), self.count),
        ]

    async def adjust(self, call: Call, given: stock.AdjustStock) -> stock.StockChanges:
        known = ("adjust", call.key) in self.done
        await self._do("adjust", call, given)
        for each in given.lines:
            self.shelves[each.sku] -= 0 if known else each.quantity
        changes = (
            stock.StockChange(sku=each.sku, change=-each.quantity, now=self.shelves[each.sku] if self.says else None)
            for each in given.lines
        )
        return stock.StockChanges(changes=tuple(changes), location=given.location or "shop-1")

    async def count(self, call: Call, given: stock.CountStock) -> stock.StockCounts:
        await self._do("count", call, given)
        counts = (stock.StockCount(sku=sku, available=self.shelves[sku], item_id=f"i-{sku}") for sku in given.skus)
        return stock.StockCounts(counts=tuple(counts), location=given.location or "shop-1")


def watcher(*points: ReorderPoint, spikes: bool = False, counting: Iterable[str] = ()) -> StockWatcher:
    made = StockWatcher.of(points, ZoneInfo("America/Chicago"), counting, spikes=spikes)
    assert made is not None
    return made


def place_of(url: str, *flows: str, watching: StockWatcher | None = None, till: Till | None = None) -> Place:
    beside = {f"flow_{number}": text for number, text in enumerate(flows[1:])}
    watching = watching or watcher(TEA)
    return Place(url, vendor=till or Till(), flow=flows[0], beside=beside, clock=Clock(), watcher=watching)


async def counted(place: Place, available: int | None, at: datetime, sku: str = "TEA-100", **more: Any) -> None:
    """The vendor's webhook says so."""
    data = {"item_id": f"i-{sku or 'TEA-100'}", "sku": sku, "location_id": "shop-1", "available": available, **more}
    await heard(place, "inventory.updated", {**data, "updated_at": at.isoformat()}, at)


async def heard(place: Place, kind: str, data: Any, at: datetime) -> None:
    body = {"type": kind, "subject": f"thing/{next(place.numbers)}", "time": at.isoformat(), "data": data}
    await place.deliver(body=json.dumps(body).encode())
    await place.settled()


async def told(place: Place, kind: str = "inventory.low") -> list[EventRow]:
    """Oldest first."""
    found = await place.ledger.read(lambda rows: events.newest(rows, limit=999, type_=kind))
    return found[::-1]


async def low(place: Place) -> list[int]:
    """How many were left, each time that it was said."""
    return [LowStock.model_validate_json(each.data).available for each in await told(place)]


def ago(place: Place, **length: float) -> datetime:
    return place.clock() - timedelta(**length)


# From webhooks


async def test_stock_that_falls_to_its_reorder_point_is_told_of_once_for_each_time(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD)
    async with place.open():
        for hours, available in enumerate((20, 10, 9, 12, 10, 15, 11, 10, 3)):
            await counted(place, available, ago(place, hours=20 - hours))
        assert await low(place) == [10, 10]
        assert place.said() == ["Green tea: 10", "Green tea: 10"]
        first, second = await told(place)
        assert first.connection == OWN and first.environment == "sandbox" and first.subject == second.subject
        assert (first.business_key, second.business_key) == (
            "bellwire/stock/sandbox/till/shop-1/TEA-100/low/1",
            "bellwire/stock/sandbox/till/shop-1/TEA-100/low/2",
        )
        data = LowStock.model_validate_json(first.data)
        assert (data.sku, data.reorder_point, data.target, data.location) == ("TEA-100", 10, 60, "shop-1")
        assert data.updated_at == first.time and data.daily_usage is None


async def test_a_count_that_comes_late_brings_no_older_state_back(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD)
    async with place.open():
        await counted(place, 20, ago(place, hours=1))
        await counted(place, 3, ago(place, hours=2))
        assert await low(place) == []
        await counted(place, 8, ago(place, minutes=30))
        await counted(place, 50, ago(place, minutes=50))
        await counted(place, 7, ago(place, minutes=20))
        assert await low(place) == [8]


async def test_a_vendors_clock_that_is_ahead_shuts_nobody_out(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD)
    async with place.open():
        await counted(place, 20, ago(place, days=-300))
        await counted(place, 9, place.clock())
        assert await low(place) == [9]


async def test_each_place_is_judged_by_itself_and_by_its_own_line(ledger_url: str) -> None:
    annex = ReorderPoint("TEA-100", 2, location="annex")
    place = place_of(ledger_url, TOLD, watching=watcher(TEA, annex))
    async with place.open():
        await counted(place, 9, ago(place, hours=3))
        await counted(place, 9, ago(place, hours=2), location_id="annex")
        assert await low(place) == [9]
        await counted(place, 2, ago(place, hours=1), location_id="annex")
        assert await low(place) == [9, 2]


async def test_what_isnt_in_the_file_or_isnt_counted_or_is_history_is_left_alone(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD)
    async with place.open():
        await counted(place, 1, ago(place, hours=3), sku="MUG")
        await counted(place, None, ago(place, hours=2))
        assert await low(place) == []

    history = watcher(TEA)
    made = _count(3, NOW)
    async with open_ledger(ledger_url) as ledger:
        assert not await ledger.write(lambda rows: list(history.note(rows, made, NOW + DAY, NOW + 2 * DAY)))
        assert await ledger.write(lambda rows: list(history.note(rows, made, NOW, NOW + 2 * DAY)))


async def test_of_counts_that_are_numbered_an_older_one_that_comes_late_changes_nothing(ledger_url: str) -> None:
    """Some vendors number them and don't say of when they are: by the time that each came, the older one is newer."""
    watching = watcher(TEA)

    def numbered(rows: Rows) -> list[int]:
        told = []
        for minute, (version, available) in enumerate([(1, 30), (3, 8), (2, 20), (4, 7)]):
            made = _count(available, NOW + timedelta(minutes=minute))
            made = made.model_copy(update={"subject": "inventory/1", "version": NOW + version * DAY})
            told += [each.data.available for each in watching.note(rows, made, None, NOW + DAY)]
        return told

    async with open_ledger(ledger_url) as ledger:
        assert await ledger.write(numbered) == [8]


async def test_only_the_connections_that_are_named_count(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD, watching=watcher(TEA, counting=["stock"]))
    async with place.open():
        await counted(place, 1, ago(place, hours=3))
        assert await low(place) == []
    async with (again := replace(place, watcher=watcher(TEA, counting=["till"]))).open():
        await counted(again, 1, ago(place, hours=2))
        assert await low(again) == [1]


async def test_an_item_that_a_webhook_names_by_its_id_is_known_from_its_product(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD)
    async with place.open():
        await counted(place, 3, ago(place, hours=3), sku="")
        assert await low(place) == []
        variant = {"id": "601", "sku": "TEA-100", "item_id": "i-TEA-100"}
        at = ago(place, hours=2)
        product = {"id": "501", "name": "Tea", "updated_at": at.isoformat(), "variants": [variant]}
        await heard(place, "product.updated", product, at)
        await counted(place, 3, ago(place, hours=1), sku="")
        assert await low(place) == [3]


async def test_a_count_that_a_flow_makes_an_event_of_counts_too(ledger_url: str) -> None:
    flow = """
name: Emit
trigger: till.order.paid
actions:
  count:
    emit: inventory.updated
    with: {item_id: "7", sku: TEA-100, available: 4, updated_at: "{{ event.updated_at }}"}
"""
    place = place_of(ledger_url, flow, TOLD)
    async with place.open():
        await place.deliver()
        await place.settled()
        assert await low(place) == [4]


async def test_a_reorder_point_that_is_raised_tells_of_what_is_below_it_by_now(ledger_url: str) -> None:
    place = place_of(ledger_url, TOLD)
    async with place.open():
        await counted(place, 20, ago(place, hours=2))
    async with (again := replace(place, watcher=watcher(ReorderPoint("TEA-100", 30)))).open():
        await counted(again, 20, ago(place, hours=1))
        assert await low(again) == [20]


async def test_without_a_flow_that_listens_the_event_says_so(ledger_url: str) -> None:
    place = place_of(ledger_url, SELL)
    async with place.open():
        await counted(place, 3, ago(place, hours=1))
        (made,) = await told(place)
        assert made.reason == "No flow listens to it."


def test_where_nothing_is_to_be_watched_nobody_watches() -> None:
    assert StockWatcher.of([], ZoneInfo("UTC"), (), spikes=False) is None


# From actions


async def sell(place: Place, number: int, quantity: int, **changes: Any) -> None:
    at = place.clock()
    lines = (line(quantity=quantity),)
    sold = order(id=str(number), number=str(number), lines=lines, paid_at=at, updated_at=at, **changes)
    await place.deliver(sold)
    await place.settled()


async def test_our_own_change_of_the_stock_tells_what_is_left(ledger_url: str) -> None:
    place = place_of(ledger_url, SELL, TOLD)
    async with place.open():
        for number in range(5):
            await sell(place, number, 4)
        assert await low(place) == [8]
        assert place.said() == ["Green tea: 8"]
        assert {run.state for run in await place.runs()} == {RunState.DONE}


async def test_where_the_vendor_doesnt_say_what_is_left_the_last_count_is_reckoned_on(ledger_url: str) -> None:
    till = Till()
    till.says = False
    place = place_of(ledger_url, SELL, TOLD, till=till)
    async with place.open():
        await sell(place, 1, 4)  # nothing was counted yet
        assert await low(place) == []
        await counted(place, 16, ago(place, hours=1))
        place.pass_by(timedelta(minutes=1))
        await sell(place, 2, 4)
        await sell(place, 3, 4)
        assert await low(place) == [8]


async def test_a_count_that_came_during_a_change_has_it_already(ledger_url: str) -> None:
    till = Till()
    till.says = False
    place = place_of(ledger_url, SELL, TOLD, till=till)
    async with place.open():
        await counted(place, 20, ago(place, hours=1))

        async def meanwhile() -> None:
            """The vendor's webhook comes before its answer."""
            at = place.clock()
            data = {"item_id": "1", "sku": "TEA-100", "location_id": "shop-1", "available": 14}
            made = Event(
                type="inventory.updated",
                connection="till",
                environment=Environment.SANDBOX,
                business_key="x",
                subject="x",
                time=at - timedelta(minutes=5),  # by a clock that is slow
                data=InventoryLevel.model_validate({**data, "updated_at": at}),
            )
            assert place.watcher is not None
            note = place.watcher.note
            await place.ledger.write(lambda rows: list(note(rows, made, None, at)))

        till.next["adjust"].append(meanwhile)
        await sell(place, 1, 6)
        assert await low(place) == []
        level = await place.ledger.read(lambda rows: levels.level(rows, Shelf("sandbox", "till", "shop-1", "TEA-100")))
        assert level is not None and level.available == 14


async def test_a_scheduled_count_tells_of_what_no_webhook_told(ledger_url: str) -> None:
    till = Till()
    till.shelves = {f"SKU-{number}": 20 for number in range(70)} | {"ANNEX": 1, "TEA-100": 20}
    points = [*(ReorderPoint(sku, 5) for sku in till.shelves if sku != "ANNEX"), ReorderPoint("ANNEX", 5, location="a")]
    count = bundled("stock_counted").replace("stock.count", "till.count").replace("America/Chicago", "UTC")
    place = place_of(ledger_url, count, TOLD, till=till, watching=watcher(*points))
    place.own = own_connection(watched=[(each.sku, each.location) for each in points])
    async with place.open():
        place.pass_by(DAY)
        await place.until(lambda: place.vendor.effects("count") == 3)
        await place.settled()
        assert await low(place) == [1]
        asked = [each for each in till.given if isinstance(each, stock.CountStock)]
        assert sorted((len(each.skus), each.location) for each in asked) == [(1, "a"), (21, ""), (50, "")]
        till.shelves["SKU-3"] = 5
        place.pass_by(DAY)
        await place.until(lambda: place.vendor.effects("count") == 6)
        await place.settled()
        assert await low(place) == [1, 5]
        # The vendor's own name of the item is known from the count.
        await counted(place, 4, place.clock() + DAY, sku="", item_id="i-SKU-7")
        assert await low(place) == [1, 5, 4]


async def test_a_count_of_nothing_is_left_out(ledger_url: str) -> None:
    count = bundled("stock_counted").replace("stock.count", "till.count").replace("America/Chicago", "UTC")
    place = place_of(ledger_url, count)
    async with place.open():
        place.pass_by(DAY)
        await place.until(place.runs)
        await place.settled()
        assert (await place.run()).state is RunState.DONE and not place.vendor.done


# Kept whole, and said once


def _count(available: int, at: datetime, sku: str = "TEA-100") -> Event:
    data = {"item_id": "", "sku": sku, "available": available, "updated_at": at}
    return Event(
        type="inventory.updated",
        connection="till",
        environment=Environment.SANDBOX,
        business_key=f"till/{sku}/{at}",
        subject=f"inventory/{sku}",
        time=at,
        data=data_model("inventory.updated").model_validate(data),
    )


async def test_what_is_said_is_kept_with_the_count_or_not_at_all(ledger_url: str) -> None:
    class Dies(Exception): ...

    watching = watcher(TEA)

    def write(rows: Rows, *, die: bool) -> list[Event]:
        made = list(watching.note(rows, _count(3, NOW), None, NOW))
        if die:
            raise Dies
        return made

    async with open_ledger(ledger_url) as ledger:
        with pytest.raises(Dies):
            await ledger.write(lambda rows: write(rows, die=True))
        assert len(await ledger.write(lambda rows: write(rows, die=False))) == 1


async def test_what_a_process_does_that_has_lost_the_run_says_nothing(file: str) -> None:
    """Whoever has it then has the action's result, and says it."""
    place = place_of(file, SELL, TOLD)
    async with place.open():

        async def taken_over() -> None:
            await place.ledger.write(lambda rows: rows.run("UPDATE runs SET fence = fence + 1"))

        place.vendor.next["adjust"].append(taken_over)
        at = place.clock()
        await place.deliver(order(paid_at=at, updated_at=at, lines=(line(quantity=15),)))
        await place.until(lambda: place.vendor.effects("adjust") and not place.engine.busy)
        assert await low(place) == []
        shelf = Shelf("sandbox", "till", "shop-1", "TEA-100")
        assert await place.ledger.read(lambda rows: levels.level(rows, shelf)) is None


async def test_counts_at_the_same_time_by_several_processes_tell_once(shared: str) -> None:
    watching = watcher(TEA)

    async def note(ledger: Database, number: int) -> int:
        made = _count(9 - number % 3, NOW + timedelta(seconds=number // 4))
        write = ledger.write(lambda rows: len(list(watching.note(rows, made, None, NOW + DAY))), lane=str(number))
        return await write

    async with open_ledger(shared) as one, open_ledger(shared) as other:
        both = itertools.cycle((one, other))
        told = await asyncio.gather(*(note(ledger, number) for number, ledger in zip(range(40), both, strict=False)))
    assert sum(told) == 1


def test_any_counts_in_any_order_tell_as_often_as_the_reorder_point_was_crossed(ledgers: Ledgers) -> None:
    rows, numbers = SqliteRows(_in_memory(ledgers.blank)), itertools.count()

    @given(
        st.lists(st.tuples(st.integers(-5, 40), st.integers(0, 30)), max_size=30),
        st.integers(0, 20),
        st.one_of(st.none(), st.integers(1, 15)),
    )
    def holds(counts: Sequence[tuple[int, int]], point: int, above: int | None) -> None:
        sku = f"SKU-{next(numbers)}"
        rearm = None if above is None else point + above
        watching = watcher(ReorderPoint(sku, point, rearm=rearm))
        said = [
            made.data.available
            for available, minute in counts
            for made in watching.note(rows, _count(available, NOW + timedelta(minutes=minute), sku), None, NOW + DAY)
        ]
        expected, is_low, newest = [], False, 0
        for available, minute in counts:
            if minute < newest:
                continue
            newest = minute
            found = crossed(is_low, available, point, rearm)
            is_low = found.low
            expected += [available] if found.crossed else []
        assert said == expected

    holds()


def _in_memory(path: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with sqlite3.connect(path) as blank:
        blank.backup(copy)
    return copy


# Sales


class Shop(Place):
    numbers_of_orders = itertools.count(1)

    async def sells(self, days_ago: float, *quantities: int, **changes: Any) -> None:
        at = self.clock() - days_ago * DAY
        for quantity in quantities:
            number = str(next(self.numbers_of_orders))
            lines = (line(quantity=quantity), line(id="12", sku="", quantity=3), line(id="13", sku="X", quantity=0))
            sold = order(id=number, number=number, lines=lines, paid_at=at, updated_at=at, **changes)
            await self.deliver(sold)
        await self.settled()


def shop_of(url: str, watching: StockWatcher | None = None, till: Till | None = None) -> Shop:
    spikes = watching or watcher(TEA, spikes=True)
    return Shop(url, vendor=till or Till(), flow=SPIKING, clock=Clock(), watcher=spikes)


async def steady(shop: Shop, quantity: int = 5, until: int = 3) -> None:
    for days_ago in range(59, until - 1, -1):
        await shop.sells(days_ago, quantity)


async def test_sales_far_above_the_usual_are_told_of_once_while_they_last(ledger_url: str) -> None:
    shop = shop_of(ledger_url)
    async with shop.open():
        await steady(shop, until=0)
        assert await told(shop, "inventory.spiking") == []
        await counted(shop, 12, ago(shop, hours=1))
        for _ in range(2):
            await shop.sells(0, 8, 8, 8, 8)
            shop.pass_by(DAY)
        (made,) = await told(shop, "inventory.spiking")
        data = SalesSpike.model_validate_json(made.data)
        assert (data.sku, data.name, data.sold, data.hours, data.available) == (
            "TEA-100", "Green tea, 100 g", 39, 72, 12,
        )  # fmt: skip
        assert data.usual == 15 and made.subject == "sales/TEA-100"
        assert shop.said() == ["Green tea, 100 g: 39"]
        # It is over, and begins anew.
        shop.pass_by(6 * DAY)
        await shop.sells(0, 5)
        assert len(await told(shop, "inventory.spiking")) == 1
        shop.pass_by(DAY)
        await shop.sells(0, 10, 10, 10, 10, 10)
        assert len(await told(shop, "inventory.spiking")) == 2


async def test_one_large_order_is_a_customer_and_no_spike(ledger_url: str) -> None:
    shop = shop_of(ledger_url)
    async with shop.open():
        await steady(shop)
        await shop.sells(0, 60)
        assert await told(shop, "inventory.spiking") == []


async def test_the_same_order_counts_once_and_a_test_of_a_real_shop_never(ledger_url: str) -> None:
    shop = shop_of(ledger_url, till=Till(environment=Environment.PRODUCTION))
    async with shop.open():
        at = shop.clock()
        paid = order(paid_at=at, updated_at=at, lines=(line(quantity=2), line(id="12", quantity=1)))
        await shop.deliver(paid)
        await shop.deliver(paid)
        await shop.deliver(order(id="2", number="2", paid_at=at, updated_at=at, test=True))
        await shop.sells(100, 7)  # too long ago to count
        found = await shop.ledger.read(lambda rows: sales.since(rows, "production", "TEA-100", date.min))
        assert [(each.sold, each.largest) for each in found] == [(3, 3)]


async def test_a_sale_falls_on_the_day_of_the_business(ledger_url: str) -> None:
    shop = shop_of(ledger_url)
    async with shop.open():
        at = datetime.combine(shop.clock().date(), datetime.min.time(), shop.clock().tzinfo) - DAY + DAY / 8
        await shop.deliver(order(paid_at=at, updated_at=at))
        await shop.settled()
        found = await shop.ledger.read(lambda rows: sales.since(rows, "sandbox", "TEA-100", date.min))
        assert [each.day for each in found] == [at.date() - DAY]  # at 3 in UTC it is still the evening before


async def test_low_stock_says_how_many_usually_go_out_on_a_day(ledger_url: str) -> None:
    shop = shop_of(ledger_url, watcher(TEA))
    async with shop.open():
        await steady(shop, 2, until=0)
        await counted(shop, 3, ago(shop, hours=1))
        (made,) = await told(shop)
        assert LowStock.model_validate_json(made.data).daily_usage == 2
        assert await told(shop, "inventory.spiking") == []


async def test_what_was_sold_long_ago_is_forgotten(ledger_url: str) -> None:
    async with open_ledger(ledger_url) as ledger:

        def sold(rows: Rows) -> list[int]:
            for number in range(5):
                sales.add(rows, "sandbox", f"SKU-{number}", date(2026, 1, number + 1), 1)
            return [sales.forget(rows, date(2026, 1, 4), 2) for _ in range(3)]

        assert await ledger.write(sold) == [2, 1, 0]
