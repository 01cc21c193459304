"""Odoo: orders to suppliers, and the goods that come in for them (JSON-2 API, from version 19 on)."""

from bellwire.connectors.kit import connector
from bellwire.connectors.odoo.account import sign_in
from bellwire.connectors.odoo.faults import explain
from bellwire.connectors.odoo.manifest import MANIFEST
from bellwire.connectors.odoo.purchases import ACTIONS
from bellwire.connectors.odoo.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
