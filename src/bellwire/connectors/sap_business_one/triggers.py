"""What changed, by polls: goods that came in for orders, and items whose stock was moved.

A document has the day of its last change; so lists begin a day early, and go by document number. An item doesn't say
when its stock changed. So the documents that move stock are listed, and the stock of what they moved is read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of, polled
from bellwire.connectors.sap_business_one.api import Record, any_of, batches, listed, page, whole
from bellwire.connectors.sap_business_one.manifest import settings_of
from bellwire.connectors.sap_business_one.stock import available
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, InventoryLevel, PurchaseReceipt, ReceivedLine, what_is_wrong

_RECEIPTS, _STOCK = "receipts", "stock"
_PAGE = 50
_PURCHASE_ORDER = 22
"""The number of this kind of document, by which others are based on it."""


@dataclass(frozen=True)
class _Moves:
    """A kind of document that moves stock."""

    collection: str
    entry: str = "DocEntry"
    day: str = "UpdateDate"
    lines: str = "DocumentLines"


_MOVES = (
    *(_Moves(name) for name in ("DeliveryNotes", "Returns", "Invoices", "CreditNotes")),
    *(_Moves(name) for name in ("PurchaseDeliveryNotes", "PurchaseReturns", "PurchaseInvoices", "PurchaseCreditNotes")),
    *(_Moves(name) for name in ("InventoryGenEntries", "InventoryGenExits")),
    _Moves("StockTransfers", lines="StockTransferLines"),
    _Moves("InventoryPostings", "DocumentEntry", "PostingDate", "InventoryPostingLines"),
)


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when it isn't what was listed."""
    try:
        body = delivery.json
        if polled(delivery) == _RECEIPTS:
            return _receipts(body, connection)
        return Normalised((_level(body, connection),))
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise CannotNormalise(
            f"What SAP Business One listed can't be read: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _receipts(body: Mapping[str, Any], connection: Connection) -> Normalised:
    """One for each order that a goods receipt is for, and one for what is in it without an order."""
    document = body["document"]
    if document["CancelStatus"] != "csNo":
        return Normalised(reason="The goods receipt was cancelled.")
    orders: dict[int, list[Record]] = {}
    for line in document["DocumentLines"]:
        based = line["BaseEntry"] if line["BaseType"] == _PURCHASE_ORDER else 0
        orders.setdefault(based, []).append(line)
    events = (_receipt(document, order, lines, body["orders"], connection) for order, lines in orders.items())
    return Normalised(tuple(events))


def _receipt(
    document: Record, order: int, lines: Iterable[Record], numbers: Mapping[str, Any], connection: Connection
) -> Event:
    receipt, came = document["DocEntry"], _time(document, connection)
    return event_of(
        connection,
        "purchase.received",
        key=f"receipt/{receipt}/order/{order or 'none'}/received",
        subject=f"purchase_order/{order}" if order else f"receipt/{receipt}",
        time=came,
        data=PurchaseReceipt(
            id=str(receipt),
            purchase_order_id=f"order/{order}" if order else "",
            number=str(numbers.get(str(order), "")),
            supplier_id=document["CardCode"],
            supplier_name=document["CardName"] or "",
            lines=tuple(
                ReceivedLine(sku=line["ItemCode"], quantity=_units(line), name=line["ItemDescription"] or "")
                for line in lines
            ),
            received_at=came,
        ),
    )


def _level(body: Mapping[str, Any], connection: Connection) -> Event:
    item, warehouse, document = body["item"], body["warehouse"], body["document"]
    read_at = parse_utc(body["read_at"])
    return event_of(
        connection,
        "inventory.updated",
        key=f"inventory/{item}/{warehouse}/{document}",
        subject=f"inventory/{item}/{warehouse}",
        time=read_at,
        version=read_at,
        data=InventoryLevel(
            item_id=item, sku=item, location_id=warehouse, available=body["available"], updated_at=read_at
        ),
    )


async def _receipts_page(call: Call, since: datetime, cursor: str) -> Page:
    """The cursor is the last document's number."""
    after = int(cursor) if cursor.isdecimal() else 0
    where = f"UpdateDate ge '{_day(since)}' and DocEntry gt {after}"
    found, following = await page(call, "PurchaseDeliveryNotes", where, order="DocEntry", size=_PAGE)
    numbers = await _order_numbers(call, found)
    records = tuple(_receipt_record(document, numbers) for document in found)
    return Page(records, next_cursor=str(found[-1]["DocEntry"]) if following else "")


def _receipt_record(document: Record, numbers: Mapping[int, int]) -> Listed:
    """Without what nobody needs: a document has some hundred fields."""
    lines = [{name: line.get(name) for name in _LINE} for line in document["DocumentLines"] if line.get("ItemCode")]
    kept = {name: document.get(name) for name in _DOCUMENT} | {"DocumentLines": lines}
    orders = {str(line["BaseEntry"]): numbers.get(line["BaseEntry"], "") for line in lines if line["BaseEntry"]}
    return Listed(
        f"receipt/{document['DocEntry']}/{document['UpdateDate']}/{document['CancelStatus']}",
        orjson.dumps({"document": kept, "orders": orders}),
    )


_DOCUMENT = ("DocEntry", "DocNum", "DocDate", "DocTime", "CardCode", "CardName", "CancelStatus", "UpdateDate")
_LINE = ("ItemCode", "ItemDescription", "Quantity", "InventoryQuantity", "BaseType", "BaseEntry")


async def _order_numbers(call: Call, documents: Iterable[Record]) -> dict[int, int]:
    """The numbers, as people know them, of the orders that documents are based on."""
    based = {
        line["BaseEntry"]
        for document in documents
        for line in document["DocumentLines"]
        if line.get("BaseType") == _PURCHASE_ORDER
    }
    numbers: dict[int, int] = {}
    for batch in batches(sorted(based)):
        found = await listed(call, "PurchaseOrders", any_of("DocEntry", batch), select="DocEntry,DocNum")
        numbers |= {order["DocEntry"]: order["DocNum"] for order in found}
    return numbers


async def _stock_page(call: Call, since: datetime, cursor: str) -> Page:
    """One page of one kind of document; the cursor says which kind, and its last number."""
    name, _, last = cursor.partition("/")
    known = [place for place, each in enumerate(_MOVES) if each.collection == name and last.isdecimal()]
    place, after = (known[0], int(last)) if known else (0, 0)
    moves = _MOVES[place]
    where = f"{moves.day} ge '{_day(since)}' and {moves.entry} gt {after}"
    found, following = await page(call, moves.collection, where, order=moves.entry, size=_PAGE)
    records = await _levels(call, moves, found)
    if following:
        return Page(records, next_cursor=f"{moves.collection}/{found[-1][moves.entry]}")
    left = _MOVES[place + 1 :]
    return Page(records, next_cursor=f"{left[0].collection}/0" if left else "")


async def _levels(call: Call, moves: _Moves, documents: Iterable[Record]) -> tuple[Listed, ...]:
    """The stock, as it is now, of each item that these documents moved in or out of the warehouse. An item that
    several moved is told once, by the last."""
    warehouse = settings_of(call.connection).warehouse
    moved = {
        line["ItemCode"]: document[moves.entry]
        for document in documents
        for line in document[moves.lines]
        if line.get("ItemCode") and warehouse in (line.get("WarehouseCode"), line.get("FromWarehouseCode"))
    }
    records = []
    for batch in batches(list(moved)):
        select = "ItemCode,ItemWarehouseInfoCollection"
        for item in await listed(call, "Items", any_of("ItemCode", batch), select=select, order="ItemCode"):
            code = item["ItemCode"]
            told = {
                "item": code,
                "warehouse": warehouse,
                "available": available(item, warehouse),
                "document": f"{moves.collection}/{moved[code]}",
                "read_at": call.clock().isoformat(),
            }
            records.append(Listed(f"stock/{code}/{warehouse}/{told['document']}", orjson.dumps(told)))
    return tuple(records)


def _day(since: datetime) -> str:
    """Days are the server's, which may be one behind."""
    return (since - timedelta(days=1)).date().isoformat()


def _time(document: Record, connection: Connection) -> datetime:
    zone = ZoneInfo(settings_of(connection).time_zone)
    day = datetime.fromisoformat(document["DocDate"][:10])
    hours, minutes, *_ = (int(part) for part in (document["DocTime"] or "00:00:00").split(":"))
    return day.replace(hour=hours, minute=minutes, tzinfo=zone).astimezone(UTC)


def _units(line: Record) -> int:
    return whole(line["InventoryQuantity"] or line["Quantity"])


TRIGGERS = Triggers(
    event_types=("purchase.received", "inventory.updated"),
    normalise=normalise,
    polls=(
        Poll(_RECEIPTS, _receipts_page, ("purchase.received",), every=timedelta(minutes=15)),
        Poll(_STOCK, _stock_page, ("inventory.updated",), every=timedelta(minutes=15)),
    ),
)
