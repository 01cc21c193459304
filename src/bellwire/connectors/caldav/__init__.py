"""Calendars on any server that speaks CalDAV (RFC 4791): Radicale, Nextcloud, Fastmail, iCloud and others."""

from bellwire.connectors.caldav.actions import ACTIONS, sign_in
from bellwire.connectors.caldav.errors import explain
from bellwire.connectors.caldav.manifest import MANIFEST
from bellwire.connectors.caldav.triggers import TRIGGERS
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
