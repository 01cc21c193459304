"""An action's input as a form has it: one field for each text, number or choice in it, however deep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from inspect import isclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from bellwire.engine.editing import Edited, Input, path_of
from bellwire.flows import element, options

_DEEPEST = 6
"""Some records have records of their own kind in them."""


@dataclass(frozen=True)
class Leaf:
    path: str
    """Such as `order.lines[0].sku`."""
    steps: tuple[str | int, ...]
    """The same, in parts."""
    text: str
    """What it is now; empty also for what isn't given."""
    choices: tuple[str, ...] = ()
    """What it may be, where that is known."""
    empty: Any = ""
    """What it becomes when its field is emptied."""


def leaves(seen: Input) -> list[Leaf]:
    """In the order of the operation's fields. Lists are as long as they are."""
    return list(_model(seen.operation.given, seen.values, ()))


def edited(seen: Input, texts: Mapping[str, str]) -> Edited:
    """What a form with these leaves was filled in with, by path. Raises BellwireError, which names what doesn't fit, or
    that nothing is new."""
    changes = {
        leaf.path: texts[leaf.path] or leaf.empty
        for leaf in leaves(seen)
        if leaf.path in texts and texts[leaf.path] != leaf.text.replace("\r\n", "\n")
    }
    return seen.with_values(changes)


def _model(kind: type[BaseModel], values: Any, steps: tuple[str | int, ...]) -> Iterator[Leaf]:
    given = values if isinstance(values, Mapping) else {}
    for name, field in kind.model_fields.items():
        yield from _leaves(field.annotation, given.get(name), (*steps, name))


def _leaves(kind: Any, value: Any, steps: tuple[str | int, ...]) -> Iterator[Leaf]:
    kinds = options(kind)
    inner = next((each for each in kinds if isclass(each) and issubclass(each, BaseModel)), None)
    if isinstance(value, list):
        of = next((found for each in kinds if (found := element(each)) is not None), Any)
        for index, each in enumerate(value):
            yield from _leaves(of, each, (*steps, index))
    elif inner is not None and not isinstance(value, str):
        if len(steps) < _DEEPEST or value is not None:
            yield from _model(inner, value, steps)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _leaves(Any, each, (*steps, str(name)))
    elif all(element(each) is None for each in kinds) or value is not None:
        yield Leaf(path_of(steps), steps, _text(value), _choices(kinds), "" if _keeps_empty(kinds, value) else None)


def _keeps_empty(kinds: Sequence[Any], value: Any) -> bool:
    return NoneType not in kinds and (value is None or isinstance(value, str))


def _choices(kinds: Sequence[Any]) -> tuple[str, ...]:
    for kind in kinds:
        if kind is bool:
            return ("true", "false")
        if get_origin(kind) is Literal:
            return tuple(str(each) for each in get_args(kind))
        if isclass(kind) and issubclass(kind, Enum):
            return tuple(str(each.value) for each in kind)
    return ()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
