"""What QuickBooks' documents have in common: how they are numbered, dated and looked at."""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bellwire.connectors.kit import Call
from bellwire.connectors.kit.books import prefixed
from bellwire.connectors.quickbooks.api import Record, ask
from bellwire.connectors.quickbooks.faults import DUPLICATE_NUMBER
from bellwire.errors import Refused
from bellwire.events import Environment

_NUMBER = 21
"""How long a document's number may be."""
_APP = {
    Environment.SANDBOX: "https://app.sandbox.qbo.intuit.com/app",
    Environment.PRODUCTION: "https://app.qbo.intuit.com/app",
}


def document_number(call: Call, known_by: str) -> str:
    """The number of what people know by an order's number or another reference."""
    return prefixed(known_by, call.settings.number_prefix, _NUMBER)


def page(call: Call, entity: str, record: Record) -> str:
    """Where a person sees it."""
    return f"{_APP[call.connection.environment]}/{entity.lower()}?txnId={record['Id']}"


def label(record: Record) -> str:
    """What people call it."""
    return str(record.get("DocNumber") or record["Id"])


def today(call: Call) -> date:
    """By the company's own zone."""
    return call.clock().astimezone(ZoneInfo(call.settings.time_zone)).date()


async def find_marked(call: Call, entity: str, known_by: str, mark: str) -> Record | None:
    """The document whose note begins with a line that is `mark`. Where the company numbers documents by itself, only
    the days since the first attempt lead to it."""
    ways = [("DocNumber", [document_number(call, known_by)])]
    if call.again:
        first, last = (call.since or call.clock()).astimezone(ZoneInfo(call.settings.time_zone)).date(), today(call)
        ways.append(("TxnDate", [f"{first + timedelta(days)}" for days in range((last - first).days + 1)]))
    for field, values in ways:
        for record in await ask(call, entity, field, values):
            if record.get("PrivateNote", "").partition("\n")[0] == mark:
                return record
    return None


def currency_in(call: Call, record: Record) -> str:
    """In which a document is."""
    return str(record.get("CurrencyRef", {}).get("value", call.settings.home_currency))


async def look_up(call: Call, entity: str, known_by: str, customer_id: str) -> list[Record]:
    """What has the number that ours would have, whoever made it; else what this customer was given since the day on
    which the flow would have made it, the newest first."""
    found = await ask(call, entity, "DocNumber", [document_number(call, known_by)])
    if found or not (customer_id and call.since):
        return found
    day = call.since.astimezone(ZoneInfo(call.settings.time_zone)).date().isoformat()
    there = await ask(call, entity, "CustomerRef", [customer_id])
    return [record for record in reversed(there) if record["TxnDate"] >= day]


def number_taken(taken: str, whose: str, error: Refused) -> Refused:
    return Refused(
        f"QuickBooks already has a document with the number {taken} that isn't of {whose}.",
        cause=DUPLICATE_NUMBER,
        detail=error.detail,
        remedy="Give that one another number in QuickBooks, then send it again. If it is another shop's, give each "
        "shop a connection to these books with a `number_prefix` of its own.",
    )


def wrong_total(call: Call, what: str, ours: Decimal, theirs: Decimal, currency: str, record: Record) -> Refused:
    """The document is left as it is: taking off again what is in the books is for a person to decide."""
    return Refused(
        f"QuickBooks booked {what} as {theirs:,} {currency}, but it should come to {ours:,} {currency}. It is in the "
        "books as it is.",
        cause="wrong-total",
        detail=f"{what} ({record['Id']}): TotalAmt {record['TotalAmt']}, {record.get('TxnTaxDetail')}",
        remedy="Correct it in QuickBooks, then send it again. If the tax is what differs, set `tax_rate` or `tax_item` "
        f"in [{call.connection.name}.settings] of connections.toml.",
    )
