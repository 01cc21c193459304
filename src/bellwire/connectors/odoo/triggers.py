"""Goods that come in: transfers from a supplier that are done.

A webhook isn't signed, and comes once or not at all. So it is only a hint to look, and the list has what happened.
https://www.odoo.com/documentation/19.0/applications/studio/automated_actions/webhooks.html
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of, polled
from bellwire.connectors.odoo.api import Record, listed, number, reference, some, text, whole
from bellwire.connectors.odoo.purchases import products_of
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, PurchaseReceipt, ReceivedLine, what_is_wrong

_TRANSFER = "stock.picking"
_RECEIPTS = "receipts"
_PAGE = 50
_FIELDS = ("name", "partner_id", "purchase_id", "date_done", "write_date")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when it isn't what Odoo describes."""
    try:
        body = delivery.json
        if polled(delivery):
            return Normalised((_receipt(body, connection),))
        if body["_model"] == _TRANSFER:
            return Normalised(
                reason="It says that a transfer has changed; what came in, the list tells.", wake=(_RECEIPTS,)
            )
        return Normalised(reason=f"Bellwire has no use for changes of {body['_model']}.")
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise CannotNormalise(
            f"What Odoo sent can't be read: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _receipt(body: Mapping[str, Any], connection: Connection) -> Event:
    transfer, order = body["transfer"], body["order"]
    supplier_id, supplier_name = reference(transfer["partner_id"])
    order_id = str(order["id"]) if order else ""
    done = parse_utc(transfer["date_done"])
    receipt = PurchaseReceipt(
        id=str(transfer["id"]),
        purchase_order_id=order_id,
        number=order["name"] if order else "",
        supplier_id=supplier_id,
        supplier_name=supplier_name,
        lines=tuple(
            ReceivedLine(sku=line["sku"], quantity=whole(number(line["quantity"])), name=line["name"])
            for line in body["lines"]
        ),
        received_at=done,
    )
    return event_of(
        connection,
        "purchase.received",
        key=f"receipt/{transfer['id']}/received",
        subject=f"purchase_order/{order_id}" if order else f"receipt/{transfer['id']}",
        time=done,
        data=receipt,
    )


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """Transfers go by their ids, which is nearly by age, and never change; the cursor is the last one read."""
    domain: list[Any] = [
        ["state", "=", "done"],
        ["location_id.usage", "=", "supplier"],
        ["write_date", ">=", f"{since:%Y-%m-%d %H:%M:%S}"],
    ]
    if cursor.isdecimal():
        domain.append(["id", ">", int(cursor)])
    found = await some(call, _TRANSFER, domain, _FIELDS, order="id", limit=_PAGE)
    lines, orders = await _lines(call, found), await _orders(call, found)
    records = tuple(
        _record(transfer, lines[transfer["id"]], orders.get(int(reference(transfer["purchase_id"])[0] or 0)))
        for transfer in found
    )
    return Page(records, next_cursor=str(found[-1]["id"]) if len(found) == _PAGE else "")


def _record(transfer: Record, lines: list[Record], order: Record | None) -> Listed:
    body = {"transfer": transfer, "lines": lines, "order": order}
    return Listed(f"receipt/{transfer['id']}/{transfer['write_date']}", orjson.dumps(body))


async def _lines(call: Call, transfers: list[Record]) -> dict[int, list[Record]]:
    """Transfer → what was moved, in the products' own units."""
    domain = [["picking_id", "in", [each["id"] for each in transfers]], ["state", "=", "done"]]
    fields = ("picking_id", "product_id", "quantity_product_uom")
    moved = await listed(call, "stock.move.line", domain, fields) if transfers else []
    products = await products_of(call, moved)
    lines: dict[int, dict[int, Record]] = defaultdict(dict)
    for line in moved:
        product = products[line["product_id"][0]]
        # A product comes in several lines where it goes to several places, or has lots.
        known = lines[line["picking_id"][0]].setdefault(
            product["id"], {"sku": text(product["default_code"]), "name": product["name"], "quantity": 0.0}
        )
        known["quantity"] += line["quantity_product_uom"]
    return defaultdict(list, {transfer: list(found.values()) for transfer, found in lines.items()})


async def _orders(call: Call, transfers: list[Record]) -> dict[int, Record]:
    """The name of an order as others refer to it has the vendor's reference in it, so it is read by itself."""
    numbers = sorted({transfer["purchase_id"][0] for transfer in transfers if transfer["purchase_id"]})
    found = await listed(call, "purchase.order", [["id", "in", numbers]], ["name"]) if numbers else []
    return {order["id"]: order for order in found}


TRIGGERS = Triggers(
    event_types=("purchase.received",),
    normalise=normalise,
    polls=(Poll(_RECEIPTS, _page, ("purchase.received",), every=timedelta(minutes=15)),),
)
