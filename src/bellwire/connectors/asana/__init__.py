"""Asana: projects and tasks of the team, and what changes in them."""

from bellwire.connectors.asana.actions import ACTIONS
from bellwire.connectors.asana.faults import explain
from bellwire.connectors.asana.manifest import MANIFEST
from bellwire.connectors.asana.signing_in import sign_in
from bellwire.connectors.asana.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
