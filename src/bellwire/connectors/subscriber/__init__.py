"""Standard Webhooks out: our own events, signed, to whoever wants to know of them."""

from bellwire.connectors.kit import connector
from bellwire.connectors.subscriber.actions import explain, send_event
from bellwire.connectors.subscriber.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=(send_event,), explain=explain)
