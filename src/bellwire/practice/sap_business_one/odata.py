"""What of OData the practice company understands: filters of comparisons, order, selection and pages."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

Row = dict[str, Any]

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>\w+)|(?P<mark>[()]))")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda have, want: have == want,
    "ne": lambda have, want: have != want,
    "gt": lambda have, want: have > want,
    "ge": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "le": lambda have, want: have <= want,
}


class BadQuery(ValueError):
    """It isn't OData, or names what there isn't."""


class Filter:
    """`$filter`: comparisons of a field with a text or a number, with `and`, `or` and parentheses."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise BadQuery(f"Query string error: {text[place:]!r}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self._test = self._either()
        if self._tokens:
            raise BadQuery(f"Query string error: {self._tokens[0][1]!r}")

    def matches(self, row: Row) -> bool:
        return self._test(row)

    def _either(self) -> Callable[[Row], bool]:
        sides = [self._both()]
        while self._next("or"):
            sides.append(self._both())
        return lambda row: any(side(row) for side in sides)

    def _both(self) -> Callable[[Row], bool]:
        sides = [self._term()]
        while self._next("and"):
            sides.append(self._term())
        return lambda row: all(side(row) for side in sides)

    def _term(self) -> Callable[[Row], bool]:
        if self._next("("):
            inner = self._either()
            if not self._next(")"):
                raise BadQuery("Query string error: a parenthesis isn't closed")
            return inner
        try:
            (_, field), (_, operator), (kind, value) = self._tokens[:3]
            compare = _COMPARE[operator]
        except (ValueError, KeyError) as error:
            raise BadQuery("Query string error: a comparison is malformed") from error
        del self._tokens[:3]
        want: Any = value[1:-1].replace("''", "'") if kind == "text" else float(value) if kind == "number" else None
        if want is None:
            raise BadQuery(f"Query string error: {value!r}")

        def test(row: Row) -> bool:
            if field not in row:
                raise BadQuery(f"Property '{field}' is invalid")
            return row[field] is not None and compare(row[field], want)

        return test

    def _next(self, word: str) -> bool:
        if self._tokens and self._tokens[0][1] == word:
            del self._tokens[0]
            return True
        return False


def answer(name: str, rows: Sequence[Row], query: Mapping[str, str], size: int) -> Row:
    """A page of a collection. Raises BadQuery."""
    unknown = query.keys() - {"$filter", "$orderby", "$select", "$skip", "$top"}
    if unknown:
        raise BadQuery(f"Query string error: {unknown.pop()}")
    wanted = Filter(query["$filter"]) if "$filter" in query else None
    found = [row for row in rows if wanted is None or wanted.matches(row)]
    if "$orderby" in query:
        field, _, direction = query["$orderby"].partition(" ")
        found.sort(key=lambda row: row[field], reverse=direction == "desc")
    skip = int(query.get("$skip", 0))
    page: Row = {"value": [_selected(row, query.get("$select", "")) for row in found[skip : skip + size]]}
    if len(found) > skip + size:
        page["@odata.nextLink"] = f"{name}?{urlencode({**query, '$skip': skip + size})}"
    return page


def _selected(row: Row, names: str) -> Row:
    if not names:
        return row
    try:
        return {name: row[name] for name in names.split(",")}
    except KeyError as error:
        raise BadQuery(f"Property '{error.args[0]}' is invalid") from error
