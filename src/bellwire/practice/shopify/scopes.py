"""What an app has to be allowed for a field."""

from collections.abc import Sequence
from typing import Any

from graphql import DocumentNode, FieldNode, OperationDefinitionNode

_SCOPES = {
    "order": "read_orders",
    "orders": "read_orders",
    "refund": "read_orders",
    "return": "read_returns",
    "reverseFulfillmentOrder": "read_returns",
    "customers": "read_customers",
    "locations": "read_locations",
    "product": "read_products",
    "products": "read_products",
    "productVariants": "read_products",
    "tagsAdd": "write_products",
    "tagsRemove": "write_products",
    "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
}


def lacking(document: DocumentNode, granted: Sequence[str]) -> dict[str, Any] | None:
    """The error about the first field that the app has no leave for. Leave to write is leave to read."""
    for operation in document.definitions:
        for node in operation.selection_set.selections if isinstance(operation, OperationDefinitionNode) else ():
            field = node.name.value if isinstance(node, FieldNode) else ""
            needed = _SCOPES.get(field, "")
            if needed and not {needed, needed.replace("read_", "write_")} & {*granted}:
                message = f"Access denied for {field} field. Required access: `{needed}` access scope."
                return {"message": message, "path": [field], "extensions": {"code": "ACCESS_DENIED"}}
    return None


def forbids(topic: str, granted: Sequence[str]) -> bool:
    """Whether the app may not hear of it. Practice minds the scope of returns alone, which came later than the rest."""
    return topic.startswith(("RETURNS_", "REVERSE_FULFILLMENT_ORDERS_")) and "read_returns" not in granted
