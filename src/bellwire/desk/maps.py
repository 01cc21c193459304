"""The route of a day as a picture: a map to scale, and a list beside the numbers on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from math import cos, floor, hypot, log10, radians
from zoneinfo import ZoneInfo

from bellwire.capabilities.routing import Position, RoutePlan

_WIDTH, _HEIGHT, _MARGIN, _ROW, _RADIUS = 640, 380, 34, 24, 11
_DEGREE = 111.195
"""Kilometres along a meridian."""
_LEAST = 0.2
"""Kilometres across, at the least: of places in one street the map shows no more than the street."""

# The desk's colours. Where the picture stands by itself, there is no other style sheet.
_STYLE = """
.route-map { --card: #ffffff; --ink: #1d2526; --soft: #566163; --line: #dfe2de; --brand: #2a5a60; --dead: #b3372c;
  font: 14px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
  .route-map { --card: #1b2324; --ink: #e7ecea; --soft: #a3b0b0; --line: #303b3c; --brand: #8fc9cd; --dead: #ff9a8d; }
}
.route-map .sheet { fill: var(--card); stroke: var(--line); }
.route-map .way { fill: none; stroke: var(--brand); stroke-width: 2; stroke-linejoin: round; }
.route-map .place { fill: var(--brand); stroke: var(--card); stroke-width: 2; }
.route-map .left-out { fill: var(--card); stroke: var(--dead); stroke-width: 2; stroke-dasharray: 3 2; }
.route-map .number { fill: var(--card); font-size: 12px; font-weight: 600; text-anchor: middle; }
.route-map .scale { fill: none; stroke: var(--soft); }
.route-map .small { fill: var(--soft); font-size: 12px; }
.route-map .row { fill: var(--ink); }
.route-map .row .time { fill: var(--soft); }
.route-map .missed { fill: var(--dead); }
"""


@dataclass(frozen=True)
class _Sheet:
    """Equirectangular: true to scale around its middle. `unit` is how many SVG units a kilometre has."""

    middle: tuple[float, float]
    """Degrees north and east."""
    unit: float

    def place(self, position: Position) -> tuple[float, float]:
        east, north = _kilometres(self.middle, position)
        return round(_WIDTH / 2 + east * self.unit, 1), round(_HEIGHT / 2 - north * self.unit, 1)


def route_map(plan: RoutePlan, zone: str) -> str:
    """SVG, readable in light and in dark; times are on the clock of `zone`. Raises ValueError where it isn't known
    where the route begins, ends, or leads: then there is nothing to draw."""
    route = [plan.start, *(visit.position for visit in plan.stops), plan.end]
    known = [position for position in route if position is not None]
    if len(known) < len(route):
        raise ValueError("a route can be drawn only if all of its places are known")
    missed = [visit.position for visit in plan.unplanned if visit.position is not None]
    sheet = _sheet([*known, *missed])
    spots = [sheet.place(position) for position in known]
    listed = list(_listed(plan, zone))
    height = _HEIGHT + _ROW * len(listed) + 12
    way = "L".join(f"{x:g} {y:g}" for x, y in spots)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="route-map" role="img" viewBox="0 0 {_WIDTH} {height}"'
            f' width="{_WIDTH}" height="{height}">',
            f"<title>Route of {_count(len(plan.stops), 'visit')}</title>",
            f"<desc>{escape(_in_words(plan))}</desc>",
            f"<style>{_STYLE}</style>",
            f'<rect class="sheet" x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1}" rx="12"/>',
            f'<path class="way" d="M{way}"/>',
            *(_missed(*sheet.place(position)) for position in missed),
            *_marks(spots),
            *_scale(sheet.unit),
            *(
                f'<text class="row{kind}" x="{_MARGIN}" y="{_HEIGHT + _ROW * row + 14}">{text}</text>'
                for row, (kind, text) in enumerate(listed)
            ),
            "</svg>\n",
        ]
    )


def _sheet(places: list[Position]) -> _Sheet:
    """So that all places are on it, with a margin."""
    first = places[0].longitude
    north = [place.latitude for place in places]
    east = [_around(place.longitude - first) for place in places]
    middle = (min(north) + max(north)) / 2, _around(first + (min(east) + max(east)) / 2)
    reach = [_kilometres(middle, place) for place in places]
    across, along = (max(_LEAST / 2, *(abs(each) for each in side)) for side in zip(*reach, strict=True))
    return _Sheet(middle, min((_WIDTH / 2 - _MARGIN) / across, (_HEIGHT / 2 - _MARGIN) / along))


def _kilometres(middle: tuple[float, float], place: Position) -> tuple[float, float]:
    """East and north of the middle; the line where the day changes is no border."""
    east = _around(place.longitude - middle[1]) * cos(radians(middle[0]))
    return east * _DEGREE, (place.latitude - middle[0]) * _DEGREE


def _around(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def _marks(spots: list[tuple[float, float]]) -> Iterator[str]:
    """Numbered circles, those of one place in one; squares for start and end, below them."""
    for x, y in dict.fromkeys((spots[0], spots[-1])):
        yield _rect(x, y, _RADIUS)
    at: dict[tuple[float, float], list[int]] = {}
    for number, (x, y) in enumerate(spots[1:-1], start=1):
        near = next((spot for spot in at if hypot(spot[0] - x, spot[1] - y) < _RADIUS), (x, y))
        at.setdefault(near, []).append(number)
    for (x, y), numbers in at.items():
        text = ", ".join(map(str, numbers))
        wide = _RADIUS + 4 * (len(text) - 1 if len(text) > 2 else 0)
        yield _rect(x, y, wide, f' rx="{_RADIUS}"')
        yield f'<text class="number" x="{x:g}" y="{y + 4:g}">{text}</text>'


def _rect(x: float, y: float, wide: float, more: str = "") -> str:
    corner = f'x="{x - wide:g}" y="{y - _RADIUS:g}"'
    return f'<rect class="place" {corner} width="{2 * wide}" height="{2 * _RADIUS}"{more}/>'


def _missed(x: float, y: float) -> str:
    return f'<circle class="left-out" cx="{x:g}" cy="{y:g}" r="{_RADIUS - 4}"/>'


def _scale(unit: float) -> Iterator[str]:
    """A bar of a round length, at most a quarter of the map."""
    most = _WIDTH / 4 / unit
    tens = 10 ** floor(log10(most))
    length = max(each * tens for each in (1, 2, 5) if each * tens <= most)
    x, y = _WIDTH - 16, _HEIGHT - 14
    yield f'<path class="scale" d="M{x - length * unit:.1f} {y - 4}V{y}H{x}V{y - 4}"/>'
    said = f"{length:g} km" if length >= 1 else f"{length * 1000:g} m"
    yield f'<text class="small" x="{x}" y="{y - 8}" text-anchor="end">{said}</text>'


def _listed(plan: RoutePlan, zone: str) -> Iterator[tuple[str, str]]:
    """The class and the text of each row."""

    def clock(time: datetime) -> str:
        return f'<tspan class="time">{time.astimezone(ZoneInfo(zone)):%H:%M}</tspan>'

    yield "", f"{clock(plan.leaves)}  ■ Start"
    for number, visit in enumerate(plan.stops, start=1):
        yield "", f"{clock(visit.begins)}  {number}. {_plain(visit.name or visit.id)}"
    yield "", f"{clock(plan.arrives)}  ■ End, {plan.travel_seconds // 60} minutes on the road"
    for missed in plan.unplanned:
        yield " missed", f"Not planned: {_plain(missed.name or missed.id)}"


def _in_words(plan: RoutePlan) -> str:
    names = ", ".join(f"{number}. {visit.name or visit.id}" for number, visit in enumerate(plan.stops, start=1))
    left = "".join(f" Not planned: {visit.name or visit.id}." for visit in plan.unplanned)
    return "".join(filter(str.isprintable, f"From the start to {names or 'the end'}.{left}"))


def _plain(text: str) -> str:
    """In a row, and without what XML can't hold."""
    text = "".join(filter(str.isprintable, text))
    return escape(text if len(text) <= 64 else f"{text[:63]}…")


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
