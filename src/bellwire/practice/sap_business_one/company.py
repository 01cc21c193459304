"""The books of the practice company: items, vendors, documents, and what documents do to the stock."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from bellwire.clock import Clock, system_clock
from bellwire.practice.catalogue import CATALOGUE

Row = dict[str, Any]

WAREHOUSE, OTHER_WAREHOUSE = "01", "02"
_TEA, _POTTERY = "V10000", "V20000"
_PURCHASE_ORDER = 22
_MOVED_IN = ("PurchaseDeliveryNotes", "InventoryGenEntries", "Returns")
_MOVED_OUT = ("InventoryGenExits", "DeliveryNotes")
DOCUMENTS = (
    *("Drafts", "PurchaseOrders", "PurchaseDeliveryNotes", "InventoryGenEntries", "InventoryGenExits"),
    *("DeliveryNotes", "Returns", "Invoices", "CreditNotes", "PurchaseReturns", "PurchaseInvoices"),
    *("PurchaseCreditNotes", "StockTransfers", "InventoryPostings"),
)


class Wrong(Exception):
    """What the company doesn't book. `code` is SAP's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def _items() -> dict[str, Row]:
    items = {}
    for good in CATALOGUE:
        pottery = good.sku.startswith(("MUG", "POT"))
        supplied = good.ships and not good.sku.startswith("SCOOP")
        vendor = (_POTTERY if pottery else _TEA) if supplied else None
        places = [{"WarehouseCode": code, "InStock": 0.0, "Committed": 0.0} for code in (WAREHOUSE, OTHER_WAREHOUSE)]
        places[0]["InStock"] = float(good.stock)
        items[good.sku] = {
            "ItemCode": good.sku,
            "ItemName": good.name,
            "Mainsupplier": vendor,
            "LeadTime": 21 if pottery else 7 if supplied else None,
            "MinOrderQuantity": 12.0 if supplied else 0.0,
            "OrderMultiple": 6.0 if pottery else 0.0,
            "PurchaseItemsPerUnit": 1.0,
            "InventoryItem": "tYES" if good.ships else "tNO",
            "ItemWarehouseInfoCollection": places,
        }
    return items


