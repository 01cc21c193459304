"""SAP Business One (Service Layer): orders to suppliers, stock, and goods that come in."""

from bellwire.connectors.kit import connector
from bellwire.connectors.sap_business_one.account import sign_in
from bellwire.connectors.sap_business_one.faults import explain
from bellwire.connectors.sap_business_one.manifest import MANIFEST
from bellwire.connectors.sap_business_one.purchases import create_purchase_order, find_supplier, read_purchase_order
from bellwire.connectors.sap_business_one.stock import adjust, count
from bellwire.connectors.sap_business_one.triggers import TRIGGERS

CONNECTOR = connector(
    MANIFEST,
    actions=(find_supplier, create_purchase_order, read_purchase_order, adjust, count),
    triggers=TRIGGERS,
    explain=explain,
    sign_in=sign_in,
)

__all__ = ["CONNECTOR"]
