"""What the intake did since the process began: counts that cost next to nothing where they are made."""

from bisect import bisect_left
from collections import Counter

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the upper ends of the classes that acknowledgements are counted in."""


class Tally:
    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        """New deliveries, by connection."""
        self.repeats: Counter[str] = Counter()
        """Deliveries that had come before, by connection."""
        self.refused: Counter[tuple[str, str]] = Counter()
        """By connection and reason."""
        self.within = [0] * (len(BOUNDS) + 1)
        """Acknowledgements in each class of BOUNDS; the last is what took longer."""
        self.seconds = 0.0
        """All of them together, from a request that was there as a whole to its answer."""

    def acknowledged(self, connection: str, seconds: float, *, repeat: bool) -> None:
        (self.repeats if repeat else self.accepted)[connection] += 1
        self.within[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
