"""Asking NetSuite in SuiteQL, and what its statements are made of.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bellwire.connectors.kit import Call
from bellwire.errors import Refused

Row = Mapping[str, Any]
"""Columns by name, in lower case. Values are texts; those that are null are left out."""

Value = str | int | datetime | Sequence[str]

_FULLEST = 1000
_NAME = re.compile(r":([a-z_]+)")


async def select(call: Call, statement: str, **values: Value) -> list[Row]:
    """All rows, to the last page. A value stands in place of its name: `:sku`."""
    rows: list[Row] = []
    more = True
    while more:
        page, more = await select_page(call, statement, _FULLEST, len(rows), **values)
        rows += page
    return rows


async def select_page(
    call: Call, statement: str, limit: int, offset: int = 0, **values: Value
) -> tuple[list[Row], bool]:
    """Some rows, and whether there are more. `offset` is a multiple of `limit`."""
    answer = await call.api.request(
        "POST",
        "query/v1/suiteql",
        json={"q": " ".join(_NAME.sub(lambda name: _written(values[name[1]]), statement).split())},
        params={"limit": str(limit), "offset": str(offset)},
        headers={"Prefer": "transient"},
        writes=False,
    )
    told = answer.json()
    return list(told["items"]), bool(told["hasMore"])


def record_id(text: str, what: str) -> int:
    """A record's id. Raises Refused when it is none."""
    if text.isdecimal():
        return int(text)
    raise Refused(
        f"NetSuite has no {what} '{text[:40]}': its ids are numbers.",
        cause="no-such-record",
        remedy="Correct it in the flow, then retry.",
    )


def _written(value: Value) -> str:
    match value:
        case str():
            return "'" + value.replace("'", "''") + "'"
        case int():
            return str(value)
        case datetime():
            time = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} +00:00"
            return f"TO_TIMESTAMP_TZ('{time}', 'YYYY-MM-DD HH24:MI:SS TZH:TZM')"
        case _:
            return "(" + ", ".join(map(_written, value)) + ")"
