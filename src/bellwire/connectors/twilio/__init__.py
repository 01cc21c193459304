"""Twilio: text messages, by Programmable Messaging: sent, reported on, and received."""

from bellwire.connectors.kit import connector
from bellwire.connectors.twilio.actions import send_sms, sign_in
from bellwire.connectors.twilio.errors import explain
from bellwire.connectors.twilio.manifest import MANIFEST
from bellwire.connectors.twilio.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=(send_sms,), triggers=TRIGGERS, explain=explain, sign_in=sign_in)
