"""ShipStation: orders to send, labels and tracking, and what becomes of the parcels, by its API V2."""

from bellwire.connectors.kit import connector
from bellwire.connectors.shipstation.actions import create_label, get_tracking, sign_in, upsert_order
from bellwire.connectors.shipstation.errors import explain
from bellwire.connectors.shipstation.manifest import MANIFEST
from bellwire.connectors.shipstation.triggers import TRIGGERS

CONNECTOR = connector(
    MANIFEST,
    actions=(upsert_order, create_label, get_tracking),
    triggers=TRIGGERS,
    explain=explain,
    sign_in=sign_in,
)
