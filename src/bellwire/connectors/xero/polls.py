"""What changed in the books since a time: contacts, invoices and credit notes, by their time of change.

https://developer.xero.com/documentation/api/accounting/requests-and-responses#retrieving-records-modified-since
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Call, Listed, Page, Poll

_PAGE = 100
ID_FIELDS: Mapping[str, str] = {"Contacts": "ContactID", "Invoices": "InvoiceID", "CreditNotes": "CreditNoteID"}
"""The list → what its records call their ids."""


def changed_at(record: Mapping[str, Any]) -> datetime:
    """A record's time of change. Raises KeyError, ValueError."""
    found = re.fullmatch(r"/Date\((\d+)(?:[+-]0000)?\)/", record["UpdatedDateUTC"])
    if found is None:
        raise ValueError(f"{record['UpdatedDateUTC']!r} is no time")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(found[1]))


async def _page(collection: str, call: Call, since: datetime, cursor: str) -> Page:
    """Each page begins at the last time of the one before, so that a record which changes meanwhile, and moves to the
    end of the list, moves no other one past us. Records of that same second come again. Where a whole page is of one
    second, the pages of that second are counted."""
    start, number = (parse_utc(cursor.partition(" ")[0]), int(cursor.partition(" ")[2])) if cursor else (since, 1)
    params = {"order": "UpdatedDateUTC ASC", "page": str(number), "pageSize": str(_PAGE)}
    if collection == "Contacts":
        params["includeArchived"] = "true"
    headers = {
        "xero-tenant-id": call.settings.tenant_id,
        "If-Modified-Since": start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
    }
    records = (await call.api.get(collection, params=params, headers=headers)).json()[collection]
    listed = tuple(Listed(f"{record[ID_FIELDS[collection]]}/{changed_at(record)}", _body(record)) for record in records)
    if len(records) < _PAGE:
        return Page(listed)
    last = changed_at(records[-1]).replace(microsecond=0)
    following = (last, 1) if last > start else (start, number + 1)
    return Page(listed, f"{following[0].isoformat()} {following[1]}")


def _body(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(record)


POLLS = (
    Poll("contacts", partial(_page, "Contacts"), ("customer.updated",)),
    Poll("invoices", partial(_page, "Invoices"), ("invoice.updated",)),
    Poll("credit-notes", partial(_page, "CreditNotes"), ("credit_note.updated",)),
)
