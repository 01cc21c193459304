"""What Bellwire works out by itself, as actions: nobody is called, and in one project the same input always gives the
same result."""

from bellwire.connectors.bellwire.actions import list_watched, plan_refund, plan_reorder, plan_route
from bellwire.connectors.bellwire.manifest import MANIFEST
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=(plan_refund, plan_reorder, list_watched, plan_route))
