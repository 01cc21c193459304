"""NetSuite: orders to suppliers, and what suppliers bring (SuiteTalk REST web services, SuiteQL)."""

from bellwire.connectors.kit import connector
from bellwire.connectors.netsuite.actions import ACTIONS, sign_in
from bellwire.connectors.netsuite.errors import explain
from bellwire.connectors.netsuite.manifest import MANIFEST
from bellwire.connectors.netsuite.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
