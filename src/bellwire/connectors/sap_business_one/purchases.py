"""Orders to suppliers: drafts, which a person adds as orders, and the terms of the items' preferred vendors."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bellwire.capabilities.purchasing import (
    CREATE_PURCHASE_ORDER,
    FIND_SUPPLIER,
    READ_PURCHASE_ORDER,
    CreatePurchaseOrder,
    FindSupplier,
    PurchasedLine,
    PurchaseLine,
    PurchaseOrder,
    PurchaseOrderState,
    PurchaseStatus,
    ReadPurchaseOrder,
    SupplyTerms,
)
from bellwire.connectors.kit import Call, LookUp, Seen, Unkeyed, action, after_writing
from bellwire.connectors.kit.buying import quantities
from bellwire.connectors.sap_business_one.api import (
    Record,
    find_items,
    iso_currency,
    listed,
    number,
    own_currency,
    quoted,
    whole,
)
from bellwire.connectors.sap_business_one.faults import NO_SUCH_RECORD
from bellwire.connectors.sap_business_one.manifest import settings_of
from bellwire.errors import Refused
from bellwire.money import Money

_KIND = "oPurchaseOrders"
_DRAFT, _ORDER = "draft", "order"
_COLLECTIONS = {_DRAFT: "Drafts", _ORDER: "PurchaseOrders"}
_TERMS = "ItemCode,Mainsupplier,LeadTime,MinOrderQuantity,OrderMultiple,PurchaseItemsPerUnit"
_HEAD = "DocEntry,DocNum,DocObjectCode,CardCode,DocTotal,DocTotalFc,DocCurrency,Cancelled"


@action(FIND_SUPPLIER, repeat=Unkeyed("it only reads"))
async def find_supplier(call: Call, given: FindSupplier) -> SupplyTerms:
    """The item's preferred vendor, with the planning data of the item. The price is what SAP finds for that vendor;
    it is left out where there is a discount, or a purchasing unit of several pieces. Raises Refused (unknown-sku:SKU,
    no-supplier:SKU)."""
    item = (await find_items(call, [given.sku], _TERMS))[given.sku]
    vendor = item.get("Mainsupplier") or ""
    where = f"CardCode eq {quoted(vendor)}"
    partners = await listed(call, "BusinessPartners", where, select="CardCode,CardName") if vendor else []
    if not partners:
        raise Refused(
            f"SAP Business One has no preferred vendor for the item '{item['ItemCode']}'.",
            cause=f"no-supplier:{given.sku}",
            remedy="Set one on the tab Purchasing Data of the item, then retry.",
        )
    least = max(math.ceil(number(item.get("MinOrderQuantity"))), 1)
    return SupplyTerms(
        sku=given.sku,
        supplier_id=vendor,
        supplier_name=partners[0]["CardName"],
        lead_days=item.get("LeadTime"),
        minimum_quantity=least,
        pack_size=max(math.ceil(number(item.get("OrderMultiple"))), 1),
        unit_price=await _price(call, item, vendor, least),
    )


async def find_purchase_order(call: Call, given: CreatePurchaseOrder) -> PurchaseOrder | None:
    """The draft of an earlier attempt, or the order that somebody has made of it meanwhile: of this vendor, with this
    reference, and not older than the attempt."""
    where = f"NumAtCard eq {quoted(given.reference)} and CardCode eq {quoted(given.supplier_id)}"
    if call.since:
        # Documents have the day in the server's zone.
        where += f" and CreationDate ge '{(call.since - timedelta(days=1)).date()}'"
    for kind, collection in _COLLECTIONS.items():
        for record in await listed(call, collection, where, select=_HEAD, order="DocEntry"):
            if record["DocObjectCode"] == _KIND and record["Cancelled"] != "tYES":
                return await _order(call, kind, record)
    return None


async def look_for_purchase_order(call: Call, given: CreatePurchaseOrder) -> Seen | None:
    """The newest order, else the newest draft, of this vendor since the day before the flow would have made one,
    whoever made it."""
    where = f"CardCode eq {quoted(given.supplier_id)}"
    if call.since:
        where += f" and CreationDate ge '{(call.since - timedelta(days=1)).date()}'"
    for kind in (_ORDER, _DRAFT):
        found = await listed(call, _COLLECTIONS[kind], where, select=_HEAD, order="DocEntry")
        there = [each for each in found if each["DocObjectCode"] == _KIND and each["Cancelled"] != "tYES"]
        if there:
            record = (await call.api.get(f"{_COLLECTIONS[kind]}({there[-1]['DocEntry']})")).json()
            lines = [_bought(line, kind) for line in record["DocumentLines"] if line.get("ItemCode")]
            bought = {line.sku: line.ordered for line in lines}
            order = await _order(call, kind, record)
            return Seen(f"purchase order {order.number}", quantities(given.lines, bought), result=order)
    return None


@action(CREATE_PURCHASE_ORDER, repeat=LookUp(find_purchase_order), look=look_for_purchase_order)
async def create_purchase_order(call: Call, given: CreatePurchaseOrder) -> PurchaseOrder:
    """A draft in Purchasing › Document Drafts; the reference is its vendor reference number. Quantities are in the
    items' own units; prices that aren't given are SAP's. Raises Refused (unknown-sku:SKU, several-currencies,
    currency:CODE)."""
    items = await find_items(call, (line.sku for line in given.lines))
    warehouse = settings_of(call.connection).warehouse
    wanted: Record = {
        "DocObjectCode": _KIND,
        "CardCode": given.supplier_id,
        "NumAtCard": given.reference,
        "Comments": given.note,
        "DocDueDate": (given.expected or call.clock().date()).isoformat(),
        "DocumentLines": [_line(line, items[line.sku]["ItemCode"], warehouse) for line in given.lines],
    }
    if currency := _currency(given.lines):
        wanted["DocCurrency"] = await own_currency(call, currency)
    made = (await call.api.post("Drafts", wanted)).json()
    with after_writing("SAP Business One has the draft."):
        return await _order(call, _DRAFT, made)


@action(READ_PURCHASE_ORDER, repeat=Unkeyed("it only reads"))
async def read_purchase_order(call: Call, given: ReadPurchaseOrder) -> PurchaseOrderState:
    """A draft that somebody has added is told as the order that came of it. Raises Refused (unknown-order)."""
    kind, _, entry = given.purchase_order_id.partition("/")
    if kind not in _COLLECTIONS or not entry.isdecimal():
        raise _unknown(given.purchase_order_id)
    try:
        record = (await call.api.get(f"{_COLLECTIONS[kind]}({entry})")).json()
    except Refused as error:
        raise _unknown(given.purchase_order_id) if error.cause == NO_SUCH_RECORD else error from error
    if kind == _DRAFT and record["DocumentStatus"] == "bost_Close":
        added = await _added(call, record)
        kind, record = (_ORDER, added) if added else (_DRAFT, record)
    lines = tuple(_bought(line, kind) for line in record["DocumentLines"] if line.get("ItemCode"))
    return PurchaseOrderState(
        id=f"{kind}/{record['DocEntry']}",
        number=_number(kind, record),
        status=_status(kind, record, lines),
        supplier_id=record["CardCode"],
        lines=lines,
    )


async def _price(call: Call, item: Record, vendor: str, quantity: int) -> Money | None:
    if number(item.get("PurchaseItemsPerUnit")) not in (0, 1):
        return None
    asked = {"CardCode": vendor, "ItemCode": item["ItemCode"], "Date": call.clock().date().isoformat()}
    body = {"ItemPriceParams": asked | {"InventoryQuantity": quantity}}
    told = (await call.api.request("POST", "CompanyService_GetItemPrice", json=body, writes=False)).json()
    price, currency = number(told.get("Price")), await iso_currency(call, told.get("Currency") or "")
    # Whether a discount is in the price already, SAP doesn't say.
    return Money.of(price, currency) if price and currency and not number(told.get("Discount")) else None


def _line(line: PurchaseLine, code: str, warehouse: str) -> Record:
    wanted: Record = {
        "ItemCode": code,
        "Quantity": line.quantity,
        "UseBaseUnits": "tYES",
        "WarehouseCode": warehouse,
    }
    if line.unit_price is not None:
        wanted["UnitPrice"] = float(line.unit_price.amount)
    return wanted


def _currency(lines: Sequence[PurchaseLine]) -> str:
    """In which prices are given; empty: none are. Raises Refused."""
    names = sorted({line.unit_price.currency for line in lines if line.unit_price is not None})
    if len(names) > 1:
        raise Refused(
            f"The prices are in {' and '.join(names)}, but an order has one currency.",
            cause="several-currencies",
            remedy="Make one order for each currency.",
        )
    return names[0] if names else ""


async def _order(call: Call, kind: str, record: Record) -> PurchaseOrder:
    currency = await iso_currency(call, record.get("DocCurrency") or "")
    total = number(record.get("DocTotalFc")) or number(record.get("DocTotal"))
    return PurchaseOrder(
        id=f"{kind}/{record['DocEntry']}",
        number=_number(kind, record),
        supplier_id=record["CardCode"],
        total=Money.of(total, currency).rounded() if currency else None,
    )


def _number(kind: str, record: Record) -> str:
    """A draft's document number is given to whatever is added first."""
    return f"draft {record['DocEntry']}" if kind == _DRAFT else str(record["DocNum"])


