"""Watches what comes by: counts of the stock, which may say that an item is low, and sales, which may say that one
sells out of the ordinary. The engine asks in its own transactions, so what is concluded is kept with what was seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bellwire.capabilities import Result
from bellwire.capabilities.stock import StockChange, StockChanges, StockCount, StockCounts
from bellwire.connectors.kit import Connection
from bellwire.events import OWN, Environment, Event, InventoryLevel, LowStock, Order, Product, SalesSpike
from bellwire.insight.selling import DAYS, WEEKS, pace, usage
from bellwire.insight.stock import crossed
from bellwire.ledger import Rows, events, sales, stock
from bellwire.ledger.stock import Level, Shelf
from bellwire.settings import ReorderPoint

LOW, SPIKING, SOLD = "inventory.low", "inventory.spiking", "order.paid"
_DAY = timedelta(days=1)
_LOOKED_AT = DAYS + 7 * WEEKS
"""Days, today among them."""


@dataclass(frozen=True)
class Count:
    """So many there are. `at`: by the clock of whoever counted; of an action of ours, when that began, for what is
    counted while it goes on is newer, or the vendor's word of the change itself follows."""

    available: int
    at: datetime

    def after(self, before: Level | None, now: datetime) -> Level | None:
        """What is known with it, but for what follows from it; None: nothing new, as it is older than the newest."""
        if before is None:
            return Level(self.available, self.at, now, low=False, crossings=0)
        if before.counted_at > self.at:
            return None
        return replace(before, available=self.available, counted_at=self.at, noted_at=now)


@dataclass(frozen=True)
class Change:
    """So many were added or taken off by an action of ours, where the vendor doesn't say how many that leaves. `at`:
    when it began."""

    by: int
    at: datetime

    def after(self, before: Level | None, now: datetime) -> Level | None:
        """Reckoned on from the last count, unless we heard of that after the action had begun: the change may be in it.
        The count stays as old as it is, so that any later one goes before."""
        if before is None or before.noted_at >= self.at:
            return None
        return replace(before, available=before.available + self.by)


