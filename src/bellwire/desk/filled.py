"""What was filled in, as changes of a flow's text."""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bellwire.desk.forms import Form
from bellwire.errors import ConfigurationError
from bellwire.flows import Change, Put, Remove, options, read_values
from bellwire.flows.editing import Where
from bellwire.flows.expressions import is_dynamic

_PLACE = Path("flow.yaml")
_STRUCTURE = re.compile(r"\s*(\[|\{(?![{%#]))")
"""A list or a mapping in one line; no expression."""


def put(where: Where, value: Any) -> Change:
    """What is empty goes."""
    return Remove(where) if value in ("", None, []) else Put(where, value)


def line_change(
    form: Form, name: str, where: Where, before: str, meant: Callable[[str], Any] = str
) -> Iterator[Change]:
    """Of a field of one line, which has no other blanks than single ones."""
    if name in form and form.get(name) != " ".join(before.split()):
        yield put(where, meant(form.get(name)))


def text_change(form: Form, name: str, where: Where, before: str) -> Iterator[Change]:
    """Of a field of several lines."""
    if name in form and form.text(name).strip() != re.sub(r"\r\n?", "\n", before).strip():
        yield put(where, form.text(name).strip())


def list_changes(where: Where, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """Entry by entry, so that those that stay keep their lines."""
    if len(before) == len(after):
        yield from (Put((*where, str(at)), each) for at, each in enumerate(after) if each != before[at])
        return
    stay = [each for each in before if each in after]
    if not after or not before or list(after[: len(stay)]) != stay:
        yield put(where, list(after))
        return
    for at in reversed(range(len(before))):
        if before[at] not in after:
            yield Remove((*where, str(at)))
    for at, each in enumerate(after[len(stay) :], start=len(stay)):
        yield Put((*where, str(at)), each)


def meaning(text: str, wanted: Any) -> Any:
    """What is written where this is wanted, as the text of a flow has it."""
    texts = any(isinstance(option, type) and issubclass(option, str) for option in options(wanted))
    if not texts and _STRUCTURE.match(text):
        try:
            return read_values(f"value: {text}", _PLACE)["value"]
        except ConfigurationError:
            return text
    return text if texts or is_dynamic(text) else number(text)


def number(text: str) -> Any:
    """A number, yes or no, where one is written."""
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", text):
        return Decimal(text)
    return {"true": True, "false": False}.get(text, text)
