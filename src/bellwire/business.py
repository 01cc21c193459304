"""When a business works: its hours by the clock on the wall, its holidays, its zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator

from bellwire.clock import on_the_wall

_SPAN = re.compile(r"(\d\d?:\d\d) ?- ?(\d\d?:\d\d)")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Hours of one day: from `begin`, until just before `end`. Midnight as the end is that at the end of the day."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """`09:00-17:00`; `24:00` ends with the day. Raises ValueError when it is malformed or ends before it begins."""
        match = _SPAN.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text!r} aren't two times of the day such as 09:00-17:00")
        begin, end = match[1].zfill(5), match[2].zfill(5)
        if begin >= end:
            raise ValueError(f"{text!r} ends before it begins")
        return cls(time.fromisoformat(begin), time() if end == "24:00" else time.fromisoformat(end))

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Its two ends on `day`, in UTC."""
        last = day if self.end > self.begin else day + _DAY
        return on_the_wall(day, self.begin, zone), on_the_wall(last, self.end, zone)


Spans = tuple[Span, ...]
"""The hours of a day, by their begin; none: it is closed."""


def parse_spans(text: str) -> Spans:
    """`09:00-12:00, 13:00-17:00`; an empty text is a day on which it is closed. Raises ValueError."""
    spans = tuple(Span.parse(part) for part in text.split(",")) if text.strip() else ()
    for before, after in pairwise(spans):
        if before.end == time() or after.begin < before.end:
            raise ValueError(f"the hours in {text!r} overlap, or aren't in their order")
    return spans


_OFFICE = parse_spans("09:00-17:00")


class BusinessCalendar(BaseModel):
    """The days and hours of a business; without more, Monday to Friday from nine to five, without holidays, in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str = "UTC"
    """An IANA name."""
    hours: tuple[Spans, ...] = (*(_OFFICE,) * 5, (), ())
    """Of each day of the week, from Monday on."""
    holidays: frozenset[date] = frozenset()
    country: str = ""
    """ISO 3166-1 alpha-2: its public holidays are holidays too."""
    region: str = ""
    """ISO 3166-2 without the country: those of its state or province as well."""

    @field_validator("hours")
    @classmethod
    def _works(cls, hours: tuple[Spans, ...]) -> tuple[Spans, ...]:
        if len(hours) != 7 or not any(hours):
            raise ValueError("there has to be a day of the week with hours")
        return hours

    def is_business_day(self, day: date) -> bool:
        """Whether it has hours on that day of the week, and `day` is no holiday."""
        return bool(self.hours[day.weekday()]) and not self._is_holiday(day)

    def business_days(self, day: date, count: int) -> date:
        """The `count`-th business day after `day`, which need not be one; 0: `day`, or the next one if it isn't one.
        Raises ValueError for a negative count."""
        if count < 0:
            raise ValueError("business days are counted forward")
        days = (each for each in _from(day if count == 0 else day + _DAY) if self.is_business_day(each))
        for _ in range(count - 1):
            next(days)
        return next(days)

    def next_business_time(self, moment: datetime, hours: Spans = ()) -> datetime:
        """`moment`, if it falls within the hours of a business day, or when the next ones begin; in UTC. `hours` are
        asked for in place of the calendar's own, on its business days."""
        now, zone = moment.astimezone(UTC), ZoneInfo(self.zone)
        # From the day before: a change of the clocks in the evening may move its hours past midnight.
        for day in _from(now.astimezone(zone).date() - _DAY):
            if not self.is_business_day(day):
                continue
            for begin, end in (span.on(day, zone) for span in hours or self.hours[day.weekday()]):
                if begin < end and now < end:
                    return max(now, begin)
        raise AssertionError("the days have no end")

    def _is_holiday(self, day: date) -> bool:
        if day in self.holidays:
            return True
        return bool(self.country) and day in public_holidays(self.country, self.region, day.year)


def _from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += _DAY


@lru_cache(maxsize=256)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """Those of a country (`DE`), or of one of its states or provinces (`BE`). Raises ValueError for one that isn't
    known."""
    # It takes a third of a second, and few projects name a country.
    from holidays import country_holidays

    try:
        return frozenset(country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError as error:
        raise ValueError(f"no public holidays are known of {'-'.join(filter(None, (country, region)))}") from error
