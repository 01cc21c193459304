"""Lists of what changed, page by page."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bellwire.connectors.kit import Call

PAGE = 100
"""The most that `per_page` takes."""


async def changed(
    call: Call, path: str, since: datetime, cursor: str = "", *, size: int = PAGE, **params: str
) -> tuple[Sequence[dict[str, Any]], str]:
    """What of a list changed at a time or later, and the cursor of the next page; empty: this was the last.

    Sorted by id: what changes while the pages are read can come twice, but nothing is passed over. By time of change it
    would be the other way round.
    """
    page = int(cursor or 1)
    # `modified_after` leaves out the very second that it names.
    after = (since.astimezone(UTC) - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    asked = {
        "modified_after": after,
        "dates_are_gmt": "true",
        "orderby": "id",
        "order": "asc",
        "per_page": str(size),
        "page": str(page),
    }
    answer = await call.api.get(path, params=asked | params)
    found = answer.json()
    pages = answer.headers.get("x-wp-totalpages")
    # Some caches drop the header; orders that the key's user may not see make a page short, so the header is better.
    more = page < int(pages) if pages else len(found) == size
    return found, str(page + 1) if more else ""


async def every(call: Call, path: str, **params: str) -> list[dict[str, Any]]:
    """A whole list, whatever its times."""
    found: list[dict[str, Any]] = []
    page, pages = 1, 1
    while page <= pages:
        answer = await call.api.get(path, params={"per_page": str(PAGE), "page": str(page)} | params)
        shown = answer.json()
        found += shown
        page += 1
        pages = int(answer.headers.get("x-wp-totalpages") or page - (len(shown) < PAGE))
    return found
