"""Microsoft Teams: messages to channels by workflows, and messages that mention an outgoing webhook."""

from bellwire.connectors.kit import connector
from bellwire.connectors.teams.actions import post_message, sign_in
from bellwire.connectors.teams.errors import explain
from bellwire.connectors.teams.manifest import MANIFEST
from bellwire.connectors.teams.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=(post_message,), triggers=TRIGGERS, explain=explain, sign_in=sign_in)
