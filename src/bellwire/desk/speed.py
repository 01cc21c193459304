"""How long things took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Speed:
    """From the webhook's arrival to the last action, of `count` runs that were done."""

    count: int
    median: timedelta
    slowest_twentieth: timedelta
    """One run in twenty took at least this long."""


def speed(times: Sequence[timedelta]) -> Speed | None:
    """Of sorted times; None when there are none."""
    if not times:
        return None
    middle = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2
    return Speed(len(times), middle, times[min(len(times) - 1, len(times) * 19 // 20)])
