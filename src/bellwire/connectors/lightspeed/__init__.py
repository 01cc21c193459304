"""Lightspeed Retail (X-Series): the stock of an outlet, and what the store's webhooks tell."""

from bellwire.connectors.kit import connector
from bellwire.connectors.lightspeed.actions import adjust, count, sign_in
from bellwire.connectors.lightspeed.errors import explain
from bellwire.connectors.lightspeed.manifest import MANIFEST
from bellwire.connectors.lightspeed.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=(adjust, count), triggers=TRIGGERS, explain=explain, sign_in=sign_in)
