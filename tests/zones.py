"""Every time zone, and every change of its clocks in the years that tests look at."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
_WEEK, _MINUTE = timedelta(days=7), timedelta(minutes=1)


@cache
def zones() -> tuple[ZoneInfo, ...]:
    """One of each: zones under several names have the same file."""
    distinct: dict[bytes, str] = {}
    for name in sorted(available_timezones()):
        file = files("tzdata.zoneinfo").joinpath(name)
        distinct.setdefault(file.read_bytes() if file.is_file() else name.encode(), name)
    return tuple(ZoneInfo(name) for name in distinct.values())


@cache
def changes() -> tuple[tuple[ZoneInfo, datetime], ...]:
    """Zone and moment (UTC, to the minute) of all of them from 2024 to 2030; found once."""
    return tuple((zone, moment) for zone in zones() for moment in _changes_of(zone))


def _changes_of(zone: ZoneInfo) -> Iterator[datetime]:
    before = FIRST
    while before < LAST:
        after = before + _WEEK
        if _offset(before, zone) != _offset(after, zone):
            yield _between(before, after, zone)
        before = after


def _between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    while after - before > _MINUTE:
        middle = before + (after - before) // 2 // _MINUTE * _MINUTE
        if _offset(middle, zone) == _offset(before, zone):
            before = middle
        else:
            after = middle
    return after


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    found = moment.astimezone(zone).utcoffset()
    assert found is not None
    return found
