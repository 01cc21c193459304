"""Changes of a flow's text that leave everything else in it as it is, byte for byte: comments, order, blank lines.

The text is never written anew from what it means. A change finds the place in it, and puts other characters there; then
it is read again, and holds only if it means exactly what was asked for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent

from bellwire.errors import ConfigurationError
from bellwire.flows.document import plain_value, read_values
from bellwire.flows.expressions import is_dynamic, renamed
from bellwire.flows.parsing import FLOW_KEYS

Where = tuple[str, ...]
"""The keys that lead to a value, such as `("actions", "invoice", "with", "order")`; an entry of a list goes by its
number, from 0: `("ends_on", "0", "event")`."""
_KEYS_OF_ACTION = (
    "do",
    "emit",
    "needs",
    "for_each",
    "if",
    "otherwise",
    "approve",
    "wait",
    "wait_until",
    "retry",
    "with",
)
"""In the order in which they are read best."""
_PLAIN = re.compile(r"[\w(][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff{}\[\]]*")
_ESCAPED = re.compile(r"[\x00-\x1f\"\\\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_HEADER = re.compile(r"[|>][0-9+-]*([ \t]+#[^\r\n]*)?")


@dataclass(frozen=True)
class Put:
    """Give `where` this value: text, a number, yes or no, or lists and mappings of those. What isn't there is added."""

    where: Where
    value: Any


@dataclass(frozen=True)
class Remove:
    """Take out what stands at `where`, with the comment right above it. What would be empty then goes with it."""

    where: Where


@dataclass(frozen=True)
class Rename:
    """Call an action otherwise, also where others mention it."""

    action: str
    to: str


@dataclass(frozen=True)
class Swap:
    """Exchange the places of two actions, each with the comment right above it."""

    action: str
    other: str


Change = Put | Remove | Rename | Swap


def edited(text: str, changes: Sequence[Change], path: Path) -> str:
    """The text with these changes, one after the other. `path` only names the place in messages. Raises
    ConfigurationError when `text` isn't YAML, or a change can't be made in it."""
    for change in changes:
        text = _edited(text, change, path)
    return text


def line_of(text: str, where: Where) -> int:
    """The line (from 1) of the deepest that is there of `where`. Raises ConfigurationError."""
    part, start = _read(text), 0
    for key in where:
        entry = part.entries.get(key)
        if entry is None:
            break
        part, start = entry.value, entry.start
    return text.count("\n", 0, start) + 1


def where_is(text: str, line: int, about: str = "") -> Where:
    """The keys that lead to the deepest value that stands on a line (from 1); within braces, to the one whose key the
    sentence `about` quotes, if there is such a sentence. Raises ConfigurationError."""
    found: list[str] = []
    part = _read(text)
    while True:
        there = {key: entry.value for key, entry in part.entries.items() if _stands_on(text, entry, line)}
        if len(there) > 1 or (part.flow and about):
            there = {key: value for key, value in there.items() if f"'{key}'" in about or f"`{key}`" in about}
        if not there:
            return tuple(found)
        key, part = next(iter(there.items()))
        found.append(key)


def _stands_on(text: str, entry: "_Entry", line: int) -> bool:
    return text.count("\n", 0, entry.start) < line <= text.count("\n", 0, entry.end) + 1


def _edited(text: str, change: Change, path: Path) -> str:
    before = read_values(text, path)
    wanted = _meant(before, change)
    if _same(wanted, before):
        return text
    if isinstance(change, Put):
        found = _put(text, change.where, change.value)
    elif isinstance(change, Remove):
        found = _removed(text, change.where)
    elif isinstance(change, Rename):
        found = _renamed(text, change, before, path)
    else:
        found = _swapped(text, change)
    try:
        holds = _same(read_values(found, path), wanted)
    except ConfigurationError:
        holds = False
    if not holds:
        raise ConfigurationError(
            "This part of the flow can't be changed by a form.", path=path, remedy="Change it in the flow's text."
        )
    return found


# What a change means


def _same(values: Any, others: Any) -> bool:
    """Also the actions' order."""
    return bool(values == others) and _actions(values) == _actions(others)


def _actions(values: Any) -> list[str]:
    found = values.get("actions") if isinstance(values, dict) else None
    return list(found) if isinstance(found, dict) else []


def _meant(values: Any, change: Change) -> Any:
    match change:
        case Put():
            return _with(values, change.where, change.value)
        case Remove():
            return _without(values, change.where)
        case Rename():
            return _with_name(values, change)
    return _with_swapped(values, change)


def _with(values: Any, where: Where, value: Any) -> Any:
    if not where:
        return value
    key, rest = where[0], where[1:]
    if isinstance(values, list) and key.isdecimal() and int(key) <= len(values):
        at = int(key)
        inner = _with(values[at] if at < len(values) else None, rest, value)
        return [*values[:at], inner, *values[at + 1 :]]
    known = values if isinstance(values, dict) else {}
    return known | {key: _with(known.get(key), rest, value)}


