"""The filters of expressions that work out times: before an appointment, on a business day, outside of quiet hours.

They know the business's days and hours by the scope's `business`, and so an expression stays a function of its scope.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import pass_context
from jinja2.runtime import Context

from bellwire.business import BusinessCalendar, Spans, parse_spans
from bellwire.clock import earlier, on_the_wall, parse_length
from bellwire.errors import FlowError
from bellwire.flows.scope import BUSINESS, Skipped
from bellwire.settings import QuietHours

_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_MOST_DAYS = 366

Read = Callable[[Any], Any]
"""Makes out of an argument what it means; ValueError says what is wrong with it. Used by the static check too."""


def _zone(value: Any) -> ZoneInfo | None:
    """None where it isn't given or not known: then it is the business's own."""
    if value is None or value == "":
        return None
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise ValueError(f"there is no time zone '{value}'; write one such as 'America/Chicago'") from None


def _length(value: Any) -> Any:
    try:
        return parse_length(value)
    except (ValueError, TypeError):
        raise ValueError(f"'{value}' is no length of time; write e.g. 30m, 24h or 3d, a year at most") from None


def _clock(value: Any) -> time:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError(f"'{value}' is no time of the day; write e.g. '09:00'")
    return time.fromisoformat(value.zfill(5))


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_DAYS:
        raise ValueError(f"'{value}' is no number of days; write one from 0 to {_MOST_DAYS}")
    return value


def _quiet(value: Any) -> QuietHours:
    try:
        return QuietHours.parse(value)
    except (ValueError, TypeError):
        raise ValueError(f"'{value}' are no quiet hours; write e.g. '21:00-08:00'") from None


def _hours(value: Any) -> Spans:
    try:
        return parse_spans(value)
    except (AttributeError, ValueError, TypeError):
        raise ValueError(f"'{value}' are no hours of a day; write e.g. '09:00-12:00, 13:00-17:00'") from None


def _before(calendar: BusinessCalendar, moment: datetime, length: Any, zone: ZoneInfo | None = None) -> datetime:
    return earlier(moment, length, zone or ZoneInfo(calendar.zone))


def _at(calendar: BusinessCalendar, moment: date, shown: time, zone: ZoneInfo | None = None) -> datetime:
    wall = zone or ZoneInfo(calendar.zone)
    day = moment.astimezone(wall).date() if isinstance(moment, datetime) else moment
    return on_the_wall(day, shown, wall)


def _business_days(calendar: BusinessCalendar, moment: date, count: int) -> date:
    if not isinstance(moment, datetime):
        return calendar.business_days(moment, count)
    wall = ZoneInfo(calendar.zone)
    local = moment.astimezone(wall)
    return on_the_wall(calendar.business_days(local.date(), count), local.time(), wall)


def _outside_quiet(
    calendar: BusinessCalendar, moment: datetime, quiet: QuietHours, zone: ZoneInfo | None = None
) -> datetime:
    return quiet.after(moment, zone or ZoneInfo(calendar.zone))


def _next_business_time(calendar: BusinessCalendar, moment: datetime, hours: Spans = ()) -> datetime:
    return calendar.next_business_time(moment, hours)


@dataclass(frozen=True)
class TimeFilter:
    """One of them. Of its `arguments`, by name, in their order, at most the last may be left out: as many
    as `needed` have to be given."""

    name: str
    work: Callable[..., Any]
    arguments: Mapping[str, Read]
    needed: int
    days: bool = False
    """Whether it takes a date too, rather than a time only."""
    keeps: bool = False
    """Whether it gives a date for a date; otherwise it gives a time."""

    def bind(self, given: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, not read yet. Raises ValueError for too many, unknown and missing ones."""
        names = list(self.arguments)
        bound = dict(zip(names, given, strict=False)) | dict(named)
        if len(given) > len(names) or named.keys() - set(names):
            raise ValueError(f"`{self.name}` takes no more than its {' and its '.join(names)}")
        if lacking := [name for name in names[: self.needed] if name not in bound]:
            raise ValueError(f"`{self.name}` needs its {lacking[0]}")
        return bound

    @property
    def wants(self) -> str:
        return "a date or a time" if self.days else "a time"

    @property
    def jinja(self) -> Callable[..., Any]:
        """As the environment of expressions calls it: nothing for nothing, times in UTC."""

        @pass_context
        def call(context: Context, value: Any, *given: Any, **named: Any) -> Any:
            if value is None or isinstance(value, Skipped):
                return value
            aware = isinstance(value, datetime) and value.tzinfo is not None
            if not aware and not (self.days and isinstance(value, date) and not isinstance(value, datetime)):
                raise FlowError(f"`{self.name}` needs {self.wants}", remedy="Give it a field such as event.start.")
            try:
                bound = self.bind(given, named)
                read = [read(bound[name]) for name, read in self.arguments.items() if name in bound]
            except ValueError as error:
                raise FlowError(str(error)) from error
            return self.work(_calendar(context), value, *read)

        return call


def _calendar(context: Context) -> BusinessCalendar:
    found = context.resolve(BUSINESS)
    return found if isinstance(found, BusinessCalendar) else BusinessCalendar()


TIMES = {
    each.name: each
    for each in (
        TimeFilter("at", _at, {"time": _clock, "zone": _zone}, 1, days=True),
        TimeFilter("before", _before, {"length": _length, "zone": _zone}, 1),
        TimeFilter("business_days", _business_days, {"count": _count}, 1, days=True, keeps=True),
        TimeFilter("next_business_time", _next_business_time, {"hours": _hours}, 0),
        TimeFilter("outside_quiet", _outside_quiet, {"quiet": _quiet, "zone": _zone}, 1),
    )
}
"""By the names that expressions use."""
