"""Time: UTC inside, zones at the edges."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the time now, aware, in UTC. Passed in wherever time matters, so that tests can set it."""


def system_clock() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """ISO 8601 with an offset or `Z`, as UTC. Raises ValueError when it is malformed or says no offset."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return _in_utc(time)


def parse_utc(text: str) -> datetime:
    """ISO 8601 that is known to be UTC although it doesn't say so. Raises ValueError when it is malformed."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else _in_utc(time)


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{time.isoformat()} is out of range") from error
