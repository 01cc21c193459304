"""What is different between two texts of a flow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_AROUND = 3
"""Lines that are the same, around what isn't."""


@dataclass(frozen=True)
class DiffLine:
    kind: str
    """`added`, `removed`, `same`, or `gap` where lines that are the same are left out."""
    text: str
    number: int | None
    """In the newer text; of a removed one, in the older."""


def differences(older: str, newer: str) -> list[DiffLine]:
    """Line by line; empty when they are the same."""
    before, after = older.splitlines(), newer.splitlines()
    groups = SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_AROUND)
    result: list[DiffLine] = []
    for changes in groups:
        if result or changes[0][3] > 0:
            result.append(DiffLine("gap", "", None))
        for kind, i1, i2, j1, j2 in changes:
            result += _lines(kind, before[i1:i2], i1, after[j1:j2], j1)
    return result


def _lines(kind: str, before: Sequence[str], i: int, after: Sequence[str], j: int) -> Iterator[DiffLine]:
    if kind == "equal":
        yield from (DiffLine("same", text, number) for number, text in enumerate(after, j + 1))
        return
    yield from (DiffLine("removed", text, number) for number, text in enumerate(before, i + 1))
    yield from (DiffLine("added", text, number) for number, text in enumerate(after, j + 1))
