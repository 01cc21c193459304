"""Who supplies an item, and orders to suppliers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from bellwire.capabilities.purchasing import (
    CREATE_PURCHASE_ORDER,
    FIND_SUPPLIER,
    READ_PURCHASE_ORDER,
    CreatePurchaseOrder,
    FindSupplier,
    PurchasedLine,
    PurchaseOrder,
    PurchaseOrderState,
    PurchaseStatus,
    ReadPurchaseOrder,
    SupplyTerms,
)
from bellwire.connectors.kit import Account, Call, Seen, Unkeyed, Upsert, action
from bellwire.connectors.kit.buying import quantities
from bellwire.connectors.netsuite.api import Row, record_id, select
from bellwire.connectors.netsuite.manifest import settings_of
from bellwire.errors import Refused
from bellwire.money import Money

_RECORDS = {
    ("InvtPart", ""): "inventoryItem",
    ("Assembly", ""): "assemblyItem",
    ("NonInvtPart", "Purchase"): "nonInventoryPurchaseItem",
    ("NonInvtPart", "Resale"): "nonInventoryResaleItem",
}
"""Type and subtype of an item that can be bought → the type of its record."""
_STATUSES = {
    "A": PurchaseStatus.DRAFT,
    "P": PurchaseStatus.DRAFT,
    "B": PurchaseStatus.ORDERED,
    "D": PurchaseStatus.ORDERED,
    "E": PurchaseStatus.ORDERED,
    "F": PurchaseStatus.RECEIVED,
    "G": PurchaseStatus.RECEIVED,
    "C": PurchaseStatus.CANCELLED,
}
"""Pending approval, planned; pending receipt, partially received, that and pending billing; pending bill, fully billed;
rejected. H (closed) depends on what came."""
_CLOSED = "H"
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""


@action(FIND_SUPPLIER, repeat=Unkeyed("it only reads"))
async def find_supplier(call: Call, given: FindSupplier) -> SupplyTerms:
    """The preferred vendor of the item's record. Raises Refused (unknown-sku, no-supplier)."""
    (item,) = (await _items(call, [given.sku])).values()
    record: dict[str, Any] = {}
    subtype = item.get("subtype", "") if item["itemtype"] == "NonInvtPart" else ""
    if kind := _RECORDS.get((item["itemtype"], subtype)):
        query = {"expandSubResources": "true"}
        record = (await call.api.get(f"record/v1/{kind}/{item['id']}", params=query)).json()
    vendors = (record.get("itemVendor") or {}).get("items") or ()
    terms = next((each for each in vendors if each.get("preferredVendor")), None)
    vendor = terms["vendor"] if terms else record.get("vendor")
    if not vendor:
        raise Refused(
            f"NetSuite knows no preferred supplier of '{given.sku}'.",
            cause="no-supplier",
            remedy="Tick one as preferred: the item › Purchasing/Inventory › Vendors; then retry.",
        )
    price = terms.get("purchasePrice") if terms else record.get("cost")
    return SupplyTerms(
        sku=given.sku,
        supplier_id=vendor["id"],
        supplier_name=vendor["refName"],
        lead_days=record.get("leadTime"),
        pack_size=max(int(record.get("reorderMultiple") or 1), 1),
        unit_price=Money.of(str(price), await _currency(call, vendor["id"])) if price is not None else None,
    )


async def look_for_purchase_order(call: Call, given: CreatePurchaseOrder) -> Seen | None:
    """The newest order to this supplier since the flow would have made one, whoever made it."""
    since = " AND t.createddate >= :since" if call.since else ""
    rows = await select(
        call,
        f"""
        SELECT t.id, t.tranid, t.entity, ABS(t.foreigntotal) AS total FROM transaction t
        WHERE t.type = 'PurchOrd' AND t.entity = :supplier{since} ORDER BY t.id
        """,  # noqa: S608 - our own words
        supplier=record_id(given.supplier_id, "supplier"),
        **({"since": call.since - _MARGIN} if call.since else {}),
    )
    if not rows:
        return None
    order = await _told(call, rows[-1])
    state = await _state(call, order.id)
    bought = {line.sku: line.ordered for line in state.lines}
    return Seen(f"purchase order {order.number}", quantities(given.lines, bought), order.url, order)


@action(
    CREATE_PURCHASE_ORDER,
    repeat=Upsert("the external id, which is the action's key"),
    look=look_for_purchase_order,
)
async def create_purchase_order(call: Call, given: CreatePurchaseOrder) -> PurchaseOrder:
    """`PUT purchaseOrder/eid:…`. There are no drafts in NetSuite: with approval routing the order waits for a person;
    in any case it isn't sent to the supplier. Raises Refused (unknown-sku, currency:…)."""
    items = await _items(call, [line.sku for line in given.lines])
    await _require_currency(call, given)
    lines = [
        {
            "item": {"id": items[line.sku]["id"]},
            "quantity": line.quantity,
            **({"rate": float(line.unit_price.amount)} if line.unit_price else {}),
        }
        for line in given.lines
    ]
    order: dict[str, Any] = {
        "entity": {"id": str(record_id(given.supplier_id, "supplier"))},
        "memo": ": ".join(filter(None, (given.reference, given.note))),
        "toBeEmailed": False,
        "item": {"items": lines},
    }
    if given.expected:
        order["dueDate"] = given.expected.isoformat()
    # Without `replace` a repeat would add the lines once more.
    await call.api.put(f"record/v1/purchaseOrder/eid:{_external_id(call)}", order, params={"replace": "item"})
    return await _read_made(call)