@dataclass
class Company:
    """`items` by their code, `books` the documents of each kind by their entry."""

    name: str = "Practice Tea Ltd"
    release: str = "1000230"
    items: dict[str, Row] = field(default_factory=_items)
    prices: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {good.sku: (float(good.price) / 2, 0.0) for good in CATALOGUE}
    )
    """Item → what a vendor asks for one, and the discount in it in percent."""
    partners: dict[str, str] = field(default_factory=lambda: {_TEA: "Hill Tea Imports", _POTTERY: "Clay & Co"})
    books: dict[str, dict[int, Row]] = field(default_factory=lambda: {name: {} for name in DOCUMENTS})
    added: dict[int, int] = field(default_factory=dict)
    """Draft → the order that somebody has made of it."""
    clock: Clock = system_clock

    def rows(self, collection: str) -> list[Row] | None:
        """All of a collection; None: there is no such one."""
        if collection in self.books:
            return list(self.books[collection].values())
        fixed: dict[str, list[Row]] = {
            "Items": list(self.items.values()),
            "BusinessPartners": [{"CardCode": code, "CardName": name} for code, name in self.partners.items()],
            "Warehouses": [
                {"WarehouseCode": WAREHOUSE, "WarehouseName": "Practice shop"},
                {"WarehouseCode": OTHER_WAREHOUSE, "WarehouseName": "Back room"},
            ],
            "Currencies": [
                {"Code": "$", "Name": "US Dollar", "DocumentsCode": "USD"},
                {"Code": "EUR", "Name": "Euro", "DocumentsCode": "EUR"},
            ],
        }
        return fixed.get(collection)

    def draft(self, given: Row) -> Row:
        if given.get("DocObjectCode") != "oPurchaseOrders":
            raise Wrong(-5002, "Practice keeps drafts of purchase orders only.")
        if not given.get("DocDueDate"):
            raise Wrong(-5002, "Enter due date  [ODRF.DocDueDate]")
        return self._post("Drafts", given, self._vendor(given))

    def issue(self, given: Row) -> Row:
        self._check_lines(given)
        for line in given["DocumentLines"]:
            if self.place(line["ItemCode"], line["WarehouseCode"])["InStock"] < line["Quantity"]:
                raise Wrong(
                    -10, f"Quantity falls into negative inventory  [IGE1.ItemCode][line: 1], {line['ItemCode']}"
                )
        return self._post("InventoryGenExits", given, {})

    def receipt(self, given: Row) -> Row:
        self._check_lines(given)
        return self._post("InventoryGenEntries", given, {})

    # What people do there

    def add(self, draft: int) -> int:
        """Somebody adds the draft as an order. Gives the order's entry."""
        record = self.books["Drafts"][draft]
        record["DocumentStatus"] = "bost_Close"
        order = self._post(
            "PurchaseOrders", {**record, "DocumentLines": [dict(x) for x in record["DocumentLines"]]}, {}
        )
        self.added[draft] = int(order["DocEntry"])
        return self.added[draft]

    def receive(self, order: int | None, quantities: dict[str, int] | None = None) -> int:
        """Goods come in, by default all that an order is still waiting for. Gives the entry of the goods receipt."""
        record = self.books["PurchaseOrders"][order] if order else None
        open_lines = record["DocumentLines"] if record else []
        wanted = quantities or {line["ItemCode"]: line["RemainingOpenInventoryQuantity"] for line in open_lines}
        for line in open_lines:
            line["RemainingOpenInventoryQuantity"] -= wanted.get(line["ItemCode"], 0)
        if record and all(line["RemainingOpenInventoryQuantity"] <= 0 for line in open_lines):
            record["DocumentStatus"] = "bost_Close"
        based = {"BaseType": _PURCHASE_ORDER, "BaseEntry": order} if order else {}
        lines = [{"ItemCode": sku, "Quantity": number} | based for sku, number in wanted.items()]
        head = {name: record[name] for name in ("CardCode", "CardName")} if record else self._vendor({"CardCode": _TEA})
        return int(self._post("PurchaseDeliveryNotes", {"DocumentLines": lines}, head)["DocEntry"])

    def bring(self, draft: int, most: int | None) -> None:
        """What is still open of the order that comes of a draft comes in, or at most so many of each item."""
        order = self.added.get(draft) or self.add(draft)
        lines = self.books["PurchaseOrders"][order]["DocumentLines"]
        still = {line["ItemCode"]: line["RemainingOpenInventoryQuantity"] for line in lines}
        came = {sku: number if most is None else min(number, most) for sku, number in still.items()}
        self.receive(order, {sku: int(number) for sku, number in came.items() if number > 0})

    def correct(self, sku: str, by: int) -> None:
        """Somebody has counted: so many more are there, or fewer."""
        lines = [{"ItemCode": sku, "Quantity": abs(by)}]
        self._post("InventoryGenEntries" if by > 0 else "InventoryGenExits", {"DocumentLines": lines}, {})

    def deliver(self, sku: str, quantity: int, warehouse: str = WAREHOUSE) -> int:
        """A customer gets something. Gives the entry of the delivery."""
        lines = [{"ItemCode": sku, "Quantity": quantity, "WarehouseCode": warehouse}]
        return int(self._post("DeliveryNotes", {"DocumentLines": lines}, {})["DocEntry"])

    def place(self, sku: str, warehouse: str = WAREHOUSE) -> Row:
        """What a warehouse has of an item."""
        places: Iterable[Row] = self.items[sku]["ItemWarehouseInfoCollection"]
        return next(place for place in places if place["WarehouseCode"] == warehouse)

    def stock(self) -> dict[str, int]:
        """SKU → how many are in the shop."""
        goods = [sku for sku, item in self.items.items() if item["InventoryItem"] == "tYES"]
        return {sku: int(self.place(sku)["InStock"]) for sku in goods}

    # Documents

    def _vendor(self, given: Row) -> Row:
        code = given.get("CardCode")
        if code not in self.partners:
            raise Wrong(-2028, "No matching records found (ODBC -2028)")
        self._check_lines(given, needed=False)
        return {"CardCode": code, "CardName": self.partners[code]}

    def _check_lines(self, given: Row, *, needed: bool = True) -> None:
        lines = given.get("DocumentLines", [])
        if needed and not lines:
            raise Wrong(-5002, "Document is empty")
        for line in lines:
            if line.get("ItemCode") not in self.items:
                raise Wrong(-2028, "No matching records found (ODBC -2028)")
            if not line.get("Quantity", 0) > 0:
                raise Wrong(-5002, "Enter a quantity greater than zero")
            if line.get("WarehouseCode", WAREHOUSE) not in (WAREHOUSE, OTHER_WAREHOUSE):
                raise Wrong(-2028, "No matching records found (ODBC -2028)")

    def _post(self, kind: str, given: Row, head: Row) -> Row:
        entry, now = len(self.books[kind]) + 1, self.clock().astimezone(UTC)
        currency = given.get("DocCurrency") or "$"
        lines = [self._line(line) for line in given["DocumentLines"]]
        total = round(sum(line["UnitPrice"] * line["Quantity"] for line in lines), 2)
        blank = {"NumAtCard": None, "Comments": None, "CardCode": None, "CardName": None, "DocDueDate": None}
        own = {
            "DocEntry": entry,
            "DocNum": 1000 + entry,
            "DocObjectCode": "oPurchaseOrders" if kind in ("Drafts", "PurchaseOrders") else f"o{kind}",
            "DocumentStatus": "bost_Open",
            "Cancelled": "tNO",
            "CancelStatus": "csNo",
            "DocDate": f"{now:%Y-%m-%d}",
            "DocTime": f"{now:%H:%M:%S}",
            "CreationDate": f"{now:%Y-%m-%d}",
            "UpdateDate": f"{now:%Y-%m-%d}",
            "DocCurrency": currency,
            "DocTotal": total if currency == "$" else round(total * 1.1, 2),
            "DocTotalFc": 0.0 if currency == "$" else total,
            "DocumentLines": lines,
        }
        self.books[kind][entry] = {**blank, **{k: v for k, v in given.items() if k in blank}, **head, **own}
        sign = (kind in _MOVED_IN) - (kind in _MOVED_OUT)
        for line in lines:
            self.place(line["ItemCode"], line["WarehouseCode"])["InStock"] += sign * line["InventoryQuantity"]
        return self.books[kind][entry]

    def _line(self, given: Row) -> Row:
        quantity = float(given["Quantity"])
        return {
            "ItemCode": given["ItemCode"],
            "ItemDescription": self.items[given["ItemCode"]]["ItemName"],
            "Quantity": quantity,
            "InventoryQuantity": quantity,
            "RemainingOpenInventoryQuantity": quantity,
            "UnitPrice": float(given.get("UnitPrice", self.prices[given["ItemCode"]][0])),
            "WarehouseCode": given.get("WarehouseCode", WAREHOUSE),
            "BaseType": given.get("BaseType", -1),
            "BaseEntry": given.get("BaseEntry"),
        }
