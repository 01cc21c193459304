"""Wall times: when they can be written with their time zone, and how that zone is described (RFC 5545, 3.6.5).

The description has rules for every year, not lists of dates: servers that read only the first of those put summer's
appointments an hour off. The rules come from the last line of the zone's file (RFC 8536, 3.3), e.g.
`CET-1CEST,M3.5.0,M10.5.0/3`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

from icalendar import Timezone

_NAME, _OFFSET = r"(?:[A-Za-z]{3,}|<[^>]+>)", r"([+-]?\d{1,2})(?::(\d\d))?"
_CHANGE = r",M(\d{1,2})\.([1-5])\.([0-6])(?:/(\d{1,2})(?::(\d\d))?)?"
_RULE = re.compile(rf"{_NAME}{_OFFSET}(?:{_NAME}(?:{_OFFSET})?{_CHANGE}{_CHANGE})?", re.ASCII)
_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


@dataclass(frozen=True)
class Change:
    """When the clocks change, each year: `week` 5 is the last one, `weekday` 0 Sunday."""

    month: int
    week: int
    weekday: int
    time: timedelta

    def of(self, year: int) -> datetime:
        """By the clocks as they are until then."""
        first = datetime(year, self.month, 1)  # noqa: DTZ001 - a wall time
        day = first + timedelta(days=(self.weekday - first.isoweekday()) % 7 + 7 * (self.week - 1))
        return (day if day.month == self.month else day - timedelta(days=7)) + self.time

    @property
    def rule(self) -> str:
        week = -1 if self.week == 5 else self.week
        return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={week}{_DAYS[self.weekday]}"


@dataclass(frozen=True)
class Rules:
    """A zone as it is from now on. Offsets are east of Greenwich."""

    standard: timedelta
    daylight: timedelta | None = None
    begins: Change | None = None
    ends: Change | None = None

    def offset(self, moment: datetime) -> timedelta:
        """At a time in UTC."""
        if self.daylight is None or self.begins is None or self.ends is None:
            return self.standard
        moment = moment.replace(tzinfo=None)
        year = (moment + self.standard).year
        begins, ends = self.begins.of(year) - self.standard, self.ends.of(year) - self.daylight
        summer = begins <= moment < ends if begins < ends else not ends <= moment < begins
        return self.daylight if summer else self.standard


@lru_cache(maxsize=64)
def rules(zone: str) -> Rules | None:
    """Of an IANA zone; None where they can't be written as a rule for every year."""
    try:
        last = _file(zone).rsplit(b"\n", 2)[1].decode()
    except (OSError, IndexError, ValueError):
        return None
    found = _RULE.fullmatch(last)
    if found is None:
        return None
    hours, minutes, dst_hours, dst_minutes, *changes = found.groups()
    standard = _offset(hours, minutes)
    if changes[0] is None:
        return Rules(standard)
    begins, ends = _change(changes[:5]), _change(changes[5:])
    if begins is None or ends is None:
        return None
    daylight = _offset(dst_hours, dst_minutes) if dst_hours else standard + timedelta(hours=1)
    return Rules(standard, daylight, begins, ends)


def wall_times(times: tuple[datetime, ...], zone: str) -> tuple[datetime, ...]:
    """Times with an offset, as wall times of a zone; as UTC where one of them can't be said so: in the hour that comes
    twice in autumn (the second time), or where the zone's rules were or will be others."""
    moments = tuple(time.astimezone(UTC) for time in times)
    known = None if zone in ("UTC", "Etc/UTC") else rules(zone)
    local = tuple(moment.astimezone(ZoneInfo(zone)) for moment in moments)
    if known is None or any(
        wall.fold or wall.utcoffset() != known.offset(moment) for wall, moment in zip(local, moments, strict=True)
    ):
        return moments
    return local


def description(zone: str) -> Timezone:
    """The VTIMEZONE of a zone that has rules."""
    known = rules(zone)
    assert known is not None
    if known.daylight is None or known.begins is None or known.ends is None:
        parts = _part("STANDARD", "19700101T000000", known.standard, known.standard)
    else:
        parts = _part("DAYLIGHT", _first(known.begins), known.standard, known.daylight, known.begins.rule) + _part(
            "STANDARD", _first(known.ends), known.daylight, known.standard, known.ends.rule
        )
    text = f"BEGIN:VTIMEZONE\r\nTZID:{zone}\r\n{parts}END:VTIMEZONE\r\n"
    made = Timezone.from_ical(text)
    assert isinstance(made, Timezone)
    return made


def _file(zone: str) -> bytes:
    """The one that Python reads: the machine's, else that of the package tzdata. Raises OSError."""
    for folder in TZPATH:
        if (path := Path(folder, zone)).is_file():
            return path.read_bytes()
    return files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def _part(kind: str, begins: str, before: timedelta, after: timedelta, rule: str = "") -> str:
    each_year = f"RRULE:{rule}\r\n" if rule else ""
    return (
        f"BEGIN:{kind}\r\nDTSTART:{begins}\r\n{each_year}"
        f"TZOFFSETFROM:{_written(before)}\r\nTZOFFSETTO:{_written(after)}\r\nEND:{kind}\r\n"
    )


def _first(change: Change) -> str:
    return f"{change.of(1970):%Y%m%dT%H%M%S}"


def _written(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _offset(hours: str, minutes: str | None) -> timedelta:
    """POSIX counts west of Greenwich."""
    size = timedelta(hours=abs(int(hours)), minutes=int(minutes or 0))
    return size if hours.startswith("-") else -size


def _change(found: list[str]) -> Change | None:
    """None for one that isn't on its own day: at 25 o'clock."""
    month, week, weekday, hour, minute = found
    time = timedelta(hours=int(hour or 2), minutes=int(minute or 0))
    return Change(int(month), int(week), int(weekday), time) if time < timedelta(days=1) else None
