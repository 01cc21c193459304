"""ShipStation: orders to send, labels and tracking, by its API V2."""

from bellwire.connectors.kit import connector
from bellwire.connectors.shipstation.actions import create_label, explain, get_tracking, sign_in, upsert_order
from bellwire.connectors.shipstation.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=(upsert_order, create_label, get_tracking), explain=explain, sign_in=sign_in)
