"""The typed inputs and results of each capability: what connectors fill, and what flows are written against."""

from bellwire.capabilities import (
    accounting,
    booking,
    calendar,
    chat,
    crm,
    email,
    esign,
    field_service,
    helpdesk,
    payments,
    planning,
    projects,
    purchasing,
    requests,
    routing,
    shipping,
    sms,
    stock,
    storefront,
    subscriber,
)
from bellwire.capabilities.base import Effect, Given, Operation, Result

CAPABILITIES: dict[str, dict[str, Operation]] = {
    module.__name__.rpartition(".")[2]: {operation.name: operation for operation in module.OPERATIONS}
    for module in (
        accounting,
        booking,
        calendar,
        chat,
        crm,
        email,
        esign,
        field_service,
        helpdesk,
        payments,
        planning,
        projects,
        purchasing,
        requests,
        routing,
        shipping,
        sms,
        stock,
        storefront,
        subscriber,
    )
}
"""Capability → operation name → operation."""

OPERATIONS: dict[str, list[Operation]] = {}
"""Operation name → all operations of that name, whatever their capability."""
for _operations in CAPABILITIES.values():
    for _operation in _operations.values():
        OPERATIONS.setdefault(_operation.name, []).append(_operation)

__all__ = [
    "CAPABILITIES",
    "OPERATIONS",
    "Effect",
    "Given",
    "Operation",
    "Result",
    "accounting",
    "booking",
    "calendar",
    "chat",
    "crm",
    "email",
    "esign",
    "field_service",
    "helpdesk",
    "payments",
    "planning",
    "projects",
    "purchasing",
    "requests",
    "routing",
    "shipping",
    "sms",
    "stock",
    "storefront",
    "subscriber",
]
