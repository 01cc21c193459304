"""Google Calendar: appointments, who is busy, and what changes in a calendar (API v3)."""

from bellwire.connectors.google_calendar.actions import ACTIONS, sign_in
from bellwire.connectors.google_calendar.errors import explain
from bellwire.connectors.google_calendar.manifest import MANIFEST
from bellwire.connectors.google_calendar.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)

__all__ = ["CONNECTOR"]
