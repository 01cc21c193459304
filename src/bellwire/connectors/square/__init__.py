"""Square: the stock at the till, by the Catalog and Inventory APIs."""

from bellwire.connectors.kit import connector
from bellwire.connectors.square.actions import adjust, count, explain, sign_in
from bellwire.connectors.square.manifest import MANIFEST

CONNECTOR = connector(MANIFEST, actions=(adjust, count), explain=explain, sign_in=sign_in)
