"""How far a run has come: what is settled of each of its actions, and what that shows to those that wait for it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bellwire.connectors.kit.exchanges import Exchanges
from bellwire.engine.means import Means
from bellwire.engine.results import from_json
from bellwire.errors import PACED, FlowError
from bellwire.events import Event
from bellwire.flows import SKIPPED, Flow, FlowAction, Foreseen, Scope, scope_for
from bellwire.ledger import AttemptRow, Outcome

_NO_TRIES = (Outcome.WAITING, Outcome.ASKED, Outcome.APPROVED)


@dataclass
class Part:
    """One action of a run, or one item of its `for_each`."""

    action: FlowAction
    item: int = 0
    value: Any = None
    settled: bool = False
    result: Any = None
    dead: bool = False
    tries: int = 0
    """Attempts since the run began or a person retried it; the budget of `retry`."""
    number: int = 0
    """Of the last attempt."""
    last: AttemptRow | None = None
    """The last attempt of earlier turns."""
    ready_at: float | None = None
    """When the next attempt is due, on the loop's clock: nobody sets that one."""
    unsure: bool = False
    """An earlier attempt may have reached the vendor."""
    since: datetime | None = None
    """When the first of those began."""
    wrote: bool = False
    """The attempt that goes on has changed something at the vendor."""
    exchanges: Exchanges | None = None
    """What it asked and was answered."""
    running: bool = False
    waited: bool = False
    """Its time, as the flow says it, was looked up."""
    due: datetime | None = None
    """That time, while it waits for it and for nothing else."""
    asked: bool = False
    """A person is."""
    approved: bool = False
    """A person said yes."""
    shut_out: bool = False
    """Its connection is out of order."""

    def has_written(self) -> None:
        self.wrote = True

    @property
    def open(self) -> bool:
        """Whether an attempt at it is still to be made. If a person is asked, that is once their time is over."""
        answered = not self.asked or self.ready_at is not None
        return answered and not (self.settled or self.dead or self.running)

    def settle(self, result: Any) -> None:
        self.settled, self.result = True, result