@action(READ_PURCHASE_ORDER, repeat=Unkeyed("it only reads"))
async def read_purchase_order(call: Call, given: ReadPurchaseOrder) -> PurchaseOrderState:
    """Raises Refused (no-such-record)."""
    return await _state(call, given.purchase_order_id)


async def _state(call: Call, order_id: str) -> PurchaseOrderState:
    rows = await select(
        call,
        """
        SELECT t.id, t.tranid, t.status, t.entity, i.itemid, ABS(l.quantity) AS ordered,
               ABS(l.quantityshiprecv) AS received
        FROM transaction t
        JOIN transactionline l ON l.transaction = t.id AND l.mainline = 'F' AND l.taxline = 'F'
        JOIN item i ON i.id = l.item
        WHERE t.type = 'PurchOrd' AND t.id = :order
        ORDER BY l.id
        """,
        order=record_id(order_id, "order"),
    )
    if not rows:
        raise Refused(
            f"NetSuite has no order {order_id} to a supplier.",
            cause="no-such-record",
            remedy="It may have been deleted there, or the role doesn't see it.",
        )
    lines = tuple(
        PurchasedLine(sku=row["itemid"], ordered=_whole(row["ordered"]), received=_whole(row.get("received", "0")))
        for row in rows
    )
    return PurchaseOrderState(
        id=rows[0]["id"],
        number=rows[0]["tranid"],
        status=_status(rows[0]["status"], all(line.received >= line.ordered for line in lines)),
        supplier_id=rows[0]["entity"],
        lines=lines,
    )


async def sign_in(call: Call) -> Account:
    """Asks for what the role has to be allowed to see. NetSuite tells no company's name to a role of so little."""
    settings = settings_of(call.connection)
    (row,) = await select(call, "SELECT COUNT(*) AS orders FROM transaction t WHERE t.type = 'PurchOrd'")
    return Account(
        name=f"NetSuite {settings.account}",
        detail=f"account {settings.account}, {row['orders']} orders to suppliers",
        environment=settings.environment,
    )


ACTIONS = (find_supplier, create_purchase_order, read_purchase_order)


async def _items(call: Call, skus: list[str]) -> dict[str, Row]:
    """SKU → item. Raises Refused (unknown-sku) when one isn't there."""
    statement = "SELECT id, itemid, itemtype, subtype FROM item WHERE isinactive = 'F' AND itemid IN :skus"
    found = {row["itemid"]: row for row in await select(call, statement, skus=skus)}
    if missing := [sku for sku in skus if sku not in found]:
        raise Refused(
            f"NetSuite has no item named {', '.join(missing)}.",
            cause=f"unknown-sku:{missing[0]}",
            remedy="Give the item that name in NetSuite, or correct the SKU; then retry.",
        )
    return found


async def _currency(call: Call, supplier_id: str) -> str:
    """What a supplier is paid in. Raises Refused when there is no such supplier."""
    settings = settings_of(call.connection)
    if not settings.multicurrency:
        return settings.currency
    statement = "SELECT c.symbol FROM vendor v JOIN currency c ON c.id = v.currency WHERE v.id = :supplier"
    rows = await select(call, statement, supplier=record_id(supplier_id, "supplier"))
    if not rows:
        raise Refused(
            f"NetSuite has no supplier {supplier_id}.",
            cause="no-such-record",
            remedy="Correct it in the flow, then retry.",
        )
    return str(rows[0]["symbol"])


async def _require_currency(call: Call, given: CreatePurchaseOrder) -> None:
    """Raises Refused when a price isn't in what the supplier is paid in: NetSuite would take the bare number."""
    priced = {line.unit_price.currency for line in given.lines if line.unit_price}
    if not priced:
        return
    theirs = await _currency(call, given.supplier_id)
    if strange := priced - {theirs}:
        raise Refused(
            f"The order has prices in {', '.join(sorted(strange))}, but the supplier is paid in {theirs}.",
            cause=f"currency:{min(strange)}",
            remedy="Leave the prices out, so that NetSuite puts in its own, or order by hand.",
        )


async def _read_made(call: Call) -> PurchaseOrder:
    """The order as NetSuite has it now: its number and total are NetSuite's to say."""
    statement = """
        SELECT t.id, t.tranid, t.entity, ABS(t.foreigntotal) AS total FROM transaction t
        WHERE t.type = 'PurchOrd' AND t.externalid = :key
        """
    (made,) = await select(call, statement, key=_external_id(call))
    return await _told(call, made)


async def _told(call: Call, made: Row) -> PurchaseOrder:
    total = Money.of(made["total"], await _currency(call, made["entity"])) if "total" in made else None
    host = settings_of(call.connection).host
    return PurchaseOrder(
        id=made["id"],
        number=made["tranid"],
        supplier_id=made["entity"],
        total=total,
        url=f"https://{host}.app.netsuite.com/app/accounting/transactions/purchord.nl?id={made['id']}",
    )


def _external_id(call: Call) -> str:
    return f"bellwire-{call.key}"


def _whole(quantity: str) -> int:
    return int(Decimal(quantity))


def _status(told: str, all_came: bool) -> PurchaseStatus:
    """It may be written `B` or `PurchOrd:B`."""
    letter = told.rpartition(":")[2].strip()
    if letter == _CLOSED:
        return PurchaseStatus.RECEIVED if all_came else PurchaseStatus.CANCELLED
    return _STATUSES.get(letter, PurchaseStatus.ORDERED)
