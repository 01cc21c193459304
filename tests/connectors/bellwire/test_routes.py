"""Routes: every visit is made in its time or told why not, and no order is better than what is planned."""

import asyncio
import subprocess
import sys
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bellwire.capabilities.routing import PLAN_ROUTE, PlanRoute, Position, RoutePlan, RouteStop
from bellwire.connectors.bellwire import CONNECTOR
from bellwire.connectors.bellwire.routes import great_circle, route_plan
from bellwire.errors import Refused
from tests.connecting import call, connection
from tests.samples import NOW

some = settings(max_examples=40)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOME = Position(latitude=30.27, longitude=-97.74)
LINE = [[0, 10, 20, 30], [10, 0, 10, 20], [20, 10, 0, 10], [30, 20, 10, 0]]
"""Minutes between home and three places, all on one road, in its order."""


def seconds(minutes: list[list[int]]) -> list[list[int]]:
    return [[60 * each for each in row] for row in minutes]


def stop(name: str, **changes: Any) -> RouteStop:
    return RouteStop(id=name.lower(), name=name, **({"minutes": 30} | changes))


def day(*stops: RouteStop, **changes: Any) -> PlanRoute:
    """On the one road, from 9:30."""
    return PlanRoute.model_validate({"begins": NOW, "stops": stops, "travel_seconds": seconds(LINE)} | changes)


def order(plan: RoutePlan) -> list[str]:
    return [visit.id for visit in plan.stops]


def reasons(plan: RoutePlan) -> dict[str, str]:
    return {visit.id: visit.reason for visit in plan.unplanned}


def at(minutes: int) -> datetime:
    return NOW + minutes * MINUTE


