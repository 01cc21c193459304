"""What a person does about runs and exceptions. The command line and the desk call the same functions.

Each is a function of a ledger transaction, says `who` did it in the audit, and raises before it has changed anything
when it can't be done. A running engine takes up by itself what was opened again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import orjson

from bellwire.engine.editing import Edited, not_about_an_action
from bellwire.errors import BellwireError, NotFound
from bellwire.events import whole_subject
from bellwire.flows import Flow
from bellwire.ledger import (
    AskKind,
    AskRow,
    AskState,
    EventRow,
    ExceptionRow,
    ExceptionState,
    FlowMode,
    Outcome,
    Rows,
    RunRow,
    RunState,
    asks,
    audit,
    comments,
    deliveries,
    edits,
    events,
    exceptions,
    modes,
    people,
    runs,
    versions,
)


def still_open(rows: Rows, exception: int) -> ExceptionRow:
    """The exception with this number. Raises NotFound, and BellwireError when it is closed."""
    row = exceptions.find(rows, exception)
    if row is None:
        raise _no_exception(exception)
    if row.state is not ExceptionState.OPEN:
        raise BellwireError(f"Exception {exception} is closed already ({row.state.value}).")
    return row


def retry_run(rows: Rows, run: int, now: datetime, *, who: str, today: Mapping[str, Flow] | None = None) -> None:
    """Have a run that is stuck, waits or is held carried out now, from the action that failed; what is done isn't done
    again. Where nothing is stuck, what waits for its time is done at once. With the flow that it began with, or with
    `today`'s, by id. Raises NotFound, BellwireError."""
    hurry = not exceptions.open_ones(rows, run=run, limit=1)
    _reopen(rows, _run(rows, run), now, today, hurry=hurry)
    exceptions.close_of_run(rows, run, ExceptionState.RETRIED, now)
    audit.record(rows, who, "retry", f"run {run}", now, _which(today))


def edit(rows: Rows, exception: int, edited: Edited, now: datetime, *, who: str) -> None:
    """What the action of an exception is given in its run from now on, instead of what the flow says; then `retry`.

    Raises NotFound, BellwireError.
    """
    row = still_open(rows, exception)
    if row.run is None or not row.action:
        raise not_about_an_action(row)
    run = _at_rest(rows, row.run)
    edits.put(rows, run.id, row.action, row.item, edited.given, fields=edited.fields, who=who, now=now)


def retry(rows: Rows, exception: int, now: datetime, *, who: str, today: Mapping[str, Flow] | None = None) -> None:
    """Retry what an exception is about: its run (with all that is stuck there; what waits for its time still does), or
    the reading of its delivery.

    Raises NotFound, BellwireError.
    """
    row = still_open(rows, exception)
    if row.run is None:
        assert row.delivery is not None
        deliveries.reopen(rows, row.delivery)
        exceptions.close(rows, exception, ExceptionState.RETRIED, now)
        audit.record(rows, who, "retry", f"exception {exception}", now, f"delivery {row.delivery}")
        return
    _reopen(rows, _at_rest(rows, row.run), now, today, hurry=False)
    exceptions.close_of_run(rows, row.run, ExceptionState.RETRIED, now)
    audit.record(rows, who, "retry", f"exception {exception}", now, f"run {row.run}, {_which(today)}")


def resolve(rows: Rows, exception: int, now: datetime, *, who: str, result: Mapping[str, object], reason: str) -> None:
    """A person did the action: its run goes on with `result` (what the later actions need, e.g. an id).

    Raises NotFound, BellwireError.
    """
    row = still_open(rows, exception)
    if row.run is None or not row.action:
        raise not_about_an_action(row)
    _at_rest(rows, row.run)
    runs.done_by_hand(rows, row.run, row.action, row.item, orjson.dumps(dict(result)).decode(), now)
    exceptions.close(rows, exception, ExceptionState.RESOLVED, now, reason)
    if not exceptions.open_ones(rows, run=row.run, limit=1):
        runs.retry(rows, row.run, now, hurry=False)
    audit.record(rows, who, "resolve", f"exception {exception}", now, f"run {row.run}: {reason}")


def dismiss(rows: Rows, exception: int, now: datetime, *, who: str, reason: str) -> None:
    """Leave it: the run (or delivery) ends as skipped, with this reason. Raises NotFound, BellwireError."""
    row = still_open(rows, exception)
    if row.run is not None:
        runs.give_up(rows, _at_rest(rows, row.run).id, now, reason)
        exceptions.close_of_run(rows, row.run, ExceptionState.DISMISSED, now, reason)
    else:
        assert row.delivery is not None
        deliveries.dismiss(rows, row.delivery, reason)
        exceptions.close(rows, exception, ExceptionState.DISMISSED, now, reason)
    about = f"run {row.run}" if row.run is not None else f"delivery {row.delivery}"
    audit.record(rows, who, "dismiss", f"exception {exception}", now, f"{about}: {reason}")


