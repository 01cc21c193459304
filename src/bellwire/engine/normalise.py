"""Deliveries into events, and events into runs: one transaction for each delivery."""

import traceback
from dataclasses import dataclass
from datetime import datetime

import structlog

from bellwire.connectors.kit import Connection, Normalised
from bellwire.engine.starting import Fact, Listeners, Started, start
from bellwire.engine.watching import Watcher, announce
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, whole_subject
from bellwire.ledger import DeliveryState, Rows, deliveries, events, exceptions, polls

log = structlog.get_logger()


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
    watcher: Watcher | None = None,
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
    since = None if connection is None else connection.since
    for event, data in zip(reading.normalised.events, reading.payloads, strict=True):
        event_id = events.record(rows, event, data, delivery=reading.delivery, now=now)
        if event_id is None:
            known += 1
            continue
        started += start(
            rows,
            Fact(event_id, event, reading.received_at),
            listeners,
            since,
            now=now,
            holding=holding,
            job=job,
        )
        if watcher is not None and watcher.heeds(event):
            made = watcher.note(rows, event, since, now)
            started += announce(rows, made, listeners, now, holding=holding, job=job)
    if known == len(reading.normalised.events):
        deliveries.explain(rows, reading.delivery, "Everything in it was known already.")
    return started


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
