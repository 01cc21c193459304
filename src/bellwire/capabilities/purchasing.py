"""Purchasing: what is ordered from suppliers, and on which terms."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result
from bellwire.money import Money


class FindSupplier(Given):
    sku: str = Field(min_length=1)


class SupplyTerms(Result):
    """The supplier that the item is usually ordered from. Refused where the item has none."""

    sku: str
    supplier_id: str
    supplier_name: str
    lead_days: int | None = None
    """From order to receipt; None where it isn't kept."""
    minimum_quantity: int = 1
    pack_size: int = 1
    """It is ordered in multiples of this."""
    unit_price: Money | None = None


class PurchaseLine(Given):
    sku: str
    quantity: int = Field(gt=0)
    unit_price: Money | None = None
    """None: as the purchasing system has it."""


class CreatePurchaseOrder(Given):
    """A draft, which a person looks at and sends."""

    supplier_id: str = Field(min_length=1)
    lines: tuple[PurchaseLine, ...] = Field(min_length=1)
    reference: str = Field(min_length=1, max_length=100)
    """What people know it by; it is found again by it."""
    expected: date | None = None
    """When the goods are to be there."""
    note: str = ""


class PurchaseOrder(Result):
    id: str
    number: str
    supplier_id: str
    total: Money | None = None
    url: str = ""


class PurchaseStatus(StrEnum):
    DRAFT = "draft"
    ORDERED = "ordered"
    RECEIVED = "received"
    """All of it."""
    CANCELLED = "cancelled"


class ReadPurchaseOrder(Given):
    purchase_order_id: str = Field(min_length=1)


class PurchasedLine(Result):
    sku: str
    ordered: int
    received: int


class PurchaseOrderState(Result):
    id: str
    number: str
    status: PurchaseStatus
    supplier_id: str
    lines: tuple[PurchasedLine, ...]


FIND_SUPPLIER = Operation(
    "purchasing", "find_supplier", FindSupplier, SupplyTerms, Effect.NOTHING, "Look up who supplies an item"
)
CREATE_PURCHASE_ORDER = Operation(
    "purchasing", "create_purchase_order", CreatePurchaseOrder, PurchaseOrder, Effect.RECORD,
    "Draft an order to a supplier",
)  # fmt: skip
READ_PURCHASE_ORDER = Operation(
    "purchasing", "read_purchase_order", ReadPurchaseOrder, PurchaseOrderState, Effect.NOTHING,
    "Look how far an order to a supplier is",
)  # fmt: skip

OPERATIONS = (FIND_SUPPLIER, CREATE_PURCHASE_ORDER, READ_PURCHASE_ORDER)
