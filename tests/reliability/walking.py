"""Walking a story's points: it is told once without a death, then again for each point, until it has died there."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from tests.reliability.dying import STOPPING, Fate
from tests.reliability.telling import Told

Tell = Callable[[Path, Sequence[Fate]], Awaitable[Told]]
"""Tells a story, in a folder that isn't there yet, to a process with these fates."""

AT_ONCE = 3
"""Tellings side by side, since a few of their moments are spent waiting."""
TELLINGS = 10
"""At most, for one point: what happens side by side may not come to it."""
_AGAIN = 3
"""Each so many-th death is followed by one in the next life."""
_SOON = 6
"""At most so many points after it began."""


@dataclass
class Walk:
    """What came of it."""

    points: Sequence[str] = ()
    """Those that were walked."""
    whole: int = 0
    """How many the story has, of those that are wanted."""
    broken: dict[str, Sequence[str]] = field(default_factory=dict)
    """By point, each promise that didn't hold in the end."""
    missed: list[str] = field(default_factory=list)
    """At these it never died."""
    tellings: int = 0
    again: int = 0
    """Second deaths that were meant to be."""
    died_again: int = 0

    def holds(self, *, fewest: int, missed: int = 3, again: float = 2 / 3) -> None:
        """Raises AssertionError. With less points than the `fewest`, the story has lost some. `again`: of the second
        deaths, the part that has to happen."""
        assert self.broken == {}, "\n".join(
            f"{point}: {each}" for point, found in self.broken.items() for each in found
        )
        assert self.whole >= fewest, f"{self.whole} points: {self.points}"
        assert len(self.missed) <= missed, self.missed
        assert self.died_again >= self.again * again, f"{self.died_again} of {self.again} second deaths"


async def walk(
    tell: Tell,
    folder: Path,
    *,
    stops_at: str = "",
    which: Callable[[str], object] = lambda _: True,
    share: tuple[int, int] = (0, 1),
) -> Walk:
    """Die at each point of the first life, or of its shutdown after it was stopped at one; of those that are wanted,
    and of these at one's `share`, as (0, 2) is the first half."""
    whole = await tell(folder / "whole", [Fate(stops_at=stops_at)])
    if whole.broken:
        return Walk(broken={"none": whole.broken})
    number, of = share
    passed = [name for name in whole.lives[0] if which(name) and name.startswith(STOPPING if stops_at else "")]
    done = Walk([name for name in passed if crc32(name.encode()) % of == number], len(passed))
    turns = asyncio.Semaphore(AT_ONCE)

    async def die_at(index: int, name: str) -> None:
        fates = [Fate(name, stops_at)]
        if index % _AGAIN == 0:
            fates.append(Fate(1 + index // _AGAIN % _SOON))
        for telling in range(TELLINGS):
            async with turns:
                place = folder / f"{index}-{telling}"
                told = await tell(place, fates)
            done.tellings += 1
            if wrong := [*told.broken, *_differences(whole, told)]:
                done.broken[name] = wrong
                return
            shutil.rmtree(place)
            if told.died[0]:
                done.again += len(fates) - 1
                done.died_again += sum(told.died[1:])
                return
        done.missed.append(name)

    await asyncio.gather(*(die_at(index, name) for index, name in enumerate(done.points)))
    return done


def _differences(whole: Told, told: Told) -> list[str]:
    """In how it ended, from the telling in which nobody died."""
    lost, new = Counter(whole.end), Counter(told.end)
    return [*(f"It lacks: {each}" for each in lost - new), *(f"It is too much: {each}" for each in new - lost)]
