"""Asking and telling Stripe: forms with brackets, lists to their end, amounts in minor units."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from bellwire.connectors.kit import Call
from bellwire.money import Money, digits

Record = dict[str, Any]
"""An object as Stripe writes it."""

PAGE = "100"
"""The most that a page holds."""

_DIGITS = {"ISK": 2, "MGA": 0, "UGX": 2}
"""Currencies whose minor unit isn't ISO 4217's here: https://docs.stripe.com/currencies#special-cases"""


async def read(call: Call, path: str, **params: Any) -> Record:
    """`GET path`."""
    found: Record = (await call.api.get(path, params=dict(fields(params)))).json()
    return found


async def write(call: Call, path: str, form: Mapping[str, Any], *, key: str = "") -> Record:
    """`POST path` with a form. What has a key is done once: Stripe gives its first answer again, for a day at least.

    https://docs.stripe.com/api/idempotent_requests
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Idempotency-Key": key} if key else {})
    body = urlencode(list(fields(form))).encode()
    made: Record = (await call.api.request("POST", path, body=body, headers=headers)).json()
    return made


async def listed(call: Call, path: str, **params: Any) -> AsyncIterator[Record]:
    """All objects of a list, newest first."""
    cursor: dict[str, str] = {}
    while True:
        page = await read(call, path, limit=PAGE, **params, **cursor)
        for record in page["data"]:
            yield record
        if not page["has_more"] or not page["data"]:
            return
        cursor = {"starting_after": page["data"][-1]["id"]}


def fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """As a form has it: `metadata[order]=1`, `types[0]=…`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from fields(inner, f"{name}[{key}]" if name else key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, inner in enumerate(value):
            yield from fields(inner, f"{name}[{number}]")
    else:
        yield name, str(value)


def money(units: int, currency: str) -> Money:
    """From minor units and `usd`."""
    code = currency.upper()
    return Money.of(Decimal(units).scaleb(-_DIGITS.get(code, digits(code))), code)


def minor(amount: Money) -> int:
    """The opposite. Raises ValueError when the amount is finer than the minor unit."""
    units = amount.amount.scaleb(_DIGITS.get(amount.currency, digits(amount.currency)))
    if units != int(units):
        raise ValueError(f"{amount.amount} {amount.currency} is finer than the currency's minor unit")
    return int(units)


def id_of(value: Any) -> str:
    """Of an object that stands in another, by its id or (expanded) whole; empty: there is none."""
    return str((value.get("id") if isinstance(value, dict) else value) or "")
