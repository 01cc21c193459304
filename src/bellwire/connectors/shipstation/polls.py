"""The list of labels, by when they were made: that is the only time that ShipStation can be asked by.

https://docs.shipstation.com/openapi/labels/list_labels
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bellwire.connectors.kit import Call, Listed, Page, Poll

Label = Mapping[str, Any]

LABEL = "LABEL"
"""How a label that was listed calls itself, beside ShipStation's own kinds of message."""
LABELS, PARCELS = "labels", "parcels"

_SIZE = 100
_UNDER_WAY = timedelta(days=30)
"""How long a parcel may take and is still looked at."""
_ENDS = ("delivered", "error")


async def labels(call: Call, since: datetime, cursor: str) -> Page:
    """Those that were made since, whoever bought them."""
    return await _page(call, since, cursor, lambda _label: True)


async def parcels(call: Call, since: datetime, cursor: str) -> Page:
    """Those whose parcel arrived, or won't; when it did isn't known, so all that may have been under way."""
    return await _page(call, since - _UNDER_WAY, cursor, lambda label: label["tracking_status"] in _ENDS)


async def _page(call: Call, since: datetime, cursor: str, wanted: Callable[[Label], bool]) -> Page:
    number = int(cursor) if cursor.isdecimal() else 1
    answer = await _ask(call, since, number)
    if number > answer["pages"] and number > 1:
        answer = await _ask(call, since, number := 1)
    found = tuple(_listed(label) for label in answer["labels"] if wanted(label))
    return Page(found, next_cursor=str(number + 1) if number < answer["pages"] else "")


async def _ask(call: Call, since: datetime, number: int) -> Any:
    """One page, oldest first: what is made meanwhile doesn't move those before it."""
    params = {
        "created_at_start": since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sort_by": "created_at",
        "sort_dir": "asc",
        "page": str(number),
        "page_size": str(_SIZE),
    }
    return (await call.api.get("labels", params=params)).json()


def _listed(label: Label) -> Listed:
    state = f"{label['status']}/{label['tracking_status']}"
    return Listed(f"label/{label['label_id']}/{state}", orjson.dumps({"resource_type": LABEL, "data": label}))


POLLS = (
    # No webhook tells of a label that somebody bought in ShipStation.
    Poll(LABELS, labels, ("shipment.created",), every=timedelta(minutes=15)),
    Poll(PARCELS, parcels, ("shipment.delivered", "shipment.exception"), every=timedelta(hours=6)),
)
