"""QuickBooks Online: the books of a small business (Accounting API v3)."""

from bellwire.connectors.kit import connector
from bellwire.connectors.quickbooks.actions import ACTIONS, sign_in
from bellwire.connectors.quickbooks.faults import explain
from bellwire.connectors.quickbooks.manifest import MANIFEST
from bellwire.connectors.quickbooks.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
