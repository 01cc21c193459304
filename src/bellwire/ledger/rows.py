"""What the ledger gives back."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def stamp(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def unstamp(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def maybe(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else unstamp(microseconds)


def digest(text: str) -> str:
    """In place of what may be personal, where it is enough to tell whether two are the same: 32 hexadecimal
    characters."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class DeliveryState(StrEnum):
    RECEIVED = "received"
    """Durable, still to be turned into events."""
    DONE = "done"
    SKIPPED = "skipped"
    """It means nothing to Bellwire; the reason says why."""
    DEAD = "dead"
    """It can't be read; a person is asked."""


class FlowMode(StrEnum):
    LIVE = "live"
    MANUAL = "manual"
    """Each action is a to-do for a person."""
    SHADOW = "shadow"
    """What would be sent is noted, and nothing is."""
    OFF = "off"
    """Its events are kept, and start nothing."""


class RunState(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"
    """For its time to come."""
    HELD = "held"
    """For something that isn't a time: an earlier event of the same subject, or a connection that is out of order."""
    DONE = "done"
    SKIPPED = "skipped"
    DEAD = "dead"
    """A person is asked."""


class Outcome(StrEnum):
    """Of an attempt. A `skipped` and a `done` one settle their action."""

    STARTED = "started"
    """Sent, or about to be: written beforehand only where a repeat would do harm."""
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    """Nothing happened there."""
    UNKNOWN = "unknown"
    """It may have happened there."""
    BY_HAND = "by hand"
    """A person did it."""
    WAITING = "waiting"
    """Not tried yet: it has a time to wait for."""
    ASKED = "asked"
    """Not tried yet: a person is asked to decide, or to do it."""
    APPROVED = "approved"
    """A person said yes."""
    NOTED = "noted"
    """Not done: what would have been sent is kept."""

    @property
    def settled(self) -> bool:
        return self in (Outcome.DONE, Outcome.SKIPPED, Outcome.BY_HAND, Outcome.NOTED)


class ExceptionState(StrEnum):
    OPEN = "open"
    RETRIED = "retried"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class DeliveryRow:
    id: int
    connection: str
    environment: str
    delivery_id: str
    received_at: datetime
    state: DeliveryState
    reason: str
    copies: int
    """How often it arrived."""


@dataclass(frozen=True)
class EventRow:
    id: int
    delivery: int | None
    connection: str
    environment: str
    type: str
    subject: str
    business_key: str
    time: datetime
    version: datetime | None
    recorded_at: datetime
    reason: str
    """Why it started no run; empty when it did."""
    copies: int
    """How many deliveries told of it."""
    data: str
    """JSON; empty once it has been purged."""

    @property
    def purged(self) -> bool:
        return not self.data


@dataclass(frozen=True)
class RunRow:
    id: int
    event: int
    flow: str
    flow_hash: str
    nonce: str
    """Empty for the run that the event started; a replay has one of its own."""
    state: RunState
    reason: str
    fence: int
    """Grows with each claim: a worker with an older one can't write."""
    interrupted: bool
    """It went on when its ledger came from a release that wrote down no attempt before it was sent: any action that
    isn't settled may have been."""
    created_at: datetime
    received_at: datetime
    due_at: datetime | None
    retried_at: datetime | None
    finished_at: datetime | None
    subject: str = ""
    """Connection and subject of its event: runs of one are carried out in order."""
    held_for: str = ""
    """What a run waits for that is held, or (its time) that waits."""
    ended_by: int | None = None
    """The later event that ended it early, or is to as soon as it isn't going on."""


@dataclass(frozen=True)
class AttemptRow:
    run: int
    action: str
    item: int
    """Which item of `for_each`, from 0; 0 without."""
    number: int
    outcome: Outcome
    started_at: datetime
    finished_at: datetime | None
    next_at: datetime | None = None
    result: str | None = None
    """JSON."""
    cause: str = ""
    sentence: str = ""
    remedy: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Colleague:
    """Somebody who has, or had, an account, as they are called now."""

    id: int
    name: str


@dataclass(frozen=True)
class ExceptionRow:
    id: int
    run: int | None
    delivery: int | None
    flow: str
    action: str
    item: int
    connection: str
    cause: str
    sentence: str
    remedy: str
    detail: str
    opened_at: datetime
    state: ExceptionState
    closed_at: datetime | None
    reason: str
    assignee: Colleague | None = None
    """Who looks after it; None: nobody in particular."""


class AskKind(StrEnum):
    """What a person is asked for."""

    APPROVAL = "approval"
    """A yes or a no."""
    TODO = "to-do"
    """To do it, and to tell what came of it."""


class AskState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    DONE = "done"
    LEFT = "left"
    """Nobody is to do it."""
    WITHDRAWN = "withdrawn"
    """It is no longer asked: the run is over, or nobody answered in time, or it goes on without."""


@dataclass(frozen=True)
class AskRow:
    id: int
    run: int
    flow: str
    action: str
    item: int
    kind: AskKind
    text: str
    """The question, or what is to be done."""
    given: str
    """What the action is given: JSON."""
    asked: str
    """Who is; empty: the flow's owner."""
    asked_at: datetime
    expires_at: datetime | None
    state: AskState
    who: str
    """Who decided."""
    decided_at: datetime | None
    reason: str


class MessageKind(StrEnum):
    """What a message says of its alert."""

    OPENED = "opened"
    REMINDER = "reminder"
    RESOLVED = "resolved"
    TEST = "test"
    """Of no alert: somebody tries whether a channel works."""


@dataclass(frozen=True)
class AlertRow:
    id: int
    topic: str
    """What it is about: one alert of a topic is open at a time."""
    title: str
    text: str
    opened_at: datetime
    told: int
    """How often people were told, or a message was written that is still to be sent."""
    next_at: datetime | None
    """When they are told next, if it is still open then."""
    resolved_at: datetime | None


@dataclass(frozen=True)
class MessageRow:
    id: int
    alert: int | None
    channel: str
    kind: MessageKind
    at: datetime
    """Of the newest attempt to send it."""
    error: str
    """Why it hasn't arrived; empty once it has."""


@dataclass(frozen=True)
class LateRuns:
    flow: str
    count: int


def delivery_row(row: tuple[Any, ...]) -> DeliveryRow:
    return _filled(DeliveryRow, *row[:4], unstamp(row[4]), DeliveryState(row[5]), *row[6:])


def event_row(row: tuple[Any, ...]) -> EventRow:
    return _filled(EventRow, *row[:7], unstamp(row[7]), maybe(row[8]), unstamp(row[9]), *row[10:])


def run_row(row: tuple[Any, ...]) -> RunRow:
    times = unstamp(row[9]), unstamp(row[10]), *map(maybe, row[11:14])
    return _filled(RunRow, *row[:5], RunState(row[5]), row[6], row[7], bool(row[8]), *times, *row[14:])


def attempt_row(row: tuple[Any, ...]) -> AttemptRow:
    return _filled(AttemptRow, *row[:4], Outcome(row[4]), unstamp(row[5]), maybe(row[6]), maybe(row[7]), *row[8:])


def exception_row(row: tuple[Any, ...]) -> ExceptionRow:
    times = unstamp(row[11]), ExceptionState(row[12]), maybe(row[13])
    assignee = None if row[15] is None else Colleague(row[15], row[16])
    return _filled(ExceptionRow, *row[:11], *times, row[14], assignee)


def ask_row(row: tuple[Any, ...]) -> AskRow:
    times = unstamp(row[9]), maybe(row[10])
    return _filled(
        AskRow, *row[:5], AskKind(row[5]), *row[6:9], *times, AskState(row[11]), row[12], maybe(row[13]), row[14]
    )


def alert_row(row: tuple[Any, ...]) -> AlertRow:
    return _filled(AlertRow, *row[:4], unstamp(row[4]), row[5], maybe(row[6]), maybe(row[7]))


def message_row(row: tuple[Any, ...]) -> MessageRow:
    return _filled(MessageRow, *row[:3], MessageKind(row[3]), unstamp(row[4]), row[5])


def _filled(kind: Callable[..., T], *values: Any) -> T:
    return kind(*values)