@dataclass(frozen=True)
class StockWatcher:
    """Of a project. What it concludes is an event of the connection `bellwire`."""

    points: Mapping[tuple[str, str], ReorderPoint]
    """By SKU and place."""
    zone: ZoneInfo
    """Whose days are the days of sales."""
    counting: frozenset[str] = frozenset()
    """The connections whose counts are meant; empty: all."""
    spikes: bool = True
    """Whether anybody wants to hear of what sells out of the ordinary."""

    @classmethod
    def of(
        cls, points: Iterable[ReorderPoint], zone: ZoneInfo, counting: Iterable[str], *, spikes: bool
    ) -> "StockWatcher | None":
        """None where there is nothing to watch."""
        found = {(each.sku, each.location): each for each in points}
        return cls(found, zone, frozenset(counting), spikes) if found or spikes else None

    def heeds(self, seen: Event | Result) -> bool:
        if isinstance(seen, Event):
            counted = isinstance(seen.data, InventoryLevel | Product) and bool(self.points)
            return counted or (seen.type == SOLD and isinstance(seen.data, Order))
        return isinstance(seen, StockChanges | StockCounts) and bool(self.points)

    def note(self, rows: Rows, event: Event, since: datetime | None, now: datetime) -> Iterable[Event]:
        match event.data:
            case Product() as product:
                for variant in product.variants:
                    self._learn(rows, event.connection, variant.item_id, variant.sku)
            case InventoryLevel(available=int(available)) as level if since is None or event.time >= since:
                # Who numbers counts, and doesn't say of when they are, may still send an older one after a newer.
                if event.version is not None and not events.advance(rows, event):
                    return ()
                sku = stock.sku_of(rows, event.connection, level.item_id) or level.sku
                shelf = Shelf(event.environment.value, event.connection, level.location_id, sku)
                return self._counted(rows, shelf, Count(available, min(event.time, now)), now)
            # A test order of a real shop is no sale.
            case Order() as order if event.environment is Environment.SANDBOX or not order.test:
                return self._sold(rows, event, order, now)
        return ()

    def conclude(
        self, rows: Rows, connection: Connection, result: Result, began: datetime, now: datetime
    ) -> Iterable[Event]:
        match result:
            case StockCounts(counts=counts, location=location):
                seen: list[Count | Change] = [Count(each.available, began) for each in counts]
                of: Sequence[StockCount | StockChange] = counts
            case StockChanges(changes=changes, location=location):
                seen = [Change(each.change, began) if each.now is None else Count(each.now, began) for each in changes]
                of = changes
            case _:
                return ()
        made: list[Event] = []
        for each, found in zip(of, seen, strict=True):
            self._learn(rows, connection.name, each.item_id, each.sku)
            shelf = Shelf(connection.environment.value, connection.name, location, each.sku)
            made += self._counted(rows, shelf, found, now)
        return made

    # Stock

    def _learn(self, rows: Rows, connection: str, item: str, sku: str) -> None:
        if item and sku:
            stock.learn(rows, connection, item, sku)

    def _counted(self, rows: Rows, shelf: Shelf, seen: Count | Change, now: datetime) -> Sequence[Event]:
        point = self.points.get((shelf.sku, shelf.location)) or self.points.get((shelf.sku, ""))
        if point is None or (self.counting and shelf.connection not in self.counting):
            return ()
        while True:
            before = stock.level(rows, shelf)
            level = seen.after(before, now)
            if level is None:
                return ()
            found = crossed(level.low, level.available, point.reorder_point, point.rearm)
            after = replace(level, low=found.low, crossings=level.crossings + found.crossed)
            # Somebody else may have counted since it was read.
            if stock.put(rows, shelf, before, after):
                return [self._low(rows, shelf, point, after, seen.at, now)] if found.crossed else ()

    def _low(self, rows: Rows, shelf: Shelf, point: ReorderPoint, level: Level, at: datetime, now: datetime) -> Event:
        place = f"{shelf.environment}/{shelf.connection}/{shelf.location}/{shelf.sku}"
        today = now.astimezone(self.zone).date()
        sold = _daily(sales.since(rows, shelf.environment, shelf.sku, today - _LOOKED_AT * _DAY), today)
        usual = usage(sold[:-1])
        return Event(
            type=LOW,
            connection=OWN,
            environment=Environment(shelf.environment),
            business_key=f"{OWN}/stock/{place}/low/{level.crossings}",
            subject=f"stock/{place}",
            time=at,
            data=LowStock(
                sku=shelf.sku,
                name=point.name,
                available=level.available,
                reorder_point=point.reorder_point,
                target=point.target,
                daily_usage=None if usual is None else round(Decimal(usual), 2),
                location=shelf.location,
                updated_at=at,
            ),
        )

    # Sales

    def _sold(self, rows: Rows, event: Event, order: Order, now: datetime) -> list[Event]:
        """Each SKU of an order counts once, on the day that it was paid; an order that is called off or given back
        later stays counted: somebody wanted it."""
        today, day = (moment.astimezone(self.zone).date() for moment in (now, min(event.time, now)))
        if (today - day).days >= _LOOKED_AT:
            return []
        quantities: dict[str, int] = {}
        names: dict[str, str] = {}
        for line in order.lines:
            if line.sku and line.quantity:
                quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
                names[line.sku] = line.name
        for sku, quantity in quantities.items():
            sales.add(rows, event.environment.value, sku, day, quantity)
        if not self.spikes:
            return []
        told = (self._spike(rows, event, sku, name, today) for sku, name in names.items())
        return [each for each in told if each is not None]

    def _spike(self, rows: Rows, event: Event, sku: str, name: str, today: date) -> Event | None:
        """Once, as long as it goes on: it is over when three days have passed without."""
        environment = event.environment.value
        days = sales.since(rows, environment, sku, today - (_LOOKED_AT - 1) * _DAY)
        recent = [each for each in days if (today - each.day).days < DAYS]
        found = pace(_daily(days, today), max((each.largest for each in recent), default=0))
        if not found.spiking:
            return None
        sales.mark(rows, environment, sku, recent[-1].day)
        if any(each.spiking for each in days if (today - each.day).days <= DAYS):
            return None
        left = stock.left_of(rows, environment, sku)
        return Event(
            type=SPIKING,
            connection=OWN,
            environment=event.environment,
            business_key=f"{OWN}/sales/{environment}/{sku}/spiking/{today}",
            subject=f"sales/{sku}",
            time=event.time,
            data=SalesSpike(
                sku=sku,
                name=name,
                sold=found.sold,
                hours=24 * DAYS,
                usual=round(Decimal(found.usual), 1),
                available=left[0] if len(left) == 1 else None,
                updated_at=event.time,
            ),
        )


def _daily(days: Sequence[sales.Day], today: date) -> list[int]:
    """What was sold on each day, from the first on which any was until today."""
    sold = {each.day: each.sold for each in days}
    first = min(sold, default=today)
    return [sold.get(first + number * _DAY, 0) for number in range((today - first).days + 1)]
