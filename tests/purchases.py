"""Orders to suppliers: what the tests of every vendor of purchasing do."""

from typing import Any

from bellwire.capabilities import Given, Result
from bellwire.capabilities.purchasing import (
    CreatePurchaseOrder,
    FindSupplier,
    PurchaseOrder,
    PurchaseOrderState,
    ReadPurchaseOrder,
    SupplyTerms,
)
from bellwire.connectors.kit import Call, Connection
from tests.connecting import call


async def _do(call: Call, name: str, given: Given) -> Result:
    return await call.connection.connector.actions[f"purchasing.{name}"](call, given)


async def supplier(erp: Connection, sku: str, **of_the_call: Any) -> SupplyTerms:
    found = await _do(call(erp, **of_the_call), "find_supplier", FindSupplier(sku=sku))
    assert isinstance(found, SupplyTerms)
    return found


async def order(erp: Connection, given: CreatePurchaseOrder, **of_the_call: Any) -> PurchaseOrder:
    made = await _do(call(erp, **of_the_call), "create_purchase_order", given)
    assert isinstance(made, PurchaseOrder)
    return made


async def state(erp: Connection, order_id: str) -> PurchaseOrderState:
    found = await _do(call(erp), "read_purchase_order", ReadPurchaseOrder(purchase_order_id=order_id))
    assert isinstance(found, PurchaseOrderState)
    return found
