"""The store's lists: each thing has a version that grows with every change, and pages go by it.

https://x-series-api.lightspeedhq.com/docs/pagination
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bellwire.connectors.kit import Call

T = TypeVar("T")


async def listed(call: Call, path: str, *, size: int = 100, after: int = 0) -> AsyncIterator[Mapping[str, Any]]:
    """Each that has a version above `after`, oldest first; they come `size` to a page."""
    while True:
        page = (await call.api.get(path, params={"after": str(after), "page_size": str(size)})).json()
        if not page["data"]:
            return
        for each in page["data"]:
            yield each
        after = page["version"]["max"]


def batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))
