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
"""The keys that lead to a value, such as `("actions", "invoice", "with", "order")`."""
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


Change = Put | Remove | Rename


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


def where_is(text: str, line: int) -> Where:
    """The keys that lead to the deepest value that stands on a line (from 1). Raises ConfigurationError."""
    found: list[str] = []
    part = _read(text)
    while True:
        for key, entry in part.entries.items():
            first = text.count("\n", 0, entry.start) + 1
            if first <= line <= text.count("\n", 0, entry.end) + 1:
                found.append(key)
                part = entry.value
                break
        else:
            return tuple(found)


def _edited(text: str, change: Change, path: Path) -> str:
    before = read_values(text, path)
    wanted = _meant(before, change)
    if wanted == before:
        return text
    if isinstance(change, Put):
        found = _put(text, change.where, change.value)
    elif isinstance(change, Remove):
        found = _removed(text, change.where)
    else:
        found = _renamed(text, change, before, path)
    try:
        holds = read_values(found, path) == wanted
    except ConfigurationError:
        holds = False
    if not holds:
        raise ConfigurationError(
            "This part of the flow can't be changed by a form.", path=path, remedy="Change it in the flow's text."
        )
    return found


# What a change means


def _meant(values: Any, change: Change) -> Any:
    if isinstance(change, Put):
        return _with(values, change.where, change.value)
    if isinstance(change, Remove):
        return _without(values, change.where)
    return _with_name(values, change)


def _with(values: Any, where: Where, value: Any) -> Any:
    if not where:
        return value
    known = values if isinstance(values, dict) else {}
    return known | {where[0]: _with(known.get(where[0]), where[1:], value)}


def _without(values: Any, where: Where) -> Any:
    if not isinstance(values, dict) or where[0] not in values:
        return values
    rest = {key: value for key, value in values.items() if key != where[0]}
    if len(where) == 1:
        return rest
    inner = _without(values[where[0]], where[1:])
    return rest if inner == {} and values[where[0]] != {} else values | {where[0]: inner}


def _with_name(values: Any, change: Rename) -> Any:
    actions = values.get("actions") if isinstance(values, dict) else None
    if not isinstance(actions, dict) or change.action not in actions or change.to in actions:
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
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves((*where, key), inner)
    else:
        yield where, value


def _said_anew(where: Where, value: Any, change: Rename) -> Any:
    if isinstance(value, list):
        return [_said_anew(where, each, change) for each in value]
    if not isinstance(value, str):
        return value
    match where[2:]:
        case ("needs",):
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
    entries: Mapping[str, "_Entry"] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    """A key with its value."""

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
            end = start
            while not isinstance(inner := next(self._events), SequenceEndEvent):
                end = self._part(inner, event.start_mark.column).end
            return _Part(start, inner.end_mark.index if event.flow_style else end, bool(event.flow_style))
        return _Part(start, self._block_end(start, column) if event.style in ("|", ">") else event.end_mark.index)

    def _mapping(self, event: Any, start: int) -> _Part:
        entries: dict[str, _Entry] = {}
        while not isinstance(key := next(self._events), MappingEndEvent):
            value = self._part(next(self._events), key.start_mark.column)
            entries[key.value] = _Entry(key.start_mark.index, key.end_mark.index, value)
        flow = bool(event.flow_style)
        end = key.end_mark.index if flow else max((each.end for each in entries.values()), default=start)
        return _Part(start, end, flow, mapping=True, entries=entries)

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
            if not part.mapping and entry is not None:
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
    if part.mapping and not part.flow:
        # All its lines go; what stands behind its key stays there.
        head = text[entry.key_end : _line_end(text, entry.key_end)]
        rest = head[1:] if head.startswith(":") else ""
        middle = ":" + (f" {shown}" if shown else "") + rest + below
        return text[: entry.key_end] + middle + text[part.end :]
    gap = text[entry.key_end : part.start]
    space = "" if gap.endswith((" ", "\n")) or not shown else " "
    tail_end = _line_end(text, part.end)
    return text[: part.start] + space + shown + remark + text[part.end : tail_end] + below + text[tail_end:]


def _added(text: str, part: _Part, where: Where, value: Any, in_flow: bool) -> str:
    key, newline = where[-1], _break(text)
    if part.flow:
        said = f"{_scalar_text(key, flow=True)}: {inline(value, flow=True)}"
        last = list(part.entries.values())[-1:]
        position = last[0].end if last else part.start + 1
        return text[:position] + (", " if last else "") + said + text[position:]
    first = next(iter(part.entries.values()))
    column = _column(text, first.start)
    shown, below = _written(where, value, column, in_flow=in_flow, newline=newline)
    said = f"{_scalar_text(key, flow=False)}:" + (f" {shown}" if shown else "") + below
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
