"""The stock of a simulated Square seller: the practice catalogue at one location.

https://developer.squareup.com/reference/square/inventory-api
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from bellwire.clock import Clock, parse_time, system_clock
from bellwire.practice.catalogue import CATALOGUE, Good
from bellwire.practice.square.refusals import Record, Refusal, missing, page, since, stamp

# From where to where the API moves goods.
_MOVES = {("NONE", "IN_STOCK"), ("IN_STOCK", "SOLD"), ("IN_STOCK", "WASTE"), ("UNLINKED_RETURN", "IN_STOCK")}


@dataclass
class Goods:
    """What is in stock. `page_size` is the most that a page of counts or of the catalogue holds."""

    location: str
    page_size: int = 1000
    items: dict[str, Good] = field(default_factory=lambda: {f"VAR-{good.sku}": good for good in CATALOGUE})
    """Variation id → what it is."""
    shelf: dict[str, int] = field(
        default_factory=lambda: {f"VAR-{good.sku}": good.stock for good in CATALOGUE if good.ships}
    )
    """Variation id → how many are in stock."""
    changes: list[Record] = field(default_factory=list)
    """Every adjustment that was made, oldest first."""
    counted: dict[str, str] = field(default_factory=dict)
    """Variation id → when it last changed; what isn't here did so when the shop opened."""
    clock: Clock = system_clock
    opened: str = field(default_factory=lambda: stamp(datetime.now(UTC)))

    def stock(self) -> dict[str, int]:
        return {self.items[item].sku: number for item, number in self.shelf.items()}

    def search(self, body: Record) -> Record:
        query = body.get("query", {}).get("set_query") or {}
        if query.get("attribute_name") != "sku" or body.get("object_types") != ["ITEM_VARIATION"]:
            raise Refusal(400, "BAD_REQUEST", "Practice searches item variations by a set of SKUs only.", "query")
        if len(query["attribute_values"]) > 250:
            raise Refusal(400, "ARRAY_LENGTH_TOO_LONG", "At most 250 values.", "query.set_query.attribute_values")
        wanted = {value.casefold() for value in query["attribute_values"]}
        found = [_variation(item, good) for item, good in self.items.items() if good.sku.casefold() in wanted]
        return page("objects", found, body, self.page_size)

    def counts(self, body: Record) -> Record:
        items, places = body.get("catalog_object_ids"), body.get("location_ids")
        here = places is None or self.location in places
        counts = [self.count(item) for item in self.shelf if here and (items is None or item in items)]
        after = since(body.get("updated_after"), "updated_after")
        changed = [count for count in counts if after is None or count["calculated_at"] > after]
        newest_first = sorted(changed, key=lambda count: str(count["calculated_at"]), reverse=True)
        return page("counts", newest_first, body, self.page_size)

    def change(self, body: Record) -> Record:
        changes = body.get("changes")
        if not changes or len(changes) > 100:
            code = "ARRAY_LENGTH_TOO_LONG" if changes else "ARRAY_EMPTY"
            raise Refusal(400, code, "Between 1 and 100 changes.", "changes")
        moves = [self._read(change, f"changes[{number}]") for number, change in enumerate(changes)]
        for item, quantity in moves:
            self.move(item, quantity)
        made = [{**change["adjustment"], "id": f"ADJ-{len(self.changes) + n}"} for n, change in enumerate(changes)]
        self.changes += made
        return {
            "counts": [self.count(item) for item in dict(moves)],
            "changes": [{"type": "ADJUSTMENT", "adjustment": adjustment} for adjustment in made],
        }

    def move(self, item: str, by: int) -> None:
        """So many come in or, if it is negative, go out: a count of a later time than the last."""
        now = self.clock()
        if item in self.counted:
            now = max(now, parse_time(self.counted[item]) + timedelta(milliseconds=1))
        self.shelf[item] = self.shelf.get(item, 0) + by
        self.counted[item] = stamp(now)

    def _read(self, change: Mapping[str, Any], where: str) -> tuple[str, int]:
        """The item and how its stock changes. Nothing is changed before all of a request can be read."""
        adjustment = change.get("adjustment")
        if change.get("type") != "ADJUSTMENT" or not adjustment:
            raise Refusal(400, "INVALID_VALUE", "Practice makes adjustments only.", f"{where}.type")
        for name in ("catalog_object_id", "location_id", "quantity", "from_state", "to_state", "occurred_at"):
            if not adjustment.get(name):
                raise missing(f"{where}.{name}")
        if adjustment["catalog_object_id"] not in self.items:
            raise Refusal(404, "NOT_FOUND", "Catalog object not found.", f"{where}.catalog_object_id")
        if adjustment["location_id"] != self.location:
            raise Refusal(404, "NOT_FOUND", "Location not found.", f"{where}.location_id")
        move = adjustment["from_state"], adjustment["to_state"]
        if move not in _MOVES:
            raise Refusal(400, "INVALID_VALUE", f"No transition from {move[0]} to {move[1]}.", f"{where}.to_state")
        quantity = _quantity(adjustment["quantity"], where)
        return adjustment["catalog_object_id"], quantity if move[1] == "IN_STOCK" else -quantity

    def count(self, item: str) -> Record:
        return {
            "catalog_object_id": item,
            "catalog_object_type": "ITEM_VARIATION",
            "state": "IN_STOCK",
            "location_id": self.location,
            "quantity": str(self.shelf.get(item, 0)),
            "calculated_at": self.counted.get(item, self.opened),
        }


def _variation(item: str, good: Good) -> Record:
    return {
        "type": "ITEM_VARIATION",
        "id": item,
        "version": 1,
        "is_deleted": False,
        "present_at_all_locations": True,
        "item_variation_data": {
            "item_id": f"ITEM-{good.sku}",
            "name": good.name,
            "sku": good.sku,
            "pricing_type": "FIXED_PRICING",
            "price_money": {"amount": int(good.price * 100), "currency": "USD"},
            "track_inventory": good.ships,
        },
    }


def _quantity(text: Any, where: str) -> int:
    """A positive decimal string. Practice sells whole things."""
    try:
        quantity = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        raise Refusal(400, "EXPECTED_STRING", "Expected a decimal string.", f"{where}.quantity") from None
    if quantity <= 0 or quantity != int(quantity):
        raise Refusal(400, "INVALID_VALUE", "Must be greater than 0.", f"{where}.quantity")
    return int(quantity)
