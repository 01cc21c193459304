"""Shopify's returns, as they are read (reading_returns.py), as canonical data.

A return is received once all its units were looked at (their disposition is known), or once it is closed and some of
them were: what nobody looked at is then of unknown condition.

https://shopify.dev/docs/apps/build/orders-fulfillment/returns-apps
"""

from collections import Counter
from datetime import datetime

from bellwire.clock import parse_time
from bellwire.connectors.shopify.fields import Body, amount_of, text_of
from bellwire.connectors.shopify.orders import customer_of, line_of, payments
from bellwire.events import Condition, Return, ReturnLine
from bellwire.money import total

STANDING = {"requested", "open", "closed"}
"""The others were declined or called off."""
_CONDITIONS = {
    "restocked": Condition.SELLABLE,
    "not_restocked": Condition.DAMAGED,
    "missing": Condition.MISSING,
}
"""What is `processing_required` isn't looked at yet."""


def announced(body: Body) -> Return:
    """Raises KeyError, TypeError or ValueError when it isn't a return."""
    entries = body["return_line_items"]
    return _return(body, tuple(_line(body, entry, entry["quantity"], Condition.UNKNOWN) for entry in entries))


def received(body: Body) -> Return | None:
    """None while something of it is still to be looked at. Raises as `announced` does."""
    entries = {_line_id(entry): entry for entry in body["return_line_items"]}
    units: Counter[tuple[str, Condition]] = Counter()
    times, waiting = [], 0
    for item in body["looked_at"]:
        done = [each for each in item["dispositions"] if each["type"] in _CONDITIONS]
        for each in done:
            units[item["line_id"], _CONDITIONS[each["type"]]] += each["quantity"]
            times.append(parse_time(each["created_at"]))
        left = max(0, item["total_quantity"] - sum(each["quantity"] for each in done))
        units[item["line_id"], Condition.UNKNOWN] += left
        waiting += left
    if not times or (waiting and body["status"] != "closed"):
        return None
    nothing: Body = {"line_item": None}
    lines = tuple(
        _line(body, entries.get(line_id, nothing), quantity, condition)
        for (line_id, condition), quantity in units.items()
        if quantity
    )
    return _return(body, lines, max(times))


def _return(body: Body, lines: tuple[ReturnLine, ...], received_at: datetime | None = None) -> Return:
    order = body["order"]
    currency: str = order["currency"]
    fees = [amount_of(entry, "restocking_fee", currency) for entry in body["return_line_items"]]
    fees += [amount_of(entry, "amount", currency) for entry in body["return_shipping_fees"]]
    taken = [entry for entry in payments(order) if not entry.gift_card]
    return Return(
        id=str(body["id"]),
        number=text_of(body, "name").removeprefix("#"),
        status=body["status"],
        order_id=str(order["id"]),
        order_number=text_of(order, "name").removeprefix("#"),
        customer=customer_of(order),
        lines=lines,
        returned_before=_before(body) if received_at else (),
        currency=currency,
        fees=total(fees, currency),
        payment_id=taken[0].payment_id if len(taken) == 1 else "",
        received_at=received_at,
        updated_at=parse_time(body["updated_at"]),
    )


def _before(body: Body) -> tuple[ReturnLine, ...]:
    return tuple(ReturnLine(**each) for each in body.get("returned_before") or ())


def _line(body: Body, entry: Body, units: int, condition: Condition) -> ReturnLine:
    """The order's line isn't known of what comes back without having been sent by the shop."""
    said = ReturnLine(
        quantity=units,
        reason=text_of(entry, "return_reason"),
        note=text_of(entry, "customer_note") or text_of(entry, "return_reason_note"),
        condition=condition,
    )
    if entry["line_item"] is None:
        return said
    order = body["order"]
    line = line_of(entry["line_item"], units, order["currency"])
    tax = total((each.amount for each in line.taxes), order["currency"])
    return said.model_copy(
        update={
            "line_id": line.id,
            "sku": line.sku,
            "name": line.name,
            "amount": line.total - tax if order["taxes_included"] else line.total,
            "tax": tax,
        }
    )


def _line_id(entry: Body) -> str:
    return str(entry["line_item"]["id"]) if entry["line_item"] else ""