class TestOnOneRoad:
    def test_a_route_says_who_is_where_when_and_what_it_saves(self) -> None:
        # Given in the order far, near, middle: 30 + 20 + 10 + 20 minutes on the road, where 60 are enough.
        far_near_middle = [[0, 30, 10, 20], [30, 0, 20, 10], [10, 20, 0, 10], [20, 10, 10, 0]]
        plan = route_plan(day(stop("Far"), stop("Near"), stop("Middle"), travel_seconds=seconds(far_near_middle)))
        assert order(plan) in (["near", "middle", "far"], ["far", "middle", "near"])
        first, second, third = plan.stops
        assert plan.leaves == NOW
        assert first.departure - first.arrival == second.departure - second.arrival == 30 * MINUTE
        assert second.arrival == first.departure + timedelta(seconds=second.travel_seconds)
        assert third.arrival == second.departure + 10 * MINUTE
        assert (plan.arrives, plan.travel_seconds, plan.waiting_seconds) == (at(150), 60 * 60, 0)
        assert (plan.saved_travel_seconds, plan.saved_seconds) == (20 * 60, 20 * 60)
        assert plan.unplanned == ()

    def test_who_would_be_early_leaves_later_and_waits_on_the_way_only(self) -> None:
        near = stop("Near", earliest=at(40), latest=at(40))
        far = stop("Far", earliest=at(120))
        plan = route_plan(day(near, far, travel_seconds=seconds([row[:3] for row in LINE[:3]])))
        assert order(plan) == ["near", "far"]
        assert plan.leaves == at(30)
        assert [(visit.arrival, visit.begins, visit.departure) for visit in plan.stops] == [
            (at(40), at(40), at(70)), (at(80), at(120), at(150))
        ]  # fmt: skip
        assert (plan.arrives, plan.waiting_seconds) == (at(170), 40 * 60)

    def test_time_on_the_road_counts_and_so_does_how_long_the_day_is(self) -> None:
        """The visits that may be at any time aren't left for after one in the afternoon, though the way is as long."""
        late = stop("Near", earliest=at(300), latest=at(300))
        plan = route_plan(day(late, stop("Middle"), stop("Far")))
        assert order(plan)[-1] == "near"
        assert plan.arrives == at(340)
        assert (plan.saved_travel_seconds, plan.saved_seconds) == (0, 100 * 60)

    def test_an_end_of_its_own_is_where_the_way_ends(self) -> None:
        plan = route_plan(day(stop("Middle"), stop("Near"), travel_seconds=seconds(
            [[0, 20, 10, 30], [20, 0, 10, 10], [10, 10, 0, 20], [30, 10, 20, 0]])))  # fmt: skip
        assert order(plan) == ["near", "middle"]
        assert (plan.travel_seconds, plan.arrives) == (30 * 60, at(90))

    def test_ways_may_be_longer_in_one_direction(self) -> None:
        slow_back = [[0, 10, 20], [50, 0, 10], [10, 60, 0]]
        assert order(route_plan(day(stop("B"), stop("A"), travel_seconds=seconds(slow_back)))) == ["b", "a"]
        other = [[0, 20, 10], [10, 0, 60], [50, 10, 0]]
        assert order(route_plan(day(stop("B"), stop("A"), travel_seconds=seconds(other)))) == ["a", "b"]

    def test_the_way_past_another_place_counts_where_it_is_shorter(self) -> None:
        # Straight to B takes an hour, past A twenty minutes.
        past = [[0, 10, 60], [10, 0, 10], [20, 10, 0]]
        plan = route_plan(day(stop("A", earliest=at(60)), stop("B", latest=at(20)), travel_seconds=seconds(past)))
        assert order(plan) == ["b", "a"]
        assert plan.stops[0].travel_seconds == 20 * 60

    def test_a_visit_that_does_not_say_how_long_it_takes_takes_as_long_as_is_usual(self) -> None:
        plan = route_plan(day(stop("Near", minutes=None), stop("Middle", minutes=0), stop("Far"), visit_minutes=90))
        lengths = {visit.id: visit.departure - visit.begins for visit in plan.stops}
        assert lengths == {"near": 90 * MINUTE, "middle": timedelta(), "far": 30 * MINUTE}

    def test_what_may_be_late_by_the_routes_word_is_in_time_by_as_much(self) -> None:
        visits = (stop("Near", latest=at(10)), stop("Middle", latest=at(10)), stop("Far"))
        assert order(route_plan(day(*visits, late_minutes=40))) == ["near", "middle", "far"]
        assert reasons(route_plan(day(*visits, late_minutes=39))) == {
            "middle": "No way was found to fit it in with the other visits in time."
        }

    def test_a_day_without_visits_is_a_route_without_any(self) -> None:
        plan = route_plan(day(travel_seconds=None, start=HOME))
        assert (plan.stops, plan.unplanned, plan.leaves, plan.arrives) == ((), (), NOW, NOW)
        assert (plan.travel_seconds, plan.saved_seconds) == (0, 0)

    def test_a_fraction_of_a_second_makes_nobody_early_or_late(self) -> None:
        fraction = timedelta(milliseconds=500)
        alone = seconds([row[:2] for row in LINE[:2]])
        (near,) = route_plan(day(stop("Near", earliest=at(20) + fraction), travel_seconds=alone)).stops
        assert near.begins >= at(20) + fraction
        late = route_plan(day(stop("Near", latest=at(10) - fraction), stop("Middle"), stop("Far")))
        assert list(reasons(late)) == ["near"]

    def test_the_clocks_of_where_it_is_make_no_difference(self) -> None:
        there = day(stop("Near"), stop("Middle"), stop("Far"), begins="2026-11-24T10:30:00+01:00")
        assert route_plan(there) == route_plan(day(stop("Near"), stop("Middle"), stop("Far")))


