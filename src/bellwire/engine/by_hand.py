"""What a person does about runs and exceptions. The command line and the desk call the same functions.

Each is a function of a ledger transaction: it says False (or raises NotFound) when there is nothing to do, and a
running engine takes up by itself what was opened again.
"""

from collections.abc import Mapping
from datetime import datetime

import orjson

from bellwire.errors import BellwireError, NotFound
from bellwire.events import whole_subject
from bellwire.ledger import ExceptionRow, ExceptionState, Rows, RunRow, RunState, deliveries, events, exceptions, runs


def retry_run(rows: Rows, run: int, now: datetime, *, flow_hash: str = "") -> None:
    """Have a run that is stuck, waits or is held carried out now, from the action that failed; what is done isn't done
    again. Raises NotFound, BellwireError."""
    row = runs.find(rows, run)
    if row is None:
        raise NotFound(f"There is no run {run}.", remedy="`bellwire run list` shows them.")
    if not runs.retry(rows, run, now, flow_hash=flow_hash):
        raise BellwireError(_why_not(row))
    exceptions.close_of_run(rows, run, ExceptionState.RETRIED, now)


def retry(rows: Rows, exception: int, now: datetime, *, flow_hash: str = "") -> None:
    """Retry what an exception is about: its run, or the reading of its delivery. Raises NotFound, BellwireError."""
    row = _open(rows, exception)
    if row.run is not None:
        retry_run(rows, row.run, now, flow_hash=flow_hash)
        return
    assert row.delivery is not None
    deliveries.reopen(rows, row.delivery)
    exceptions.close(rows, exception, ExceptionState.RETRIED, now)


def resolve(rows: Rows, exception: int, now: datetime, *, result: Mapping[str, object], reason: str) -> None:
    """A person did the action: its run goes on with `result` (what the later actions need, e.g. an id).

    Raises NotFound, BellwireError.
    """
    row = _open(rows, exception)
    if row.run is None:
        raise BellwireError(
            f"Exception {exception} is about a delivery that can't be read, not about an action.",
            remedy=f"Do by hand what it asks for, then `bellwire exception dismiss {exception} --reason …`.",
        )
    _require_rest(rows, row.run)
    runs.done_by_hand(rows, row.run, row.action, row.item, orjson.dumps(dict(result)).decode(), now)
    exceptions.close(rows, exception, ExceptionState.RESOLVED, now, reason)
    if not exceptions.open_ones(rows, run=row.run):
        runs.retry(rows, row.run, now)


def dismiss(rows: Rows, exception: int, now: datetime, *, reason: str) -> None:
    """Leave it: the run (or delivery) ends as skipped, with this reason. Raises NotFound, BellwireError."""
    row = _open(rows, exception)
    if row.run is not None:
        _require_rest(rows, row.run)
        runs.give_up(rows, row.run, now, reason)
        exceptions.close_of_run(rows, row.run, ExceptionState.DISMISSED, now, reason)
        return
    assert row.delivery is not None
    deliveries.dismiss(rows, row.delivery, reason)
    exceptions.close(rows, exception, ExceptionState.DISMISSED, now, reason)


def replay(rows: Rows, event: int, flow: str, flow_hash: str, nonce: str, now: datetime) -> int:
    """Run `flow` for an event once more, on purpose: with keys of its own, so that nothing swallows it.

    Returns the run. Raises NotFound.
    """
    row = events.find(rows, event)
    if row is None:
        raise NotFound(f"There is no event {event}.", remedy="`bellwire event list` shows them.")
    run = runs.start(
        rows,
        event,
        flow,
        flow_hash,
        subject=whole_subject(row.connection, row.subject),
        received_at=now,
        now=now,
        state=RunState.WAITING,
        nonce=nonce,
    )
    assert run is not None, "the nonce is new"
    return run


def _why_not(run: RunRow) -> str:
    if run.held_for == runs.ITS_TURN:
        return f"Run {run.id} has to wait until the earlier events of the same subject are done with."
    return f"Run {run.id} is {run.state.value}: there is nothing to retry."


def _require_rest(rows: Rows, run: int) -> None:
    """Whoever carries a run doesn't know what is decided beside it, and would end it as stuck, with nobody asked."""
    row = runs.find(rows, run)
    if row is not None and row.state is RunState.RUNNING:
        raise BellwireError(f"Run {run} is still busy with its other actions.", remedy="Try again in a moment.")


def _open(rows: Rows, exception: int) -> ExceptionRow:
    row = exceptions.find(rows, exception)
    if row is None:
        raise NotFound(f"There is no exception {exception}.", remedy="`bellwire exception list` shows them.")
    if row.state is not ExceptionState.OPEN:
        raise BellwireError(f"Exception {exception} is closed already ({row.state.value}).")
    return row
