"""QuickBooks Online: the books of a small business (Accounting API v3)."""

from bellwire.connectors.kit import connector
from bellwire.connectors.quickbooks.actions import ACTIONS, sign_in
from bellwire.connectors.quickbooks.faults import explain
from bellwire.connectors.quickbooks.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=ACTIONS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
