"""Goods that run low, sell out of the ordinary, or come in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from bellwire.clock import system_clock
from bellwire.events import Fact, LowStock, SalesSpike
from bellwire.flows import Flow
from bellwire.ledger import ExceptionRow
from bellwire.practice.catalogue import GOODS
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, equal
from bellwire.practice.roles import Ordered, Purchasing, Teller, Window
from bellwire.practice.simulator import Simulator
from bellwire.practice.stage import Stage

_FLAG, _SUPPLIER, _ORDER = "storefront.flag_product", "purchasing.find_supplier", "purchasing.create_purchase_order"
_NOBODYS, _RENAMED = "SCOOP-01", "POT-1L"
_FLAGS = ("low-stock", "eta-2026-01-01")
"""Those that a product has when goods come in."""


@dataclass(frozen=True)
class Held:
    """What vendors hold at one time."""

    orders: Mapping[str, Ordered]
    """By id."""
    flags: Mapping[frozenset[str], frozenset[str]]
    """By the SKUs of a product."""

    @classmethod
    def by(cls, vendors: Vendors) -> "Held":
        # The type checker takes no protocol for a type[R]: https://github.com/python/mypy/issues/4717
        return cls(
            {each.id: each for buying in vendors.all_as(Purchasing) for each in buying.ordered()},  # type: ignore[type-abstract]
            {each.skus: each.flags for shop in vendors.all_as(Window) for each in shop.shown()},  # type: ignore[type-abstract]
        )

    def at(self, sku: str) -> frozenset[str]:
        """The flags of an item's product."""
        return next((flags for skus, flags in self.flags.items() if sku in skus), frozenset())

    def elsewhere(self, skus: set[str]) -> dict[frozenset[str], frozenset[str]]:
        """Those of all products that these SKUs aren't of."""
        return {each: flags for each, flags in self.flags.items() if not each & skus}


@dataclass(frozen=True, kw_only=True)
class ToldRecord(Record):
    fact: Fact


class Told(Kind[ToldRecord]):
    """What Bellwire, or another system that watches stock and sales, says of an item."""

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Teller) else "it isn't a sender that can be practised"

    def happen(self, vendors: Vendors, record: ToldRecord) -> Happened:
        """It is said once: its repeats are the same delivery."""
        teller = vendors.source
        assert isinstance(teller, Teller)
        sent = teller.tell(vendors.event_type, record.fact)
        return Happened(record.name, lambda: sent)


class LowStocks(Told):
    event_types: ClassVar[Sequence[str]] = ("inventory.low",)
    on_sandbox: ClassVar[Sequence[str]] = (
        "The SKUs are made up. What was ordered and flagged because of them stays there.",
    )

    def records(self, first: int) -> list[ToldRecord]:
        return low_records(system_clock().replace(microsecond=0))

    def happen(self, vendors: Vendors, record: ToldRecord) -> Happened:
        if record.unknown:
            for buying in vendors.all_as(Purchasing):  # type: ignore[type-abstract]
                buying.buy_from(record.unknown, "")
        return super().happen(vendors, record)

    def state(self, vendors: Vendors) -> Held:
        return Held.by(vendors)

    def checks(
        self, record: ToldRecord, happened: Happened, vendors: Vendors, wanted: Wanted, before: Held
    ) -> Iterator[Check]:
        """How many are ordered, the flow's rules say: enough, and as the supplier sells them."""
        after, low = Held.by(vendors), record.fact
        assert isinstance(low, LowStock)
        if wanted.of(_ORDER):
            (terms, *_) = [buying.supply(low.sku) for buying in vendors.all_as(Purchasing)]  # type: ignore[type-abstract]
            assert terms is not None, "somebody supplies it by now"
            new = [order for known, order in after.orders.items() if known not in before.orders]
            enough = max(low.reorder_point + 1 - low.available, terms.minimum)
            held = len(new) == 1 and (new[0].supplier, set(new[0].units)) == (terms.supplier, {low.sku})
            held = held and new[0].units[low.sku] >= enough and not new[0].units[low.sku] % terms.pack
            found = "; ".join(
                f"{units} × {sku} of {order.supplier}" for order in new for sku, units in order.units.items()
            )
            expected = f"{enough} or more × {low.sku} of {terms.supplier}" + f", in packs of {terms.pack}" * (
                terms.pack > 1
            )
            yield Check("Ordered", expected, found or "nothing", held)
        if wanted.of(_FLAG):
            strange = before.elsewhere({low.sku}) != after.elsewhere({low.sku})
            found = " and ".join(sorted(after.at(low.sku))) or "none"
            held = bool(after.at(low.sku)) and not strange
            yield Check("Flags in the shop", f"at {low.sku} alone", "at others too" if strange else found, held)

    def asks(self, record: ToldRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of(_SUPPLIER))

    async def mend(self, stage: Stage, vendors: Vendors, record: ToldRecord, stuck: ExceptionRow) -> str:
        """Enters who supplies it."""
        buying = vendors.behind(stuck.connection)
        if not isinstance(buying, Purchasing):
            return "no supplier can be entered there"
        buying.buy_from(record.unknown, buying.suppliers()[0])
        return ""


