"""What Square lists by time of change. Each record goes into the form of the webhook that would have told of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from bellwire.clock import parse_time
from bellwire.connectors.kit import Answer, Call, Listed, Page, Poll
from bellwire.connectors.square.api import timestamp
from bellwire.connectors.square.errors import INVALID_CURSOR
from bellwire.errors import Refused

_SIZE = "100"
_COUNTS = 1000


async def payments(call: Call, since: datetime, cursor: str) -> Page:
    """`GET payments`: https://developer.squareup.com/reference/square/payments-api/list-payments"""
    page = await _changed(call, "payments", since, cursor)
    return _page(page, [_listed("payment", record) for record in page.get("payments", [])])


async def refunds(call: Call, since: datetime, cursor: str) -> Page:
    """`GET refunds`: https://developer.squareup.com/reference/square/refunds-api/list-payment-refunds"""
    page = await _changed(call, "refunds", since, cursor)
    return _page(page, [_listed("refund", record) for record in page.get("refunds", [])])


async def inventory(call: Call, since: datetime, cursor: str) -> Page:
    """`POST inventory/counts/batch-retrieve`, newest first.

    https://developer.squareup.com/reference/square/inventory-api/batch-retrieve-inventory-counts
    """
    question: dict[str, Any] = {
        "location_ids": [call.settings.location_id],
        "states": ["IN_STOCK"],
        "updated_after": timestamp(since),
        "limit": _COUNTS,
    }
    path = "inventory/counts/batch-retrieve"
    page = await _from(cursor, lambda place: call.api.request("POST", path, json={**question, **place}, writes=False))
    return _page(page, [_counted(record) for record in page.get("counts", [])])


async def disputes(call: Call, since: datetime, cursor: str) -> Page:
    """`GET disputes` has no time to ask by; a seller has few.

    https://developer.squareup.com/reference/square/disputes-api/list-disputes
    """
    params = {"location_id": call.settings.location_id}
    page = await _from(cursor, lambda place: call.api.get("disputes", params={**params, **place}))
    changed = [record for record in page.get("disputes", []) if parse_time(record["updated_at"]) >= since]
    return _page(page, [_listed("dispute", record, topic="dispute.created") for record in changed])


async def _changed(call: Call, path: str, since: datetime, cursor: str) -> Mapping[str, Any]:
    """What changed at the connection's location, oldest first."""
    params = {
        "location_id": call.settings.location_id,
        "updated_at_begin_time": timestamp(since),
        "sort_field": "UPDATED_AT",
        "sort_order": "ASC",
        "limit": _SIZE,
    }
    return await _from(cursor, lambda place: call.api.get(path, params={**params, **place}))


async def _from(cursor: str, ask: Callable[[Mapping[str, str]], Awaitable[Answer]]) -> Mapping[str, Any]:
    """The page at a cursor; the first one where Square doesn't know the cursor any more."""
    try:
        found: Mapping[str, Any] = (await ask({"cursor": cursor} if cursor else {})).json()
    except Refused as error:
        if not cursor or error.cause != INVALID_CURSOR:
            raise
        found = (await ask({})).json()
    return found


def _page(page: Mapping[str, Any], records: list[Listed]) -> Page:
    return Page(tuple(records), next_cursor=page.get("cursor") or "")


def _listed(kind: str, record: Mapping[str, Any], topic: str = "") -> Listed:
    return _told(topic or f"{kind}.updated", kind, record["id"], record["updated_at"], {kind: record})


def _counted(record: Mapping[str, Any]) -> Listed:
    thing = f"{record['catalog_object_id']}/{record['location_id']}"
    return _told("inventory.count.updated", "inventory", thing, record["calculated_at"], {"inventory_counts": [record]})


def _told(topic: str, kind: str, number: str, state: str, told: Mapping[str, Any]) -> Listed:
    body = {"type": topic, "created_at": state, "data": {"type": kind, "id": number, "object": told}}
    return Listed(f"{kind}/{number}/{state}", orjson.dumps(body))


POLLS = (
    Poll("payments", payments, ("payment.succeeded", "payment.failed")),
    Poll("refunds", refunds, ("payment.refunded",)),
    Poll("inventory", inventory, ("inventory.updated",)),
    Poll("disputes", disputes, ("payment.disputed",), every=timedelta(hours=6)),
)
