"""What sells out of the ordinary.

The rule, in words. The last three days are held against the eight weeks before them.

- Usual is what those days of the week sold in the middle (the median) of these weeks; on a day of the week that is
  slower than most, what any day sold in the middle. One bulk order, a promotion or a day without stock moves a median
  little.
- The spread is how far three days in a row were from their usual in the middle of these weeks (the median absolute
  deviation, times 1.4826 to compare with a standard deviation), in proportion to the root of the usual; but no less
  than pure chance spreads the sales of independent customers (Poisson).
- Three days are a spike if they sold more than usual and five spreads, and more than two and a half times the usual.
- One order that is half of it or more is a customer, not a rate: no spike.
- With less than four weeks before them, or fewer than 20 sold in these weeks, it can't be told: no spike.

How far that can be trusted, `tests/insight/test_selling.py` shows on simulated sales, with their weekends, promotions
at twice the usual, and more variance than chance has. For an item there is a false alarm on fewer than one day in two
hundred. Of spikes at four times the usual, it finds within a week nine of ten where three are sold on a day, and
nineteen of twenty where ten are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

DAYS = 3
"""How many of the last days are judged together."""
WEEKS = 8
LEAST_WEEKS = 4
LEAST_SOLD = 20

_SPREADS = 5
_FACTOR = 2.5
_NORMAL = 1.4826


@dataclass(frozen=True)
class Pace:
    """How an item sells now, against its usual."""

    spiking: bool
    sold: int
    """In the last three days."""
    usual: float
    """What such days usually sell; 0 where that isn't known."""
    limit: float
    """More than this is a spike."""
    reason: str
    """In plain words."""


def pace(daily: Sequence[int], largest_order: int = 0) -> Pace:
    """`daily` is what was sold on each day, oldest first, days without a sale as 0; the last may be today, so far.
    `largest_order` is the most that one order took of it in the last three days; 0: not known."""
    judged, before = daily[-DAYS:], daily[-DAYS - 7 * WEEKS : -DAYS]
    sold = sum(judged)
    if len(before) < 7 * LEAST_WEEKS:
        return Pace(
            False, sold, 0, 0, f"It has been sold for less than {LEAST_WEEKS} weeks: too short to say what is usual."
        )
    if sum(before) < LEAST_SOLD:
        return Pace(
            False, sold, 0, 0, f"Fewer than {LEAST_SOLD} were sold in the weeks before: too few to say what is usual."
        )
    usual = _usual(before)
    limit = max(usual + _SPREADS * _spread(before) * sqrt(max(usual, 1)), _FACTOR * usual)
    told = f"{sold} sold in {DAYS} days, where about {usual:.0f} are usual and up to {limit:.0f} are nothing special"
    if sold <= limit:
        return Pace(False, sold, usual, limit, f"{told}.")
    if 2 * largest_order >= sold:
        return Pace(False, sold, usual, limit, f"{told}; but {largest_order} of it went into one order.")
    return Pace(True, sold, usual, limit, f"{told}.")


def usage(daily: Sequence[int]) -> float | None:
    """How many usually sell on a day: a seventh of what was sold in the middle (the median) of the last weeks, eight
    of them at most. `daily` as above, but for whole days. None: it has been sold for less than four weeks, or in too
    few of them."""
    weeks = [sum(daily[end - 7 : end]) for end in range(len(daily), 6, -7)][:WEEKS]
    if len(weeks) < LEAST_WEEKS:
        return None
    return median(weeks) / 7 or None


def _of_weekdays(before: Sequence[int]) -> list[float]:
    """The median of each day of the week; the first is that of the day after `before`."""
    return [
        median(before[index] for index in range(len(before)) if (index - len(before)) % 7 == day) for day in range(7)
    ]


def _usual(before: Sequence[int]) -> float:
    """What the three days after `before` usually sell."""
    overall = median(before)
    return sum(max(each, overall) for each in _of_weekdays(before)[:DAYS])


def _spread(before: Sequence[int]) -> float:
    """In roots of the usual; at least 1, which is that of pure chance."""
    of_weekdays = _of_weekdays(before)
    usual = [of_weekdays[(index - len(before)) % 7] for index in range(len(before))]
    distances = []
    for begin in range(len(before) - DAYS + 1):
        expected = sum(usual[begin : begin + DAYS])
        distances.append(abs(sum(before[begin : begin + DAYS]) - expected) / sqrt(max(expected, 1)))
    return max(1.0, _NORMAL * median(distances))