class Spikes(Told):
    event_types: ClassVar[Sequence[str]] = ("inventory.spiking",)
    on_sandbox: ClassVar[Sequence[str]] = ("The SKUs are made up. What was said because of them stays there.",)

    def records(self, first: int) -> list[ToldRecord]:
        return spike_records(system_clock().replace(microsecond=0))


def low_records(now: datetime) -> list[ToldRecord]:
    """Ten of them, counted at `now`."""
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("TEA-100", "an ordinary item", {"available": 36, "reorder_point": 40}),
        (
            "TEA-250",
            "somebody has said up to how many are ordered",
            {"available": 10, "reorder_point": 30, "target": 100},
        ),
        ("MUG-RED", "its usage is known", {"available": 8, "reorder_point": 12, "daily_usage": Decimal("1.5")}),
        ("GIFT-BOX", "nothing is left", {"available": 0, "reorder_point": 40}),
        ("MUG-BLUE", "more was sold than there is", {"available": -3, "reorder_point": 10}),
        ("POT-1L", "as many as the reorder point are left, which is one", {"available": 1, "reorder_point": 1}),
        ("TEA-500-NEW", "at a place, and without a name", {"available": 2, "reorder_point": 9, "location": "annex"}),
        ("TEA-100", "thousands are needed", {"available": 12, "reorder_point": 10_000}),
        ("TEA-250", "the same webhook three times", {"available": 5, "reorder_point": 30}),
        (_NOBODYS, "nobody supplies it", {"available": 20, "reorder_point": 100}),
    ]
    return [
        _record(
            position,
            LowStock(sku=sku, name="" if "location" in fields else GOODS[sku].name, updated_at=now, **fields),
            f"low on {sku}",
            about,
            unknown=sku if sku == _NOBODYS else "",
        )
        for position, (sku, about, fields) in enumerate(told, 1)
    ]


def spike_records(now: datetime) -> list[ToldRecord]:
    """Ten of them, seen at `now`."""
    told: list[tuple[str, dict[str, Any]]] = [
        ("an ordinary spike", {"sold": 40, "hours": 72, "usual": "12.5", "available": 30}),
        ("how many are left isn't known", {"sold": 40, "hours": 72, "usual": "12.5"}),
        ("nothing is left", {"sold": 40, "hours": 72, "usual": "12.5", "available": 0}),
        ("more was sold than there is", {"sold": 40, "hours": 72, "usual": "12.5", "available": -4}),
        ("it usually doesn't sell at all", {"sold": 9, "hours": 72, "usual": "0", "available": 50}),
        ("one sold within an hour", {"sold": 1, "hours": 1, "usual": "0.01", "available": 1}),
        ("thousands were sold", {"sold": 12_345, "hours": 6, "usual": "1000.5", "available": 1_000_000}),
        ("a third of the rest", {"sold": 3, "hours": 10, "usual": "1", "available": 1, "location": "annex"}),
        ("the same webhook three times", {"sold": 44, "hours": 72, "usual": "12", "available": 30}),
        ("an item without a name", {"sold": 40, "hours": 72, "usual": "12.5", "available": 30, "name": ""}),
    ]
    skus = [*GOODS, "TEA-100"]
    return [
        _record(
            position,
            SalesSpike.model_validate({"sku": sku, "name": GOODS[sku].name, "updated_at": now} | fields),
            f"a spike of {sku}",
            about,
        )
        for position, (sku, (about, fields)) in enumerate(zip(skus, told, strict=True), 1)
    ]


