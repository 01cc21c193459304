"""Stock adjustments: making them, and finding those that an earlier attempt made.

The store takes no key with them, and they have no room for one. What an attempt made is known again by its product,
outlet, quantity and reason (which is Bellwire's own, so that nobody else's adjustment is taken for it), and by not
being older than the attempt. Two that are alike in all this are worth the same: each belongs to whoever takes it first,
be it that it was told of it, or that it found it. Who took what is remembered by this process only. So where the
process died, or several share the account, an adjustment that another order made at the same time can be taken for
one's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bellwire.capabilities.stock import StockReason
from bellwire.clock import parse_utc
from bellwire.connectors.kit import Call
from bellwire.connectors.lightspeed.lists import listed
from bellwire.errors import Refused

_PAGE = 1000
"""The most that a page of adjustments holds."""
_LOOK_BACK = timedelta(days=1)
"""If it isn't known when the earlier attempt began."""
_MARGIN = timedelta(minutes=1)
"""What two clocks may differ."""
_TAKEN = "adjustment "
"""Before an adjustment's id: under that, the key of the call that it belongs to is remembered."""
_REMEMBERED = 10_000
"""How many of those are kept at least."""
_BEFORE = "adjustments before"
"""Under that, a version and a time are remembered: up to the one, all adjustments are older than the other."""


@dataclass(frozen=True)
class Adjustment:
    """One product gets more or (negative) less; `reason` is the id of a custom reason of the store."""

    product: str
    outlet: str
    quantity: int
    reason: str


async def reason(call: Call, why: StockReason, gain: bool) -> str:
    """The id of Bellwire's own reason for this, which stands in the store's reports; it is made when there is none.
    Raises Refused `reason-disabled`."""
    name = f"Bellwire {why.value} {'in' if gain else 'out'}"
    if known := call.connection.remembered.get(f"reason {name}"):
        return known
    path = "custom_inventory_adjustment_reasons"
    found = {each["name"]: each async for each in listed(call, path)}.get(name)
    if found is None:
        kind = "POSITIVE" if gain else "NEGATIVE"
        found = (await call.api.post(path, {"name": name, "enabled": True, "type": kind})).json()["data"]
    elif not found["enabled"]:
        raise Refused(
            f"The reason '{name}' for changing the stock is switched off in Lightspeed.",
            cause="reason-disabled",
            remedy="Switch it on among the store's reasons for inventory adjustments, then retry.",
        )
    call.connection.remembered[f"reason {name}"] = found["id"]
    return str(found["id"])


async def make(call: Call, wanted: Sequence[Adjustment]) -> None:
    """Up to 1000 in one request: all of them, or none."""
    made = (await call.api.post("stock_adjustments", {"stock_adjustments": [_body(each) for each in wanted]})).json()
    for each in made["data"]:
        _take(call, each["id"])


async def missing(call: Call, wanted: Sequence[Adjustment]) -> list[Adjustment]:
    """Which of these no earlier attempt of this call has made, as far as the store shows."""
    left = list(wanted)
    if not left:
        return left
    oldest = call.since - _MARGIN if call.since else call.clock() - _LOOK_BACK
    found: list[tuple[str, Adjustment | None]] = []
    async for each in listed(call, "stock_adjustments", size=_PAGE, after=_already_older(call, oldest)):
        if parse_utc(each["created_at"]) >= oldest:
            found.append((each["id"], _read(each)))
        else:
            call.connection.remembered[_BEFORE] = f"{each['version']} {oldest.isoformat()}"
    for number, adjustment in found:
        if adjustment in left and call.connection.remembered.get(_TAKEN + number, call.key) == call.key:
            left.remove(adjustment)
            _take(call, number)
    return left


def _body(each: Adjustment) -> dict[str, str]:
    return {
        "product_id": each.product,
        "outlet_id": each.outlet,
        "quantity": str(each.quantity),
        "reason": "CUSTOM",
        "custom_inventory_adjustment_reason_id": each.reason,
    }


def _read(each: Mapping[str, Any]) -> Adjustment | None:
    """None: Bellwire made no such adjustment."""
    quantity = Decimal(each["quantity"])
    if quantity != int(quantity) or each["reason"] != "CUSTOM":
        return None
    why = each["custom_inventory_adjustment_reason_id"]
    return Adjustment(each["product_id"], each["outlet_id"], int(quantity), why)


def _take(call: Call, number: str) -> None:
    remembered = call.connection.remembered
    remembered[_TAKEN + number] = call.key
    if len(remembered) > 2 * _REMEMBERED:
        for old in [name for name in remembered if name.startswith(_TAKEN)][:-_REMEMBERED]:
            del remembered[old]


def _already_older(call: Call, oldest: datetime) -> int:
    """A version up to which all adjustments are known to be older than this; 0: none is known."""
    version, _, when = call.connection.remembered.get(_BEFORE, "").partition(" ")
    return int(version) if when and datetime.fromisoformat(when) <= oldest else 0
