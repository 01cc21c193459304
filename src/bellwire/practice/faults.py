"""Faults on request: what real vendors do on a bad day."""

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    RATE_LIMITED = "rate-limited"
    """The vendor's own 'too many requests', with Retry-After where it has one. Nothing is done."""
    FAILED = "failed"
    """500 before anything is done."""
    SLOW = "slow"
    """Answered rightly after `seconds`."""
    LOST_ANSWER = "lost-answer"
    """Done, and then the connection breaks off without an answer."""
    SIGNED_OUT = "signed-out"
    """The credentials are refused."""


class Fault(BaseModel):
    """The next `times` requests whose `METHOD /path body` contains a match of `match` meet this."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    match: str = ""
    """A regular expression; empty: any request."""
    times: int = Field(default=1, ge=1, le=1_000_000)
    seconds: float = Field(default=1.0, ge=0, le=600)
    """Retry-After of `rate-limited` (rounded up to whole seconds), delay of `slow`."""
    skip: int = Field(default=0, ge=0)
    """How many matching requests pass first."""


class Faults:
    """The faults that one simulator still has to produce, in the order they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int, int]] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append((fault, fault.skip, fault.times))

    def clear(self) -> None:
        self._waiting.clear()

    def next(self, request: str) -> Fault | None:
        """The fault for this request (`METHOD /path body`), if one is due."""
        for index, (fault, skip, times) in enumerate(self._waiting):
            if not re.search(fault.match, request):
                continue
            if skip:
                self._waiting[index] = (fault, skip - 1, times)
                continue
            if times > 1:
                self._waiting[index] = (fault, 0, times - 1)
            else:
                del self._waiting[index]
            return fault
        return None
