"""Enough of the language of Xero's `where`: equality, AND and OR, texts, Guid(…) and DateTime(…).

https://developer.xero.com/documentation/api/accounting/requests-and-responses
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from bellwire.practice.xero.refusals import bad_filter

Record = dict[str, Any]

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"\\]*")|(?P<guid>Guid\("[^"]*"\))|(?P<day>DateTime\(\s*\d+\s*,\s*\d+\s*,\s*\d+\s*\))'
    r"|(?P<word>[A-Za-z][\w.]*)|(?P<operator>==|=|&&|\|\|))"
)
_JOINS = {"AND": "AND", "&&": "AND", "OR": "OR", "||": "OR"}
_NESTED = {"Invoice.InvoiceID", "Contact.ContactID", "Contact.Name"}
"""Fields of what a record refers to."""


def parse(where: str, fields: set[str], kind: str) -> Callable[[Record], bool]:
    """Whether a record fits. `fields` are those that records of this `kind` have. Raises Refusal."""
    alternatives: list[list[tuple[str, str]]] = [[]]
    words = _words(where)
    while True:
        try:
            name, operator, value = next(words), next(words), next(words)
        except StopIteration:
            raise bad_filter("Syntax error") from None
        if operator not in ("==", "=") or not name[0].isalpha():
            raise bad_filter("Syntax error")
        if name not in fields | _NESTED:
            raise bad_filter(f"No property or field '{name}' exists in type '{kind}'")
        alternatives[-1].append((name, _literal(value)))
        join = next(words, None)
        if join is None:
            return lambda record: any(all(_holds(record, *each) for each in every) for every in alternatives)
        if join.upper() not in _JOINS:
            raise bad_filter("Syntax error")
        if _JOINS[join.upper()] == "OR":
            alternatives.append([])


def _words(where: str) -> Iterator[str]:
    position = 0
    while position < len(where.rstrip()):
        match = _TOKEN.match(where, position)
        if match is None:
            raise bad_filter("Syntax error")
        yield match[0].strip()
        position = match.end()


def _literal(word: str) -> str:
    if word.startswith("DateTime("):
        year, month, day = (int(part) for part in re.findall(r"\d+", word))
        try:
            return date(year, month, day).isoformat()
        except ValueError as error:
            raise bad_filter("Not a valid date") from error
    if word.startswith(('"', "Guid(")):
        return word.removeprefix("Guid(").strip('")').casefold()
    if word in ("true", "false"):
        return word
    raise bad_filter("Syntax error")


def _holds(record: Record, name: str, wanted: str) -> bool:
    value: Any = record
    if name == "Date":
        return str(record["DateString"])[:10] == wanted
    for step in name.split("."):
        value = value.get(step, "") if isinstance(value, dict) else ""
    return str(value).casefold() == wanted
