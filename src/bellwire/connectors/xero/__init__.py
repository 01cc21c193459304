"""Xero: the books of a small business (Accounting API 2.0), and what changes in them."""

from bellwire.connectors.kit import connector
from bellwire.connectors.xero.actions import ACTIONS, sign_in
from bellwire.connectors.xero.faults import explain
from bellwire.connectors.xero.manifest import MANIFEST
from bellwire.connectors.xero.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
