"""A technician's day: in which order the visits are made, who is where when, and what can't be done in time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any

from bellwire.capabilities.routing import DAY, PlanRoute, Position, RoutePlan, RouteStop, RouteVisit, UnplannedVisit
from bellwire.connectors.bellwire.rounds import Matrix, Round, Visit, Walk
from bellwire.connectors.bellwire.solving import best_order

_RADIUS = 6_371_008.8
"""The Earth's mean radius in metres (IUGG)."""
_SECOND = timedelta(seconds=1)


def route_plan(given: PlanRoute) -> RoutePlan:
    """The same for the same input. Raises Refused when PyVRP isn't installed."""
    travel = _travel(given)
    reasons = {number: why for number in range(len(given.stops)) if (why := _hopeless(given, travel, number))}
    numbers = [number for number in range(len(given.stops)) if number not in reasons]
    whole = _round(given, travel, numbers)
    in_turn = whole.in_turn()
    best = _best(whole, in_turn)
    left_out = set(range(len(numbers))) - set(best.order)
    reasons |= {numbers[each]: "No way was found to fit it in with the other visits in time." for each in left_out}
    comparable = not reasons and len(in_turn.order) == len(given.stops)
    return RoutePlan(
        start=given.start,
        end=given.end or given.start,
        **_told(given, [given.stops[number] for number in numbers], whole, best),
        unplanned=_unplanned(given.stops, reasons),
        saved_travel_seconds=in_turn.travel - best.travel if comparable else None,
        saved_seconds=in_turn.arrives - best.arrives if comparable else None,
    )


def great_circle(one: Position, other: Position) -> float:
    """Metres as the crow flies, by the haversine formula: on a sphere, so to within 0.6 %."""
    north, south = radians(one.latitude), radians(other.latitude)
    across = sin((south - north) / 2) ** 2
    along = sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _RADIUS * asin(sqrt(min(1.0, across + cos(north) * cos(south) * along)))


def _travel(given: PlanRoute) -> Matrix:
    """Between all places, in seconds: the start, the stops, the end."""
    places = [given.start, *(stop.position for stop in given.stops), given.end or given.start]
    if given.travel_seconds is None:
        pace = float(given.detour) * 3.6 / float(given.speed)
        return tuple(
            # A place that isn't known stands in the matrix, but on no route.
            tuple(round(great_circle(one, other) * pace) if one and other else 0 for other in places)
            for one in places
        )
    size = len(given.travel_seconds)  # without an end of its own, the end is the start
    spots = [number % size for number in range(len(places))]
    return _shortest([[given.travel_seconds[a][b] if a != b else 0 for b in spots] for a in spots])


def _shortest(ways: list[list[int]]) -> Matrix:
    """Past other places where that is shorter (Floyd and Warshall). Then a stop that is late as the first is late as
    any other, too."""
    for via, onward in enumerate(ways):
        for number, row in enumerate(ways):
            there = row[via]
            ways[number] = [min(direct, there + further) for direct, further in zip(row, onward, strict=True)]
    return tuple(map(tuple, ways))


def _round(given: PlanRoute, travel: Matrix, numbers: Sequence[int]) -> Round:
    """Of these stops alone."""
    spots = [0, *(number + 1 for number in numbers), len(travel) - 1]
    return Round(
        travel=tuple(tuple(travel[a][b] for b in spots) for a in spots),
        visits=tuple(_visit(given, given.stops[number]) for number in numbers),
        ends=(given.ends - given.begins if given.ends else DAY) // _SECOND,
    )


def _visit(given: PlanRoute, stop: RouteStop) -> Visit:
    takes = given.visit_minutes if stop.minutes is None else stop.minutes
    late = timedelta(minutes=given.late_minutes)
    return Visit(
        takes=takes * 60,
        # A fraction of a second is never taken off a window: the first is rounded up, the last down.
        earliest=max(0, -((given.begins - stop.earliest) // _SECOND)) if stop.earliest else 0,
        latest=(stop.latest + late - given.begins if stop.latest else DAY) // _SECOND,
    )


def _hopeless(given: PlanRoute, travel: Matrix, number: int) -> str:
    """Why a stop couldn't be visited even if it were the only one; empty: it could."""
    if given.travel_seconds is None and given.stops[number].position is None:
        return "It isn't known where it is."
    alone = _round(given, travel, [number])
    (visit,) = alone.visits
    begins = max(alone.travel[0][1], visit.earliest)
    if begins > visit.latest:
        return f"Even as the first visit it would begin {_minutes(begins - visit.latest)} too late."
    over = begins + visit.takes + alone.travel[1][2] - alone.ends
    return f"Even with no other visit the day would be over {_minutes(over)} too late." if over > 0 else ""


def _best(whole: Round, in_turn: Walk) -> Walk:
    """What is found, unless the order given is better."""
    if not whole.visits:
        return in_turn
    found = whole.walk(best_order(whole, in_turn.order)) or in_turn
    return min(found, in_turn, key=lambda walk: (-len(walk.order), walk.cost))


def _told(given: PlanRoute, stops: Sequence[RouteStop], whole: Round, walk: Walk) -> dict[str, Any]:
    """The route itself, by the clock."""

    def at(seconds: int) -> datetime:
        return given.begins.astimezone(UTC) + seconds * _SECOND

    now = leaves = max(0, walk.begins[0] - whole.travel[0][walk.order[0] + 1]) if walk.order else 0
    visits, before, waiting = [], 0, 0
    for number, begins in zip(walk.order, walk.begins, strict=True):
        way = whole.travel[before][number + 1]
        waiting += begins - now - way
        visits.append(
            RouteVisit(
                id=stops[number].id,
                name=stops[number].name,
                position=stops[number].position,
                travel_seconds=way,
                arrival=at(now + way),
                begins=at(begins),
                departure=at(begins + whole.visits[number].takes),
            )
        )
        now, before = begins + whole.visits[number].takes, number + 1
    return {
        "leaves": at(leaves),
        "stops": tuple(visits),
        "arrives": at(walk.arrives),
        "travel_seconds": walk.travel,
        "waiting_seconds": waiting,
    }


def _unplanned(stops: Sequence[RouteStop], reasons: Mapping[int, str]) -> tuple[UnplannedVisit, ...]:
    return tuple(
        UnplannedVisit(id=stop.id, name=stop.name, position=stop.position, reason=reasons[number])
        for number, stop in enumerate(stops)
        if number in reasons
    )


def _minutes(seconds: int) -> str:
    count = -(-seconds // 60)
    return "1 minute" if count == 1 else f"{count} minutes"
