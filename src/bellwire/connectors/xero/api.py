"""Asking and telling Xero: lists with a filter, and PUTs that may be repeated."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bellwire.connectors.kit import Answer, Call

Record = dict[str, Any]
"""A record as Xero writes it."""

_PAGE = 100


async def read(call: Call, path: str, **params: str) -> Record:
    """`GET path`, for the connection's organisation."""
    answer: Record = (await _send(call, "GET", path, params)).json()
    return answer


async def listed(call: Call, collection: str, where: str) -> list[Record]:
    """All records of a list in pages that fit a filter.

    https://developer.xero.com/documentation/api/accounting/requests-and-responses
    """
    found: list[Record] = []
    page = pages = 1
    while page <= pages:
        answer = await read(call, collection, where=where, page=str(page), pageSize=str(_PAGE))
        found += answer[collection]
        page, pages = page + 1, answer.get("pagination", {}).get("pageCount", 1)
    return found


async def create(call: Call, collection: str, body: Record, *, below: str = "", **params: str) -> Record:
    """Create a record, and never change one: that is what PUT does here. The key makes Xero give its first answer
    again when the call is repeated soon. `below`: the path of the record that it belongs to."""
    path = f"{below}/{collection}" if below else collection
    answer = await _send(call, "PUT", path, params, {collection: [body]}, {"Idempotency-Key": call.key})
    record: Record = answer.json()[collection][0]
    return record


async def tell(call: Call, path: str) -> None:
    """Have Xero do something with a record; keyed as in `create`."""
    await _send(call, "POST", path, {}, {}, {"Idempotency-Key": call.key})


async def _send(
    call: Call, method: str, path: str, params: Record, body: Any = None, headers: Record | None = None
) -> Answer:
    tenant = {"xero-tenant-id": call.settings.tenant_id, **(headers or {})}
    return await call.api.request(method, path, json=body, params=params, headers=tenant)


def fits_filter(text: str) -> bool:
    """Whether a text can stand in a filter: quotes can't be escaped there.

    https://github.com/XeroAPI/Xero-Java/issues/347
    """
    return '"' not in text and "\\" not in text


def any_of(field: str, values: Iterable[str]) -> str:
    """A filter for records whose `field` is one of `values`, all of which fit."""
    return " OR ".join(f'{field}=="{value}"' for value in values)


def cents(amount: Decimal) -> Decimal:
    """As Xero keeps amounts: two decimals, whatever the currency."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def number(amount: Decimal) -> float:
    """For JSON, which is where Xero wants numbers: exact up to 15 digits."""
    return float(amount)


def amount_of(value: Any) -> Decimal:
    """The opposite of `number`."""
    return cents(Decimal(str(value)))
