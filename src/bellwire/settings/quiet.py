"""Hours of the day in which nobody is to be disturbed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Self

from bellwire.clock import on_the_wall

_FORM = re.compile(r"(\d\d?:\d\d) ?- ?(\d\d?:\d\d)")


@dataclass(frozen=True)
class QuietHours:
    """From `begin` to `end`, by the clock on the wall; past midnight when `end` is the earlier one."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """`22:00-07:00`. Raises ValueError when it is malformed, or begins when it ends."""
        match = _FORM.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} aren't two times of the day")
        begin, end = (time.fromisoformat(each.zfill(5)) for each in match.groups())
        if begin == end:
            raise ValueError(f"{text!r} begins when it ends")
        return cls(begin, end)

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def cover(self, now: datetime, zone: tzinfo) -> bool:
        """Whether it is quiet at `now` for people in `zone`. Each night is taken as the stretch between two moments, so
        that an hour that a change of the clocks repeats or leaves out makes it neither end early nor begin twice."""
        return self._end(now, zone) is not None

    def after(self, now: datetime, zone: tzinfo) -> datetime:
        """The first moment from `now` on, in UTC, at which it isn't quiet for people in `zone`: `now` itself, or the
        end of the quiet hours that it is in."""
        found = now.astimezone(UTC)
        while end := self._end(found, zone):
            found = end
        return found

    def _end(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When those end that cover `now`, in UTC; None: it isn't quiet."""
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.begin < self.end else day + timedelta(days=1)
            # In UTC: two times of one zone would be compared by the clock on the wall alone.
            end = on_the_wall(last, self.end, zone)
            if on_the_wall(day, self.begin, zone) <= now < end:
                return end
        return None
