"""Card numbers and their like are taken out before anything is stored."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from bellwire.events import cleaned, is_sensitive


def redact(body: bytes, value: Any) -> bytes:
    """`body` without the values of sensitive fields; `value` is the body, parsed. The same object when it has none."""
    return orjson.dumps(cleaned(value)) if is_sensitive(value) else body


def redact_form(body: bytes, fields: Mapping[str, str], field: str, value: Any) -> bytes:
    """The same for a form; `value` is what its `field` holds, parsed."""
    whole = {**fields, field: value}
    if not is_sensitive(whole):
        return body
    clean = cleaned(whole)
    return urlencode(clean | {field: orjson.dumps(clean[field]).decode()}).encode()


def redact_fields(body: bytes, fields: Mapping[str, str]) -> bytes:
    """The same for a form whose fields are the data."""
    return urlencode(cleaned(dict(fields))).encode() if is_sensitive(dict(fields)) else body
