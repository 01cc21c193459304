"""Which runs an event begins, and which it ends: in the transaction that records it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bellwire.errors import FlowError
from bellwire.events import DICTIONARY, Environment, Event, whole_subject
from bellwire.flows import Ending, Flow, Gathering
from bellwire.ledger import FlowMode, Rows, RunState, endings, events, modes, runs, windows

_BEHIND = "It waits until what came earlier about the same is done with."
_Source = tuple[str, str]
"""Connection and event type."""


@dataclass(frozen=True)
class Listeners:
    """The flows that an event begins, and those whose runs it ends."""

    begun: Mapping[_Source, Sequence[Flow]] = field(default_factory=dict)
    ended: Mapping[_Source, Sequence[tuple[Flow, Ending]]] = field(default_factory=dict)

    @classmethod
    def of(cls, flows: Iterable[Flow]) -> "Listeners":
        begun: dict[_Source, list[Flow]] = {}
        ended: dict[_Source, list[tuple[Flow, Ending]]] = {}
        for flow in flows:
            begun.setdefault((flow.connection, flow.event_type), []).append(flow)
            for ending in flow.ends_on:
                ended.setdefault((ending.connection, ending.event_type), []).append((flow, ending))
        return cls(begun, ended)


@dataclass(frozen=True)
class Fact:
    """An event that has just been recorded, as number `id`."""

    id: int
    event: Event
    received_at: datetime


@dataclass(frozen=True)
class Started:
    """A run that the recording began and this process holds, with all it needs."""

    run: int
    event_id: int
    event: Event
    flow: Flow
    mode: FlowMode
    received_at: datetime


def start(
    rows: Rows,
    fact: Fact,
    listeners: Listeners,
    since: datetime | None,
    *,
    now: datetime,
    holding: bool,
    job: int | None = None,
) -> list[Started]:
    """End the runs that the event ends, and begin those of the flows that listen; or say why none is. `since`: what
    happened before begins none. Returns those that the caller holds, if it is `holding` them, by its `job` if there is
    a queue."""
    event = fact.event
    source = (event.connection, event.type)
    ended = sum(_end(rows, fact, flow, ending, now) for flow, ending in listeners.ended.get(source, ()))
    listening = listeners.begun.get(source, ())
    found = {flow: modes.mode_of(rows, flow.id, event.environment) for flow in listening}
    switched_on = {flow: mode for flow, mode in found.items() if mode is not FlowMode.OFF}
    reason = _why_not(rows, event, since, listening=bool(listening), live=bool(switched_on))
    if reason:
        events.skip(
            rows, fact.id, f"It ended {ended} run{'' if ended == 1 else 's'}, and starts none." if ended else reason
        )
        return []
    state = RunState.RUNNING if holding else RunState.WAITING
    subject = whole_subject(event.connection, event.subject)
    behind = runs.has_earlier(rows, subject, fact.id)
    if behind:
        state = RunState.HELD
    started: list[Started] = []
    for flow, mode in switched_on.items():
        over = _over_already(rows, fact, flow)
        if flow.gather is not None and not over:
            _gather(rows, fact, flow, flow.gather, now)
            continue
        run = runs.start(
            rows,
            fact.id,
            flow.id,
            flow.hash,
            subject=subject,
            received_at=fact.received_at,
            now=now,
            state=RunState.DONE if over else state,
            reason=over or (_BEHIND if behind else ""),
            job=job if state is RunState.RUNNING and not over else None,
        )
        if run is not None and not over:
            _open_to_endings(rows, fact, flow, run)
            if state is RunState.RUNNING:
                started.append(Started(run, fact.id, event, flow, mode, fact.received_at))
    return started


def _gather(rows: Rows, fact: Fact, flow: Flow, gathering: Gathering, now: datetime) -> None:
    """Have the event dealt with by the run of its window; if it is the first, that run waits for the window's end."""
    try:
        key = gathering.key(fact.event)
    except FlowError:
        key = f"event {fact.id}"  # What is wrong shows when its run is carried out.
    run = windows.join(rows, flow.id, key, fact.id, gathering.most)
    if run is not None:
        events.skip(rows, fact.id, f"It is dealt with together with others, in run {run}.")
        return
    closes_at = now + gathering.length
    run = runs.start(
        rows,
        fact.id,
        flow.id,
        flow.hash,
        subject=whole_subject(fact.event.connection, fact.event.subject),
        received_at=fact.received_at,
        now=now,
        state=RunState.WAITING,
        reason=f"It gathers what else comes until {closes_at:%Y-%m-%d %H:%M} UTC.",
        due_at=closes_at,
    )
    if run is not None:
        windows.open_one(rows, flow.id, key, run)
        _open_to_endings(rows, fact, flow, run)


def _open_to_endings(rows: Rows, fact: Fact, flow: Flow, run: int) -> None:
    for ending in flow.ends_on:
        if key := ending.key(fact.event):
            endings.open_to(rows, flow.id, key, fact.id, run, fact.event.time)


def _why_not(rows: Rows, event: Event, since: datetime | None, *, listening: bool, live: bool) -> str:
    """Why an event starts no run; empty when it does."""
    entry = DICTIONARY.get(event.type)
    shows_state = entry is not None and entry.state and event.version is not None
    if shows_state and not events.advance(rows, event):
        return "A later state of it is known already."
    if not live:
        return "The flow that listens to it is switched off." if listening else "No flow listens to it."
    if since is not None and event.time < since:
        return f"It is from before {since:%Y-%m-%d %H:%M} UTC, when this connection went live."
    if event.environment is Environment.PRODUCTION and _is_test(event.data):
        return "It is a test order of a real shop: nothing is sent or booked for it."
    return ""


def _is_test(data: Any) -> bool:
    return bool(getattr(data, "test", False))


def _end(rows: Rows, fact: Fact, flow: Flow, ending: Ending, now: datetime) -> int:
    """End a flow's runs that have something in common with an event. Gives how many."""
    event = fact.event
    key = ending.key_of_later(event)
    if not key:
        return 0
    endings.happened(rows, flow.id, key, fact.id, event.time)
    return endings.end(rows, flow.id, key, fact.id, event.time, now, ended_early(event.type, fact.id))


def _over_already(rows: Rows, fact: Fact, flow: Flow) -> str:
    """Why a run is over before it began; empty when it isn't."""
    for ending in flow.ends_on:
        key = ending.key(fact.event)
        if key and (later := endings.already(rows, flow.id, key, fact.id, fact.event.time)) is not None:
            return ended_early(ending.event_type, later)
    return ""


def ended_early(event_type: str, event: int) -> str:
    """Why a run has nothing more to do."""
    return f"It was ended by {event_type} (event {event})."
