"""Orders to suppliers, and on which terms they deliver."""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
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
from bellwire.connectors.odoo.api import Record, ask, find_products, listed, number, reference, some, text, whole
from bellwire.connectors.odoo.manifest import settings_of
from bellwire.errors import Refused
from bellwire.money import Money

_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""
_DECIMALS = 6
"""Of the price of one, where a pack's is divided."""
_ORDER = ("name", "partner_id", "amount_total", "currency_id", "state")
_TERMS = (
    *("partner_id", "product_id", "sequence", "min_qty", "price", "discount", "delay"),
    *("currency_id", "date_start", "date_end"),
)
_UNIT = ("product_uom_id", "uom_id")
"""What the unit that a vendor sells in is called: in Odoo 19, and later."""


@action(FIND_SUPPLIER, repeat=Unkeyed("it only reads"))
async def find_supplier(call: Call, given: FindSupplier) -> SupplyTerms:
    """The first vendor of the product's purchase tab whose price holds today, at the price for his smallest quantity.
    Where he sells packs, those are counted in units. Raises Refused (unknown-sku:SKU, ambiguous-sku:SKU,
    no-supplier:SKU)."""
    product = (await find_products(call, [given.sku]))[given.sku]
    domain = [
        ["product_tmpl_id", "=", product["product_tmpl_id"][0]],
        "|",
        ["product_id", "=", False],
        ["product_id", "=", product["id"]],
    ]
    unit = await _unit_field(call)
    found = await listed(call, "product.supplierinfo", domain, (*_TERMS, unit))
    valid = [terms for terms in found if _holds(terms, call.clock().date())]
    if not valid:
        raise Refused(
            f"Odoo has no vendor for the SKU '{given.sku}'.",
            cause=f"no-supplier:{given.sku}",
            remedy="Add one on the tab Purchase of the product in Odoo, then retry.",
        )
    # Odoo's own order, by which it chooses; of that vendor, his terms for the least.
    usual = min(valid, key=lambda terms: (terms["sequence"], -terms["min_qty"], terms["price"], terms["id"]))
    his = [terms for terms in valid if terms["partner_id"] == usual["partner_id"]]
    best = min(his, key=lambda terms: (terms["min_qty"], terms["price"], terms["id"]))
    return await _told(call, given.sku, product, best, best[unit][0])


async def find_purchase_order(call: Call, given: CreatePurchaseOrder) -> PurchaseOrder | None:
    """The order of an earlier attempt: of this supplier, with this reference, and not older than the attempt."""
    domain: list[Any] = [
        ["partner_id", "=", _supplier(given)],
        ["origin", "=", given.reference],
        ["state", "!=", "cancel"],
    ]
    if call.since:
        domain.append(["create_date", ">=", f"{call.since - _MARGIN:%Y-%m-%d %H:%M:%S}"])
    found = await some(call, "purchase.order", domain, _ORDER, order="id desc", limit=1)
    return _order(call, found[0]) if found else None


async def look_for_purchase_order(call: Call, given: CreatePurchaseOrder) -> Seen | None:
    """The newest order of this supplier since the flow would have made one, whoever drafted it."""
    domain: list[Any] = [["partner_id", "=", _supplier(given)], ["state", "!=", "cancel"]]
    if call.since:
        domain.append(["create_date", ">=", f"{call.since - _MARGIN:%Y-%m-%d %H:%M:%S}"])
    for record in await some(call, "purchase.order", domain, _ORDER, order="id desc", limit=1):
        bought = {line.sku: line.ordered for line in await _lines_of(call, record)}
        order = _order(call, record)
        return Seen(f"purchase order {order.number}", quantities(given.lines, bought), order.url, order)
    return None


@action(CREATE_PURCHASE_ORDER, repeat=LookUp(find_purchase_order), look=look_for_purchase_order)
async def create_purchase_order(call: Call, given: CreatePurchaseOrder) -> PurchaseOrder:
    """A request for quotation; the reference is its source document. Prices that aren't given are the vendor's in
    Odoo. Raises Refused (unknown-sku:SKU, ambiguous-sku:SKU, unknown-supplier, several-currencies, currency:CODE)."""
    products = await find_products(call, (line.sku for line in given.lines))
    arrival = {"date_planned": f"{given.expected} 12:00:00"} if given.expected else {}
    wanted: Record = {
        "partner_id": _supplier(given),
        "origin": given.reference,
        "order_line": [[0, 0, _line(line, products[line.sku]) | arrival] for line in given.lines],
    }
    if currency := await _currency(call, given.lines):
        wanted["currency_id"] = currency
    if given.note:
        wanted["note"] = f"<p>{escape(given.note).replace(chr(10), '<br>')}</p>"
    (made,) = await ask(call, "purchase.order", "create", {"vals_list": [wanted]}, writes=True)
    with after_writing("Odoo has drafted the order."):
        (record,) = await ask(call, "purchase.order", "read", {"ids": [made], "fields": list(_ORDER)})
    return _order(call, record)


@action(READ_PURCHASE_ORDER, repeat=Unkeyed("it only reads"))
async def read_purchase_order(call: Call, given: ReadPurchaseOrder) -> PurchaseOrderState:
    """Raises Refused (unknown-order). Quantities are in the products' own units."""
    found = []
    if given.purchase_order_id.isdecimal():
        domain = [["id", "=", int(given.purchase_order_id)]]
        found = await some(call, "purchase.order", domain, _ORDER, order="id", limit=1)
    if not found:
        raise Refused(
            f"Odoo has no purchase order with the id '{given.purchase_order_id}'.",
            cause="unknown-order",
            remedy="It may have been deleted there: look what became of it, then resolve this by hand.",
        )
    (record,) = found
    bought = await _lines_of(call, record)
    return PurchaseOrderState(
        id=str(record["id"]),
        number=record["name"],
        status=_status(record["state"], bought),
        supplier_id=reference(record["partner_id"])[0],
        lines=bought,
    )


