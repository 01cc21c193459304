"""One reading of a vendor's list for all who look for something in it at the same time.

After an outage many actions look at once whether their earlier attempt arrived. By itself each would page through the
same list, and what the vendor allows in a minute would be gone after a few.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from bellwire.errors import VendorError

T = TypeVar("T")

Read = Callable[[datetime, set[str]], Awaitable[Mapping[str, T]]]
"""Read what has come since a time, until all of these keys are found. Gives what was found, by key."""


@dataclass
class _Round(Generic[T]):
    since: datetime
    keys: set[str] = field(default_factory=set)
    found: Mapping[str, T] | VendorError | None = None


class JointLookUp(Generic[T]):
    """Looks in one list at a vendor. One reading goes on at a time; who comes meanwhile shares the next one, since
    what he looks for may have arrived after the present one had passed its place."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._next: _Round[T] | None = None

    async def find(self, key: str, since: datetime, read: Read[T]) -> T | None:
        """What the list has for `key`, which is no older than `since`. Raises what reading raises, and so do all who
        share that reading."""
        mine = self._next = self._next or _Round(since)
        mine.since = min(mine.since, since)
        mine.keys.add(key)
        async with self._reading:
            # The first in the queue reads; the next one, if that was cancelled.
            if mine.found is None:
                if self._next is mine:
                    self._next = None
                try:
                    mine.found = await read(mine.since, mine.keys)
                except VendorError as error:
                    mine.found = error
        if isinstance(mine.found, VendorError):
            raise mine.found
        return mine.found.get(key)
