"""Jobber: clients, jobs and time sheets of a field service, and what changes in its jobs."""

from bellwire.connectors.jobber.actions import ACTIONS, sign_in
from bellwire.connectors.jobber.faults import explain
from bellwire.connectors.jobber.manifest import MANIFEST
from bellwire.connectors.jobber.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
