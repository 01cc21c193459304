"""Asking Jobber by GraphQL, at the pace that its points allow."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bellwire.connectors.jobber.faults import UNKNOWN, pause
from bellwire.connectors.jobber.manifest import VERSION
from bellwire.connectors.kit import Call
from bellwire.errors import Refused

Node = dict[str, Any]

_VERSIONING = "extensions.versioning"
"""Where answers tell which version was used."""


async def ask(call: Call, document: str, *, writes: bool = False, **variables: Any) -> Node:
    """`data` of the answer. When the points that it cost are used up, the next request waits for them."""
    asked = {"query": document, "variables": variables}
    said = (await call.api.request("POST", "graphql", json=asked, writes=writes)).json()
    if wait := pause(said):
        call.api.gate.pause(wait)
    versioning = (said.get("extensions") or {}).get("versioning") or {}
    used = str(versioning.get("version") or VERSION)
    call.api.notice(_VERSIONING, str(versioning.get("warning") or ""))
    if used != VERSION:
        call.api.notice(f"{_VERSIONING}.version", f"{used} was used instead of {VERSION}")
    data: Node = said["data"]
    return data


async def listed(call: Call, document: str, path: Sequence[str], **variables: Any) -> AsyncIterator[Node]:
    """All nodes of the list at `path`, to the last page. Raises Refused (unknown-record) when something on the way to
    it isn't there."""
    after = None
    while True:
        found: Any = await ask(call, document, after=after, **variables)
        for step in path:
            found = found[step]
            if found is None:
                raise unknown(step)
        for node in found["nodes"]:
            yield node
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


def unknown(what: str) -> Refused:
    return Refused(
        f"Jobber has no such {what}.",
        cause=UNKNOWN,
        remedy="It may have been deleted there: look for it, and correct what refers to it.",
    )


def iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
