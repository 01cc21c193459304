"""Lightspeed's own description, which is of API 2.0, for what didn't change since; stock adjustments and webhooks are
as its public reference has them."""

from dataclasses import replace

from bellwire.practice import Received
from tests.connectors.lightspeed.inventory import INVENTORY
from tests.openapi import described

_BELOW = "/api/2026-07/"
_NEWER = ("stock_adjustments", "custom_inventory_adjustment_reasons", "inventory_levels", "webhooks")
_UNDESCRIBED = (("POST", "inventory"), ("DELETE", "webhooks"))


def problems(received: Received) -> list[str]:
    """With a request and its answer."""
    what = received.path.removeprefix(_BELOW).partition("/")[0]
    if not received.path.startswith(_BELOW) or (received.method, what) in _UNDESCRIBED:
        return []
    if what in _NEWER:
        return INVENTORY.problems(received)
    older = replace(received, path=received.path.replace("/2026-07/", "/2.0/"))
    if isinstance(received.answer, dict) and not received.answer.get("data"):
        older = replace(older, status=None)  # the empty page at the end of a list had versions then
    return described("lightspeed_xseries_api2").problems(older)
