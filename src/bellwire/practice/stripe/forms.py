"""Stripe's forms and queries: `metadata[order]=1`, `types[0]=…`, `expand[]=…`."""

import re
from collections.abc import Iterable
from typing import Any

_PART = re.compile(r"\[([^\]]*)\]")


def read_form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """As nested dicts and lists of texts."""
    form: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = [name.partition("[")[0], *_PART.findall(name)]
        _put(form, head, rest, value)
    return {name: _lists(value) for name, value in form.items()}


def _put(into: dict[str, Any], name: str, rest: list[str], value: str) -> None:
    key = name or str(len(into))
    if rest:
        _put(into.setdefault(key, {}), rest[0], rest[1:], value)
    else:
        into[key] = value


def _lists(value: Any) -> Any:
    """What is numbered is a list."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    return list(inner.values()) if inner and all(key.isdecimal() for key in inner) else inner
