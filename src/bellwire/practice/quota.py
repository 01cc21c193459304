"""Rate limits that a simulated vendor keeps unasked, as real ones do."""

import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class Quota:
    """At most `count` requests in any `seconds`; one that is refused doesn't count.

    Counted are those whose `METHOD /path body` contains a match of the regular expression `of`, apart for each of what
    its groups match: `"channel":"(.*?)"` gives each channel a quota of its own.
    """

    count: int
    seconds: float
    of: str = ""
    _counts: dict[tuple[str | None, ...], deque[float]] = field(default_factory=dict, init=False, repr=False)
    """When the last ones came, oldest first."""

    def wait(self, request: str, now: float) -> float:
        """Seconds until this one is let in; 0: now."""
        came = self._came(request)
        if came is None or len(came) < self.count:
            return 0.0
        return max(0.0, came[0] + self.seconds - now)

    def left(self, request: str, now: float) -> int:
        """How many like this one may still come now."""
        return self.count - sum(came > now - self.seconds for came in self._came(request) or ())

    def take(self, request: str, now: float) -> None:
        """It is let in."""
        came = self._came(request)
        if came is not None:
            came.append(now)

    def recover(self, length: timedelta) -> None:
        """They came so much longer ago."""
        for which, came in self._counts.items():
            self._counts[which] = deque((then - length.total_seconds() for then in came), self.count)

    def _came(self, request: str) -> deque[float] | None:
        found = re.search(self.of, request)
        return self._counts.setdefault(found.groups(), deque(maxlen=self.count)) if found else None


def take(quotas: Sequence[Quota], request: str) -> float:
    """Let a request in by all quotas, or say how many seconds it has to wait; 0: it is in."""
    now = time.monotonic()
    wait = max((quota.wait(request, now) for quota in quotas), default=0.0)
    if not wait:
        for quota in quotas:
            quota.take(request, now)
    return wait
