"""The picture of a planned day in docs/flows/dispatch.md, made from a day that is made up.

`python -m tests.route_map` draws it anew.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bellwire.capabilities.routing import PlanRoute, Position, RouteStop
from bellwire.connectors.bellwire.routes import route_plan
from bellwire.desk.maps import route_map

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "route.svg"
BEGINS = datetime(2026, 12, 1, 14, tzinfo=UTC)
ZONE = "America/Chicago"


def stop(name: str, north: float, east: float, hours: float | None = None) -> RouteStop:
    time = None if hours is None else BEGINS + timedelta(hours=hours)
    place = Position(latitude=30.2672 + north, longitude=-97.7431 + east)
    return RouteStop(id=name, name=name, position=place, minutes=45, earliest=time, latest=time)


def drawn() -> str:
    """Eight visits around Austin, two at a time that was promised and one that can't be kept."""
    stops = (
        stop("Robin Hill", 0.11, 0.02),
        stop("Kim Lee", -0.06, 0.05, 2.5),
        stop("Hill Tea", 0.03, -0.09),
        stop("Alex Moss", 0.09, -0.05),
        stop("Sam Brook", -0.08, -0.04, 6),
        stop("Jo Field", 0.05, 0.09),
        stop("Pat Wells", -0.02, 0.12),
        stop("Lou Marsh", 0.02, 0.17, 0.25),
    )
    start = Position(latitude=30.2672, longitude=-97.7431)
    return route_map(route_plan(PlanRoute(start=start, begins=BEGINS, late_minutes=15, stops=stops)), ZONE)


if __name__ == "__main__":
    PICTURE.write_text(drawn(), "utf-8")