def _without(values: Any, where: Where) -> Any:
    key, rest = where[0], where[1:]
    entries = dict(_entries(values))
    if key not in entries:
        return values
    inner = _without(entries[key], rest) if rest else None
    if not rest or (inner in ({}, []) and entries[key] not in ({}, [])):
        del entries[key]
    else:
        entries[key] = inner
    return list(entries.values()) if isinstance(values, list) else entries


def _entries(values: Any) -> Mapping[str, Any]:
    if isinstance(values, list):
        return {str(at): value for at, value in enumerate(values)}
    return values if isinstance(values, dict) else {}


def _with_swapped(values: Any, change: Swap) -> Any:
    names = _actions(values)
    if change.action not in names or change.other not in names:
        return values
    places = {change.action: change.other, change.other: change.action}
    order = [places.get(name, name) for name in names]
    return values | {"actions": {name: values["actions"][name] for name in order}}


def _with_name(values: Any, change: Rename) -> Any:
    names = _actions(values)
    if change.action not in names or change.to in names:
        return values
    for where, value in _mentions(values, change):
        values = _with(values, where, value)
    moved = {change.to if name == change.action else name: body for name, body in values["actions"].items()}
    return values | {"actions": moved}


def _mentions(values: Any, change: Rename) -> Iterator[tuple[Where, Any]]:
    """What mentions an action, with its new value."""
    for name, body in values["actions"].items():
        for where, value in _leaves(("actions", name), body):
            new = _said_anew(where, value, change)
            if new != value:
                yield where, new


def _leaves(where: Where, value: Any) -> Iterator[tuple[Where, Any]]:
    if isinstance(value, dict | list):
        for key, inner in _entries(value).items():
            yield from _leaves((*where, key), inner)
    else:
        yield where, value


def _said_anew(where: Where, value: Any, change: Rename) -> Any:
    if not isinstance(value, str):
        return value
    match where[2:]:
        case ("needs", *_):
            return change.to if value.strip() == change.action else value
        case ("if" | "for_each" | "wait_until",) | ("approve", "if"):
            return renamed(value, change.action, change.to, alone=True)
        case ("with", *_) | ("approve", "ask") if is_dynamic(value):
            return renamed(value, change.action, change.to)
    return value


# Where things stand


@dataclass(frozen=True)
class _Part:
    """A value in the text, from `start` to `end`."""

    start: int
    end: int
    flow: bool = False
    """In braces or brackets."""
    mapping: bool = False
    sequence: bool = False
    entries: Mapping[str, "_Entry"] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    """A key with its value, or an entry of a list: the dash is its key; in brackets it has none."""

    start: int
    key_end: int
    value: _Part

    @property
    def end(self) -> int:
        return max(self.key_end, self.value.end)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._events = YAML(typ="safe", pure=True).parse(text)

    def document(self) -> _Part:
        next(self._events)
        next(self._events)
        return self._part(next(self._events), -1)

    def _part(self, event: Any, column: int) -> _Part:
        """`column` is that of the block around it."""
        start = event.start_mark.index
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, start)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, start)
        return _Part(start, self._block_end(start, column) if event.style in ("|", ">") else event.end_mark.index)

    def _mapping(self, event: Any, start: int) -> _Part:
        entries: dict[str, _Entry] = {}
        while not isinstance(key := next(self._events), MappingEndEvent):
            value = self._part(next(self._events), key.start_mark.column)
            entries[key.value] = _Entry(key.start_mark.index, key.end_mark.index, value)
        flow = bool(event.flow_style)
        end = key.end_mark.index if flow else max((each.end for each in entries.values()), default=start)
        return _Part(start, end, flow, mapping=True, entries=entries)

    def _sequence(self, event: Any, start: int) -> _Part:
        entries: dict[str, _Entry] = {}
        flow = bool(event.flow_style)
        while not isinstance(inner := next(self._events), SequenceEndEvent):
            begin = inner.start_mark.index if flow else self._dash(inner.start_mark.index, event.start_mark)
            value = self._part(inner, event.start_mark.column)
            entries[str(len(entries))] = _Entry(begin, begin if flow else begin + 1, value)
        end = inner.end_mark.index if flow else max((each.end for each in entries.values()), default=start)
        return _Part(start, end, flow, sequence=True, entries=entries)

    def _dash(self, position: int, first: Any) -> int:
        """Of the entry that begins at `position`; `first` is the mark of the first one's."""
        line = _line_start(self._text, position)
        while line > first.index and not re.match(rf" {{{first.column}}}-", self._text[line:]):
            line = _line_start(self._text, line - 1)
        return int(max(first.index, line + first.column))

    def _block_end(self, start: int, column: int) -> int:
        """Of a `|` or `>` text: its lines are empty, or further in than the block around it."""
        end = position = _line_end(self._text, start)
        while position < len(self._text):
            after = _next_line(self._text, position)
            line = self._text[after : _line_end(self._text, after)]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= column:
                break
            position = _line_end(self._text, after) if after < len(self._text) else after
            end = position if line.strip() else end
        return end


