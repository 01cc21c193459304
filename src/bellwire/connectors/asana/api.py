"""Asking and telling Asana: everything is wrapped in `data`, and lists come in pages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bellwire.connectors.asana.faults import EXPIRED
from bellwire.connectors.kit import Call
from bellwire.errors import Refused

Record = dict[str, Any]

_PAGE = "100"


async def read(call: Call, path: str, fields: Sequence[str]) -> Record:
    record: Record = (await call.api.get(path, params={"opt_fields": ",".join(fields)})).json()["data"]
    return record


async def send(call: Call, method: str, path: str, given: Mapping[str, Any], fields: Sequence[str] = ()) -> Record:
    """What isn't given (None or empty) is left out."""
    data = {name: value for name, value in given.items() if value not in (None, "", (), [])}
    params = {"opt_fields": ",".join(fields)} if fields else None
    record: Record = (await call.api.request(method, path, json={"data": data}, params=params)).json()["data"]
    return record


async def page(
    call: Call, path: str, fields: Sequence[str], params: Mapping[str, str], offset: str = ""
) -> tuple[list[Record], str]:
    """The records, and where the next page begins; empty: this was the last. Offsets expire: then it is the first page
    again."""
    asked = {**params, "limit": _PAGE, "opt_fields": ",".join(fields)}
    try:
        answer = (await call.api.get(path, params=asked | ({"offset": offset} if offset else {}))).json()
    except Refused as error:
        if not offset or error.cause != EXPIRED:
            raise
        answer = (await call.api.get(path, params=asked)).json()
    return answer["data"], (answer.get("next_page") or {}).get("offset", "")


async def listed(call: Call, path: str, fields: Sequence[str], **params: str) -> AsyncIterator[Record]:
    """All records of a list, to the last page."""
    offset = ""
    while True:
        records, offset = await page(call, path, fields, params, offset)
        for record in records:
            yield record
        if not offset:
            return


def iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
