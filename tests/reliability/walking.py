"""Walking a story's points: it is told without a death, then again for each point, until it has died there.

What happens side by side differs from telling to telling. So it is told a few times without a death: at a point that
all of these came to, it has to have died, but for a few to which they came by chance; at the others that is tried as
often, and what came of it has to be right.
"""

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
_WHOLES = 3
"""Tellings without a death."""
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
    """How many each telling comes to, of those that are wanted."""
    broken: dict[str, Sequence[str]] = field(default_factory=dict)
    """By point, each promise that didn't hold in the end."""
    missed: list[str] = field(default_factory=list)
    """At these, that each telling comes to, it never died."""
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
    wholes = await asyncio.gather(*(tell(folder / f"whole-{n}", [Fate(stops_at=stops_at)]) for n in range(_WHOLES)))
    whole = wholes[0]
    for other in wholes:
        if wrong := [*other.broken, *_differences(whole, other)]:
            return Walk(broken={"none": wrong})
    beginning = STOPPING if stops_at else ""
    came = Counter(name for each in wholes for name in each.lives[0] if which(name) and name.startswith(beginning))
    number, of = share
    points = [name for name in came if crc32(name.encode()) % of == number]
    done = Walk(points, sum(times == _WHOLES for times in came.values()))
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
        if came[name] == _WHOLES:
            done.missed.append(name)

    await asyncio.gather(*(die_at(index, name) for index, name in enumerate(done.points)))
    return done


def _differences(whole: Told, told: Told) -> list[str]:
    """In how it ended, from the telling in which nobody died."""
    lost, new = Counter(whole.end), Counter(told.end)
    return [*(f"It lacks: {each}" for each in lost - new), *(f"It is too much: {each}" for each in new - lost)]
