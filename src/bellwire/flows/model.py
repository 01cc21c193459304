"""A flow: immutable, compiled, ready to be run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bellwire.capabilities import Result
from bellwire.errors import FlowError
from bellwire.events import OWN, Event, whole_subject
from bellwire.flows.document import Key
from bellwire.flows.expressions import Expression
from bellwire.flows.fields import read_field
from bellwire.flows.own import Emitted, Waited
from bellwire.flows.schedule import Schedule
from bellwire.flows.scope import Foreseen, Scope, Skipped, scope_for


class Retry(BaseModel):
    """How long an action is tried while its vendor is unwell. Waits double from `first` up to `longest`."""

    model_config = ConfigDict(frozen=True)

    attempts: int = Field(default=18, ge=1, le=100)
    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(hours=12)


class Owner(BaseModel):
    """Who is told when the flow fails."""

    model_config = ConfigDict(frozen=True)

    name: str
    contact: str = ""


class Success(BaseModel):
    """What the owner calls good: runs done `within` a time, and at most `error_rate` of them (a fraction) failing."""

    model_config = ConfigDict(frozen=True)

    within: timedelta | None = None
    error_rate: Decimal | None = None


@dataclass(frozen=True)
class Value:
    """A part of `with`: a literal, an Expression, or a mapping or list of Values."""

    content: Any
    line: int

    def __call__(self, scope: Scope) -> Any:
        content = self.content
        if isinstance(content, Expression):
            return content(scope)
        if isinstance(content, dict):
            return _without_skipped(content, scope)
        return [value(scope) for value in content] if isinstance(content, list) else content


def _without_skipped(values: Mapping[Key, Value], scope: Scope) -> dict[str, Any]:
    pairs = ((str(key), value(scope)) for key, value in values.items())
    return {key: value for key, value in pairs if not isinstance(value, Skipped)}


@dataclass(frozen=True)
class Ending:
    """A later event that ends a run which still waits: one about the same subject, or with the `same` field."""

    connection: str
    event_type: str
    same: str
    """A field of the data of the event that began the run, such as `invoice_id`; empty: their subjects are compared."""
    called: str
    """What the later event calls that field: `same` again, unless the flow says otherwise."""
    line: int

    def key(self, event: Event) -> str:
        """What an event that begins a run has in common with one that ends it; empty when it doesn't say."""
        return self._key(event, self.same)

    def key_of_later(self, event: Event) -> str:
        """The same of the later event."""
        return self._key(event, self.called)

    def _key(self, event: Event, field: str) -> str:
        if not field:
            return whole_subject(event.connection, event.subject)
        found = event.data
        for name in field.split("."):
            found = read_field(found, name, None)
        return "" if found is None or found == "" else f"{self.same}={found}"


@dataclass(frozen=True, eq=False)
class Gathering:
    """A window in which events come together in one run: it begins with the first."""

    length: timedelta
    by: Expression | None
    """What the events of one window have in common; None: nothing but their type."""
    most: int
    """So many at most."""

    def key(self, event: Event) -> str:
        """Raises FlowError."""
        return "" if self.by is None else str(self.by(scope_for(event)))


@dataclass(frozen=True, eq=False)
class Approval:
    """A person's yes, before an action is done."""

    question: Value
    condition: Expression | bool
    """When it is needed."""
    by: str
    """Who is asked."""
    within: timedelta
    """How long they have; after that the run needs a person."""

    def needed(self, scope: Scope) -> bool:
        """Raises FlowError."""
        return self.condition if isinstance(self.condition, bool) else bool(self.condition(scope))

    def text(self, scope: Scope) -> str:
        """The question. Raises FlowError."""
        return str(self.question(scope))


