"""Deliveries into events, and events into runs: one transaction for each delivery."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from bellwire.connectors.kit import Connection, Normalised
from bellwire.errors import CannotNormalise
from bellwire.events import DICTIONARY, Delivery, Environment, Event, whole_subject
from bellwire.flows import Flow
from bellwire.ledger import DeliveryState, FlowMode, Rows, RunState, deliveries, events, exceptions, polls, runs

log = structlog.get_logger()

_BEHIND = "It waits until what came earlier about the same is done with."

Listeners = Mapping[tuple[str, str], Sequence[Flow]]
"""Connection and event type → the flows that listen."""


@dataclass(frozen=True)
class Problem:
    """Why a delivery can't be read."""

    cause: str
    sentence: str
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Reading:
    """A delivery, read but not yet recorded. `payloads` are the events' data as JSON."""

    delivery: int
    received_at: datetime
    normalised: Normalised
    payloads: tuple[str, ...]
    problem: Problem | None = None

    @property
    def subject(self) -> str | None:
        """What it is about, if that is one thing."""
        subjects = {whole_subject(event.connection, event.subject) for event in self.normalised.events}
        return subjects.pop() if len(subjects) == 1 else None


@dataclass(frozen=True)
class Started:
    """A run that the recording began and this process holds, with all it needs."""

    run: int
    event_id: int
    event: Event
    flow: Flow
    received_at: datetime


def read(number: int, delivery: Delivery, connection: Connection | None) -> Reading:
    """Read a delivery with its connector. Never raises: what can't be read says so."""
    try:
        if connection is None or connection.connector.triggers is None:
            problem = Problem(
                "no-connection",
                f"There is no connection '{delivery.connection}' that takes deliveries any more.",
                "Put it back into connections.toml, then retry; or dismiss this.",
            )
            return Reading(number, delivery.received_at, Normalised(), (), problem)
        normalised = connection.connector.triggers.normalise(delivery, connection)
        payloads = tuple(event.data.model_dump_json() for event in normalised.events)
        return Reading(number, delivery.received_at, normalised, payloads)
    except CannotNormalise as error:
        problem = Problem("unreadable", error.sentence, error.remedy)
    except Exception as error:
        # A connector's bug must not lose a delivery, nor stop the ones behind it.
        log.exception("a delivery could not be read", delivery=number, connection=delivery.connection)
        problem = fault(error)
    return Reading(number, delivery.received_at, Normalised(), (), problem)


def fault(error: Exception) -> Problem:
    """A failure that only a fault in the program explains."""
    return Problem(
        f"bug-{type(error).__name__}",
        "Bellwire could not read this delivery: that is a fault in the program, and the delivery is kept.",
        "Update Bellwire, then retry; or do it by hand and dismiss this.",
        "".join(traceback.format_exception_only(error)).strip(),
    )


def record(
    rows: Rows,
    reading: Reading,
    listeners: Listeners,
    connection: Connection | None,
    *,
    now: datetime,
    holding: bool,
    job: int | None = None,
) -> list[Started]:
    """Write what a delivery means, unless that is written already. Returns the runs that were started and (if
    `holding`) are held by the caller, by the `job` that it has where there is a queue."""
    if reading.problem is not None:
        _bury(rows, reading, reading.problem, connection, now)
        return []
    if reading.normalised.wake and connection is not None:
        polls.wake(rows, connection.name, reading.normalised.wake, now)
    if not reading.normalised.events:
        deliveries.settle(rows, reading.delivery, DeliveryState.SKIPPED, reading.normalised.reason)
        return []
    if not deliveries.settle(rows, reading.delivery, DeliveryState.DONE):
        return []
    started: list[Started] = []
    known = 0
    for event, data in zip(reading.normalised.events, reading.payloads, strict=True):
        event_id = events.record(rows, event, data, delivery=reading.delivery, now=now)
        if event_id is None:
            known += 1
            continue
        listening = listeners.get((event.connection, event.type), ())
        flows = [flow for flow in listening if runs.mode_of(rows, flow.id) is FlowMode.LIVE]
        reason = _why_not(rows, event, connection, listening=bool(listening), live=bool(flows))
        if reason:
            events.skip(rows, event_id, reason)
            continue
        state = RunState.RUNNING if holding else RunState.WAITING
        subject = whole_subject(event.connection, event.subject)
        behind = runs.has_earlier(rows, subject, event_id)
        if behind:
            state = RunState.HELD
        for flow in flows:
            run = runs.start(
                rows,
                event_id,
                flow.id,
                flow.hash,
                subject=subject,
                received_at=reading.received_at,
                now=now,
                state=state,
                reason=_BEHIND if behind else "",
                job=job if state is RunState.RUNNING else None,
            )
            if run is not None and state is RunState.RUNNING:
                started.append(Started(run, event_id, event, flow, reading.received_at))
    if known == len(reading.normalised.events):
        deliveries.explain(rows, reading.delivery, "Everything in it was known already.")
    return started


def _why_not(rows: Rows, event: Event, connection: Connection | None, *, listening: bool, live: bool) -> str:
    """Why an event starts no run; empty when it does."""
    entry = DICTIONARY.get(event.type)
    shows_state = entry is not None and entry.state and event.version is not None
    if shows_state and not events.advance(rows, event):
        return "A later state of it is known already."
    if not live:
        return "The flow that listens to it is switched off." if listening else "No flow listens to it."
    if connection is not None and connection.since is not None and event.time < connection.since:
        return f"It is from before {connection.since:%Y-%m-%d %H:%M} UTC, when this connection went live."
    if event.environment is Environment.PRODUCTION and _is_test(event.data):
        return "It is a test order of a real shop: nothing is sent or booked for it."
    return ""


def _is_test(data: Any) -> bool:
    return bool(getattr(data, "test", False))


def _bury(rows: Rows, reading: Reading, problem: Problem, connection: Connection | None, now: datetime) -> None:
    if deliveries.settle(rows, reading.delivery, DeliveryState.DEAD, problem.sentence):
        exceptions.open_one(
            rows,
            delivery=reading.delivery,
            connection=connection.name if connection else "",
            cause=problem.cause,
            sentence=problem.sentence,
            remedy=problem.remedy,
            detail=problem.detail,
            now=now,
        )
