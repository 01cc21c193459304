"""Zendesk Support: tickets, and what happens to them."""

from bellwire.connectors.kit import connector
from bellwire.connectors.zendesk.actions import ACTIONS, sign_in
from bellwire.connectors.zendesk.faults import explain
from bellwire.connectors.zendesk.manifest import MANIFEST
from bellwire.connectors.zendesk.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
