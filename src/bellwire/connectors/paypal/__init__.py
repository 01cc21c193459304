"""PayPal: captured payments and their refunds, subscriptions, and what becomes of them."""

from bellwire.connectors.kit import connector
from bellwire.connectors.paypal.actions import ACTIONS, sign_in
from bellwire.connectors.paypal.errors import explain
from bellwire.connectors.paypal.manifest import MANIFEST
from bellwire.connectors.paypal.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
