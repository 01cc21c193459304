"""The queue that brings work to whichever process has room, where a ledger has several.

A job is only a call to come and look: what is to be done, and who may do it, is the ledger's to say. So one that comes
twice, late, or to a process that was thought dead does no harm.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    READ = "read"
    """A delivery is to be normalised, and the runs that come of it carried."""
    CARRY = "carry"
    """A run is due."""


@dataclass(frozen=True)
class Job:
    id: int
    kind: Kind
    number: int
    """Of the delivery or the run."""


class Queue(ABC):
    """One process's end of the queue. Everything raises LedgerBusy when the database can't be reached."""

    lapse = 30.0
    """Seconds after which a job that its process hasn't said a word about is brought to another. All that share a queue
    have the same: whose is longer believes that it holds what another has been brought."""

    @abstractmethod
    async def take(self, most: int) -> list[Job]:
        """Up to `most` jobs, the oldest first: those that wait, and those that have lapsed."""

    @abstractmethod
    async def keep(self, jobs: Sequence[int]) -> set[int]:
        """Say that they are being dealt with. Gives those that are still this process's."""

    @abstractmethod
    async def keep_all(self) -> set[int]:
        """The same of all that are this process's, as the queue has it: what `take` had no time to give too."""

    @abstractmethod
    async def finish(self, jobs: Sequence[int]) -> None:
        """They are dealt with. Those that aren't this process's any more are left alone."""

    @abstractmethod
    async def wait(self, seconds: float) -> None:
        """Until something changes in the queue, or the time is over."""

    @abstractmethod
    async def close(self) -> None:
        """Hang up. What this process still has lapses."""
