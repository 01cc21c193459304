"""The company's list of changes.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture
"""

import hashlib
from datetime import UTC, datetime, timedelta

import orjson

from bellwire.connectors.kit import Call, Listed, Page, Poll
from bellwire.connectors.quickbooks.api import PAGE, Record, select

ENTITIES = ("Customer", "Invoice", "CreditMemo")
"""Those that are listed, as QuickBooks calls them."""
NAME = "changes"
_WINDOW = timedelta(days=29)
"""How far back the list goes: 30 days, of which a clock that is off may take some."""
_WHATEVER = {"Customer": " AND Active IN (true, false)"}
"""Queries leave out what is inactive, unless it is asked for."""


async def _changes(call: Call, since: datetime, cursor: str) -> Page:
    """The list, deleted records among them, as long as all that changed fits into one answer. It can't be asked for its
    rest, nor for what is older than 30 days: then each entity is read by queries, page by page; they don't know of what
    was deleted. The cursor is the entity and the first record of the page."""
    records: tuple[Listed, ...] = ()
    if not cursor and call.clock() - since < _WINDOW:
        asked = {"entities": ",".join(ENTITIES), "changedSince": _text(since)}
        parts = (await call.api.get("cdc", params=asked)).json()["CDCResponse"][0]["QueryResponse"]
        found = [(entity, record) for part in parts for entity in ENTITIES for record in part.get(entity, ())]
        records = tuple(_listed(entity, record) for entity, record in found)
        if len(found) < PAGE:
            return Page(records)
        return Page(records, f"{ENTITIES[0]} 1")
    entity, start = _place(cursor)
    # By id: what changes meanwhile may come twice, but nothing is passed over.
    where = f"MetaData.LastUpdatedTime >= '{_text(since)}'{_WHATEVER.get(entity, '')}"
    page = await select(call, entity, f"WHERE {where} ORDERBY Id", start)
    return Page(tuple(_listed(entity, record) for record in page), _after(entity, start, len(page)))


def _place(cursor: str) -> tuple[str, int]:
    """One that isn't known leads to the first page."""
    entity, _, start = cursor.partition(" ")
    return (entity, int(start)) if entity in ENTITIES and start.isdecimal() else (ENTITIES[0], 1)


def _after(entity: str, start: int, count: int) -> str:
    if count == PAGE:
        return f"{entity} {start + count}"
    rest = ENTITIES[ENTITIES.index(entity) + 1 :]
    return f"{rest[0]} 1" if rest else ""


def _listed(entity: str, record: Record) -> Listed:
    body = orjson.dumps({entity: record})
    when = record["MetaData"]["LastUpdatedTime"]
    return Listed(f"{entity}/{record['Id']}/{when}/{hashlib.sha256(body).hexdigest()[:12]}", body)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


POLLS = (
    Poll(
        NAME,
        _changes,
        (
            "customer.updated",
            "invoice.created",
            "invoice.updated",
            "invoice.deleted",
            "credit_note.created",
            "credit_note.updated",
            "credit_note.deleted",
        ),
    ),
)
