"""What every measurement gets."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench.figures import Figures


@dataclass(frozen=True)
class Counts:
    rounds: int = 3
    orders: int = 2_000
    """For a rate of runs."""
    acks: int = 6_000
    """For a rate of acknowledgements, which are over much sooner."""
    seconds: float = 10
    """Of an open-loop load."""
    history: int = 1_000_000
    """Events of the long history."""
    pending: int = 100_000
    """Runs that are pending when a process starts."""
    drained: int = 4_000
    """Of them, how many are waited for."""
    shared: int = 1_600
    """Runs that several processes share."""


QUICK = Counts(rounds=1, orders=400, acks=1_000, seconds=3, history=50_000, pending=10_000, drained=1_000, shared=400)


@dataclass
class Setting:
    folder: Path
    counts: Counts
    figures: Figures
    _names: Iterator[int] = field(default_factory=count)

    @contextlib.contextmanager
    def database(self) -> Iterator[Path]:
        """A place for a ledger that is gone afterwards."""
        path = self.folder / f"{next(self._names)}.db"
        try:
            yield path
        finally:
            for each in self.folder.glob(f"{path.name}*"):
                each.unlink()
