"""Asking and telling QuickBooks: its query language, and POSTs that may be repeated."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwire.connectors.kit import Call

Record = dict[str, Any]
"""A record as QuickBooks writes it."""

PAGE = 1000
"""The most that one answer has."""
_IN_ONE_QUERY = 50
"""The query travels in the address, which may not be endless."""


async def ask(call: Call, entity: str, field: str, values: Sequence[str]) -> list[Record]:
    """All active records of `entity` whose `field` is one of `values`.

    https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
    """
    found: list[Record] = []
    for start in range(0, len(values), _IN_ONE_QUERY):
        some = [_quoted(value) for value in values[start : start + _IN_ONE_QUERY]]
        where = f"{field} = {some[0]}" if len(some) == 1 else f"{field} IN ({', '.join(some)})"
        first, more = 1, True
        while more:
            page = await select(call, entity, f"WHERE {where} ORDERBY Id", first)
            found += page
            first += len(page)
            more = len(page) == PAGE
    return found


async def select(call: Call, entity: str, which: str = "", first: int = 1) -> list[Record]:
    """One page of an entity's records, from number `first` on; `which` narrows and orders them."""
    query = f"SELECT * FROM {entity} {which} STARTPOSITION {first} MAXRESULTS {PAGE}"  # noqa: S608 - theirs isn't SQL
    answer = await call.api.get("query", params={"query": query})
    records: list[Record] = answer.json()["QueryResponse"].get(entity, [])
    return records


async def create(call: Call, entity: str, body: Record) -> Record:
    """Create a record. `requestid` makes QuickBooks give its first answer again when the call is repeated."""
    answer = await call.api.post(entity.lower(), body, params={"requestid": call.uuid})
    record: Record = answer.json()[entity]
    return record


def cents(amount: Decimal) -> Decimal:
    """As QuickBooks keeps amounts: two decimals, whatever the currency."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def number(amount: Decimal) -> float:
    """For JSON, which is where QuickBooks wants numbers: exact up to 15 digits."""
    return float(amount)


def amount_of(value: Any) -> Decimal:
    """The opposite of `number`."""
    return cents(Decimal(str(value)))


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
