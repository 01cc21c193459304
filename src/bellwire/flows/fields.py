"""Which fields expressions may read, and of what type they are: one table for the run and for the static check."""

import types
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2.runtime import LoopContext
from pydantic import BaseModel

from bellwire.flows.scope import SKIPPED, ByHand, Foreseen, Skipped

TEXT_METHODS = frozenset(
    {
        "capitalize",
        "endswith",
        "lower",
        "lstrip",
        "removeprefix",
        "removesuffix",
        "rstrip",
        "split",
        "startswith",
        "strip",
        "title",
        "upper",
    }
)
"""The methods of text that an expression may call. Each gives at most as much as it was given."""

_DATE = dict.fromkeys(("year", "month", "day"), int)
_TIME = dict.fromkeys(("hour", "minute", "second"), int)
_LOOP = dict.fromkeys(("index", "index0", "revindex", "revindex0", "length"), int) | {"first": bool, "last": bool}


_known: dict[type, Mapping[str, Any]] = {}


def fields_of(kind: type) -> Mapping[str, Any]:
    """The readable fields of a value of type `kind`, with their annotations: a model's fields and properties, the
    parts of a date, the counters of a loop. Whatever begins with an underscore isn't readable."""
    if kind not in _known:
        _known[kind] = _fields_of(kind)
    return _known[kind]


def _fields_of(kind: type) -> Mapping[str, Any]:
    if issubclass(kind, BaseModel):
        fields = {name: field.annotation for name, field in kind.model_fields.items()}
        return fields | _properties(kind)
    if issubclass(kind, datetime):
        return _DATE | _TIME
    if issubclass(kind, date):
        return _DATE
    return _LOOP if issubclass(kind, LoopContext) else {}


def _properties(kind: type[BaseModel]) -> dict[str, Any]:
    own = [base for base in kind.__mro__ if issubclass(base, BaseModel) and base is not BaseModel]
    found: dict[str, Any] = {}
    for base in reversed(own):
        for name, member in vars(base).items():
            read = getattr(member, "fget", None) or (member.func if isinstance(member, cached_property) else None)
            if isinstance(member, property | cached_property) and read and not name.startswith("_"):
                found[name] = get_type_hints(read).get("return", Any)
    return found


def read_field(value: Any, name: str, absent: Any) -> Any:
    """Field `name` of `value`, or `absent` when there is none that may be read."""
    kind = type(value)
    if name in fields_of(kind):
        return getattr(value, name)
    if kind is Skipped:
        return value
    if kind is Foreseen:
        return getattr(value, name)
    if kind is ByHand:
        return value.told.get(name, SKIPPED)
    if isinstance(value, dict):
        return value.get(name, absent)
    if isinstance(value, BaseModel):
        return (value.model_extra or {}).get(name, absent)
    if isinstance(value, str) and name in TEXT_METHODS:
        return getattr(value, name)
    return absent


def has_field(kind: Any, path: str) -> bool:
    """Whether a value of this type can have a field by this path, such as `customer.email`; True when it isn't
    known."""
    name, _, rest = path.partition(".")
    for option in options(kind):
        if option is Any or not isinstance(option, type) or getattr(option, "model_config", {}).get("extra") == "allow":
            return True
        fields = fields_of(option)
        if name in fields and (not rest or has_field(fields[name], rest)):
            return True
    return False


def options(annotation: Any) -> tuple[Any, ...]:
    """What a union can be, one by one; anything else is its own only option."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def without_none(annotation: Any) -> Any:
    return union(*(option for option in options(annotation) if option is not type(None)))


def union(*annotations: Any) -> Any:
    """The annotation for what can be any of these; Any as soon as one is."""
    flat = dict.fromkeys(option for annotation in annotations for option in options(annotation))
    return Any if Any in flat or not flat else Union[tuple(flat)]  # noqa: UP007 - made at run time


def list_of(annotation: Any) -> Any:
    """The annotation of a list of these; Any when they aren't known."""
    return Any if annotation is Any else tuple.__class_getitem__((annotation, ...))


def element(annotation: Any) -> Any:
    """The type of a sequence's elements; Any when it isn't known, None when it is no sequence."""
    if annotation is Any or annotation in (tuple, list):
        return Any
    if get_origin(annotation) in (tuple, list):
        parts = [part for part in get_args(annotation) if part is not Ellipsis]
        return union(*parts)
    return None
