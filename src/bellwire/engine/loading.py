"""What a run needs to go on, out of the ledger: its event, the flow that it is pinned to, its attempts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bellwire.errors import ConfigurationError, FlowError
from bellwire.events import Environment, Event, FreeForm, data_model
from bellwire.flows import Flow, pinned_flow
from bellwire.ledger import AttemptRow, EventRow, FlowMode, Rows, RunRow, events, modes, runs, versions, windows


@dataclass(frozen=True)
class Loaded:
    """A run with all that it needs."""

    run: RunRow
    event: Event
    flow: Flow
    mode: FlowMode
    """Of the flow, now."""
    past: Sequence[AttemptRow]
    """Its attempts so far, in the order they began."""
    gathered: Sequence[Any] = ()
    """The data of the events that came together with its own."""


def load(rows: Rows, run: RunRow) -> Loaded:
    """Raises FlowError when the ledger doesn't have it any more, or has it in a form that can't be read."""
    flow, event = flow_of(rows, run), _event(rows, run)
    mode = modes.mode_of(rows, run.flow, event.environment)
    return Loaded(run, event, flow, mode, runs.attempts(rows, run.id), gathered_by(rows, run, flow))


def gathered_by(rows: Rows, run: RunRow, flow: Flow) -> Sequence[Any]:
    """The data of the events that came together with a run's own. Raises FlowError."""
    if flow.gather is None:
        return ()
    try:
        return [event_of(row).data for row in windows.gathered(rows, run.id)]
    except ValidationError as error:
        raise _unreadable(run.event, str(error)) from error


def flow_of(rows: Rows, run: RunRow) -> Flow:
    """The flow as it was when the run began. Raises FlowError."""
    source = versions.source_of(rows, run.flow, run.flow_hash)
    try:
        if source is not None:
            return pinned_flow(source, run.flow)
        detail = f"no text is kept for {run.flow_hash}"
    except ConfigurationError as error:
        detail = str(error)
    raise FlowError(
        f"The flow '{run.flow}', as it was when this run began, can't be read any more.",
        cause=f"flow-unreadable:{run.flow}",
        remedy="Retry with the flow as it is now: add --as-now to the command.",
        detail=detail,
    )


def _event(rows: Rows, run: RunRow) -> Event:
    row = events.find(rows, run.event)
    try:
        if row is not None:
            return event_of(row)
        detail = f"there is no event {run.event}"
    except ValidationError as error:
        detail = str(error)
    raise _unreadable(run.event, detail)


def _unreadable(event: int, detail: str) -> FlowError:
    return FlowError(
        f"What is kept of event {event}, which this run is about, can't be read.",
        cause="event-unreadable",
        remedy="Update Bellwire, then retry; or do it by hand and dismiss this.",
        detail=detail,
    )


def event_of(row: EventRow) -> Event:
    """The event that a row of the ledger holds; without its data, if that was purged. Raises pydantic's
    ValidationError."""
    return Event(
        type=row.type,
        connection=row.connection,
        environment=Environment(row.environment),
        business_key=row.business_key,
        subject=row.subject,
        time=row.time,
        version=row.version,
        data=FreeForm() if row.purged else data_model(row.type).model_validate_json(row.data),
    )
