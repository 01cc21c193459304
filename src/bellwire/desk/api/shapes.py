"""What the parts of requests have in common: the description of the API tells all that is asked of them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel
from starlette.convertors import IntegerConvertor, register_url_convertor

LARGEST = 2**53 - 1
"""Of numbers: beyond it not all programs read the same, https://www.rfc-editor.org/rfc/rfc8259#section-6."""

KEPT = r"^[^\x00]*$"
"""Texts that can be kept: PostgreSQL knows no NUL."""
KEPT_WORDS = r"^[^\x00]*[^\x00\s][^\x00]*$"
"""The same, with something to read."""

# https://www.rfc-editor.org/rfc/rfc3339#section-5.6
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value.upper()):
        raise ValueError("a moment is written as RFC 3339 has it, such as 2026-03-14T09:30:00Z")
    # No offset leads out of Python's calendar then; and it has no leap seconds.
    year, rest = min(max(int(value[:4]), 2), 9998), value[4:].upper()
    return datetime.fromisoformat(f"{year:04}{rest[:13]}{rest[13:15].replace('60', '59')}{rest[15:]}").astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""With its offset; it comes out in UTC."""


class _Row(IntegerConvertor):
    """A number of a row in a path, so that a word in its place is another path."""

    regex = "[0-9]{1,16}"


register_url_convertor("row", _Row())

Text = Annotated[str, Field(pattern=KEPT)]


def _whole(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("a number is written without quotes, and is neither true nor false")
    return value


WHOLE = BeforeValidator(_whole)
"""After an int and its bounds, for one as JSON has it: 1 and 1.0 are the same, "1" and true are none."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false, and nothing that could be taken for it."""
_CLOSED = Field(json_schema_extra={"additionalProperties": False})


class Value(RootModel["None | bool | int | float | Text | list[Value] | Annotated[dict[Text, Value], _CLOSED]"]):
    """Any JSON that can be kept."""


class Body(BaseModel):
    """Of a request: a field that isn't known is refused, as it may be a known one misspelt."""

    model_config = ConfigDict(extra="forbid")


def like(*examples: dict[str, Any]) -> ConfigDict:
    """What a body may look like."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})
