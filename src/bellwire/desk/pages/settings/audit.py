"""Who did what when, to look through and to take along."""

import csv
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bellwire.desk.gate import Gate
from bellwire.desk.site import Page, Site
from bellwire.errors import BellwireError
from bellwire.ledger import Rows, audit
from bellwire.ledger.audit import Act, Wanted

_PLACE = "/settings/audit"
_SHOWN = 50
_AT_ONCE = 500
_LARGEST_ID = 2**63 - 1
_COLUMNS = ("number", "time", "who", "what", "target", "detail")


def pages(site: Site, _: Gate) -> Sequence[Page]:
    return [
        Page(_PLACE, partial(_show, site)),
        Page(f"{_PLACE}.csv", partial(_csv, site)),
        Page(f"{_PLACE}.jsonl", partial(_lines, site)),
    ]


async def _show(site: Site, request: Request) -> Response:
    asked = request.query_params
    before = asked.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and int(before) <= _LARGEST_ID else None
    try:
        wanted, wrong = _wanted(site, request), ""
    except BellwireError as error:
        wanted, wrong = Wanted(), str(error)

    def query(rows: Rows) -> tuple[list[Act], list[str], list[str]]:
        acts = [] if wrong else audit.page(rows, wanted, limit=_SHOWN + 1, before=number)
        return acts, audit.everybody(rows), audit.kinds(rows)

    acts, everybody, kinds = await site.ledger.read(query)
    filters = {name: asked.get(name, "") for name in ("who", "what", "target", "from", "to")}
    given = {name: value for name, value in filters.items() if value}
    older = urlencode(given | {"before": acts[_SHOWN - 1].id}) if len(acts) > _SHOWN else ""
    return site.page(
        request,
        "settings_audit.html",
        400 if wrong else 200,
        acts=acts[:_SHOWN],
        everybody=everybody,
        kinds=kinds,
        given=filters,
        chosen=urlencode(given),
        older=older,
        later=number is not None,
        wrong=wrong,
    )


async def _csv(site: Site, request: Request) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    told = _as_csv(_acts(site, _wanted(site, request)))
    return StreamingResponse(told, media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(site: Site, request: Request) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    told = _as_lines(_acts(site, _wanted(site, request)))
    return StreamingResponse(told, media_type="application/jsonl", headers=headers)


async def _acts(site: Site, wanted: Wanted) -> AsyncIterator[list[Act]]:
    """Portion by portion, the newest first: each in a look of its own, so that a long export holds nobody up."""
    before: int | None = None
    while found := await site.ledger.read(partial(audit.page, wanted=wanted, limit=_AT_ONCE, before=before)):
        yield found
        before = found[-1].id


async def _as_csv(portions: AsyncIterator[list[Act]]) -> AsyncIterator[str]:
    yield ",".join(_COLUMNS) + "\r\n"
    async for acts in portions:
        text = StringIO()
        csv.writer(text).writerows([harmless(value) for value in _row(act).values()] for act in acts)
        yield text.getvalue()


async def _as_lines(portions: AsyncIterator[list[Act]]) -> AsyncIterator[bytes]:
    async for acts in portions:
        yield b"".join(orjson.dumps(_row(act)) + b"\n" for act in acts)


def harmless(cell: Any) -> str:
    """So that no spreadsheet takes it for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _row(act: Act) -> dict[str, Any]:
    values = (act.id, act.at.isoformat(), act.who, act.what, act.target, act.detail)
    return dict(zip(_COLUMNS, values, strict=True))


def _wanted(site: Site, request: Request) -> Wanted:
    """Raises BellwireError."""
    asked = request.query_params
    last = _midnight(site, asked.get("to", ""), days=1)
    return Wanted(
        asked.get("who", ""),
        asked.get("what", ""),
        asked.get("target", "").strip(),
        _midnight(site, asked.get("from", "")),
        last,
    )


def _midnight(site: Site, text: str, days: int = 0) -> datetime | None:
    """When a day of the business begins, or (with `days`) one after it."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), site.zone)
    except (ValueError, OverflowError):
        raise BellwireError(f"'{text[:40]}' is no day.", remedy="Write it like 2026-01-31.") from None
