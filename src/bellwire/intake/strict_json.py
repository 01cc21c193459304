"""JSON as strict as RFC 8259 allows: what two readers could understand differently is refused."""

import json
import re
from typing import Any

import orjson

_SPACED = re.compile(rb"\s:")
_KEY = re.compile(rb'"\s*:')


class BadJson(ValueError):
    """It isn't JSON, or not in the strict sense. The message says what is wrong, in words."""


def check(body: bytes) -> Any:
    """The parsed body. Raises BadJson: malformed, not UTF-8, NaN or Infinity, a lone surrogate, nested too deep, or
    one key twice in an object."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadJson(f"It isn't valid JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from error
    # A colon behind a quotation mark ends each key, and may also stand in a text: no more of them than keys that
    # were kept means that no key came twice. Only the rare rest is read again, slowly.
    if _most_keys(body) != _keys(value):
        _look_for_repeats(body)
    return value


def _most_keys(body: bytes) -> int:
    """How many keys the body can have at most, a repeated one counted each time."""
    return len(_KEY.findall(body)) if _SPACED.search(body) else body.count(b'":')


def _keys(value: Any) -> int:
    """How many keys all its objects have."""
    if type(value) is dict:
        count = len(value)
        for each in value.values():
            if type(each) is dict or type(each) is list:
                count += _keys(each)
        return count
    return sum(_keys(each) for each in value if type(each) is dict or type(each) is list) if type(value) is list else 0


def _look_for_repeats(body: bytes) -> None:
    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BadJson(f"The key {key[:60]!r} comes twice in one object.")
            seen.add(key)

    try:
        json.loads(body, object_pairs_hook=once)
    except RecursionError as error:
        raise BadJson("It is nested too deep.") from error
