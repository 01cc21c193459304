"""Calls of JSON-2: a method of a model, with named parameters. An empty field is `false`, a reference `[id, name]`."""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from bellwire.connectors.kit import Call
from bellwire.connectors.odoo.manifest import settings_of
from bellwire.errors import Refused

Record = dict[str, Any]
Domain = Sequence[Any]

_PAGE = 200
_PRODUCT = ("default_code", "product_tmpl_id", "uom_id")


def database_header(call: Call) -> dict[str, str]:
    """Which of a server's databases is meant."""
    database = settings_of(call.connection).database
    return {"X-Odoo-Database": database} if database else {}


async def ask(call: Call, model: str, method: str, given: Record, *, writes: bool = False) -> Any:
    """What the method returns; `given` are its parameters, by name."""
    path, headers = f"{model}/{method}", database_header(call)
    return (await call.api.request("POST", path, json=given, headers=headers, writes=writes)).json()


async def some(call: Call, model: str, domain: Domain, fields: Sequence[str], order: str, limit: int) -> list[Record]:
    """The first of those that a domain describes."""
    given = {"domain": list(domain), "fields": list(fields), "order": order, "limit": limit}
    found: list[Record] = await ask(call, model, "search_read", given)
    return found


async def listed(
    call: Call, model: str, domain: Domain, fields: Sequence[str], *, archived: bool = False
) -> list[Record]:
    """All that a domain describes, in the order of their ids. Pages go by the last id, so that what changes meanwhile
    moves nothing to a page that was read already."""
    found: list[Record] = []
    given: Record = {"fields": list(fields), "order": "id", "limit": _PAGE}
    if archived:
        given["context"] = {"active_test": False}
    while True:
        rest = [*domain, ["id", ">", found[-1]["id"]]] if found else list(domain)
        page: list[Record] = await ask(call, model, "search_read", {**given, "domain": rest})
        found += page
        if len(page) < _PAGE:
            return found


async def find_products(call: Call, skus: Iterable[str]) -> dict[str, Record]:
    """SKU → product: as somebody mapped it, else the one with that internal reference. Raises Refused
    (unknown-sku:SKU, ambiguous-sku:SKU)."""
    mapped = {sku: await call.mapped("product", sku) for sku in dict.fromkeys(skus)}
    ids = [int(number) for number in mapped.values() if number and number.isdecimal()]
    codes = [sku for sku, number in mapped.items() if not number]
    domain = ["|", ["id", "in", ids], ["default_code", "in", codes]] if ids else [["default_code", "in", codes]]
    found = await listed(call, "product.product", domain, _PRODUCT)
    return {
        sku: _the_one(call, sku, [each for each in found if _is(each, sku, number)]) for sku, number in mapped.items()
    }


def _is(product: Record, sku: str, number: str | None) -> bool:
    return str(product["id"]) == number if number else product["default_code"] == sku


def _the_one(call: Call, sku: str, found: Sequence[Record]) -> Record:
    if len(found) == 1:
        return found[0]
    remedy = (
        "Give exactly one product that internal reference in Odoo, or say which product it is: "
        f'`bellwire records map {call.connection.name} product {sku} "ID"`. Then retry.'
    )
    if not found:
        raise Refused(f"Odoo knows no product with the SKU '{sku}'.", cause=f"unknown-sku:{sku}", remedy=remedy)
    raise Refused(
        f"Odoo has {len(found)} products with the SKU '{sku}'.",
        cause=f"ambiguous-sku:{sku}",
        detail=", ".join(str(each["id"]) for each in found),
        remedy=remedy,
    )


def number(value: float) -> Decimal:
    """Odoo writes amounts as numbers with a point."""
    return Decimal(str(value))


def whole(value: float | Decimal) -> int:
    """A part of one doesn't count."""
    return math.floor(number(value) if isinstance(value, float) else value)


def text(value: str | bool | None) -> str:
    """A text, which is `false` where it is empty."""
    return value if isinstance(value, str) else ""


def reference(value: Any) -> tuple[str, str]:
    """Id and name of what a field refers to; both empty where it refers to nothing."""
    return (str(value[0]), text(value[1])) if value else ("", "")
