"""The data dictionary: every type of event, and every field that a flow can use."""

import types
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from bellwire.docstrings import meaning
from bellwire.events import DICTIONARY, FreeForm
from bellwire.flows.fields import fields_of

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    Decimal: "number",
    bool: "yes or no",
    datetime: "time",
    date: "day",
    timedelta: "length of time",
    type(None): "nothing",
    Any: "anything",
}


@dataclass(frozen=True)
class Word:
    """A part of what a field is. `data`: it names data that the dictionary describes; `literal`: it is a value."""

    text: str
    data: bool = False
    literal: bool = False


@dataclass(frozen=True)
class FieldEntry:
    name: str
    kind: Sequence[Word]
    meaning: str


@dataclass(frozen=True)
class DataEntry:
    name: str
    meaning: str
    fields: Sequence[FieldEntry]


@dataclass(frozen=True)
class EventEntry:
    name: str
    data: str
    """The name of a DataEntry; empty: whatever fields it came with."""
    meaning: str


@dataclass(frozen=True)
class Dictionary:
    events: Sequence[EventEntry]
    data: Sequence[DataEntry]
    """In the order in which a reader comes to them."""


def dictionary() -> Dictionary:
    entries = DICTIONARY.values()
    events = [
        EventEntry(entry.name, "" if entry.data is FreeForm else entry.data.__name__, entry.meaning)
        for entry in entries
    ]
    return Dictionary(events, [_data(model) for model in _models([e.data for e in entries if e.data is not FreeForm])])


def _data(model: type[BaseModel]) -> DataEntry:
    fields = [FieldEntry(name, _kind(kind), _meaning(model, name)) for name, kind in fields_of(model).items()]
    return DataEntry(model.__name__, " ".join((model.__doc__ or "").split()), fields)


def _models(first: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """These, and all that their fields lead to."""
    found: dict[type[BaseModel], None] = {}
    waiting = list(dict.fromkeys(first))
    while waiting:
        model = waiting.pop(0)
        found[model] = None
        parts = [part for annotation in fields_of(model).values() for part in _parts(annotation)]
        waiting += [part for part in parts if _is_model(part) and part not in found and part not in waiting]
    return list(found)


def _parts(annotation: Any) -> list[Any]:
    return [inner for part in get_args(annotation) for inner in _parts(part)] or [annotation]


def _kind(annotation: Any) -> list[Word]:
    """A type, in words."""
    if get_origin(annotation) in (Union, types.UnionType):
        return _between([_kind(part) for part in get_args(annotation)], " or ")
    if get_origin(annotation) is tuple:
        return [Word("list of "), *_kind(get_args(annotation)[0])]
    if _is_model(annotation):
        return [Word(annotation.__name__, data=True)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [Word("one of "), *_between([[Word(member.value, literal=True)] for member in annotation], ", ")]
    return [Word(_WORDS[annotation])]


def _between(parts: list[list[Word]], text: str) -> list[Word]:
    return [word for number, part in enumerate(parts) for word in ([Word(text)] * (number > 0) + part)]


def _meaning(model: type[BaseModel], name: str) -> str:
    if name in model.model_fields:
        return meaning(model, name)
    member = getattr(model, name)
    computed = member.func if isinstance(member, cached_property) else member.fget
    return " ".join((computed.__doc__ or "").split())


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