ACTIONS = (find_supplier, create_purchase_order, read_purchase_order)


async def _lines_of(call: Call, order: Record) -> tuple[PurchasedLine, ...]:
    domain = [["order_id", "=", order["id"]], ["product_id", "!=", False]]
    fields = ("product_id", "product_qty", "product_uom_qty", "qty_received")
    lines = await listed(call, "purchase.order.line", domain, fields)
    products = await products_of(call, lines)
    return tuple(_bought(line, products) for line in lines)


async def products_of(call: Call, lines: Sequence[Record]) -> dict[int, Record]:
    """What lines are about, by id: name and SKU, archived ones too."""
    ids = sorted({line["product_id"][0] for line in lines})
    fields = ("default_code", "name")
    found = await listed(call, "product.product", _ids(ids), fields, archived=True) if ids else []
    return {each["id"]: each for each in found}


def _holds(terms: Record, today: date) -> bool:
    start, end = text(terms["date_start"]), text(terms["date_end"])
    return (not start or date.fromisoformat(start) <= today) and (not end or today <= date.fromisoformat(end))


async def _unit_field(call: Call) -> str:
    remembered = call.connection.remembered
    if "unit of vendors" not in remembered:
        given = {"allfields": list(_UNIT), "attributes": ["type"]}
        known = await ask(call, "product.supplierinfo", "fields_get", given)
        remembered["unit of vendors"] = next((name for name in _UNIT if name in known), _UNIT[0])
    return remembered["unit of vendors"]


async def _told(call: Call, sku: str, product: Record, terms: Record, unit: int) -> SupplyTerms:
    supplier_id, name = reference(terms["partner_id"])
    currency, pack = reference(terms["currency_id"])[1], 1
    units = [unit, product["uom_id"][0]]
    if units[0] != units[1]:
        found = {each["id"]: number(each["factor"]) for each in await listed(call, "uom.uom", _ids(units), ["factor"])}
        pack = max(whole(found[units[0]] / found[units[1]]), 1)
    price = round(number(terms["price"]) * (100 - number(terms["discount"])) / 100 / pack, _DECIMALS)
    return SupplyTerms(
        sku=sku,
        supplier_id=supplier_id,
        supplier_name=name,
        lead_days=terms["delay"],
        minimum_quantity=max(-whole(-number(terms["min_qty"]) * pack), 1),
        pack_size=pack,
        unit_price=Money.of(price, currency) if price else None,
    )


def _ids(numbers: Sequence[int]) -> list[Any]:
    return [["id", "in", list(numbers)]]


def _supplier(given: CreatePurchaseOrder) -> int:
    if not given.supplier_id.isdecimal():
        raise Refused(
            f"'{given.supplier_id}' is no vendor of Odoo: those have numbers.",
            cause="unknown-supplier",
            remedy="Take the supplier's id from `purchasing.find_supplier`, or from the contact's address in Odoo.",
        )
    return int(given.supplier_id)


def _line(line: PurchaseLine, product: Record) -> Record:
    wanted: Record = {
        "product_id": product["id"],
        "product_qty": line.quantity,
        "product_uom_id": product["uom_id"][0],
    }
    if line.unit_price is not None:
        wanted["price_unit"] = float(line.unit_price.amount)
    return wanted


async def _currency(call: Call, lines: Sequence[PurchaseLine]) -> int | None:
    """The id of the currency that prices are given in; None: none are."""
    names = sorted({line.unit_price.currency for line in lines if line.unit_price is not None})
    if not names:
        return None
    if len(names) > 1:
        raise Refused(
            f"The prices are in {' and '.join(names)}, but an order has one currency.",
            cause="several-currencies",
            remedy="Make one order for each currency.",
        )
    found = await some(call, "res.currency", [["name", "=", names[0]]], ["name"], order="id", limit=1)
    if not found:
        raise Refused(
            f"Odoo doesn't trade in {names[0]}.",
            cause=f"currency:{names[0]}",
            remedy="Activate the currency in Odoo (Accounting › Configuration › Currencies), then retry.",
        )
    return int(found[0]["id"])


def _order(call: Call, record: Record) -> PurchaseOrder:
    return PurchaseOrder(
        id=str(record["id"]),
        number=record["name"],
        supplier_id=reference(record["partner_id"])[0],
        total=Money.of(number(record["amount_total"]), reference(record["currency_id"])[1]).rounded(),
        url=f"https://{settings_of(call.connection).host}/web#id={record['id']}&model=purchase.order&view_type=form",
    )


def _bought(line: Record, products: dict[int, Record]) -> PurchasedLine:
    ordered, units = number(line["product_qty"]), number(line["product_uom_qty"])
    each = units / ordered if ordered else number(1)
    received = whole(number(line["qty_received"]) * each)
    sku = text(products[line["product_id"][0]]["default_code"])
    return PurchasedLine(sku=sku, ordered=whole(units), received=received)


def _status(state: str, lines: Sequence[PurchasedLine]) -> PurchaseStatus:
    """A request for quotation is a draft, sent or not, and so is an order that somebody has to approve."""
    if state == "cancel":
        return PurchaseStatus.CANCELLED
    if state not in ("purchase", "done"):
        return PurchaseStatus.DRAFT
    complete = bool(lines) and all(line.received >= line.ordered for line in lines)
    return PurchaseStatus.RECEIVED if complete else PurchaseStatus.ORDERED