async def _added(call: Call, draft: Record) -> Record | None:
    """The order that a draft has become."""
    reference, vendor = draft.get("NumAtCard") or "", draft["CardCode"]
    where = f"NumAtCard eq {quoted(reference)} and CardCode eq {quoted(vendor)}"
    found = await listed(call, "PurchaseOrders", where, order="DocEntry desc") if reference else []
    return found[0] if found else None


def _bought(line: dict[str, Any], kind: str) -> PurchasedLine:
    ordered = number(line.get("InventoryQuantity") or line["Quantity"])
    still = number(line["RemainingOpenInventoryQuantity"]) if kind == _ORDER else ordered
    return PurchasedLine(sku=line["ItemCode"], ordered=whole(ordered), received=whole(ordered - still))


def _status(kind: str, record: Record, lines: Sequence[PurchasedLine]) -> PurchaseStatus:
    """An order that was closed although something is missing has got all that it will get."""
    if record["Cancelled"] == "tYES":
        return PurchaseStatus.CANCELLED
    if record["DocumentStatus"] == "bost_Open":
        return PurchaseStatus.DRAFT if kind == _DRAFT else PurchaseStatus.ORDERED
    came = any(line.received for line in lines)
    return PurchaseStatus.RECEIVED if came else PurchaseStatus.CANCELLED


def _unknown(number: str) -> Refused:
    return Refused(
        f"SAP Business One has no purchase order '{number}'.",
        cause="unknown-order",
        remedy="A draft may have been removed there: look what became of it, then resolve this by hand.",
    )
