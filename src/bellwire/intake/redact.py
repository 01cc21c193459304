"""Card numbers and their like are taken out before anything is stored."""

from typing import Any

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
_STEMS = (b"card", b"security", b'pan"', b"cvv", b"cvc", b"iban", b"track", b"\\u")
REMOVED = "[removed]"


def redact(body: bytes, value: Any) -> bytes:
    """`body` without the values of sensitive fields; `value` is the body, parsed. The same object when it has none."""
    small = body.lower()
    # A search of the bytes spares most bodies the walk; a name may be written with escapes, too.
    if not any(stem in small for stem in _STEMS) or not _sensitive(value):
        return body
    return orjson.dumps(_clean(value))


def _sensitive(value: Any) -> bool:
    if type(value) is dict:
        if not _NAMES.isdisjoint(value):
            return True
        value = value.values()
    elif type(value) is not list:
        return False
    for each in value:  # noqa: SIM110 - every delivery comes by here: a generator would cost half as much again
        if (type(each) is dict or type(each) is list) and _sensitive(each):
            return True
    return False


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: REMOVED if key in _NAMES and isinstance(item, str | int) else _clean(item)
            for key, item in value.items()
        }
    return [_clean(item) for item in value] if isinstance(value, list) else value
