"""Rate limits of an account: what the vendor publishes, corrected by what its answers say."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

_ROUNDING = 1e-6
"""Seconds: what adding up fractions of tokens may be off."""
_RESERVE = 0.2
"""The part of each limit that work from long ago leaves to what comes in now."""

backlog: ContextVar[bool] = ContextVar("backlog", default=False)
"""Whether what goes on here is work from long ago (a replay, a queue that is drained), which gives way to live work."""


@dataclass(frozen=True)
class Limit:
    """At most `count` requests in `per`. `remaining` and `resets_in` name response headers that tell how many are left
    and in how many seconds the window ends, in any case."""

    count: int
    per: timedelta
    remaining: str = ""
    resets_in: str = ""


class Gate:
    """Lets requests of one account through, at the pace of its limits and `parallel` at once. All workers share it.

    A token bucket for each limit, and one pause for the whole account when the vendor asked for it. Live work goes
    before backlog; each of the two in the order in which it came.
    """

    def __init__(self, limits: tuple[Limit, ...], parallel: int = 8) -> None:
        self._limits = limits
        self._tokens = [float(limit.count) for limit in limits]
        self._filled_at = 0.0
        self._paused_until = 0.0
        self._places = parallel
        self._live: deque[asyncio.Future[None]] = deque()
        self._backlog: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._live) + len(self._backlog)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place and for the limits, and hold the place for the length of the block."""
        await self.enter()
        try:
            yield
        finally:
            self.leave()

    async def enter(self) -> None:
        """Return when the next request may go out; `leave` has to follow."""
        late = backlog.get()
        if not self._live and not (late and self._backlog) and self._delay(late=late) <= _ROUNDING and self._places:
            self._take()
            return
        queue = self._backlog if late else self._live
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            elif turn in queue:
                queue.remove(turn)
            raise

    def leave(self) -> None:
        """A request is over: its place is free."""
        self._places += 1
        if self._live or self._backlog:
            self._next()

    def pause(self, length: timedelta) -> None:
        """No request for `length`: the vendor said so."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + length.total_seconds())

    @property
    def paused_for(self) -> timedelta:
        """How much of the pause is left."""
        if not self._paused_until:
            return timedelta()
        return timedelta(seconds=max(0.0, self._paused_until - asyncio.get_running_loop().time()))

    @property
    def queue_time(self) -> timedelta:
        """About how long the last of those that wait will have to."""
        slowest = max((1 / _rate(limit) for limit in self._limits), default=0.0)
        return self.paused_for + timedelta(seconds=self.waiting * slowest)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Correct the buckets by what an answer's headers (lower-case names) say is left."""
        if not self._limits:
            return
        self._fill(asyncio.get_running_loop().time())
        for index, limit in enumerate(self._limits):
            remaining = headers.get(limit.remaining.lower(), "")
            if not remaining.isdecimal():
                continue
            self._tokens[index] = min(self._tokens[index], float(remaining))
            resets_in = headers.get(limit.resets_in.lower(), "")
            if int(remaining) == 0 and resets_in.isdecimal():
                self.pause(timedelta(seconds=int(resets_in)))

    def _next(self) -> None:
        """Let through who may go now, and look again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._places and (queue := self._live or self._backlog):
            delay = self._delay(late=queue is self._backlog)
            if delay > _ROUNDING:
                self._timer = asyncio.get_running_loop().call_later(delay, self._next)
                return
            turn = queue.popleft()
            if not turn.done():
                self._take()
                turn.set_result(None)

    def _take(self) -> None:
        self._places -= 1
        if self._limits:
            self._tokens = [tokens - 1 for tokens in self._tokens]

    def _delay(self, *, late: bool) -> float:
        """Seconds until the limits let the next request through."""
        if not self._limits and not self._paused_until:
            return 0.0
        now = asyncio.get_running_loop().time()
        self._fill(now)
        lacking = [
            (1 + _reserve(limit) * late - tokens) / _rate(limit)
            for limit, tokens in zip(self._limits, self._tokens, strict=True)
        ]
        return max(self._paused_until - now, *lacking, 0.0)

    def _fill(self, now: float) -> None:
        passed, self._filled_at = now - self._filled_at, now
        self._tokens = [
            min(float(limit.count), tokens + passed * _rate(limit))
            for limit, tokens in zip(self._limits, self._tokens, strict=True)
        ]


def _rate(limit: Limit) -> float:
    """Requests a second."""
    return limit.count / limit.per.total_seconds()


def _reserve(limit: Limit) -> float:
    """Tokens; a limit of one request has none to spare."""
    return min(limit.count * _RESERVE, limit.count - 1)