def _record(position: int, fact: Fact, name: str, about: str, *, unknown: str = "") -> ToldRecord:
    repeated = position == 9
    return ToldRecord(
        position, name, about, copies=3 if repeated else 1, in_trouble=repeated, unknown=unknown, fact=fact
    )


@dataclass(frozen=True, kw_only=True)
class ReceiptRecord(Record):
    units: Mapping[str, int]
    """What was ordered: SKU → how many."""
    most: int | None = None
    """Of each item, at most so many come; None: all."""
    flagged: bool = True
    """Whether the shop has shown that little is left."""


class Receipts(Kind[ReceiptRecord]):
    event_types: ClassVar[Sequence[str]] = ("purchase.received",)
    on_sandbox: ClassVar[Sequence[str]] = (
        "The orders are made up. Where a webhook only hints at goods that came in, your purchasing system lists none.",
    )

    def why_not(self, flow: Flow, simulator: type[Simulator]) -> str:
        return "" if issubclass(simulator, Purchasing) else "it isn't a purchasing system that can be practised"

    def records(self, first: int) -> list[ReceiptRecord]:
        return receipt_records()

    def happen(self, vendors: Vendors, record: ReceiptRecord) -> Happened:
        """Somebody has ordered it by hand, and it comes."""
        buying = vendors.source
        assert isinstance(buying, Purchasing)
        for shop in vendors.all_as(Window):  # type: ignore[type-abstract]
            for sku in record.units:
                shop.flag(sku, _FLAGS if record.flagged else ())
            if record.unknown:
                shop.rename(record.unknown, f"{record.unknown}-OLD")
        supply = buying.supply(next(iter(record.units)))
        order = buying.order(supply.supplier if supply else buying.suppliers()[0], record.units)
        sent = buying.bring(order, record.most)
        return Happened(order, (lambda: sent) if sent else None)

    def state(self, vendors: Vendors) -> Held:
        return Held.by(vendors)

    def checks(
        self, record: ReceiptRecord, happened: Happened, vendors: Vendors, wanted: Wanted, before: Held
    ) -> Iterator[Check]:
        if wanted.of(_FLAG):
            after, skus = Held.by(vendors), set(record.units)
            left = sorted({flag for sku in skus for flag in after.at(sku) if flag.startswith(("low-stock", "eta"))})
            strange = before.elsewhere(skus) != after.elsewhere(skus)
            yield equal("Flags of what came in", "none", "others changed" if strange else " and ".join(left) or "none")

    def asks(self, record: ReceiptRecord, wanted: Wanted) -> bool:
        return bool(record.unknown and wanted.of(_FLAG))

    async def mend(self, stage: Stage, vendors: Vendors, record: ReceiptRecord, stuck: ExceptionRow) -> str:
        """Gives the product its SKU in the shop."""
        shop = vendors.behind(stuck.connection)
        if not isinstance(shop, Window):
            return "no SKU can be corrected there"
        shop.rename(f"{record.unknown}-OLD", record.unknown)
        return ""


def receipt_records() -> list[ReceiptRecord]:
    """Ten of them."""
    told = [
        ReceiptRecord(0, "", "all of an order", units={"TEA-100": 24}),
        ReceiptRecord(0, "", "several items", units={"TEA-100": 12, "TEA-250": 12, "GIFT-BOX": 50}),
        ReceiptRecord(0, "", "a part of an order", units={"TEA-250": 60}, most=24),
        ReceiptRecord(0, "", "a single one", units={"GIFT-BOX": 1}),
        ReceiptRecord(0, "", "thousands", units={"TEA-100": 12_000}),
        ReceiptRecord(0, "", "of another supplier", units={"MUG-RED": 12}),
        ReceiptRecord(0, "", "two items that a shop may have as one product", units={"MUG-RED": 6, "MUG-BLUE": 6}),
        ReceiptRecord(0, "", "an item that wasn't low", units={"TEA-500-NEW": 12}, flagged=False),
        ReceiptRecord(0, "", "it is told of three times", copies=3, in_trouble=True, units={"TEA-250": 24}),
        ReceiptRecord(0, "", "the shop has it by another SKU", unknown=_RENAMED, units={_RENAMED: 6}),
    ]
    return [
        replace(record, position=position, name=f"{' and '.join(record.units)} come in")
        for position, record in enumerate(told, 1)
    ]
