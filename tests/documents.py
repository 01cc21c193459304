"""Reads the project's documents: their fenced blocks, code spans, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Document:
    """A page. `prose` is all but the fenced blocks."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        return [Block(*found) for found in _FENCE.findall(self.text)]

    @property
    def spans(self) -> list[str]:
        """What stands between backticks."""
        return re.findall(r"`([^`\n]+)`", self.prose)

    @property
    def code(self) -> Iterator[str]:
        """Lines that a reader might type."""
        yield from self.spans
        for block in self.blocks:
            if block.kind in ("sh", "ini"):
                yield from block.text.splitlines()

    @property
    def links(self) -> list[str]:
        """Targets inside the project."""
        found = re.findall(r"\]\(([^)\s]+)\)", self.prose)
        return [target for target in found if not re.match(r"https?://|mailto:", target)]

    @property
    def anchors(self) -> set[str]:
        """The headings, as links name them."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}

    def section(self, heading: str) -> "Document":
        """From this heading (`## …`) to the next of its level or above."""
        level = heading.partition(" ")[0]
        after = self.text.partition(f"{heading}\n")[2]
        assert after, f"{self.path.name} has no {heading!r}"
        return Document(self.path, re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0])

    def column(self, number: int = 0) -> list[str]:
        """The code spans in one column of the page's tables, without their backticks."""
        rows = [line.strip("| ").split(" | ") for line in self.prose.splitlines() if line.startswith("| ")]
        return [span for row in rows if len(row) > number for span in re.findall(r"^`([^`]+)`", row[number])]


def read(name: str) -> Document:
    """A page, by its path below the root."""
    path = ROOT / name
    return Document(path, path.read_text("utf-8"))


PAGES = [
    read(path.relative_to(ROOT).as_posix())
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("docs/flows/*.md")))
]
