"""How a run is left when nothing of it can go on now: for a time, for a person, or until a connection is well again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.engine.progress import Progress
from bellwire.engine.starting import ended_early
from bellwire.ledger import Rows, RunState, asks, events, exceptions, runs

_LOOK_AGAIN = timedelta(minutes=5)
"""A run that waits for a retry beside a connection that is out of order looks at that again so often."""


@dataclass(frozen=True)
class Rest:
    state: RunState
    reason: str = ""
    due_at: datetime | None = None
    held_for: str = ""

    @property
    def frees_subject(self) -> bool:
        """Whether what came later about the same has its turn."""
        return self.state is RunState.DONE or self.held_for == runs.ITS_TIME

    def leave(self, rows: Rows, run: int, fence: int, now: datetime) -> bool:
        """Leave the run so. False when another worker holds it."""
        return runs.leave(
            rows, run, fence, self.state, now=now, due_at=self.due_at, held_for=self.held_for, reason=self.reason
        )


def rest_of(progress: Progress, wait: timedelta | None, shut_out: str, now: datetime) -> Rest:
    """`wait` is how long until something can be tried again, `shut_out` a connection that is out of order."""
    if (due := progress.next_due()) is not None:
        return Rest(RunState.WAITING, f"It waits until {due:%Y-%m-%d %H:%M} UTC.", due, runs.ITS_TIME)
    if progress.asks():
        reason = f"It waits for a person: {', '.join(progress.asked())}."
        state = RunState.HELD if wait is None else RunState.WAITING
        return Rest(state, reason, None if wait is None else now + wait, runs.A_PERSON)
    if wait is not None and progress.rests():
        reason = f"Stuck at: {', '.join(progress.stuck())}. The rest waits for its time."
        return Rest(RunState.WAITING, reason, now + wait, runs.A_PERSON)
    if wait is not None:
        return Rest(RunState.WAITING, due_at=now + (min(wait, _LOOK_AGAIN) if shut_out else wait))
    if shut_out:
        reason = f"It waits until the connection '{shut_out}' is in order again."
        return Rest(RunState.HELD, reason, held_for=runs.waits_for(shut_out))
    return Rest(RunState.DEAD, f"Stuck at: {', '.join(progress.stuck())}.")


def overtaken(rows: Rows, rest: Rest, run: int, questions: int, now: datetime) -> Rest:
    """What the rest becomes by what happened while the run was going on: a later event has ended it (unless a person
    is asked about something that went wrong), or a person has answered one of its `questions`."""
    ended = runs.ended_by(rows, run)
    if ended is not None and not exceptions.open_ones(rows, run=run, limit=1):
        return Rest(RunState.DONE, why_ended(rows, ended))
    if questions and len(asks.open_ones(rows, run=run)) < questions:
        return Rest(RunState.WAITING, due_at=now)
    return rest


def why_ended(rows: Rows, event: int) -> str:
    """Which later event ended a run."""
    found = events.find(rows, event)
    return ended_early(found.type if found else "a later event", event)
