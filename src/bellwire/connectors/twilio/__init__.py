"""Twilio: text messages, by Programmable Messaging."""

from bellwire.connectors.kit import connector
from bellwire.connectors.twilio.actions import send_sms, sign_in
from bellwire.connectors.twilio.errors import explain
from bellwire.connectors.twilio.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=(send_sms,), explain=explain, sign_in=sign_in)
