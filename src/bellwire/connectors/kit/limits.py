"""Rate limits of an account: what the vendor publishes, corrected by what its answers say.

Each limit is a sliding window: never more than `count` requests within any `per`. That is stricter than a token bucket,
which starts full and fills up again while it is used, so that up to twice the limit goes within its first `per` and the
vendor refuses the rest.

The vendor counts by when a request arrives there, which nobody here knows: only that it is between its sending and the
end of its answer. So a request counts from its sending until `per` after its end, and however long the way takes, no
two arrive nearer together than the vendor allows.
"""

import asyncio
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from math import inf

_ROUNDING = 1e-6
"""Seconds: what adding up times may be off."""
_MARGIN = 0.01
"""Seconds that a window is longer than the vendor's: the loop's clock counts milliseconds, and so do the vendor's many
servers, which don't all have the same time."""
_RESERVED = 5
"""One in so many of each limit is left by work from long ago to what comes in now."""

backlog: ContextVar[bool] = ContextVar("backlog", default=False)
"""Whether what goes on here is work from long ago (a replay, a queue that is drained), which gives way to live work."""


@dataclass(frozen=True)
class Limit:
    """At most `count` requests in any `per`.

    `of` is the path whose requests it counts, as they are called below the connection's root, or how it begins
    (`tickets/*`); empty: all. `apart`: each of the things that requests say they are `paced_by` (a channel, say) has a
    count of its own; those that name nothing aren't counted. `remaining` and
    `resets_in` name response headers that tell how many are left and in how many seconds the window ends, in any case.
    """

    count: int
    per: timedelta
    of: str = ""
    apart: bool = False
    remaining: str = ""
    resets_in: str = ""

    def counts(self, path: str, paced_by: str) -> bool:
        here = path.startswith(self.of[:-1]) if self.of.endswith("*") else self.of in ("", path)
        return here and bool(paced_by or not self.apart)


@dataclass(frozen=True)
class Quota:
    """What is left of a limit to this process, as far as it knows."""

    limit: Limit
    count: int
    """Its share of the limit."""
    left: int


