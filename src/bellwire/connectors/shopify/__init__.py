"""Shopify: orders, products and stock by webhook, actions by the Admin GraphQL API."""

from bellwire.connectors.kit import connector
from bellwire.connectors.shopify.actions import (
    flag_product,
    list_orders_since,
    mark_fulfilled,
    read_order,
    sign_in,
)
from bellwire.connectors.shopify.errors import explain
from bellwire.connectors.shopify.manifest import MANIFEST
from bellwire.connectors.shopify.triggers import TRIGGERS

CONNECTOR = connector(
    MANIFEST,
    actions=(read_order, list_orders_since, flag_product, mark_fulfilled),
    triggers=TRIGGERS,
    explain=explain,
    sign_in=sign_in,
)