class Progress:
    """Of a run that is just beginning; `restore` takes over what earlier turns settled."""

    def __init__(self, means: Means, event: Event, flow: Flow, run: int, gathered: Sequence[Any] = ()) -> None:
        self.flow = flow
        links = means.links.of_run(flow, run)
        self.scope: Scope = scope_for(event, gathered=gathered, business=means.business, links=links)
        """What expressions see by now."""
        self._means = means
        self._parts: dict[str, list[Part]] = {}
        self._spread: set[str] = set()
        """The actions whose `for_each` has been looked at."""
        self._interrupted = False
        """Whatever isn't settled may have been sent: see `RunRow.interrupted`."""

    def restore(self, past: Sequence[AttemptRow], *, interrupted: bool) -> None:
        """Take over from earlier turns; `interrupted` is the run's."""
        self._interrupted = interrupted
        for row in past:
            if row.action not in self.flow.actions:
                continue  # The flow as it is now doesn't have it any more.
            part = self._part(row.action, row.item)
            part.number = max(part.number, row.number)
            part.tries += _counts(row)
            part.last = row
            part.due = row.next_at if row.outcome is Outcome.WAITING else None
            part.waited = part.waited or row.outcome is Outcome.WAITING
            # One that may be repeated at once was taken back.
            part.asked = row.outcome is Outcome.ASKED and not _at_once(row)
            part.approved = part.approved or row.outcome is Outcome.APPROVED
            part.dead = row.outcome in (Outcome.FAILED, Outcome.UNKNOWN) and row.next_at is None
            if row.outcome is Outcome.STARTED or row.outcome is Outcome.UNKNOWN:
                # Who retries what can't be looked up has looked there, and says that it isn't there.
                part.unsure = row.next_at is None or self._means.of(part.action)[1].repeatable
                part.since = part.since or row.started_at
            if row.outcome.settled:
                part.dead = False
                part.settle(self._result(part, row))
        for action in self.flow.actions.values():
            if action.name in self._parts:
                self.conclude(action)

    def parts(self) -> Iterator[Part]:
        """All that are known: of a `for_each`, once it has been looked at."""
        return (part for parts in self._parts.values() for part in parts)

    def open_parts(self) -> Iterator[Part]:
        """Those of which an attempt is still to be made, and can be: what they need is settled."""
        for name, action in self.flow.actions.items():
            if name not in self.scope and action.needs <= self.scope.keys():
                yield from (part for part in self._expanded(action) if part.open)

    def next_due(self) -> datetime | None:
        """The next of the times that the flow says, if all that is left waits for one: nothing needs a person, or is to
        be tried again."""
        times = [part.due for part in self.parts() if not part.settled]
        return None if not times or None in times else min(time for time in times if time is not None)

    def asked(self) -> list[str]:
        """The actions about which people are asked."""
        return list(dict.fromkeys(part.action.name for part in self.parts() if part.asked and not part.settled))

    def asks(self) -> bool:
        """Whether all that is left waits for a person's answer or for its time, and some for an answer."""
        left = [part for part in self.parts() if not part.settled]
        return all(part.asked or part.due for part in left) and any(part.asked for part in left)

    def rests(self) -> bool:
        """Whether all that is left waits for its time or needs a person: nothing is to be tried again."""
        return all(part.asked or part.dead or part.due for part in self.parts() if not part.settled)

    def stuck(self) -> list[str]:
        """The actions that need a person."""
        return [name for name, parts in self._parts.items() if any(part.dead for part in parts)]

    def conclude(self, action: FlowAction) -> None:
        """Once all parts of an action are settled, show its result to those that need it."""
        if not action.needs <= self.scope.keys():
            return
        parts = self._expanded(action)
        if all(part.settled for part in parts):
            results = [part.result for part in parts if part.result is not None]
            self.scope[action.name] = results if action.for_each else results[0] if results else SKIPPED

    def all_settled(self) -> bool:
        return self.flow.actions.keys() <= self.scope.keys()

    def ends_with(self, name: str) -> bool:
        """Whether the run is done once this action's checkpoint is written."""
        left = self.flow.actions.keys() - self.scope.keys()
        return left == {name} and all(part.settled for part in self._parts[name])

    def inputs(self, action: str, item: int) -> dict[str, Any]:
        """What the flow gives an action of a restored run: not validated, and without what can't be worked out."""
        part = self._expanded(self.flow.actions[action])[item]
        found: dict[str, Any] = {}
        for key, value in part.action.given.items():
            with suppress(FlowError):
                found |= replace(part.action, given={key: value}).inputs(self.scope, part.value)
        return found

    def foresee(self, action: str, item: int, result: Any) -> None:
        """Show what an action of a restored run, which was only noted, gives if it is done."""
        self._part(action, item).settle(result)
        self.conclude(self.flow.actions[action])

    def could(self, action: str, known: Scope) -> bool:
        """Whether an action of a restored run could be given what its flow says, if `known` were the results of others.
        True when that can't be told yet."""
        found, scope = self.flow.actions[action], {**self.scope, **known}
        if not found.needs <= scope.keys() or found.for_each:
            return True
        try:
            if found.wanted(scope) and found.connection:
                operation = self._means.of(found)[1].operation
                operation.given.model_validate(found.inputs(scope), from_attributes=True)
        except (FlowError, ValidationError):
            return False
        return True

    def _result(self, part: Part, row: AttemptRow) -> Any:
        if row.outcome is Outcome.SKIPPED:
            return None
        if row.outcome is Outcome.NOTED:
            return Foreseen(part.action.name)
        kind = part.action.own_result or self._means.of(part.action)[1].operation.result
        return from_json(kind, row.result, by_hand=row.outcome is Outcome.BY_HAND)

    def _expanded(self, action: FlowAction) -> list[Part]:
        """The parts of an action whose needs are settled; for `for_each`, made when it is first asked for."""
        if not action.for_each:
            return self._parts.get(action.name) or [self._part(action.name, 0)]
        if action.name in self._spread:
            return self._parts[action.name]
        self._spread.add(action.name)
        try:
            values = action.items(self.scope) if action.wanted(self.scope) else []
        except FlowError:
            values = []  # The attempt itself meets it again, and says so.
        for index, value in enumerate(values):
            self._part(action.name, index).value = value
        self._part(action.name, 0)
        return self._parts[action.name]

    def _part(self, name: str, item: int) -> Part:
        parts = self._parts.setdefault(name, [])
        while len(parts) <= item:
            parts.append(Part(self.flow.actions[name], len(parts), unsure=self._interrupted))
        return parts[item]


def _counts(attempt: AttemptRow) -> bool:
    """Whether it used up one of the retries. One that may be repeated at once ended because its connection is out of
    order, or a person has it tried again."""
    return attempt.cause != PACED and attempt.outcome not in _NO_TRIES and not _at_once(attempt)


def _at_once(attempt: AttemptRow) -> bool:
    return attempt.next_at is not None and attempt.next_at == attempt.finished_at
