"""Card numbers and their like: which fields hold them, and data without their values."""

from typing import Any

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
NAMES = frozenset([*_SMALL, *(name.upper() for name in _SMALL), *_CAMEL])
REMOVED = "[removed]"


def is_sensitive(value: Any) -> bool:
    """Whether there is such a field anywhere in it. Every delivery comes by here: one list that grows while it is
    walked costs half of a recursion."""
    found = [value]
    for each in found:
        if type(each) is dict:
            if not NAMES.isdisjoint(each):
                return True
            found.extend(each.values())
        elif type(each) is list:
            found.extend(each)
    return False


def cleaned(value: Any) -> Any:
    """The same without the values of such fields."""
    if isinstance(value, dict):
        return {
            key: REMOVED if key in NAMES and isinstance(item, str | int) else cleaned(item)
            for key, item in value.items()
        }
    return [cleaned(item) for item in value] if isinstance(value, list) else value
