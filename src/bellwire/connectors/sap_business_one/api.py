"""Reading by OData: filters, pages, numbers, and what items and currencies are called."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from bellwire.connectors.kit import Call
from bellwire.errors import Refused

Record = dict[str, Any]
T = TypeVar("T")

_PAGE = 100
_BATCH = 20
"""How many codes one question names: it is part of an address."""
_CURRENCY = re.compile("[A-Z]{3}")


async def page(
    call: Call, path: str, where: str = "", *, select: str = "", order: str = "", size: int
) -> tuple[list[Record], Mapping[str, str]]:
    """One page of a collection, and the query of the next one; empty: there is none."""
    parts = {"$filter": where, "$select": select, "$orderby": order}
    return await _page(call, path, {name: value for name, value in parts.items() if value}, size)


async def listed(call: Call, path: str, where: str = "", *, select: str = "", order: str = "") -> list[Record]:
    """All of a collection that a filter lets through, to the last page."""
    found, following = await page(call, path, where, select=select, order=order, size=_PAGE)
    while following:
        more, following = await _page(call, path, following, _PAGE)
        found += more
    return found


async def _page(call: Call, path: str, query: Mapping[str, str], size: int) -> tuple[list[Record], Mapping[str, str]]:
    answer = (await call.api.get(path, params=query, headers={"Prefer": f"odata.maxpagesize={size}"})).json()
    link = answer.get("@odata.nextLink") or answer.get("odata.nextLink") or ""
    return answer["value"], dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))


def quoted(text: str) -> str:
    """A text in a filter."""
    return "'" + text.replace("'", "''") + "'"


def any_of(field: str, values: Iterable[str | int]) -> str:
    """A filter for records whose field has one of these values."""
    return " or ".join(f"{field} eq {quoted(each) if isinstance(each, str) else each}" for each in values)


def batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """So many as one question may name."""
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


async def find_items(call: Call, skus: Iterable[str], select: str = "ItemCode") -> dict[str, Record]:
    """SKU → item: as somebody mapped it, else the one whose code that is. Raises Refused (unknown-sku:SKU)."""
    codes = {sku: await call.mapped("product", sku) or sku for sku in dict.fromkeys(skus)}
    found: dict[str, Record] = {}
    for batch in batches(list(dict.fromkeys(codes.values()))):
        items = await listed(call, "Items", any_of("ItemCode", batch), select=select)
        found |= {item["ItemCode"]: item for item in items}
    for sku, code in codes.items():
        if code not in found:
            raise Refused(
                f"SAP Business One knows no item with the code '{code}'.",
                cause=f"unknown-sku:{sku}",
                remedy="Give the item that code there, or say which item it is: "
                f'`bellwire records map {call.connection.name} product {sku} "ITEM CODE"`. Then retry.',
            )
    return {sku: found[code] for sku, code in codes.items()}


async def iso_currency(call: Call, code: str) -> str | None:
    """What a company calls `$` by its international name, `USD`. None: that isn't kept."""
    if not code or _CURRENCY.fullmatch(code):
        return code or None
    return next((iso for iso, own in (await _currencies(call)).items() if own == code), None)


async def own_currency(call: Call, iso: str) -> str:
    """What the company calls an international currency. Raises Refused (currency:CODE)."""
    own = (await _currencies(call)).get(iso)
    if own is None:
        raise Refused(
            f"The company doesn't trade in {iso}.",
            cause=f"currency:{iso}",
            remedy="Add it in SAP Business One (Administration › Setup › Financials › Currencies), with its "
            "international code. Then retry.",
        )
    return own


async def _currencies(call: Call) -> dict[str, str]:
    """International code → the company's own."""
    found = await listed(call, "Currencies", select="Code,DocumentsCode")
    return {each["DocumentsCode"] or each["Code"]: each["Code"] for each in found}


def number(value: float | Decimal | None) -> Decimal:
    """Amounts are JSON numbers; an empty one counts as 0."""
    return Decimal(str(value or 0))


def whole(value: float | Decimal | None) -> int:
    """A part of one doesn't count."""
    return math.floor(number(value))
