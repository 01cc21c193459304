"""Time: UTC inside, zones at the edges."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from time import monotonic

_LENGTH = re.compile(r"([0-9]{1,6}) ?(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)

Clock = Callable[[], datetime]
"""Gives the time now, aware, in UTC. Passed in wherever time matters, so that tests can set it."""


def system_clock() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


def steady(clock: Clock = system_clock) -> Clock:
    """A clock that shows what `clock` shows now, and then goes on by itself, even if the machine's clock is set."""
    began, since = clock(), monotonic()
    return lambda: began + timedelta(seconds=monotonic() - since)


def parse_time(text: str) -> datetime:
    """ISO 8601 with an offset or `Z`, as UTC. Raises ValueError when it is malformed or says no offset."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return _in_utc(read)


def parse_utc(text: str) -> datetime:
    """ISO 8601 that is known to be UTC although it doesn't say so. Raises ValueError when it is malformed."""
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else _in_utc(read)


def _in_utc(read: datetime) -> datetime:
    try:
        return read.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{read.isoformat()} is out of range") from error


def on_the_wall(day: date, shown: time, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which the clocks of `zone` show `shown` on `day`. Where a change of the clocks leaves it
    out, it moves forward by what is left out (02:30 to 03:30); where it comes twice, it is the first (RFC 5545,
    3.3.5)."""
    return datetime.combine(day, shown.replace(tzinfo=None, fold=0), zone).astimezone(UTC)


def earlier(moment: datetime, length: timedelta, zone: tzinfo) -> datetime:
    """`length` before `moment`, in UTC. Whole days go by the clock on the wall in `zone`, so that a day before 10:00 is
    10:00, however long the night was; what is left, such as the 2 hours of `26h`, is time that passes."""
    whole, rest = divmod(length, timedelta(days=1))
    if not whole:
        return moment.astimezone(UTC) - rest
    local = moment.astimezone(zone)
    return on_the_wall(local.date() - timedelta(days=whole), local.time(), zone) - rest


def parse_length(text: str) -> timedelta:
    """A length of time as people write it in files: `30s`, `5m`, `2h`, `1d`. Raises ValueError when it is malformed,
    zero, or longer than a year."""
    match = _LENGTH.fullmatch(text)
    length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise ValueError(f"{text!r} is no length of time")
    return length


def in_one_unit(length: timedelta) -> tuple[int, str]:
    """A length of time in the largest unit that it is a whole number of, as `parse_length` reads it: 90, `m`."""
    seconds = round(length.total_seconds())
    sizes = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
    return next((seconds // size, unit) for size, unit in sizes if seconds % size == 0)


def duration(length: timedelta) -> str:
    """In words: `18 ms`, `0.4 s`, `3.2 s`, `2 min 5 s`, `1 h 5 min`, `2 days 3 h`: two units at most."""
    seconds = max(length.total_seconds(), 0)
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for name, size, smaller, part in (("day", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            many, rest = divmod(whole, size)
            unit = f"{name}s" if name == "day" and many > 1 else name
            return f"{many} {unit}" + (f" {rest // part} {smaller}" if rest // part else "")
    return f"{whole} s"