class TestWhatCannotBe:
    def test_is_told_in_plain_words_and_the_rest_is_planned(self) -> None:
        plan = route_plan(
            day(
                stop("Near", latest=at(5)), stop("Middle", minutes=400), stop("Far"), ends=at(6 * 60)
            )
        )  # fmt: skip
        assert order(plan) == ["far"]
        assert reasons(plan) == {
            "near": "Even as the first visit it would begin 5 minutes too late.",
            "middle": "Even with no other visit the day would be over 80 minutes too late.",
        }
        assert (plan.saved_travel_seconds, plan.saved_seconds) == (None, None)

    def test_a_minute_is_one(self) -> None:
        plan = route_plan(day(stop("Near", latest=at(10) - timedelta(seconds=1)), stop("Middle"), stop("Far")))
        assert reasons(plan) == {"near": "Even as the first visit it would begin 1 minute too late."}

    def test_as_many_as_can_be_are_visited(self) -> None:
        """The long one goes, though it is first and without it two are on the way."""
        plan = route_plan(day(stop("Near", minutes=200), stop("Middle"), stop("Far"), ends=at(200)))
        assert order(plan) in (["middle", "far"], ["far", "middle"])
        assert list(reasons(plan)) == ["near"]

    def test_a_place_that_is_not_known_is_told(self) -> None:
        known = stop("Known", position=HOME)
        plan = route_plan(day(stop("Unknown"), known, travel_seconds=None, start=HOME))
        assert order(plan) == ["known"]
        assert reasons(plan) == {"unknown": "It isn't known where it is."}

    def test_visits_of_one_id_are_two(self) -> None:
        plan = route_plan(day(stop("Near"), stop("Near", latest=at(-1)), stop("Far")))
        assert order(plan) in (["near", "far"], ["far", "near"])
        assert [visit.id for visit in plan.unplanned] == ["near"]


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"stops": [stop(f"S{number}") for number in range(51)]}, "at most 50 stops, and these are 51"),
            ({"travel_seconds": None}, "give 'start'"),
            ({"travel_seconds": [[0, 1], [1, 0]]}, "4 rows of 4 numbers each, with an end of its own 5 of 5"),
            ({"travel_seconds": [[0] * 4, [0] * 4, [0] * 4, [0] * 3]}, "4 rows of 4 numbers"),
            ({"end": HOME}, "have to hold the end, too"),
            ({"ends": NOW}, "within 24 hours"),
            ({"ends": NOW + 25 * HOUR}, "within 24 hours"),
        ],
    )
    def test_it_says_what_is_wrong_with_a_day(self, changes: dict[str, Any], says: str) -> None:
        with pytest.raises(ValidationError, match=says):
            day(*([] if "stops" in changes else [stop("Near"), stop("Middle"), stop("Far")]), **changes)

    def test_it_says_what_is_wrong_with_a_stop(self) -> None:
        with pytest.raises(ValidationError, match="of 'Near' the latest time is before the earliest"):
            stop("Near", earliest=at(10), latest=at(9))
        with pytest.raises(ValidationError, match="less than or equal to 90"):
            Position(latitude=97.74, longitude=30.27)

    def test_without_pyvrp_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyvrp", None)
        with pytest.raises(Refused, match="PyVRP, which isn't installed") as refused:
            route_plan(day(stop("Near"), stop("Middle"), stop("Far")))
        assert "pip install 'bellwire[routes]'" in refused.value.remedy


