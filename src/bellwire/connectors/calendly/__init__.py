"""Calendly: what customers book by themselves, move and call off."""

from bellwire.connectors.calendly.actions import ACTIONS, sign_in
from bellwire.connectors.calendly.faults import explain
from bellwire.connectors.calendly.manifest import MANIFEST
from bellwire.connectors.calendly.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
