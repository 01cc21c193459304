"""The last two weeks, day by day: how long things took, how many needed a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.desk.speed import Speed, speed
from bellwire.desk.words import Words
from bellwire.ledger import Database, Rows, figures

DAYS = 14
_GOOD_FOR = timedelta(hours=1)
"""A day that is over changes little: what waited comes to its end."""


@dataclass(frozen=True)
class DayFigures:
    since: datetime
    received: int
    exceptions: int
    """That began on it, whatever became of them."""
    speed: Speed | None

    @property
    def error_rate(self) -> float | None:
        """None where nothing came in."""
        return min(1.0, self.exceptions / self.received) if self.received else None


class Trends:
    """Keeps what it worked out as long as that is good: days that are over hardly change."""

    def __init__(self, ledger: Database, words: Words) -> None:
        self._ledger = ledger
        self._words = words
        self._kept: dict[datetime, tuple[datetime, DayFigures]] = {}

    async def read(self, now: datetime) -> list[DayFigures]:
        """The last days, oldest first; the last is the one that it is now."""
        starts = self._starts(now)
        wanted = [
            (since, until)
            for since, until in zip(starts, [*starts[1:], now + timedelta(seconds=1)], strict=True)
            if not self._is_good(since, now) or since == starts[-1]
        ]

        def query(rows: Rows) -> list[DayFigures]:
            return [_of_day(rows, since, until) for since, until in wanted]

        for each in await self._ledger.read(query):
            self._kept[each.since] = (now, each)
        self._kept = {since: self._kept[since] for since in starts}
        return [self._kept[since][1] for since in starts]

    def _is_good(self, since: datetime, now: datetime) -> bool:
        kept = self._kept.get(since)
        return kept is not None and now - kept[0] < _GOOD_FOR

    def _starts(self, now: datetime) -> Sequence[datetime]:
        """When each day began. A day has 23 to 25 hours."""
        starts = [self._words.midnight(now)]
        while len(starts) < DAYS:
            starts.append(self._words.midnight(starts[-1] - timedelta(hours=12)))
        return starts[::-1]


def _of_day(rows: Rows, since: datetime, until: datetime) -> DayFigures:
    received = sum(each.received for each in figures.balances(rows, since, until))
    return DayFigures(
        since,
        received,
        figures.opened_exceptions(rows, since, until),
        speed(figures.processing_times(rows, since, until)),
    )