class TestDistances:
    @pytest.mark.parametrize(
        ("one", "other", "kilometres"),
        [
            # By the geodesic on the WGS 84 ellipsoid, to whole kilometres.
            ((51.4775, -0.4614), (40.6397, -73.7789), 5_555),  # London Heathrow to New York JFK
            ((52.5200, 13.4050), (48.1372, 11.5756), 505),  # Berlin to Munich
            ((0, 179.5), (0, -179.5), 111),  # across the line where the day changes
            ((-33.8688, 151.2093), (-37.8136, 144.9631), 714),  # Sydney to Melbourne
            ((90, 0), (-90, 0), 20_004),  # from pole to pole
            ((30.27, -97.74), (30.27, -97.74), 0),
        ],
    )
    def test_they_are_as_they_are_known_to_within_the_earths_flatness(
        self, one: tuple[float, float], other: tuple[float, float], kilometres: float
    ) -> None:
        here, there = (Position(latitude=north, longitude=east) for north, east in (one, other))
        assert great_circle(here, there) == pytest.approx(kilometres * 1000, rel=0.006, abs=1)
        assert great_circle(here, there) == pytest.approx(great_circle(there, here))

    def test_without_travel_times_the_way_is_by_detour_and_speed(self) -> None:
        # A degree along the equator: 111.195 km on the sphere.
        ways = {"start": {"latitude": 0, "longitude": 0}, "travel_seconds": None}
        there = stop("There", position=Position(latitude=0, longitude=1))
        assert route_plan(day(there, **ways)).travel_seconds == 2 * round(111_195.08 * 1.3 / (40 / 3.6))
        assert route_plan(day(there, **ways, speed=100, detour="1.5")).travel_seconds == 2 * 6005
        own_end = day(there, **ways, end={"latitude": 0, "longitude": 1})
        assert route_plan(own_end).travel_seconds == round(111_195.08 * 1.3 / (40 / 3.6))

    def test_travel_times_that_are_given_count_and_not_where_it_is(self) -> None:
        far_off = [stop(name, position=Position(latitude=60, longitude=10)) for name in ("Near", "Middle", "Far")]
        there, plain = route_plan(day(*far_off, start=HOME)), route_plan(day(stop("Near"), stop("Middle"), stop("Far")))
        assert (order(there), there.arrives) == (order(plain), plain.arrives)
        assert {visit.position for visit in there.stops} == {far_off[0].position}


# What holds for every day

WAYS = st.integers(0, 3_600)


@st.composite
def days(draw: st.DrawFn, *, most: int = 7, windows: bool = True) -> PlanRoute:
    count = draw(st.integers(1, most))
    size = count + 1 + draw(st.booleans())
    stops = []
    for number in range(count):
        earliest = draw(st.none() | st.integers(-60, 400)) if windows else None
        wide = draw(st.none() | st.integers(0, 120)) if windows else None
        stops.append(
            RouteStop(
                id=str(number),
                minutes=draw(st.integers(0, 90)),
                earliest=None if earliest is None else at(earliest),
                latest=None if wide is None else at((earliest or 0) + wide),
            )
        )
    rows = draw(st.lists(st.lists(WAYS, min_size=size, max_size=size), min_size=size, max_size=size))
    ends = draw(st.none() | st.integers(60, 1_440)) if windows else None
    return PlanRoute(
        begins=NOW,
        ends=None if ends is None else at(ends),
        stops=tuple(stops),
        travel_seconds=tuple(map(tuple, rows)),
        late_minutes=draw(st.integers(0, 30)),
    )


@lru_cache(maxsize=4)
def shortest(ways: tuple[tuple[int, ...], ...]) -> list[list[int]]:
    """By all that goes past one other place, as long as that makes something shorter."""
    numbers = range(len(ways))
    found = [[0 if a == b else ways[a][b] for b in numbers] for a in numbers]
    while True:
        better = [[min(found[a][c] + found[c][b] for c in numbers) for b in numbers] for a in numbers]
        if better == found:
            return found
        found = better


def made(day: PlanRoute, order: tuple[int, ...]) -> tuple[int, int] | None:
    """Seconds on the road, and until the day is over; None: something is late. Worked out anew, by the clock."""
    assert day.travel_seconds is not None
    ways = shortest(day.travel_seconds)
    now, road, here = day.begins, 0, 0
    for number in order:
        stop = day.stops[number]
        way = ways[here][number + 1]
        now, road, here = now + timedelta(seconds=way), road + way, number + 1
        now = max(now, stop.earliest or now)
        if stop.latest and now > stop.latest + day.late_minutes * MINUTE:
            return None
        now += (stop.minutes or 0) * MINUTE
    end = (len(day.stops) + 1) % len(ways)
    home = 0 if here == end else ways[here][end]
    now, road = now + timedelta(seconds=home), road + home
    return None if now > (day.ends or day.begins + 24 * HOUR) else (road, round((now - day.begins).total_seconds()))


