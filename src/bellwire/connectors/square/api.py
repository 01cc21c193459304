"""Asking Square: lists page by page, and times as it writes them."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from bellwire.connectors.kit import Call

T = TypeVar("T")


async def pages(call: Call, path: str, question: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    """Each page of a question that is asked by POST and changes nothing."""
    cursor: dict[str, str] = {}
    while True:
        page = (await call.api.request("POST", path, json={**question, **cursor}, writes=False)).json()
        yield page
        if not page.get("cursor"):
            return
        cursor = {"cursor": page["cursor"]}


async def listed(call: Call, path: str, name: str, params: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """All entries of a list that is asked for by GET, to the last page."""
    found: list[Mapping[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await call.api.get(path, params={**params, **cursor})).json()
        found += page.get(name, [])
        if not page.get("cursor"):
            return found
        cursor = {"cursor": page["cursor"]}


def batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def timestamp(time: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
