"""YAML as a tree in which every key and value knows its line.

Stricter than YAML, so that a file means what it looks like: no anchors, aliases or tags, no key twice, numbers only
where they are plainly written (`007` and `1e3` stay text), fractions as Decimal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from bellwire.errors import ConfigurationError

MOST_BYTES = 256 * 1024
_DEEPEST = 20
_QUOTES = 'Put text with {{ … }} in quotes: "{{ event }}".'
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

# What the YAML reader says (a part of it), and what it means to the one who wrote the file.
_PROBLEMS = (
    (r"'\t' that cannot start", "There is a tab where spaces belong.", "Indent with spaces."),
    (
        "mapping values are not allowed",
        "There is a ':' where none can be.",
        "Put text with ': ' in quotes, and begin a key right below its neighbours.",
    ),
    ("could not find expected ':'", "A ':' is missing after a key.", "Write `key: value`."),
    ("quoted scalar", "A quotation mark is opened but never closed.", "Close it."),
    ("expected <block end>", "This line's indentation doesn't fit the lines above.", "Line it up with its neighbours."),
    ("flow mapping", "A '{' is opened but never closed.", _QUOTES),
    ("flow sequence", "A '[' is opened but never closed.", "Close it with ']'."),
    ("cannot start any token", "A text can't begin with this character.", "Put the text in quotes."),
)


class Key(str):
    """A key of a mapping, and the line it stands on (from 1)."""

    __slots__ = ("line",)
    line: int

    def __new__(cls, text: str, line: int) -> Self:
        key = super().__new__(cls, text)
        key.line = line
        return key


@dataclass(frozen=True)
class Node:
    """A mapping (`dict[Key, Node]`), a sequence (`list[Node]`) or a scalar: str, int, Decimal, bool or None."""

    value: Any
    line: int
    """Where it begins, from 1."""
    literal: bool = False
    """A `|` block: its text's lines are lines of the file, from `line` on."""


def read_document(text: str, path: Path) -> Node:
    """The one mapping in `text`. Raises ConfigurationError; `path` only names the place in it."""
    if len(text) > MOST_BYTES:
        raise too_big(path)
    try:
        return _tree(text)
    except _Misread as error:
        raise ConfigurationError(error.sentence, path=path, line=error.line, remedy=error.remedy) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(
            "There is a character that can't be in a text file.", path=path, line=line, remedy="Delete it."
        ) from error
    except MarkedYAMLError as error:
        raise _explained(error, path) from error
    except (YAMLError, ValueError) as error:
        raise ConfigurationError(f"This isn't YAML: {error}.", path=path, line=1) from error


@lru_cache(maxsize=256)
def _tree(text: str) -> Node:
    """To read a text takes tens of milliseconds, and the same one is read by whatever looks at a flow."""
    return _Builder(YAML(typ="safe", pure=True).parse(text)).document()


def read_values(text: str, path: Path) -> Any:
    """The same, without the lines: dict, list, str, int, Decimal, bool and None. Raises ConfigurationError."""
    return _value_of(read_document(text, path))


def _value_of(node: Node) -> Any:
    match node.value:
        case dict():
            return {str(key): _value_of(value) for key, value in node.value.items()}
        case list():
            return [_value_of(value) for value in node.value]
        case value:
            return value


def too_big(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"The file is larger than {MOST_BYTES // 1024} kB.", path=path, line=1, remedy="Make several flows of it."
    )


def _explained(error: MarkedYAMLError, path: Path) -> ConfigurationError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    said = f"{error.context or ''} {error.problem or ''}".strip()
    for part, sentence, remedy in _PROBLEMS:
        if part in said:
            return ConfigurationError(sentence, path=path, line=line, remedy=remedy)
    return ConfigurationError(f"This isn't YAML: {said}.", path=path, line=line)


@dataclass
class _Misread(Exception):
    line: int
    sentence: str
    remedy: str


class _Builder:
    """Puts the reader's events together."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), StreamEndEvent):
            raise _Misread(1, "The file is empty.", "Begin with `name:`, `trigger:` and `actions:`.")
        root = self._node(next(self._events), 0)
        if root.value is None:
            raise _Misread(1, "The file is empty.", "Begin with `name:`, `trigger:` and `actions:`.")
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            line = after.start_mark.line + 1
            raise _Misread(line, "A second document begins here.", "Put each flow in a file of its own.")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        self._refuse_extras(event, line)
        if depth > _DEEPEST:
            raise _Misread(line, f"This is nested more than {_DEEPEST} deep.", "Make it flatter.")
        if isinstance(event, MappingStartEvent):
            return Node(self._mapping(depth), line)
        if isinstance(event, SequenceStartEvent):
            return Node(self._sequence(depth), line)
        block = event.style in ("|", ">")
        value = plain_value(event.value) if event.style is None else event.value
        return Node(value, line + block, literal=event.style == "|")

    def _mapping(self, depth: int) -> dict[Key, Node]:
        values: dict[Key, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event)
            if key in values:
                raise _Misread(key.line, f"'{key}' is here twice.", "Keep one of them.")
            values[key] = self._node(next(self._events), depth + 1)
        return values

    def _key(self, event: Any) -> Key:
        line = event.start_mark.line + 1
        self._refuse_extras(event, line)
        if not isinstance(event, ScalarEvent):
            raise _Misread(line, "A key has to be a word.", _QUOTES)
        return Key(event.value, line)

    def _sequence(self, depth: int) -> list[Node]:
        values: list[Node] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            values.append(self._node(event, depth + 1))
        return values

    def _refuse_extras(self, event: Any, line: int) -> None:
        if isinstance(event, AliasEvent) or event.anchor:
            raise _Misread(line, "A flow file has no anchors (&) and aliases (*).", "Write the value out, or quote it.")
        if event.tag not in (None, "!"):
            raise _Misread(line, "A flow file has no tags (!).", "Put text that begins with '!' in quotes.")


def plain_value(text: str) -> Any:
    """What text without quotes means."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Decimal(text) if _FRACTION.fullmatch(text) else text