def assign(rows: Rows, exception: int, assignee: int | None, now: datetime, *, who: str) -> None:
    """Say which person looks after it; None: nobody does. Raises NotFound, BellwireError."""
    still_open(rows, exception)
    person = None if assignee is None else people.find(rows, assignee)
    if assignee is not None and (person is None or person.disabled_at is not None):
        there = ", ".join(f"{each.name} ({each.id})" for each in people.everybody(rows) if each.disabled_at is None)
        raise NotFound(
            f"Nobody who has an account has the number {assignee}.",
            remedy=f"There are: {there}." if there else "Give somebody an account first.",
        )
    exceptions.assign(rows, exception, assignee)
    audit.record(rows, who, "assign", f"exception {exception}", now, f"to {person.name if person else 'nobody'}")


def comment(rows: Rows, exception: int, text: str, now: datetime, *, who: str) -> None:
    """Say something about it, open or closed. Raises NotFound."""
    if exceptions.find(rows, exception) is None:
        raise _no_exception(exception)
    comments.add(rows, exception, who, text, now)
    audit.record(rows, who, "comment", f"exception {exception}", now)


def approve(rows: Rows, number: int, now: datetime, *, who: str, reason: str = "") -> None:
    """Say yes to what a run asked. Raises NotFound, BellwireError."""
    row = _open_ask(rows, number, AskKind.APPROVAL)
    asks.close(rows, number, AskState.APPROVED, now, who=who, reason=reason)
    runs.answer(rows, row.run, row.action, row.item, Outcome.APPROVED, now, sentence=f"{who} said yes.")
    _answered(rows, row, now, who, "approve", reason)


def decline(rows: Rows, number: int, now: datetime, *, who: str, reason: str) -> None:
    """Say no: the action is left out, and those that need it see that. Raises NotFound, BellwireError."""
    row = _open_ask(rows, number, AskKind.APPROVAL)
    asks.close(rows, number, AskState.DECLINED, now, who=who, reason=reason)
    runs.answer(rows, row.run, row.action, row.item, Outcome.SKIPPED, now, sentence=f"{who} said no: {reason}")
    _answered(rows, row, now, who, "decline", reason)


def tick_off(rows: Rows, number: int, now: datetime, *, who: str, result: Mapping[str, object]) -> None:
    """A person has done a to-do: its run goes on with `result` (what the later actions need, e.g. an id). Raises
    NotFound, BellwireError."""
    row = _open_ask(rows, number, AskKind.TODO)
    asks.close(rows, number, AskState.DONE, now, who=who)
    runs.done_by_hand(rows, row.run, row.action, row.item, orjson.dumps(dict(result)).decode(), now)
    _answered(rows, row, now, who, "tick off", "")


def leave_out(rows: Rows, number: int, now: datetime, *, who: str, reason: str) -> None:
    """Nobody is to do a to-do: the action is left out. Raises NotFound, BellwireError."""
    row = _open_ask(rows, number, AskKind.TODO)
    asks.close(rows, number, AskState.LEFT, now, who=who, reason=reason)
    runs.answer(rows, row.run, row.action, row.item, Outcome.SKIPPED, now, sentence=f"{who} left it out: {reason}")
    _answered(rows, row, now, who, "leave out", reason)


def still_asked(rows: Rows, number: int) -> AskRow:
    """The to-do with this number. Raises NotFound, and BellwireError when it isn't open any more."""
    row = asks.find(rows, number)
    if row is None:
        raise NotFound(f"There is no to-do {number}.", remedy="`bellwire todo list` shows them.")
    if row.state is not AskState.OPEN:
        decided = f" by {row.who}" if row.who else ""
        raise BellwireError(f"To-do {number} isn't open any more: it is {row.state.value}{decided}.")
    return row


def _open_ask(rows: Rows, number: int, kind: AskKind) -> AskRow:
    row = still_asked(rows, number)
    if row.kind is not kind:
        wanted = "a yes or a no" if row.kind is AskKind.APPROVAL else "to be done"
        raise BellwireError(f"To-do {number} wants {wanted}.", remedy=f"`bellwire todo show {number}` says how.")
    return row


def _answered(rows: Rows, row: AskRow, now: datetime, who: str, what: str, reason: str) -> None:
    runs.wake(rows, row.run, now)
    detail = f"run {row.run}, {row.action}" + (f": {reason}" if reason else "")
    audit.record(rows, who, what, f"to-do {row.id}", now, detail)


