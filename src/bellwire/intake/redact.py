"""Card numbers and their like are taken out before anything is stored."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

_CARDS = [f"{kind}card{gap}" for kind in ("", "credit", "credit_", "debit", "debit_") for gap in ("", "_")]
_SMALL = [
    *(card + number for card in _CARDS for number in ("number", "no")),
    *(f"{card}security{gap}code" for card in ("", "card", "card_") for gap in ("", "_")),
    *("pan", "cvv", "cvv2", "cvc", "cvc2", "iban", "trackdata", "track_data"),
]
_CAMEL = [
    "cardNumber",
    "creditCardNumber",
    "debitCardNumber",
    "cardNo",
    "securityCode",
    "cardSecurityCode",
    "trackData",
]
_NAMES = frozenset([*_SMALL, *(name.upper() for name in _SMALL), *_CAMEL])
REMOVED = "[removed]"


def redact(body: bytes, value: Any) -> bytes:
    """`body` without the values of sensitive fields; `value` is the body, parsed. The same object when it has none."""
    return orjson.dumps(_clean(value)) if _sensitive(value) else body


def redact_form(body: bytes, fields: Mapping[str, str], field: str, value: Any) -> bytes:
    """The same for a form; `value` is what its `field` holds, parsed."""
    whole = {**fields, field: value}
    if not _sensitive(whole):
        return body
    cleaned = _clean(whole)
    return urlencode(cleaned | {field: orjson.dumps(cleaned[field]).decode()}).encode()


def redact_fields(body: bytes, fields: Mapping[str, str]) -> bytes:
    """The same for a form whose fields are the data."""
    return urlencode(_clean(dict(fields))).encode() if _sensitive(dict(fields)) else body


def _sensitive(value: Any) -> bool:
    """Every delivery comes by here: one list that grows while it is walked costs half of a recursion."""
    found = [value]
    for each in found:
        if type(each) is dict:
            if not _NAMES.isdisjoint(each):
                return True
            found.extend(each.values())
        elif type(each) is list:
            found.extend(each)
    return False


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: REMOVED if key in _NAMES and isinstance(item, str | int) else _clean(item)
            for key, item in value.items()
        }
    return [_clean(item) for item in value] if isinstance(value, list) else value
