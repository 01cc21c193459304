"""Rate limits of an account: what the vendor publishes, corrected by what its answers say."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_ROUNDING = 1e-6
"""Seconds: what adding up fractions of tokens may be off."""


@dataclass(frozen=True)
class Limit:
    """At most `count` requests in `per`. `remaining` and `resets_in` name response headers that tell how many are left
    and in how many seconds the window ends, in any case."""

    count: int
    per: timedelta
    remaining: str = ""
    resets_in: str = ""


class Gate:
    """Lets requests of one account through at the pace of its limits; all its workers share it.

    A token bucket for each limit, and one pause for the whole account when the vendor asked for it.
    """

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self._limits = limits
        self._tokens = [float(limit.count) for limit in limits]
        self._filled_at = 0.0
        self._paused_until = 0.0
        self._turn = asyncio.Lock()

    @property
    def open(self) -> bool:
        """Whether nothing limits the account: neither a limit nor a pause."""
        return not self._limits and not self._paused_until

    async def wait(self) -> None:
        """Return when the next request may go out. First come, first served."""
        if self.open:
            return
        async with self._turn:
            loop = asyncio.get_running_loop()
            while (delay := self._delay(loop.time())) > _ROUNDING:  # noqa: ASYNC110 - it may be paused again meanwhile
                await asyncio.sleep(delay)
            self._tokens = [tokens - 1 for tokens in self._tokens]

    def pause(self, length: timedelta) -> None:
        """No request for `length`: the vendor said so."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + length.total_seconds())

    @property
    def paused_for(self) -> timedelta:
        """How much of the pause is left."""
        return timedelta(seconds=max(0.0, self._paused_until - asyncio.get_running_loop().time()))

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

    def _delay(self, now: float) -> float:
        self._fill(now)
        lacking = [(1 - tokens) / _rate(limit) for limit, tokens in zip(self._limits, self._tokens, strict=True)]
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
