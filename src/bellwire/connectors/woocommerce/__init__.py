"""WooCommerce: a shop on WordPress, by its REST API v3 and its webhooks."""

from bellwire.connectors.kit import connector
from bellwire.connectors.woocommerce.actions import ACTIONS, explain, sign_in
from bellwire.connectors.woocommerce.manifest import MANIFEST
from bellwire.connectors.woocommerce.triggers import TRIGGERS

CONNECTOR = connector(MANIFEST, actions=ACTIONS, triggers=TRIGGERS, explain=explain, sign_in=sign_in)
