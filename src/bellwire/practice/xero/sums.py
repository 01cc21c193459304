"""Its arithmetic, and how it writes amounts and days: two decimals, whatever the currency."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwire.practice.xero.refusals import Refusal, invalid

Record = dict[str, Any]

_LONGEST = {
    "AddressLine1": 500,
    "AddressLine2": 500,
    "AddressLine3": 500,
    "AddressLine4": 500,
    "AttentionTo": 255,
    "City": 255,
    "ContactNumber": 50,
    "CreditNoteNumber": 255,
    "Country": 50,
    "Description": 4000,
    "EmailAddress": 255,
    "InvoiceNumber": 255,
    "Name": 255,
    "PhoneNumber": 50,
    "PostalCode": 50,
    "Reference": 255,
    "Region": 255,
}


def money(number: Any) -> Decimal:
    """Two decimals are all that is kept, whatever the currency."""
    return rounded(Decimal(str(number)), 2)


def updated(record: Record) -> datetime:
    """When a record was changed last."""
    return datetime.fromtimestamp(int(record["UpdatedDateUTC"][6:].partition("+")[0]) / 1000, UTC)


def check_lengths(value: Any) -> None:
    """Raises Refusal when a text is too long."""

    def too_long(inner: Any, name: str = "") -> str:
        if isinstance(inner, Mapping):
            return next((found for key, each in inner.items() if (found := too_long(each, key))), "")
        if isinstance(inner, list):
            return next((found for each in inner if (found := too_long(each, name))), "")
        return name if isinstance(inner, str) and len(inner) > _LONGEST.get(name, 4000) else ""

    if name := too_long(value):
        raise invalid(value, f"The {name} field must not be more than {_LONGEST.get(name, 4000)} characters long")


def rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def day_of(name: str, given: Record) -> Record:
    """A day as Xero tells it: twice. It takes both `2026-01-31` and its own `/Date(…)/`."""
    if not given.get(name):
        return {}
    text = str(given[name])
    own = re.fullmatch(r"/Date\((\d+)(\+0000)?\)/", text)
    try:
        time = datetime.fromtimestamp(int(own[1]) / 1000, UTC) if own else datetime.fromisoformat(text)
    except (OverflowError, ValueError) as error:
        raise Refusal(14, "PostDataInvalidException", f"{name} is no date") from error
    day = datetime(time.year, time.month, time.day, tzinfo=UTC)
    return {name: f"/Date({int(day.timestamp()) * 1000}+0000)/", f"{name}String": day.strftime("%Y-%m-%dT00:00:00")}
