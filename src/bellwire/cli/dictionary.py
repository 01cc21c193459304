"""`bellwire dictionary`: what events carry, as a page."""

import types
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import typer

from bellwire.cli.base import say

if TYPE_CHECKING:
    from pydantic import BaseModel

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


def register(app: typer.Typer) -> None:
    app.command()(dictionary)


def dictionary() -> None:
    """Print the data dictionary: every type of event, and every field that a flow can use.

    Example: bellwire dictionary

    It is a page in Markdown.
    """
    say("\n".join(_page()))


def _page() -> Iterator[str]:
    from bellwire.events import DICTIONARY, FreeForm

    yield "# Dictionary"
    yield "\nWhat events carry. A flow reads it as `event.number` or `event.customer.name`.\n"
    yield "| event | data | meaning |\n| --- | --- | --- |"
    for entry in DICTIONARY.values():
        data = "whatever fields it came with" if entry.data is FreeForm else _link(entry.data)
        yield f"| `{entry.name}` | {data} | {entry.meaning} |"
    for model in _models([entry.data for entry in DICTIONARY.values() if entry.data is not FreeForm]):
        yield from _section(model)


def _section(model: "type[BaseModel]") -> Iterator[str]:
    from bellwire.flows import fields_of

    yield f"\n## {model.__name__}\n"
    if model.__doc__:
        yield f"{' '.join(model.__doc__.split())}\n"
    yield "| field | is | meaning |\n| --- | --- | --- |"
    for name, annotation in fields_of(model).items():
        yield f"| `{name}` | {_kind(annotation)} | {_meaning(model, name)} |"


def _models(first: "list[type[BaseModel]]") -> "list[type[BaseModel]]":
    """These, and all that their fields lead to, in the order in which a reader comes to them."""
    from bellwire.flows import fields_of

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


def _kind(annotation: Any) -> str:
    """A type, in words."""
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(_kind(part) for part in get_args(annotation))
    if get_origin(annotation) is tuple:
        return f"list of {_kind(get_args(annotation)[0])}"
    if _is_model(annotation):
        return _link(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "one of " + ", ".join(f"`{member.value}`" for member in annotation)
    return _WORDS[annotation]


def _meaning(model: "type[BaseModel]", name: str) -> str:
    from bellwire.docstrings import meaning

    if name in model.model_fields:
        return meaning(model, name)
    member = getattr(model, name)
    computed = member.func if isinstance(member, cached_property) else member.fget
    return " ".join((computed.__doc__ or "").split())


def _is_model(annotation: Any) -> bool:
    from pydantic import BaseModel

    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _link(model: "type[BaseModel]") -> str:
    return f"[{model.__name__}](#{model.__name__.lower()})"
