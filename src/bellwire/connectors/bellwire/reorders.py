"""What to order from suppliers: how much, when it can be here, and what the buyer has to know."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from babel.dates import format_date

from bellwire.capabilities.planning import (
    LowItem,
    PlanReorder,
    ReorderLine,
    ReorderPlan,
    SupplierOrder,
    Terms,
)
from bellwire.errors import Refused

_FAR = 730
"""Days beyond which it isn't worth a date when stock runs out."""


@dataclass(frozen=True)
class _Need:
    """An item with its terms, and what follows from them."""

    item: LowItem
    terms: Terms
    lead_days: int
    cover: int | None
    """What goes out in lead and safety time; None where the usage isn't known."""

    @property
    def point(self) -> int:
        """With so many or fewer, more are ordered."""
        if self.item.reorder_point is not None:
            return self.item.reorder_point
        if self.cover is None:
            raise Refused(
                f"When '{self.item.sku}' has to be ordered isn't known.",
                cause="no-reorder-point",
                remedy="Give the item a reorder_point, or its daily_usage.",
            )
        return self.cover

    @property
    def level(self) -> int:
        """Up to so many are ordered: always more than the reorder point, and enough for lead and safety time."""
        if self.item.target is not None:
            wanted = self.item.target
        else:
            wanted = 2 * self.point if self.cover is None else self.point + self.cover
        return max(wanted, self.point + 1, self.cover or 0)

    @property
    def position(self) -> int:
        return self.item.available + self.item.on_order

    @property
    def quantity(self) -> int:
        if self.position > self.point:
            return 0
        pack = self.terms.pack_size
        return -(-max(self.level - self.position, self.terms.minimum_quantity) // pack) * pack


def reorder_plan(given: PlanReorder) -> ReorderPlan:
    """Raises Refused for an item of which it isn't known when to order it."""
    terms = {each.sku: each for each in given.terms}
    items = {each.sku: each for each in given.items}
    needs = [_need(item, terms[sku], given) for sku, item in items.items() if sku in terms]
    wanted: dict[str, list[_Need]] = {}
    for need in needs:
        if need.quantity:
            wanted.setdefault(need.terms.supplier_id, []).append(need)
    orders = {supplier: _order(of_them, given.today) for supplier, of_them in wanted.items()}
    lines = {line.sku: line for order in orders.values() for line in order.lines}
    return ReorderPlan(
        orders=tuple(orders.values()),
        items=tuple(lines.get(need.item.sku) or _line(need, 0, _nothing(need)) for need in needs),
        without_supplier=tuple(sku for sku in items if sku not in terms),
    )


def _need(item: LowItem, terms: Terms, given: PlanReorder) -> _Need:
    lead_days = given.lead_days if terms.lead_days is None else terms.lead_days
    usage = item.daily_usage
    days = lead_days + given.safety_days
    cover = None if usage is None else int((usage * days).to_integral_value(ROUND_CEILING))
    return _Need(item, terms, lead_days, cover)


def _line(need: _Need, quantity: int, guidance: str, expected: date | None = None) -> ReorderLine:
    item, price = need.item, need.terms.unit_price
    return ReorderLine(
        sku=item.sku, name=item.name, quantity=quantity, unit_price=price, expected=expected, guidance=guidance
    )


def _order(needs: list[_Need], today: date) -> SupplierOrder:
    terms, expected = needs[0].terms, today + timedelta(days=max(need.lead_days for need in needs))
    lines = tuple(_line(need, need.quantity, _to_order(need, today), expected) for need in needs)
    return SupplierOrder(
        supplier_id=terms.supplier_id,
        supplier_name=terms.supplier_name,
        lines=lines,
        expected=expected,
        guidance="\n".join(f"{line.quantity} × {line.name or line.sku}: {line.guidance}" for line in lines),
    )


def _nothing(need: _Need) -> str:
    item = need.item
    return (
        f"Nothing to order: {item.available} in stock and {item.on_order} on order are above the reorder point of "
        f"{need.point}."
        + (
            f" In lead and safety time {need.cover} go out: the reorder point is low."
            if need.cover and need.cover > need.point
            else ""
        )
    )


def _to_order(need: _Need, today: date) -> str:
    """`Lead time is 12 days, and at the usual 3 a day stock lasts until 4 March: order today; at least 24, in packs of
    6.`"""
    lasts = _lasts(need.item)
    known = [f"Lead time is {_days(need.lead_days)}"]
    order = "order today"
    if need.item.available <= 0:
        known.append("there is nothing in stock")
    elif lasts is not None and need.item.daily_usage:
        known.append(f"at the usual {_plain(need.item.daily_usage)} a day stock lasts {_until(today, lasts)}")
        spare = lasts - need.lead_days
        if 0 < spare <= _FAR:
            order = f"order by {_day(today + timedelta(days=spare), today)}"
        elif spare < 0:
            order = f"order today, it runs out {_days(-spare)} before the delivery"
    bounds = []
    if need.terms.minimum_quantity > 1:
        bounds.append(f"at least {need.terms.minimum_quantity}")
    if need.terms.pack_size > 1:
        bounds.append(f"in packs of {need.terms.pack_size}")
    return f"{', and '.join(known)}: {order}" + (f"; {', '.join(bounds)}" if bounds else "") + "."


def _lasts(item: LowItem) -> int | None:
    """For how many whole days, at the usual rate, what is in stock is enough; None: not known."""
    if not item.daily_usage:
        return None
    # Beyond years the number is of no use, and might be more than a date can hold.
    return int(min(max(item.available, 0) / item.daily_usage, Decimal(2 * _FAR)))


def _until(today: date, days: int) -> str:
    return "for years" if days > _FAR else f"until {_day(today + timedelta(days=days), today)}"


def _day(day: date, today: date) -> str:
    """`4 March`, with the year where it is another one than today's."""
    return format_date(day, "d MMMM" if day.year == today.year else "d MMMM y", locale="en_GB")


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _plain(number: Decimal) -> str:
    """Short: with one decimal, or two below 1."""
    step = Decimal("0.1") if number >= 1 else Decimal("0.01")
    return f"{max(number.quantize(step), step).normalize():f}"
