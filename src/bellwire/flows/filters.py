"""The filters of expressions: Jinja's harmless ones and our own. None can make much out of little."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from babel.numbers import format_currency
from jinja2 import Undefined
from jinja2.filters import FILTERS as JINJA
from pydantic import BaseModel

from bellwire.errors import FlowError
from bellwire.flows.scope import Foreseen, Skipped
from bellwire.flows.times import TIMES
from bellwire.money import Money

MOST_CHARACTERS = 100_000
"""The longest text that an expression may make."""
MOST_ITEMS = 1_000
"""How many items a loop within a text may go over."""

_SPACED = re.compile(r"\+[0-9 ()./\-]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_HARMLESS = (
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "first",
    "float",
    "int",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "sort",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
)


def printed(value: Any) -> str:
    """A value within a text, for people. Raises FlowError for what has no short form, such as a whole order."""
    if isinstance(value, str):
        return value.value if isinstance(value, Enum) else value
    if value is None or isinstance(value, Skipped):
        return ""
    if isinstance(value, Foreseen):
        return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, BaseModel) and not isinstance(value, Money):
        raise FlowError(f"'{type(value).__name__}' is a whole record, not text", remedy="Name one of its fields.")
    if isinstance(value, Iterable) and not isinstance(value, Money | Undefined):
        raise FlowError("a list can't stand in a text", remedy="Join it: {{ … | join(', ') }}.")
    return str(value)


def money(value: Any, locale: str = "en_US") -> str:
    """`$24.40`: an amount as people write it."""
    if value is None or isinstance(value, Skipped):
        return ""
    if isinstance(value, Foreseen):
        return str(value)
    if not isinstance(value, Money):
        raise FlowError("`money` needs an amount of money", remedy="Give it a field such as event.total.")
    return str(format_currency(value.amount, value.currency, locale=locale))


def day(value: Any, pattern: str = "yyyy-MM-dd", zone: str = "UTC") -> str:
    """`2026-11-24`: a date or time by a Unicode pattern, in a time zone such as America/Chicago."""
    if value is None or isinstance(value, Skipped):
        return ""
    if isinstance(value, Foreseen):
        return str(value)
    if not isinstance(value, date):
        raise FlowError("`date` needs a date or a time", remedy="Give it a field such as event.created_at.")
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        local = moment.astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else moment
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FlowError(f"there is no time zone '{zone}'", remedy="Write one such as 'America/Chicago'.") from error
    return format_datetime(local, pattern, locale="en_US")


def rounded(value: Any, precision: int = 0) -> Decimal | Skipped | Foreseen:
    """Half up, to at most 9 decimals."""
    if isinstance(value, Skipped | Foreseen):
        return value
    if not isinstance(value, int | float | Decimal) or precision not in range(10):
        raise FlowError("`round` needs a number, and 0 to 9 decimals", remedy="For money use `money`.")
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)


def phone(value: Any) -> str:
    """`+15125550123`: a phone number in E.164, however it is spaced; empty when it doesn't begin with `+` and a
    country's code, or can't be a number at all."""
    text = printed(value).strip()
    digits = "".join(filter(str.isdecimal, text.replace("(0)", "")))
    found = f"+{digits}"
    return found if _SPACED.fullmatch(text) and _E164.fullmatch(found) else ""


def replaced(value: Any, old: str, new: str) -> str:
    text = printed(value)
    if not old or len(text) + text.count(old) * len(new) > MOST_CHARACTERS:
        raise FlowError("`replace` would make too much text, or was told to look for nothing")
    return text.replace(old, new)


def joined(values: Iterable[Any], separator: str = "") -> str:
    texts = [printed(value) for value in values]
    if sum(map(len, texts)) + len(texts) * len(separator) > MOST_CHARACTERS:
        raise FlowError("`join` would make too much text")
    return separator.join(texts)


def added(values: Iterable[Any]) -> Any:
    """The sum of numbers, or of amounts of money in one currency; 0 when there are none."""
    result: Any = None
    for value in values:
        result = value if result is None else result + value
    return 0 if result is None else result


def few(values: Iterable[Any]) -> Iterable[Any]:
    """`values`, unless they are too many to loop over."""
    items = list(values)
    if len(items) > MOST_ITEMS:
        raise FlowError(f"a loop goes over {len(items)} items; at most {MOST_ITEMS} are allowed")
    return items


FILTERS: dict[str, Callable[..., Any]] = {name: JINJA[name] for name in _HARMLESS} | {
    "date": day,
    "join": joined,
    "money": money,
    "phone": phone,
    "replace": replaced,
    "round": rounded,
    "string": printed,
    "sum": added,
    **{name: each.jinja for name, each in TIMES.items()},
}
"""By the names that expressions use."""
