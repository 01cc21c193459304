"""An input as a form: its fields in groups, with names that people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bellwire.engine import Leaf

_MOST = 1_000
"""Fields of a form."""
_AS_WRITTEN = {"sku": "SKU", "url": "address", "id": "id"}
_LONG = 80


@dataclass(frozen=True)
class Field:
    path: str
    label: str
    text: str
    """What is in it: what was filled in, or what it is."""
    choices: Sequence[str]
    long: bool
    """Whether it needs several lines."""


@dataclass(frozen=True)
class Group:
    """What belongs together, such as an order's address or one of its lines. `title` is empty for what stands alone."""

    title: str
    fields: Sequence[Field]


def groups_of(leaves: Sequence[Leaf], filled: Mapping[str, str]) -> tuple[list[Group], int]:
    """In their order, but what stands alone first; and how many fields there were no room for."""
    found: dict[tuple[str | int, ...], list[Field]] = {}
    for leaf in leaves[:_MOST]:
        place = _place(leaf.steps)
        text = filled.get(leaf.path, leaf.text)
        label = _words(leaf.steps[len(place) :])
        long = "\n" in leaf.text or len(leaf.text) > _LONG
        found.setdefault(place, []).append(Field(leaf.path, label, text, leaf.choices, long))
    # What stands alone comes first: below another part it would seem to belong to that.
    alone = {place: fields for place, fields in found.items() if not place}
    return [Group(_words(place), fields) for place, fields in (alone | found).items()], max(0, len(leaves) - _MOST)


def _place(steps: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where a field belongs: to its line where it is in a list, or to the part of the record."""
    index = next((at for at, step in enumerate(steps) if isinstance(step, int)), None)
    if index is not None and index + 1 < len(steps):
        return steps[: index + 1]
    return steps[:2] if len(steps) > 2 else steps[: len(steps) - 1]


def _words(steps: Sequence[str | int]) -> str:
    """`("order", "lines", 0)` is `Order, lines, no. 1`."""
    named = [f"no. {step + 1}" if isinstance(step, int) else _word(step) for step in steps]
    text = ", ".join(named)
    return text[:1].upper() + text[1:]


def _word(name: str) -> str:
    return " ".join(_AS_WRITTEN.get(part, part) for part in name.split("_"))
