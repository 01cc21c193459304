"""What an event is looked for by: numbers, the customer's name and address, the amount."""

import re
from collections.abc import Iterator
from typing import Any

from bellwire.money import Money

LONGEST = 100
"""Characters of a term; what is behind them isn't looked at."""
_NAMES_OF_NUMBERS = ("number", "order_number", "tracking_number")
_NAMES_OF_AMOUNTS = ("total", "amount")
_MOST_WORDS = 4
_AMOUNT = re.compile(r"(?:[a-z]{3} )?[$€£]? ?(\d{1,3}(?:[,.’']\d{3})+|\d+)(?:[.,](\d{1,2}))?(?: ?[$€£]| [a-z]{3})?")


def terms_of(data: Any) -> list[str]:
    """The terms that lead to an event with this data, each once. A name is found by each of its words, too."""
    return list(dict.fromkeys(found for text in _texts(data) if (found := term(text))))


def term(text: str) -> str:
    """As it is compared: `#1001` is `1001`, `  Robin  HILL ` is `robin hill`. Empty when there is nothing in it."""
    shown = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.casefold().split()).lstrip("#").lstrip()[:LONGEST].rstrip()


def amounts_in(text: str) -> list[str]:
    """The terms of the amounts that somebody may mean: `$1,234.5` means `1234.50`, and `24` means `24.00`, too."""
    found = _AMOUNT.fullmatch(term(text))
    if found is None:
        return []
    whole, cents = re.sub(r"\D", "", found[1]), found[2]
    return [f"{whole}.{cents:0<2}"] if cents else [f"{whole}.00", whole]


def _texts(data: Any) -> Iterator[str]:
    for name in _NAMES_OF_NUMBERS:
        number = getattr(data, name, None)
        if isinstance(number, str | int):
            yield str(number)
    email = getattr(data, "email", None)
    if isinstance(email, str):
        yield email
        yield from _of_person(data)
    if customer := getattr(data, "customer", None):
        yield from _of_person(customer)
    for name in _NAMES_OF_AMOUNTS:
        amount = getattr(data, name, None)
        if isinstance(amount, Money):
            yield f"{amount.amount:f}"


def _of_person(person: Any) -> Iterator[str]:
    name, email = getattr(person, "name", None), getattr(person, "email", None)
    if isinstance(name, str):
        words = name.split()
        for first in range(min(len(words), _MOST_WORDS)):
            yield " ".join(words[first:])
    if isinstance(email, str):
        yield email
