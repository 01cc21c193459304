"""`bellwire dictionary`: what events carry, as a page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from bellwire.cli.base import say

if TYPE_CHECKING:
    from bellwire.flows import DataEntry, Word


def register(app: typer.Typer) -> None:
    app.command()(dictionary)


def dictionary() -> None:
    """Print the data dictionary: every type of event, and every field that a flow can use.

    Example: bellwire dictionary

    It is a page in Markdown.
    """
    say("\n".join(_page()))


def _page() -> Iterator[str]:
    from bellwire.flows import dictionary

    found = dictionary()
    yield "# Dictionary"
    yield "\nWhat events carry. A flow reads it as `event.number` or `event.customer.name`.\n"
    yield "| event | data | meaning |\n| --- | --- | --- |"
    for event in found.events:
        data = _link(event.data) if event.data else "whatever fields it came with"
        yield f"| `{event.name}` | {data} | {event.meaning} |"
    for entry in found.data:
        yield from _section(entry)


def _section(entry: "DataEntry") -> Iterator[str]:
    yield f"\n## {entry.name}\n"
    if entry.meaning:
        yield f"{entry.meaning}\n"
    yield "| field | is | meaning |\n| --- | --- | --- |"
    for field in entry.fields:
        yield f"| `{field.name}` | {''.join(map(_word, field.kind))} | {field.meaning} |"


def _word(word: "Word") -> str:
    return _link(word.text) if word.data else f"`{word.text}`" if word.literal else word.text


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"
