"""Odoo's search domains: terms `[field, operator, value]`, joined by AND unless a prefix says otherwise.

https://www.odoo.com/documentation/19.0/developer/reference/backend/orm.html#search-domains
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Look = Callable[[Mapping[str, Any], str], Any]
"""The value of a field (or a path of fields) of a record. Raises KeyError where there is none."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    "in": lambda have, want: have in want,
    ">": lambda have, want: have > want,
    ">=": lambda have, want: have >= want,
    "<": lambda have, want: have < want,
    "<=": lambda have, want: have <= want,
}


def matches(record: Mapping[str, Any], domain: Sequence[Any], look: Look) -> bool:
    """Raises KeyError for a field that there isn't, ValueError for a domain that is none."""
    terms = list(domain)
    verdicts = []
    while terms:
        verdicts.append(_take(record, terms, look))
    return all(verdicts)


def _take(record: Mapping[str, Any], terms: list[Any], look: Look) -> bool:
    """The first expression of a domain in prefix form, which is taken off it."""
    if not terms:
        raise ValueError("Domain() invalid: a term is missing")
    term = terms.pop(0)
    match term:
        case "|" | "&":
            sides = _take(record, terms, look), _take(record, terms, look)
            return any(sides) if term == "|" else all(sides)
        case "!":
            return not _take(record, terms, look)
        case [str(field), str(operator), value] if operator in _COMPARE:
            have = look(record, field)
            # Nothing is smaller or greater than an empty field.
            return (bool(have) or operator in ("=", "!=", "in")) and _COMPARE[operator](have, value)
        case _:
            raise ValueError(f"Invalid leaf {term!r}")
