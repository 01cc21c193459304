"""What suppliers bring."""

from datetime import datetime

from bellwire.events.base import Fact


class ReceivedLine(Fact):
    sku: str
    quantity: int
    name: str = ""


class PurchaseReceipt(Fact):
    """Goods that came in for an order to a supplier, all of it or a part."""

    id: str
    purchase_order_id: str = ""
    number: str = ""
    """Of the purchase order."""
    supplier_id: str = ""
    supplier_name: str = ""
    lines: tuple[ReceivedLine, ...]
    received_at: datetime
