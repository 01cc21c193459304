"""Where everything of a picture goes: flows as boxes and arrows, the day as bars. All numbers are SVG units."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from bellwire.flows import Box, Flow, Picture, picture


@dataclass(frozen=True)
class Node:
    box: Box
    x: int
    y: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Arrow:
    line: str
    head: str


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    node_width: int
    node_height: int
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def across(picture: Picture) -> Drawing:
    """From left to right, for wide screens: a column for each layer, each column in the middle of the height."""
    width, height, gap, room = 242, 104, 66, 18
    in_column = Counter(box.column for box in picture.boxes)
    tallest = max(in_column.values())

    def place(box: Box) -> Node:
        above = (tallest - in_column[box.column]) * (height + room) // 2
        x, y = box.column * (width + gap), above + box.row * (height + room)
        return Node(box, x + 1, y + 1, _lines(box, 24))

    nodes = {box.name: place(box) for box in picture.boxes}
    arrows = [
        _arrow_across(nodes[a].x + width, nodes[a].y + height // 2, nodes[b].x, nodes[b].y + height // 2)
        for a, b in picture.arrows
    ]
    total = max(in_column) * (width + gap) + width + 2, tallest * (height + room) - room + 2
    return Drawing(*total, width, height, tuple(nodes.values()), tuple(arrows))


def down(picture: Picture) -> Drawing:
    """From top to bottom, for phones: one box below the other, the arrows in a gutter at their left."""
    width, height, gutter, room = 306, 104, 52, 14
    boxes = sorted(picture.boxes, key=lambda box: (box.column, box.row))
    nodes = {
        box.name: Node(box, gutter, index * (height + room) + 1, _lines(box, 33)) for index, box in enumerate(boxes)
    }
    middle = height // 2
    arrows = [_arrow_down(gutter, nodes[a].y + middle + 8, nodes[b].y + middle - 8) for a, b in picture.arrows]
    total = gutter + width + 1, len(boxes) * (height + room) - room + 2
    return Drawing(*total, width, height, tuple(nodes.values()), tuple(arrows))


def _lines(box: Box, width: int) -> tuple[str, ...]:
    """Two lines at most. What follows a colon explains; a picture has no room for it."""
    return tuple(wrap(box.meaning.partition(": ")[0].rstrip("."), width, max_lines=2, placeholder=" …"))


def _arrow_across(x1: int, y1: int, x2: int, y2: int) -> Arrow:
    bend = (x2 - x1) // 2
    line = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2 - 5} {y2}"
    return Arrow(line, _head(x2, y2))


def _arrow_down(x: int, y1: int, y2: int) -> Arrow:
    out = x - min(46, 18 + (y2 - y1) // 14)
    line = f"M{x} {y1}C{out} {y1} {out} {y2} {x - 5} {y2}"
    return Arrow(line, _head(x, y2))


def _head(x: int, y: int) -> str:
    return f"M{x - 8} {y - 5}L{x - 1} {y}L{x - 8} {y + 5}Z"


@dataclass(frozen=True)
class Bar:
    """One piece of a column. `kind` is the state it counts."""

    kind: str
    x: int
    y: int
    width: int
    height: int


def columns(counts: Sequence[Mapping[str, int]], kinds: Sequence[str], *, height: int = 100) -> list[Bar]:
    """One stacked column for each of `counts`, ten units apart; the highest fills `height`.

    One exception in a busy hour can be seen, too: every piece has a least height, at the cost of the largest.
    """
    most = max((sum(count.values()) for count in counts), default=0)
    bars = []
    for index, count in enumerate(counts):
        sizes = {kind: max(3, count[kind] * height // most) for kind in kinds if count.get(kind)}
        if (excess := sum(sizes.values()) - height) > 0:
            sizes[max(sizes, key=sizes.__getitem__)] -= excess
        y = height
        for kind, size in sizes.items():
            y -= size
            bars.append(Bar(kind, index * 10 + 1, y, 8, size))
    return bars


def of_flow(flow: Flow) -> tuple[Drawing, Drawing]:
    """For a laptop, and for a phone."""
    drawn = picture(flow)
    return across(drawn), down(drawn)


@dataclass(frozen=True)
class Curve:
    """Ten units for each day, 100 high. A day without a value interrupts the line."""

    line: str
    dots: tuple[tuple[int, float], ...]


def curve(values: Sequence[float | None], most: float) -> Curve:
    """`most` is at the top."""
    dots = [
        (index * 10 + 5, round(100 - 94 * min(1.0, value / most), 2)) if value is not None and most else None
        for index, value in enumerate(values)
    ]
    parts, connected = [], False
    for dot in dots:
        if dot is not None:
            parts.append(f"{'L' if connected else 'M'}{dot[0]} {dot[1]}")
        connected = dot is not None
    return Curve("".join(parts), tuple(dot for dot in dots if dot is not None))
