"""Where things stand in a TOML file; the standard reader doesn't say."""

import re
import tomllib
from typing import Any

Place = tuple[str | int, ...]
"""The way to a value: keys and, in arrays, positions from 0."""

_SIMPLE_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = re.compile(rf"{_SIMPLE_KEY}(?:[ \t]*\.[ \t]*{_SIMPLE_KEY})*")
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:\\.|[^"\\\n])*"|'[^'\n]*\'''', re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def find_lines(text: str) -> dict[Place, int]:
    """The line (from 1) of every table, key and array item of a text that is valid TOML."""
    return _Reader(text).document()


def nearest_line(lines: dict[Place, int], place: Place) -> int | None:
    """The line of `place`, or of the nearest thing around it that is in the file."""
    return next((lines[place[:length]] for length in range(len(place), 0, -1) if place[:length] in lines), None)


class _Reader:
    """Walks over the text once. What a value means is the standard reader's business; here only its end counts."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Place, int] = {}
        self._tables: dict[Place, int] = {}
        """How many tables an array of tables (`[[name]]`) has so far."""

    def document(self) -> dict[Place, int]:
        table: Place = ()
        while self._skip_blank() < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Place:
        line, repeated = self._line(), self._take("[[")
        if not repeated:
            self._take("[")
        self._skip_blank()
        place: Place = ()
        *outer, last = self._key()
        for key in outer:
            place = (*place, key)
            self._lines.setdefault(place, line)
            if place in self._tables:
                place = (*place, self._tables[place] - 1)
        place = (*place, last)
        if repeated:
            self._lines.setdefault(place, line)
            self._tables[place] = self._tables.get(place, 0) + 1
            place = (*place, self._tables[place] - 1)
        self._lines[place] = line
        self._skip_blank()
        self._take("]]" if repeated else "]")
        return place

    def _pair(self, table: Place) -> None:
        line, place = self._line(), table
        for key in self._key():
            place = (*place, key)
            self._lines.setdefault(place, line)
        self._skip_blank()
        self._take("=")
        self._value(place)

    def _value(self, place: Place) -> None:
        self._skip_blank()
        if self._take("["):
            self._array(place)
        elif self._take("{"):
            self._inline_table(place)
        else:
            self._match(_STRING) or self._match(_SCALAR)

    def _array(self, place: Place) -> None:
        position = 0
        while self._skip_blank() < len(self._text) and not self._take("]"):
            self._lines[(*place, position)] = self._line()
            self._value((*place, position))
            position += 1
            self._skip_blank()
            self._take(",")

    def _inline_table(self, place: Place) -> None:
        while self._skip_blank() < len(self._text) and not self._take("}"):
            self._pair(place)
            self._skip_blank()
            self._take(",")

    def _key(self) -> list[str]:
        keys = []
        # Escapes and quotes are read by the standard reader itself.
        rest: Any = tomllib.loads(f"{self._match(_KEY)} = 0")
        while isinstance(rest, dict):
            ((key, rest),) = rest.items()
            keys.append(key)
        return keys

    def _skip_blank(self) -> int:
        self._match(_BLANK)
        return self._at

    def _take(self, token: str) -> bool:
        found = self._text.startswith(token, self._at)
        self._at += len(token) if found else 0
        return found

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()
        return match[0] if match else ""

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