def cancel(rows: Rows, run: int, now: datetime, *, who: str, reason: str) -> None:
    """Give up a run that waits or is dead; what it did stays done. Raises NotFound, BellwireError."""
    row = _run(rows, run)
    if not runs.give_up(rows, run, now, reason):
        raise BellwireError(f"Run {run} is {row.state.value}: only one that waits or is dead can be cancelled.")
    exceptions.close_of_run(rows, run, ExceptionState.DISMISSED, now, reason)
    audit.record(rows, who, "cancel", f"run {run}", now, reason)


def replay(rows: Rows, event: int, flow: str, flow_hash: str, nonce: str, now: datetime, *, who: str) -> int:
    """Run `flow` for an event once more, on purpose: with keys of its own, so that nothing swallows it.

    Returns the run. Raises NotFound, BellwireError.
    """
    row = events.find(rows, event)
    if row is None:
        raise NotFound(f"There is no event {event}.", remedy="`bellwire event list` shows them.")
    if row.purged:
        raise BellwireError(
            f"Event {event} can't be replayed: its data was purged, as it was older than [keep] details of"
            " bellwire.toml.",
            remedy="Do by hand what is missing, or have the sender send it again as something new.",
        )
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
    audit.record(rows, who, "replay", f"event {event}", now, f"flow {flow}, run {run}")
    return run


def send_again(
    rows: Rows, event: int, flows: Sequence[Flow], now: datetime, *, who: str, nonce: str, flow: str = ""
) -> list[int]:
    """`replay` an event with the flow that has this id or name, or with all that listen to it, as they are now. Gives
    the runs. Raises NotFound, BellwireError."""
    row = events.find(rows, event)
    if row is None:
        raise NotFound(f"There is no event {event}.", remedy="`bellwire event list` shows them.")
    chosen = [each for each in flows if flow in (each.id, each.name)] if flow else listening_to(row, flows)
    if flow and not chosen:
        there = ", ".join(each.id for each in flows) or "none yet"
        raise NotFound(f"There is no flow '{flow}'.", remedy=f"There are: {there}.")
    if not chosen:
        raise NotFound(f"No flow listens to {row.connection}.{row.type}.", remedy="Name one with --flow.")
    for each in chosen:
        versions.keep(rows, each.id, each.hash, each.source, now)
    return [replay(rows, event, each.id, each.hash, nonce, now, who=who) for each in chosen]


def listening_to(event: EventRow, flows: Iterable[Flow]) -> list[Flow]:
    """Of these flows, those that an event of this kind begins."""
    return [each for each in flows if (each.connection, each.event_type) == (event.connection, event.type)]


def switch(rows: Rows, flow: str, mode: FlowMode, now: datetime, *, who: str, reason: str) -> None:
    """Have a flow do less than everything, at any time: it holds at once. For live there is `go_live`."""
    assert mode is not FlowMode.LIVE, "nothing goes live unasked"
    modes.decide(rows, flow, mode, reason, now)
    audit.record(rows, who, f"switch {mode.value}", f"flow {flow}", now, reason)


def _no_exception(exception: int) -> NotFound:
    return NotFound(f"There is no exception {exception}.", remedy="`bellwire exception list` shows them.")


def _run(rows: Rows, run: int) -> RunRow:
    row = runs.find(rows, run)
    if row is None:
        raise NotFound(f"There is no run {run}.", remedy="`bellwire run list` shows them.")
    return row


def _at_rest(rows: Rows, run: int) -> RunRow:
    """The run of an open exception. A worker that holds it wouldn't see what is decided about it now."""
    row = _run(rows, run)
    if row.state is RunState.RUNNING:
        raise BellwireError(
            f"Run {run} is still under way with its other actions.", remedy="Do it again in a few seconds."
        )
    return row


def _reopen(rows: Rows, run: RunRow, now: datetime, today: Mapping[str, Flow] | None, *, hurry: bool) -> None:
    flow = None
    if today is not None:
        flow = today.get(run.flow)
        if flow is None:
            raise BellwireError(
                f"The flow '{run.flow}' of run {run.id} isn't there any more.",
                remedy="Retry it with the flow that it began with: leave out --as-now.",
            )
        versions.keep(rows, flow.id, flow.hash, flow.source, now)
    if not runs.retry(rows, run.id, now, flow_hash=flow.hash if flow else "", hurry=hurry):
        raise BellwireError(_why_not(run))


def _why_not(run: RunRow) -> str:
    if run.held_for == runs.ITS_TURN:
        return f"Run {run.id} has to wait until the earlier events of the same subject are done with."
    return f"Run {run.id} is {run.state.value}: there is nothing to retry."


def _which(today: Mapping[str, Flow] | None) -> str:
    return "with the flow it began with" if today is None else "with the flow as it is now"
