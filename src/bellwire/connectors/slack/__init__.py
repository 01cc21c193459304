"""Slack: messages to the team and from it, by the Web API and the Events API."""

from bellwire.connectors.kit import connector
from bellwire.connectors.slack.actions import post_message, sign_in
from bellwire.connectors.slack.errors import explain
from bellwire.connectors.slack.manifest import MANIFEST
from bellwire.connectors.slack.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=(post_message,), triggers=TRIGGERS, explain=explain, sign_in=sign_in)