class _Window:
    """One count of one limit."""

    __slots__ = ("_count", "_ends", "_for_backlog", "_going", "_per", "_sharers", "limit")

    def __init__(self, limit: Limit, sharers: int) -> None:
        self.limit = limit
        self._going = 0
        """How many requests are on their way."""
        self._ends: deque[float] = deque()
        """When the last ones were over, oldest first."""
        self.share(sharers)

    def share(self, sharers: int) -> None:
        """So many processes have this limit together. What can't be divided is had by each of them less often."""
        limit, self._sharers = self.limit, sharers
        self._count = max(1, limit.count // sharers)
        self._per = limit.per.total_seconds() * max(1.0, self._count * sharers / limit.count) + _MARGIN
        # A limit of one request has none to spare.
        self._for_backlog = max(1, self._count - -(-self._count // _RESERVED))
        self._ends = deque(self._ends, maxlen=self._count)

    def begin(self) -> None:
        self._going += 1

    def end(self, now: float) -> None:
        self._going -= 1
        self._ends.append(now)

    def delay(self, now: float, *, late: bool) -> float:
        """Seconds until one more may go; negative when it may already, infinite when first one has to be over."""
        places = (self._for_backlog if late else self._count) - self._going
        if places <= 0:
            return inf
        return self._ends[-places] + self._per - now if len(self._ends) >= places else -inf

    def heed(self, left: int, resets_in: float | None, now: float) -> None:
        """Only `left` more may go, the vendor says: if that is fewer than we think, others use the account too. When
        they did isn't known: at worst just now, unless it says when the window ends."""
        recent = len(self._ends) - bisect_right(self._ends, now - self._per)
        others = self._count - self._going - recent - left // self._sharers
        if others > 0:
            then = now if resets_in is None else now - self._per + min(resets_in + _MARGIN, self._per)
            self._ends = deque(sorted([*self._ends, *[then] * others]), self._count)

    def recover(self, seconds: float) -> None:
        self._ends = deque((end - seconds for end in self._ends), self._count)

    def left(self, now: float) -> int:
        """How many more may go now."""
        recent = len(self._ends) - bisect_right(self._ends, now - self._per)
        return max(0, self._count - self._going - recent)

    @property
    def count(self) -> int:
        return self._count

    def time_for(self, requests: int) -> float:
        """About how many seconds so many take."""
        return requests * self._per / self._count


Lane = tuple[_Window, ...]
"""The windows that a request goes through."""


@dataclass(eq=False)
class _Waiting:
    lane: Lane
    turn: asyncio.Future[None]


class Gate:
    """Lets requests of one account through, at the pace of its limits and `parallel` at once. All workers share it.

    A window for each limit, and one pause for the whole account when the vendor asked for it. Live work goes before
    backlog; each of the two in the order in which it came, except that nobody waits for a limit that doesn't count him.
    """

    def __init__(self, limits: tuple[Limit, ...], parallel: int = 8) -> None:
        self._limits = limits
        self._parallel = parallel
        self._sharers = 1
        self._windows: dict[tuple[int, str], _Window] = {}
        self._same_for_all = None if any(limit.of or limit.apart for limit in limits) else self._find_lane("", "")
        self._paused_until = 0.0
        self._places = parallel
        self._live: deque[_Waiting] = deque()
        self._backlog: deque[_Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._live) + len(self._backlog)

    def share(self, sharers: int) -> None:
        """So many processes call this account: this one takes its share of the limits and of the places."""
        if sharers == self._sharers:
            return
        self._places += max(1, self._parallel // sharers) - max(1, self._parallel // self._sharers)
        self._sharers = sharers
        for window in self._windows.values():
            window.share(sharers)
        self._next()

    @asynccontextmanager
    async def turn(self, path: str = "", paced_by: str = "") -> AsyncIterator[None]:
        """Wait for a place and for the limits, and hold the place for the length of the block."""
        lane = await self.enter(path, paced_by)
        try:
            yield
        finally:
            self.leave(lane)

    async def enter(self, path: str = "", paced_by: str = "") -> Lane:
        """Return when the next request may go out; `leave` has to follow, with what this returned."""
        late = backlog.get()
        lane = self._find_lane(path, paced_by) if self._same_for_all is None else self._same_for_all
        first = not (self._live or (late and self._backlog))
        if first and self._places > 0 and self._delay(lane, late=late) <= _ROUNDING:
            self._take(lane)
            return lane
        queue = self._backlog if late else self._live
        waiting = _Waiting(lane, asyncio.get_running_loop().create_future())
        queue.append(waiting)
        self._next()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.done() and not waiting.turn.cancelled():
                self.leave(lane)
            elif waiting in queue:
                queue.remove(waiting)
            raise
        return lane

    def leave(self, lane: Lane) -> None:
        """A request is over: its place is free."""
        self._places += 1
        if lane:
            now = asyncio.get_running_loop().time()
            for window in lane:
                window.end(now)
        if self._live or self._backlog:
            self._next()

    def pause(self, length: timedelta) -> None:
        """No request for `length`: the vendor said so."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + length.total_seconds())

    def recover(self, length: timedelta) -> None:
        """So much time has passed for the vendor that the loop's clock doesn't know of: where days are played in
        seconds."""
        for window in self._windows.values():
            window.recover(length.total_seconds())
        if self._paused_until:
            self._paused_until -= length.total_seconds()
        self._next()

    @property
    def paused_for(self) -> timedelta:
        """How much of the pause is left."""
        if not self._paused_until:
            return timedelta()
        return timedelta(seconds=max(0.0, self._paused_until - asyncio.get_running_loop().time()))

    @property
    def quotas(self) -> list[Quota]:
        """Of each limit that counts for the account as a whole."""
        now, found = asyncio.get_running_loop().time(), []
        for number, limit in enumerate(self._limits):
            if not limit.apart:
                window = self._windows.get((number, "")) or _Window(limit, self._sharers)
                found.append(Quota(limit, window.count, 0 if self.paused_for else window.left(now)))
        return found

    @property
    def queue_time(self) -> timedelta:
        """About how long the last of those that wait will have to."""
        queued = Counter(window for waiting in (*self._live, *self._backlog) for window in waiting.lane)
        slowest = max((window.time_for(requests) for window, requests in queued.items()), default=0.0)
        return self.paused_for + timedelta(seconds=slowest)

    def learn(self, headers: Mapping[str, str], lane: Lane) -> None:
        """Correct the windows that a request went through by what its answer's headers (lower-case names) say is
        left."""
        for window in lane:
            limit = window.limit
            remaining = headers.get(limit.remaining.lower(), "")
            if not remaining.isdecimal():
                continue
            told = headers.get(limit.resets_in.lower(), "")
            resets_in = int(told) if told.isdecimal() else None
            window.heed(int(remaining), resets_in, asyncio.get_running_loop().time())
            if int(remaining) == 0 and resets_in is not None:
                self.pause(timedelta(seconds=resets_in))

    def _find_lane(self, path: str, paced_by: str) -> Lane:
        lane = []
        for number, limit in enumerate(self._limits):
            if limit.counts(path, paced_by):
                count = number, paced_by if limit.apart else ""
                if count not in self._windows:
                    self._windows[count] = _Window(limit, self._sharers)
                lane.append(self._windows[count])
        return tuple(lane)

    def _next(self) -> None:
        """Let through who may go now, and look again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        soonest = inf
        for queue, late in ((self._live, False), (self._backlog, True)):
            full: set[Lane] = set()
            for waiting in tuple(queue):
                if self._places <= 0:
                    return
                if waiting.lane in full:
                    continue
                delay = self._delay(waiting.lane, late=late)
                if delay > _ROUNDING:
                    full.add(waiting.lane)
                    soonest = min(soonest, delay)
                    continue
                queue.remove(waiting)
                if not waiting.turn.done():
                    self._take(waiting.lane)
                    waiting.turn.set_result(None)
        if soonest < inf:
            self._timer = asyncio.get_running_loop().call_later(soonest, self._next)

    def _take(self, lane: Lane) -> None:
        self._places -= 1
        for window in lane:
            window.begin()

    def _delay(self, lane: Lane, *, late: bool) -> float:
        """Seconds until the limits let the next request through; infinite: until one is over."""
        if not lane and not self._paused_until:
            return 0.0
        now = asyncio.get_running_loop().time()
        delay = self._paused_until - now
        for window in lane:
            delay = max(delay, window.delay(now, late=late))
        return delay
