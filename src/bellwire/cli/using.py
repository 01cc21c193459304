"""Which connector is to stand behind each connection of a template: what the command line says."""

from collections.abc import Sequence
from typing import Annotated

import typer

from bellwire.cli.telling import pair

CAPABILITIES = {
    "shop": "storefront",
    "books": "accounting",
    "stock": "stock",
    "shipping": "shipping",
    "pay": "payments",
    "buying": "purchasing",
    "chat": "chat",
    "mail": "email",
    "sms": "sms",
    "calendar": "calendar",
    "booking": "booking",
    "field": "field_service",
    "crm": "crm",
    "projects": "projects",
    "esign": "esign",
    "helpdesk": "helpdesk",
    "forms": "",
}
"""What the connection of each name is there for, in the bundled templates; empty: it only tells what happened."""

Use = Annotated[
    list[str] | None,
    typer.Option(
        "--use", metavar="NAME=CONNECTOR", help=f"The connector behind a connection: {', '.join(CAPABILITIES)}."
    ),
]
"""For the connections that have no option of their own."""


def wanted_of(use: Sequence[str] | None, **named: str | None) -> dict[str, str | None]:
    """Connection → the connector that was asked for. Raises typer.BadParameter."""
    pairs = dict(pair(text, "--use") for text in use or ())
    for name in pairs:
        if name not in CAPABILITIES:
            raise typer.BadParameter(f"there is no '{name}': write one of {', '.join(CAPABILITIES)}")
    return {**named, **pairs}
