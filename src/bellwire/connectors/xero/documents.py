"""What Xero's documents have in common: how they are numbered, dated and looked at."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bellwire.connectors.kit import Call
from bellwire.connectors.kit.books import prefixed
from bellwire.connectors.xero.api import Record, listed, read
from bellwire.connectors.xero.faults import DUPLICATE_NUMBER
from bellwire.errors import Refused

APP = "https://go.xero.com"
FOUR_DECIMALS = {"unitdp": "4"}
"""How exact unit prices are."""
GONE = ("DELETED", "VOIDED")
_NUMBER = 255
"""How long a document's number may be."""


def document_number(call: Call, known_by: str) -> str:
    """The number of what people know by an order's number or another reference."""
    return prefixed(known_by, call.settings.number_prefix, _NUMBER)


def invoice_page(invoice_id: str) -> str:
    """Where a person sees it."""
    return f"{APP}/AccountsReceivable/View.aspx?InvoiceID={invoice_id}"


def today(call: Call) -> date:
    """By the organisation's own zone."""
    return call.clock().astimezone(ZoneInfo(call.settings.time_zone)).date()


async def newest_of(call: Call, collection: str, kind: str, contact_id: str) -> list[Record]:
    """What a contact was given since the day on which the flow would have made it, whoever did it, the newest first."""
    if not (contact_id and call.since):
        return []
    day = call.since.astimezone(ZoneInfo(call.settings.time_zone)).date().isoformat()
    there = await listed(call, collection, f'Type=="{kind}" AND Contact.ContactID==Guid("{contact_id}")')
    since = [each for each in there if each["Status"] not in GONE and each["DateString"][:10] >= day]
    return sorted(since, key=lambda each: str(each["DateString"]), reverse=True)


async def invoices_numbered(call: Call, number: str) -> list[Record]:
    """What was sold under a number, and is still there."""
    found = (await read(call, "Invoices", InvoiceNumbers=number, page="1"))["Invoices"]
    return [record for record in found if record["Type"] == "ACCREC" and record["Status"] not in GONE]


async def invoice_of(call: Call, invoice_id: str) -> Record | None:
    """The invoice with that id, if it is still there."""
    found = (await read(call, "Invoices", IDs=invoice_id, page="1"))["Invoices"]
    return next((record for record in found if record["Status"] not in GONE), None)


def number_taken(taken: str, whose: str, error: Refused) -> Refused:
    return Refused(
        f"Xero already has a document with the number {taken} that isn't of {whose}.",
        cause=DUPLICATE_NUMBER,
        detail=error.detail,
        remedy="Give that one another number in Xero, then send it again. If it is another shop's, give each shop a "
        "connection to these books with a `number_prefix` of its own.",
    )


def wrong_total(call: Call, what: str, ours: Decimal, theirs: Decimal, currency: str, record: Any) -> Refused:
    """The document is left as it is: taking off again what is in the books is for a person to decide."""
    return Refused(
        f"Xero booked {what} as {theirs:,} {currency}, but it should come to {ours:,} {currency}. It is in the books "
        "as it is.",
        cause="wrong-total",
        detail=f"Total {record['Total']}, TotalTax {record.get('TotalTax')}",
        remedy="Correct it in Xero, then send it again. If the tax is what differs, set `tax_rate` or `tax_account` in "
        f"[{call.connection.name}.settings] of connections.toml.",
    )
