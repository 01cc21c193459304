"""Routing: in which order somebody goes to several places."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, Field, model_validator

from bellwire.capabilities.base import Effect, Given, Operation, Result

MOST_STOPS = 50
DAY = timedelta(days=1)


class Position(Given):
    """In degrees (WGS 84)."""

    latitude: float = Field(ge=-90, le=90)
    """North of the equator; south of it negative."""
    longitude: float = Field(ge=-180, le=180)
    """East of Greenwich; west of it negative."""


class RouteStop(Given):
    """A visit that is to be made. One of `field_service.list_visits` fits as it is: its other fields are left alone."""

    id: str = Field(min_length=1)
    name: str = ""
    """What people call it, e.g. the client."""
    position: Position | None = None
    """None: it isn't known where it is. Without travel times such a visit isn't planned, and is told."""
    minutes: int | None = Field(default=None, ge=0, le=1440)
    """How long the visit takes; None: `visit_minutes` of the route."""
    earliest: AwareDatetime | None = None
    """The visit begins no earlier: who is there before waits. None: any time."""
    latest: AwareDatetime | None = None
    """The visit begins no later than this and the route's `late_minutes`; None: any time."""

    @model_validator(mode="after")
    def _in_order(self) -> "RouteStop":
        if self.earliest and self.latest and self.latest < self.earliest:
            raise ValueError(f"of {self.name or self.id!r} the latest time is before the earliest")
        return self


Seconds = Annotated[int, Field(ge=0, le=1_000_000)]


class PlanRoute(Given):
    """The day of one person."""

    start: Position | None = None
    """Where the day begins; only with `travel_seconds` it may be left out."""
    begins: AwareDatetime
    """Nobody leaves before."""
    end: Position | None = None
    """Where the day ends; None: back at the start."""
    ends: AwareDatetime | None = None
    """When the day is over, the way to its end included; None: 24 hours after it begins."""
    stops: tuple[RouteStop, ...]
    """At most 50. Their order is what the route is compared with."""
    visit_minutes: int = Field(default=60, ge=0, le=1440)
    """How long a visit takes that doesn't say it."""
    late_minutes: int = Field(default=0, ge=0, le=1440)
    """So many minutes after its `latest` a visit still begins in time."""
    travel_seconds: tuple[tuple[Seconds, ...], ...] | None = None
    """How long it takes from each place (row) to each other (column), in the order start, stops, and, if it isn't the
    start, end. A way past another place counts where it is shorter. None: by the great circle, `detour` and `speed`."""
    speed: Decimal = Field(default=Decimal(40), ge=1, le=130)
    """Kilometres an hour, on average, with traffic lights and parking."""
    detour: Decimal = Field(default=Decimal("1.3"), ge=1, le=5)
    """How much longer the way is by road than as the crow flies."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "PlanRoute":
        if len(self.stops) > MOST_STOPS:
            raise ValueError(
                f"a route has at most {MOST_STOPS} stops, and these are {len(self.stops)}; plan each person's day by "
                "itself"
            )
        if self.ends and not timedelta() < self.ends - self.begins <= DAY:
            raise ValueError("the day ends after it begins, and within 24 hours")
        if self.travel_seconds is None and self.start is None:
            raise ValueError("without travel times it has to be known where the day begins: give 'start'")
        if self.travel_seconds is not None:
            size, own_end = len(self.travel_seconds), len(self.stops) + 2
            if size not in (own_end - 1, own_end) or any(len(row) != size for row in self.travel_seconds):
                raise ValueError(
                    f"travel times for the start and {len(self.stops)} stops are {own_end - 1} rows of {own_end - 1} "
                    f"numbers each, with an end of its own {own_end} of {own_end}"
                )
            if self.end and size != own_end:
                raise ValueError("the travel times have to hold the end, too: as the last row and column")
        return self


class RouteVisit(Result):
    id: str
    name: str
    position: Position | None = None
    travel_seconds: int
    """From the place before."""
    arrival: datetime
    """UTC, as all times of a route."""
    begins: datetime
    """Later than the arrival where somebody has to wait."""
    departure: datetime


class UnplannedVisit(Result):
    id: str
    name: str
    position: Position | None = None
    reason: str
    """In plain words."""


class RoutePlan(Result):
    start: Position | None = None
    end: Position | None = None
    leaves: datetime
    """From the start: as late as is still in time for the first visit."""
    stops: tuple[RouteVisit, ...]
    """In the order in which they are visited."""
    arrives: datetime
    """At the end."""
    travel_seconds: int
    """In all, the way to the end included."""
    waiting_seconds: int
    unplanned: tuple[UnplannedVisit, ...]
    """In the order given."""
    saved_travel_seconds: int | None = None
    """Less time on the road than in the order given; None where that order doesn't keep all times, or something is
    unplanned."""
    saved_seconds: int | None = None
    """How much earlier than in the order given the day is over; None as above. Of the two one may be negative, their
    sum never is."""


PLAN_ROUTE = Operation(
    "routing", "plan_route", PlanRoute, RoutePlan, Effect.NOTHING, "Work out the order of a day's visits"
)

OPERATIONS = (PLAN_ROUTE,)
