"""What was expected of a record, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Check:
    """One thing that is compared."""

    what: str
    """`In the books`."""
    expected: str
    actual: str
    held: bool


def equal(what: str, expected: str, actual: str) -> Check:
    """A check that holds when both are the same."""
    return Check(what, expected, actual, expected == actual)


@dataclass(frozen=True)
class Retried:
    """An attempt that failed and was made again."""

    action: str
    system: str
    """As the vendor writes its name."""
    sentence: str


@dataclass(frozen=True)
class Stuck:
    """An exception: what was said to the owner."""

    action: str
    sentence: str
    remedy: str


@dataclass(frozen=True)
class Tried:
    """One record and its end."""

    position: int
    name: str
    """`order 2001`."""
    about: str
    checks: Sequence[Check]
    took: timedelta | None
    """From the webhook's arrival to the run's end, or to the exception; None when it didn't come to an end."""
    retried: Sequence[Retried] = ()
    stuck: Sequence[Stuck] = ()
    skipped: Sequence[tuple[str, str]] = ()
    """Actions that weren't wanted for this record, and why."""

    @property
    def as_expected(self) -> bool:
        return all(check.held for check in self.checks)

    @property
    def why_not(self) -> str:
        """What differs; empty when it is as expected. A run that didn't end well explains all that is missing."""
        failed = [check for check in self.checks if not check.held]
        told = failed[:1] if failed and failed[0] is self.checks[0] else failed
        return "; ".join(f"{each.what.lower()}: expected {each.expected}, found {each.actual}" for each in told)
