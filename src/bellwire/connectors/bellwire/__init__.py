"""Bellwire's own calculations, as actions: nothing is called, and the same input always gives the same result."""

from bellwire.connectors.bellwire.actions import plan_refund, plan_reorder, plan_route
from bellwire.connectors.bellwire.manifest import MANIFEST
from bellwire.connectors.kit import connector

CONNECTOR = connector(MANIFEST, actions=(plan_refund, plan_reorder, plan_route))