def _read(text: str) -> _Part:
    return _Reader(text).document()


def _line_end(text: str, position: int) -> int:
    """Before the line break."""
    found = re.compile(r"\r?\n").search(text, position)
    return found.start() if found else len(text)


def _next_line(text: str, position: int) -> int:
    found = re.compile(r"\r?\n").search(text, position)
    return found.end() if found else len(text)


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1


def _column(text: str, position: int) -> int:
    return position - _line_start(text, position)


def _break(text: str) -> str:
    """How its lines end."""
    return "\r\n" if "\r\n" in text else "\n"


# Putting


def _put(text: str, where: Where, value: Any) -> str:
    part = _read(text)
    entry: _Entry | None = None
    in_flow = False
    for depth, key in enumerate(where):
        in_flow = in_flow or part.flow
        inner = part.entries.get(key)
        if inner is None:
            value = _nested(where[depth + 1 :], value)
            if not part.mapping and not (part.sequence and key == str(len(part.entries))) and entry is not None:
                return _replaced(text, entry, where[:depth], {key: value}, in_flow)
            return _added(text, part, where[: depth + 1], value, in_flow)
        entry, part = inner, inner.value
    assert entry is not None
    return _replaced(text, entry, where, value, in_flow)


def _nested(where: Where, value: Any) -> Any:
    for key in reversed(where):
        value = {key: value}
    return value


def _replaced(text: str, entry: _Entry, where: Where, value: Any, in_flow: bool) -> str:
    part = entry.value
    shown, below = _written(where, value, _column(text, entry.start), in_flow=in_flow, newline=_break(text))
    header = _HEADER.match(text, part.start) if text[part.start : part.start + 1] in ("|", ">") else None
    remark = (header[1] or "") if header else ""
    if part.mapping and not part.flow and text[entry.start : entry.key_end] == "-":
        return text[: part.start] + shown + text[part.end :]
    if (part.mapping or part.sequence) and not part.flow:
        # All its lines go; what stands behind its key stays there.
        head = text[entry.key_end : _line_end(text, entry.key_end)]
        rest = head[1:] if head.startswith(":") else ""
        middle = ":" + (f" {shown}" if shown else "") + rest + below
        return text[: entry.key_end] + middle + text[part.end :]
    gap = text[entry.key_end : part.start]
    keyless = entry.key_end == entry.start
    space = "" if gap.endswith((" ", "\n")) or not shown or keyless else " "
    tail_end = _line_end(text, part.end)
    return text[: part.start] + space + shown + remark + text[part.end : tail_end] + below + text[tail_end:]


def _added(text: str, part: _Part, where: Where, value: Any, in_flow: bool) -> str:
    key, newline = where[-1], _break(text)
    if part.flow:
        said = inline(value, flow=True)
        if not part.sequence:
            said = f"{_scalar_text(key, flow=True)}: {said}"
        last = list(part.entries.values())[-1:]
        position = last[0].end if last else part.start + 1
        return text[:position] + (", " if last else "") + said + text[position:]
    first = next(iter(part.entries.values()))
    column = _column(text, first.start)
    shown, below = _written(where, value, column, in_flow=in_flow, newline=newline)
    head = "-" if part.sequence else f"{_scalar_text(key, flow=False)}:"
    said = head + (f" {shown}" if shown else "") + below
    before = _predecessor(part, where)
    if before is None:
        return text[: first.start] + said + newline + " " * column + text[first.start :]
    position = _line_end(text, before.end)
    apart = newline if where[0] == "actions" and len(where) == 2 else ""
    return text[:position] + newline + apart + " " * column + said + text[position:]


def _predecessor(part: _Part, where: Where) -> _Entry | None:
    """After which of the keys a new one belongs; None: before the first."""
    order = FLOW_KEYS if len(where) == 1 else _KEYS_OF_ACTION if where[0] == "actions" and len(where) == 3 else ()
    if where[-1] not in order:
        return list(part.entries.values())[-1]
    earlier = order[: order.index(where[-1])]
    found = [entry for key, entry in part.entries.items() if key in earlier]
    return found[-1] if found else None


# Removing


