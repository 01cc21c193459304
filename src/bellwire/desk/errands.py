"""Long work that people ask for on a page: done in the background, one at a time, to its end whoever looks.

It lives in this process: what a restart cuts off stays open in the ledger, and can be asked for again.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import structlog

from bellwire.clock import Clock
from bellwire.engine import Refused
from bellwire.errors import BellwireError, NotFound

log = structlog.get_logger()

_MOST_WAITING = 20
_KEPT = 100
"""Errands that are over and can still be looked at."""
_MOST_REFUSED = 1_000
"""Failures that are kept of an errand, each with its reason; all are counted."""


@dataclass
class Errand:
    """`what` it does, such as `retry`; who asked for it; how far it is."""

    what: str
    who: str
    numbers: Sequence[int]
    asked_at: datetime
    key: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    done: int = 0
    failed: int = 0
    refused: list[Refused] = field(default_factory=list)
    """The first of them that couldn't be done, and why."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: str = ""
    """Why it ended before its time; empty: it didn't."""

    @property
    def total(self) -> int:
        return len(self.numbers)

    @property
    def state(self) -> Literal["going on", "done", "stopped"]:
        return "going on" if not self.over.is_set() else "stopped" if self.stopped else "done"

    def forward(self, steps: int, refused: Sequence[Refused]) -> None:
        """So many more were dealt with, these of them in vain."""
        self.done += steps - len(refused)
        self.failed += len(refused)
        self.refused += refused[: _MOST_REFUSED - len(self.refused)]


class Errands:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Errand] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def plan(self, what: str, who: str, numbers: Sequence[int]) -> Errand:
        """One that isn't begun yet. Raises BellwireError when too many wait."""
        if len(self._tasks) >= _MOST_WAITING:
            raise BellwireError("Too much is being worked on already.", remedy="Do it again in a minute.")
        return Errand(what, who, numbers, self._clock())

    def begin(self, errand: Errand, work: Callable[[Errand], Awaitable[object]]) -> None:
        """Have it done when its turn comes."""
        for key in [key for key, each in self._kept.items() if each.over.is_set()][: len(self._kept) - _KEPT + 1]:
            del self._kept[key]
        self._kept[errand.key] = errand
        task = asyncio.create_task(self._do(errand, work), name="errand")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def find(self, key: str) -> Errand:
        """Raises NotFound."""
        found = self._kept.get(key)
        if found is None:
            raise NotFound(
                "This isn't known any more: Bellwire was started anew, or it was long ago.",
                remedy="What couldn't be done is still open, and can be done again.",
            )
        return found

    @staticmethod
    async def wait(errand: Errand, seconds: float) -> bool:
        """Whether it is over by then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await errand.over.wait()
        return errand.over.is_set()

    def close(self) -> None:
        """What goes on ends after the portion in hand."""
        for task in self._tasks:
            task.cancel()

    async def _do(self, errand: Errand, work: Callable[[Errand], Awaitable[object]]) -> None:
        try:
            async with self._turn:
                await work(errand)
        except BellwireError as error:
            errand.stopped = str(error)
        except asyncio.CancelledError:
            errand.stopped = "Bellwire was stopped."
            raise
        except Exception:
            log.exception("an errand failed", what=errand.what)
            errand.stopped = "It failed because of a fault in Bellwire; the log has the details."
        finally:
            errand.over.set()
