"""Pictures of flows and bars of a day: nothing overlaps, nothing falls off the edge."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.desk.drawing import Drawing, across, columns, down
from bellwire.flows import Picture, bundled, bundled_names, load_flow, picture
from tests.desk.story import the_flow

Draw = Callable[[Picture], Drawing]


def pictures(folder: Path) -> list[Picture]:
    """Of the tests' flow and of every flow that comes with Bellwire."""
    found = [picture(the_flow())]
    for name in bundled_names():
        path = folder / f"{name.replace('-', '_')}.yaml"
        path.write_text(bundled(name))
        found.append(picture(load_flow(path)))
    return found


@pytest.mark.parametrize("draw", [across, down])
def test_boxes_stand_apart_within_the_picture(draw: Draw, tmp_path: Path) -> None:
    for drawing in map(draw, pictures(tmp_path)):
        for node in drawing.nodes:
            assert 0 <= node.x <= drawing.width - drawing.node_width
            assert 0 <= node.y <= drawing.height - drawing.node_height
        for a, b in combinations(drawing.nodes, 2):
            apart = abs(a.x - b.x) >= drawing.node_width or abs(a.y - b.y) >= drawing.node_height
            assert apart, (a, b)


@pytest.mark.parametrize("draw", [across, down])
def test_every_arrow_is_drawn(draw: Draw, tmp_path: Path) -> None:
    for drawn in pictures(tmp_path):
        assert len(draw(drawn).arrows) == len(drawn.arrows)


def test_a_box_has_two_lines_of_words_at_most(tmp_path: Path) -> None:
    for drawn in pictures(tmp_path):
        for drawing, room in ((across(drawn), 24), (down(drawn), 33)):
            for node in drawing.nodes:
                assert 1 <= len(node.lines) <= 2
                assert max(map(len, node.lines)) <= room


@given(st.lists(st.dictionaries(st.sampled_from(["done", "waiting", "dead"]), st.integers(0, 10_000)), max_size=25))
def test_bars_stay_within_their_column_and_every_state_that_is_there_can_be_seen(counts: list[dict[str, int]]) -> None:
    bars = columns(counts, ("done", "waiting", "dead"))

    for bar in bars:
        assert bar.y >= 0
        assert bar.y + bar.height <= 100
    for index, count in enumerate(counts):
        seen = {bar.kind for bar in bars if bar.x == index * 10 + 1}
        assert seen == {kind for kind, many in count.items() if many}