def _removed(text: str, where: Where) -> str:
    part = _read(text)
    chain: list[tuple[_Part, str]] = []
    for key in where:
        chain.append((part, key))
        part = part.entries[key].value
    while len(chain) > 1 and len(chain[-1][0].entries) == 1:
        chain.pop()
    around, key = chain[-1]
    entries = list(around.entries.values())
    index = list(around.entries).index(key)
    entry = entries[index]
    if around.flow:
        if index + 1 < len(entries):
            return text[: entry.start] + text[entries[index + 1].start :]
        begin = entries[index - 1].end if index else entry.start
        return text[:begin] + text[entry.end :]
    begin = _line_start(text, entry.start)
    if text[begin : entry.start].strip():
        return text[: entry.start] + text[entries[index + 1].start :] if index + 1 < len(entries) else text
    begin = _with_remarks(text, begin, entry.start - begin)
    end = _next_line(text, entry.end)
    if not text[end:].strip():
        return text[:begin].rstrip() + _break(text)
    if text[:begin].endswith(("\n\n", "\n\r\n")):
        # One of the blank lines that it stood between goes with it.
        if not text[end : _line_end(text, end)].strip():
            end = _next_line(text, end)
        elif index + 1 == len(entries):
            begin -= len(_break(text))
    return text[:begin] + text[end:]


def _with_remarks(text: str, begin: int, column: int) -> int:
    """Where the comment right above a line begins, which is about that line."""
    while begin > 0:
        above = _line_start(text, begin - 1)
        if not text[above:begin].startswith(" " * column + "#") or above == 0:
            return begin
        begin = above
    return begin


# Renaming


def _renamed(text: str, change: Rename, before: Any, path: Path) -> str:
    for where, value in _mentions(before, change):
        text = _put(text, where, value)
        read_values(text, path)
    entry = _read(text).entries["actions"].value.entries[change.action]
    return text[: entry.start] + change.to + text[entry.key_end :]


# Exchanging


def _swapped(text: str, change: Swap) -> str:
    around = _read(text).entries["actions"].value
    pair = sorted((around.entries[change.action], around.entries[change.other]), key=lambda entry: entry.start)
    (first, end_of_first), (second, end_of_second) = (_span(text, entry, around) for entry in pair)
    return (
        text[:first]
        + text[second:end_of_second]
        + text[end_of_first:second]
        + text[first:end_of_first]
        + text[end_of_second:]
    )


def _span(text: str, entry: _Entry, around: _Part) -> tuple[int, int]:
    """Of an action with the comment right above it and what stands behind it on its last line."""
    if around.flow:
        return entry.start, entry.end
    begin = _line_start(text, entry.start)
    return _with_remarks(text, begin, entry.start - begin), _line_end(text, entry.end)


# Writing


def _written(where: Where, value: Any, column: int, *, in_flow: bool, newline: str) -> tuple[str, str]:
    """What stands behind the key, and on the lines below it."""
    if in_flow:
        return inline(value, flow=True), ""
    inner = newline + " " * (column + 2)
    if isinstance(value, dict) and value and _wants_lines(where):
        rows = ""
        for key, each in value.items():
            shown, below = _written((*where, key), each, column + 2, in_flow=False, newline=newline)
            rows += f"{inner}{_scalar_text(key, flow=False)}:" + (f" {shown}" if shown else "") + below
        return "", rows
    if isinstance(value, str) and _can_be_lines(value):
        chomped = value.endswith("\n")
        lines = value.removesuffix("\n").split("\n")
        return "|" if chomped else "|-", "".join((inner if line else newline) + line for line in lines)
    return inline(value, flow=False), ""


def _wants_lines(where: Where) -> bool:
    """Whether a mapping has a line for each of its keys there: actions, and what they are given."""
    return where[0] == "actions" and (len(where) < 3 or where[2:] == ("with",))


def _can_be_lines(value: str) -> bool:
    """Whether it can stand as a `|` text."""
    lines = value.removesuffix("\n").split("\n")
    odd = _ESCAPED.search(re.sub(r"[\n\t\"\\]", "", value)) or "\t" in value
    return len(lines) > 1 and not odd and not lines[0].startswith(" ") and bool(lines[0]) and bool(lines[-1].strip())


def inline(value: Any, *, flow: bool = False) -> str:
    """As it stands in one line; `flow`: in braces or brackets."""
    match value:
        case dict():
            pairs = (f"{_scalar_text(key, flow=True)}: {inline(each, flow=True)}" for key, each in value.items())
            return "{" + ", ".join(pairs) + "}"
        case list() | tuple():
            return "[" + ", ".join(inline(each, flow=True) for each in value) + "]"
        case str():
            return _scalar_text(value, flow=flow)
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case Decimal():
            return f"{value:f}"
    return str(value)


def _scalar_text(value: str, *, flow: bool) -> str:
    plain = (
        _PLAIN.fullmatch(value)
        and value == value.strip()
        and plain_value(value) == value
        and not value.endswith(":")
        and not re.search(r":\s|\s#", value)
        and not (flow and re.search(r"[,:?]", value))
    )
    return value if plain else f'"{_ESCAPED.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}"
