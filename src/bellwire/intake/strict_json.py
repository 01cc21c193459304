"""JSON as strict as RFC 8259 allows: what two readers could understand differently is refused."""

import json
import re
from typing import Any

import orjson

_ESCAPED_COLON = re.compile(rb"\\u003a", re.IGNORECASE)


class BadJson(ValueError):
    """It isn't JSON, or not in the strict sense. The message says what is wrong, in words."""


def check(body: bytes) -> Any:
    """The parsed body. Raises BadJson: malformed, not UTF-8, NaN or Infinity, a lone surrogate, nested too deep, or
    one key twice in an object."""
    try:
        value = orjson.loads(body)
        written = orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise BadJson("It is nested too deep.") from error
    except orjson.JSONDecodeError as error:
        raise BadJson(f"It isn't valid JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from error
    # Written anew, it has one colon for each key that was kept, and one for each in a text. As many as in the body
    # mean that no key came twice. Only the rare rest is read again, slowly.
    if body.count(b":") != written.count(b":") or (b"\\u003" in body and _ESCAPED_COLON.search(body)):
        _look_for_repeats(body)
    return value


def _look_for_repeats(body: bytes) -> None:
    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BadJson(f"The key {key[:60]!r} comes twice in one object.")
            seen.add(key)

    json.loads(body, object_pairs_hook=once)
