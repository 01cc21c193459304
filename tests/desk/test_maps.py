"""The picture of a route: to scale, all of it within its edges, readable by people and by machines."""

import re
from datetime import timedelta
from itertools import pairwise
from math import hypot
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from bellwire.capabilities.routing import Position, RoutePlan, RouteVisit, UnplannedVisit
from bellwire.connectors.bellwire.routes import great_circle
from bellwire.desk.maps import route_map
from tests.route_map import PICTURE, drawn
from tests.samples import NOW

HOME = Position(latitude=30.2672, longitude=-97.7431)
SVG = "{http://www.w3.org/2000/svg}"


def visit(name: str, position: Position | None) -> RouteVisit:
    return RouteVisit(
        id="1", name=name, position=position, travel_seconds=60, arrival=NOW, begins=NOW, departure=NOW
    )  # fmt: skip


def plan(*stops: Position | None, end: Position | None = HOME, missed: tuple[UnplannedVisit, ...] = ()) -> RoutePlan:
    return RoutePlan(
        start=HOME,
        end=end,
        leaves=NOW,
        stops=tuple(visit(f"Client {number}", place) for number, place in enumerate(stops, start=1)),
        arrives=NOW + timedelta(hours=8),
        travel_seconds=3_660,
        waiting_seconds=0,
        unplanned=missed,
    )


def near(north: float, east: float) -> Position:
    return Position(latitude=HOME.latitude + north, longitude=HOME.longitude + east)


def picture(route: RoutePlan) -> Element:
    found: Element = fromstring(route_map(route, "America/Chicago"))
    return found


def turns(drawing: Element) -> list[tuple[float, float]]:
    """The points of the line, from the start to the end."""
    (way,) = [each for each in drawing.iter(f"{SVG}path") if each.get("class") == "way"]
    return [(float(x), float(y)) for x, y in (point.split() for point in way.attrib["d"].removeprefix("M").split("L"))]


def texts(drawing: Element, kind: str) -> list[str]:
    return ["".join(each.itertext()) for each in drawing.iter(f"{SVG}text") if each.get("class") == kind]


def test_it_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    missed = UnplannedVisit(id="9", name="Lou", reason="It isn't known where it is.")
    drawing = picture(plan(near(0.1, 0), near(0, 0.1), missed=(missed,)))
    assert drawing.get("role") == "img"
    assert drawing.findtext(f"{SVG}title") == "Route of 2 visits"
    assert drawing.findtext(f"{SVG}desc") == "From the start to 1. Client 1, 2. Client 2. Not planned: Lou."
    assert picture(plan(near(0.1, 0))).findtext(f"{SVG}title") == "Route of 1 visit"


def test_the_list_has_each_stop_at_its_time_in_the_zone() -> None:
    missed = UnplannedVisit(id="9", name="", position=near(0.2, 0.2), reason="Too late.")
    drawing = picture(plan(near(0.1, 0), near(0, 0.1), missed=(missed,)))
    assert texts(drawing, "row") == [
        "03:30  ■ Start", "03:30  1. Client 1", "03:30  2. Client 2", "11:30  ■ End, 61 minutes on the road",
    ]  # fmt: skip
    assert texts(drawing, "row missed") == ["Not planned: 9"]
    assert len([each for each in drawing.iter(f"{SVG}circle") if each.get("class") == "left-out"]) == 1


def test_stops_have_their_numbers_and_those_in_one_place_share_a_mark() -> None:
    assert texts(picture(plan(near(0.1, 0), near(0, 0.1), near(0.1, 0))), "number") == ["1, 3", "2"]


def test_names_are_text_whatever_is_in_them() -> None:
    odd = plan(near(0.1, 0))
    odd = odd.model_copy(update={"stops": (visit("<b>Hill & Sons\x00\u2028</b>", near(0.1, 0)),)})
    assert texts(picture(odd), "row")[1] == "03:30  1. <b>Hill & Sons</b>"
    long = odd.model_copy(update={"stops": (visit("x" * 200, near(0.1, 0)),)})
    assert texts(picture(long), "row")[1] == f"03:30  1. {'x' * 63}…"


@pytest.mark.parametrize("route", [plan(None), plan(near(0, 0.1), end=None)])
def test_what_leads_nowhere_known_cannot_be_drawn(route: RoutePlan) -> None:
    with pytest.raises(ValueError, match="all of its places are known"):
        route_map(route, "UTC")


def test_the_scale_is_as_long_as_it_says() -> None:
    drawing = picture(plan(near(0.09, 0.01), near(-0.05, 0.02)))
    (bar,) = [each.attrib["d"] for each in drawing.iter(f"{SVG}path") if each.get("class") == "scale"]
    (said,) = texts(drawing, "small")
    found = re.match(r"M([\d.]+) .*H([\d.]+)V", bar)
    assert found is not None
    start, north, *_ = turns(drawing)
    unit = hypot(north[0] - start[0], north[1] - start[1]) / (great_circle(HOME, near(0.09, 0.01)) / 1000)
    assert (float(found[2]) - float(found[1])) / unit == pytest.approx(float(said.removesuffix(" km")), rel=0.01)


def test_a_route_over_the_line_where_the_day_changes_is_drawn_in_one_piece() -> None:
    fiji = plan(Position(latitude=-17, longitude=179.9), Position(latitude=-17, longitude=-179.9))
    fiji = fiji.model_copy(update={"start": Position(latitude=-17, longitude=179.8), "end": fiji.stops[0].position})
    start, west, east, end = turns(picture(fiji))
    assert start[0] < west[0] < east[0] and west == end
    assert east[0] - west[0] == pytest.approx(2 * (west[0] - start[0]), abs=0.3)


def test_all_in_one_place_is_a_map_too() -> None:
    drawing = picture(plan(HOME, HOME))
    assert set(turns(drawing)) == {(320, 190)}
    assert texts(drawing, "number") == ["1, 2"] and texts(drawing, "small") == ["100 m"]


@given(st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=1, max_size=12))
def test_it_is_to_scale_and_nothing_falls_off_the_edge(places: list[tuple[float, float]]) -> None:
    stops = [near(*place) for place in places]
    points, path = turns(picture(plan(*stops))), [HOME, *stops, HOME]
    assert len(points) == len(path)
    assert all(20 <= x <= 620 and 20 <= y <= 360 for x, y in points)
    drawn_far = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    real_far = [great_circle(a, b) / 1000 for a, b in pairwise(path)]
    longest = max(real_far)
    unit = drawn_far[real_far.index(longest)] / longest if longest > 0.1 else 0
    for shown, real in zip(drawn_far, real_far, strict=True):
        # A degree is a little shorter at the north of a map than at its south, and points are rounded.
        assert not unit or shown == pytest.approx(real * unit, rel=0.02, abs=0.5)


def test_the_picture_in_the_documents_is_as_it_is_drawn_now() -> None:
    assert PICTURE.read_text("utf-8") == drawn(), "`python -m tests.route_map` draws it anew"
