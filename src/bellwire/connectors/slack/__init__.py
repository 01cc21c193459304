"""Slack: messages to the team, by the Web API and a bot token."""

from bellwire.connectors.kit import connector
from bellwire.connectors.slack.actions import post_message, sign_in
from bellwire.connectors.slack.errors import explain
from bellwire.connectors.slack.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=(post_message,), explain=explain, sign_in=sign_in)
