"""Connectors that fill a capability and do nothing, for checks that only ask what a connector can do."""

from bellwire.capabilities import CAPABILITIES, Given, Result
from bellwire.connectors import find_connector
from bellwire.connectors.kit import Call, Connector, Manifest, Normalised, Triggers, Unkeyed, action, connector


async def _nothing(call: Call, given: Given) -> Result:
    raise NotImplementedError


def standin(capability: str, event_types: tuple[str, ...] | None = None) -> Connector:
    """Does all of `capability`; brings `event_types`, or no events at all."""
    return connector(
        Manifest(name=capability, title=capability.capitalize(), capabilities=(capability,), base_urls={}),
        actions=tuple(action(op, repeat=Unkeyed("a stand-in"))(_nothing) for op in CAPABILITIES[capability].values()),
        triggers=Triggers(event_types, lambda _delivery, _connection: Normalised())
        if event_types is not None
        else None,
    )


CONNECTORS = {
    "bellwire": find_connector("bellwire"),
    "shop": standin(
        "storefront",
        ("order.created", "order.paid", "order.cancelled", "order.payment_failed", "order.refunded", "product.updated"),
    ),
    "books": standin("accounting"),
    "stock": standin("stock"),
    "shipping": standin("shipping"),
    "chat": standin("chat"),
    "mail": standin("email"),
    "calendar": standin("calendar"),
    "forms": standin("chat", ("*",)),
}
