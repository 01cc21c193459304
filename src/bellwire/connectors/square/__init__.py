"""Square: the stock at the till, the payments that it takes, and what becomes of them."""

from bellwire.connectors.kit import connector
from bellwire.connectors.square.actions import ACTIONS, sign_in
from bellwire.connectors.square.errors import explain
from bellwire.connectors.square.manifest import MANIFEST
from bellwire.connectors.square.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
