"""HubSpot: contacts, deals and tasks of the CRM, and what changes in them."""

from bellwire.connectors.hubspot.actions import ACTIONS
from bellwire.connectors.hubspot.faults import explain
from bellwire.connectors.hubspot.manifest import MANIFEST
from bellwire.connectors.hubspot.signing_in import sign_in
from bellwire.connectors.hubspot.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