@dataclass(frozen=True, eq=False)
class FlowAction:
    """One step of a flow."""

    name: str
    connection: str
    """Empty when it asks nobody for anything: it only waits, or emits an event."""
    operation_name: str
    emits: str
    """The type of the event that it makes; empty when it does something else."""
    wait: timedelta | None
    """How long it waits once what it needs is settled."""
    wait_until: Expression | None
    approval: Approval | None
    needs: frozenset[str]
    """The actions that have to be finished before: named in `needs`, or referred to."""
    retry: Retry
    otherwise: str
    """Why it is skipped, when it isn't wanted: a sentence for the desk."""
    condition: Expression | bool
    each: Expression | None
    given: Mapping[Key, Value]
    lines: Mapping[str, int]
    """Where its keys' values stand; `""` for the action itself."""

    @property
    def for_each(self) -> bool:
        """Whether it is done once for each of its `items`."""
        return self.each is not None

    @property
    def own_result(self) -> type[Result] | None:
        """What it gives if it asks no connection for anything."""
        if self.emits:
            return Emitted
        return None if self.connection else Waited

    @property
    def waits(self) -> bool:
        """Whether it has a time to wait for."""
        return self.wait is not None or self.wait_until is not None

    def due(self, scope: Scope, now: datetime) -> datetime | None:
        """Until when it waits, if what it needs is settled `now`; None: it doesn't. Raises FlowError when
        `wait_until` isn't a time."""
        if self.wait is not None:
            return now + self.wait
        found = self.wait_until(scope) if self.wait_until is not None else None
        if found is None or isinstance(found, Skipped | Foreseen):
            return None
        if not isinstance(found, datetime) or found.tzinfo is None:
            assert self.wait_until is not None
            place = self.wait_until.place
            raise FlowError(
                f"{place.owner}: `wait_until: {self.wait_until.source}` isn't a time.",
                cause="expression",
                remedy=f"Name a time, such as event.start, in {place.path}, line {place.line}.",
            )
        return found.astimezone(UTC)

    def wanted(self, scope: Scope) -> bool:
        """Whether its `if` holds; without one it always does. Raises FlowError."""
        return self.condition if isinstance(self.condition, bool) else bool(self.condition(scope))

    def items(self, scope: Scope) -> list[Any]:
        """What its `for_each` goes over. Raises FlowError when that isn't a list."""
        if self.each is None:
            return []
        found = self.each(scope)
        if isinstance(found, Skipped):
            return []
        if isinstance(found, Foreseen):
            return [*found]
        if not isinstance(found, list | tuple):
            raise FlowError(
                f"{self.each.place.owner}: `for_each: {self.each.source}` isn't a list.",
                cause="expression",
                remedy=f"Name a list, such as event.lines, in {self.each.place.path}, line {self.each.place.line}.",
            )
        return list(found)

    def inputs(self, scope: Scope, item: Any = None) -> dict[str, Any]:
        """Its `with` for this run (and, with `for_each`, this item): not validated yet, and without what came from a
        skipped action. Raises FlowError."""
        return _without_skipped(self.given, {**scope, "item": item} if self.each is not None else scope)


@dataclass(frozen=True, eq=False)
class Flow:
    """A flow file. Two flows with the same `hash` were read from the same text."""

    name: str
    id: str
    """The file's name without its ending."""
    connection: str
    event_type: str
    schedule: Schedule | None
    """For one that begins by the clock; then `event_type` is of its own."""
    gather: Gathering | None
    ends_on: tuple[Ending, ...]
    owner: Owner | None
    success: Success | None
    manual_minutes: Decimal | None
    """What a person spent on each event before."""
    actions: Mapping[str, FlowAction]
    """By name, each after those it needs, otherwise as in the file."""
    hash: str
    """Of the text: SHA-256, 12 hexadecimal characters."""
    source: str = field(repr=False)
    path: Path | None
    lines: Mapping[str, int] = field(repr=False)
    """Where its keys stand."""

    @property
    def connections(self) -> frozenset[str]:
        """What it works with: what it begins with, and what its actions ask."""
        used = {self.connection, *(action.connection for action in self.actions.values())}
        return frozenset(used - {OWN, ""})

    @property
    def trigger(self) -> str:
        return self.schedule.in_words() if self.schedule else f"{self.connection}.{self.event_type}"
