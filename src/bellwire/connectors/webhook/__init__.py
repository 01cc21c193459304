"""Signed webhooks from any sender: by Standard Webhooks, or by an HMAC of the body in a header."""

from bellwire.connectors.kit import connector
from bellwire.connectors.webhook.manifest import MANIFEST
from bellwire.connectors.webhook.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, triggers=TRIGGERS)