@some
@cases(days())
def test_every_visit_is_made_once_in_its_time_or_told(day: PlanRoute) -> None:
    plan = route_plan(day)
    assert sorted([*order(plan), *reasons(plan)]) == sorted(stop.id for stop in day.stops)
    assert made(day, tuple(map(int, order(plan)))) == (
        plan.travel_seconds,
        round((plan.arrives - NOW).total_seconds()),
    )
    for before, after in pairwise(plan.stops):
        assert before.departure + timedelta(seconds=after.travel_seconds) == after.arrival <= after.begins
    for visit in plan.stops:
        stop = day.stops[int(visit.id)]
        assert visit.departure - visit.begins == (stop.minutes or 0) * MINUTE
        assert visit.begins >= (stop.earliest or visit.begins)
    assert plan.leaves >= NOW
    assert plan.waiting_seconds == sum((each.begins - each.arrival).total_seconds() for each in plan.stops)


@some
@cases(days())
def test_it_is_never_worse_than_the_order_given(day: PlanRoute) -> None:
    in_turn, plan = made(day, tuple(range(len(day.stops)))), route_plan(day)
    if in_turn is None:
        assert (plan.saved_travel_seconds, plan.saved_seconds) == (None, None)
        return
    assert plan.unplanned == ()
    assert plan.saved_travel_seconds is not None and plan.saved_seconds is not None
    assert plan.saved_travel_seconds + plan.saved_seconds >= 0
    assert in_turn == (
        plan.travel_seconds + plan.saved_travel_seconds,
        round((plan.arrives - NOW).total_seconds()) + plan.saved_seconds,
    )


@some
@cases(days(most=6, windows=False))
def test_no_order_is_better(day: PlanRoute) -> None:
    plan = route_plan(day)
    ways = [made(day, each) for each in permutations(range(len(day.stops)))]
    assert plan.travel_seconds == min(way[0] for way in ways if way)


@some
@cases(days(most=5))
def test_no_order_keeps_more_visits_and_of_those_with_as_many_none_is_better(day: PlanRoute) -> None:
    plan = route_plan(day)
    numbers = range(len(day.stops))
    orders = [each for count in range(len(numbers) + 1) for each in permutations(numbers, count)]
    best = min((-len(each), sum(way)) for each in orders if (way := made(day, each)) is not None)
    assert best == (-len(plan.stops), plan.travel_seconds + round((plan.arrives - NOW).total_seconds()))


async def test_a_day_as_full_as_one_may_be_comes_out_the_same_each_time_and_holds_nobody_up() -> None:
    places = [Position(latitude=number % 7 / 20, longitude=number * number % 50 / 50) for number in range(50)]
    stops = [stop(str(number), minutes=5, position=place) for number, place in enumerate(places)]
    full = day(*stops, travel_seconds=None, start=Position(latitude=0, longitude=0), speed=130)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    account, beside = connection("bellwire"), asyncio.create_task(others())
    try:
        plan = await CONNECTOR.actions[str(PLAN_ROUTE)](call(account), full)
    finally:
        beside.cancel()
        await account.api.close()
    assert turns > 10, "the loop stood still"
    assert isinstance(plan, RoutePlan) and plan.saved_travel_seconds is not None
    assert len(plan.stops) == 50 and plan.saved_travel_seconds > plan.travel_seconds
    assert route_plan(full) == plan


def test_it_loads_nothing_before_a_route_is_planned() -> None:
    asked = (
        "import sys, bellwire.app, bellwire.connectors; bellwire.connectors.find_connector('bellwire'); "
        "sys.exit(bool({'pyvrp', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
