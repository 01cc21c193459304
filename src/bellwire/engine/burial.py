"""The end of a run that can't be carried out as a whole: what is in its way is no single action's."""

from datetime import datetime

from bellwire.engine.telling import tell
from bellwire.ledger import Rows, RunState, exceptions, runs


def bury(rows: Rows, run: int, fence: int, flow: str, error: Exception, now: datetime) -> bool:
    """End a run as dead, with an exception that names no action. False when another worker holds it."""
    told = tell(error, "This run")
    held = runs.leave(rows, run, fence, RunState.DEAD, now=now, reason=told.sentence)
    if held:
        exceptions.open_one(
            rows,
            run=run,
            flow=flow,
            connection="",
            cause=told.cause,
            sentence=told.sentence,
            remedy=told.remedy,
            detail=told.detail,
            now=now,
        )
    return held
