"""A flow in shadow beside the people who do its work: what it would have sent, against what is there.

Looked for by what people know a thing by, and only read. What nobody knows it by (a chat message, a note) can't be.
What builds on another action's result is filled in with what was found of that: the payment of an invoice that somebody
made is looked for by that invoice.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from bellwire.capabilities import Effect, Given, Operation, Result
from bellwire.connectors.kit import Action, Call, Connection, Seen, only_looking
from bellwire.engine.loading import Loaded, load
from bellwire.engine.means import Means
from bellwire.engine.progress import Progress
from bellwire.engine.sending import holds_foreseen
from bellwire.errors import BellwireError, FlowError
from bellwire.events import OWN
from bellwire.ledger import AttemptRow, EventRow, Rows, RunRow, events, runs

_NO_KEY = "0" * 32
"""Nothing that is made has it."""


class Verdict(StrEnum):
    SAME = "same"
    """It is there, as Bellwire would have done it, in all that can be compared."""
    DIFFERS = "differs"
    MISSING = "missing"
    """Nothing of it is there (yet)."""
    UNKNOWN = "unknown"
    """It can't be looked for; the reason says why."""


@dataclass(frozen=True)
class Noted:
    """What an action of a run in shadow would have sent."""

    run: RunRow
    attempt: AttemptRow
    event: EventRow
    loaded: Loaded | None
    """The whole run, with its flow as it was then; None when that can't be read any more."""


@dataclass(frozen=True)
class Comparison:
    noted: Noted
    meaning: str
    """What the action does: `Create the invoice in the books`."""
    verdict: Verdict
    seen: Seen | None = None
    reason: str = ""

    @property
    def told(self) -> str:
        """In words."""
        if self.seen is None:
            return self.reason or "Not found: nobody has done it yet, or not under this number or address."
        apart = [each for each in self.seen.compared if not each.same]
        if apart:
            said = ", ".join(
                f"{each.name} {each.theirs or 'nothing'} (Bellwire would have sent {each.ours})" for each in apart
            )
            return f"{self.seen.label} is there, but differs: {said}."
        alike = ", ".join(f"{each.name} {each.theirs}" for each in self.seen.compared)
        return f"{self.seen.label} is there" + (f", with the same: {alike}." if alike else ".")


def all_noted(rows: Rows, flow: str, since: datetime, *, limit: int) -> list[Noted]:
    """What a flow's newest runs in shadow would have sent, `since` a time, the newest first; of each run in the order
    in which it was noted."""
    found, loaded = [], dict[int, Loaded | None]()
    for run, attempt in runs.noted(rows, flow, since, limit=limit):
        event = events.find(rows, run.event)
        assert event is not None, f"run {run.id} has lost its event"
        if run.id not in loaded:
            loaded[run.id] = _loaded(rows, run)
        found.append(Noted(run, attempt, event, loaded[run.id]))
    return found


async def compare(means: Means, noted: list[Noted]) -> AsyncIterator[Comparison]:
    """Each as soon as its vendor has answered; one after the other, so that it is in nobody's way."""
    of_runs = {each.run.id: _Findings(means) for each in noted}
    for each in noted:
        yield await _compare(means, each, of_runs[each.run.id])


def _loaded(rows: Rows, run: RunRow) -> Loaded | None:
    try:
        return load(rows, run)
    except BellwireError:
        return None


@dataclass
class _Findings:
    """What a run's actions would have given, by action and item, as it was found."""

    means: Means
    results: dict[tuple[str, int], Result] = field(default_factory=dict)

    def given(self, noted: Noted, loaded: Loaded, operation: Operation) -> Given | None:
        """What the action would be given, after these results; None: it wouldn't be done. Raises FlowError when it
        builds on what wasn't found, pydantic's ValidationError when it doesn't fit."""
        attempt, event = noted.attempt, loaded.event
        progress = Progress(self.means, event, loaded.flow, loaded.run.id, loaded.gathered)
        progress.restore(loaded.past, interrupted=False)
        for (action, item), result in self.results.items():
            progress.foresee(action, item, result)
        if not loaded.flow.actions[attempt.action].wanted(progress.scope):
            return None
        inputs = progress.inputs(attempt.action, attempt.item)
        if holds_foreseen(inputs):
            raise FlowError("It builds on what another action would have given, and that wasn't found.")
        return operation.given.model_validate(inputs, from_attributes=True)


async def _compare(means: Means, noted: Noted, findings: _Findings) -> Comparison:
    action = noted.loaded.flow.actions.get(noted.attempt.action) if noted.loaded else None
    if action is None or noted.loaded is None:
        return Comparison(noted, "", Verdict.UNKNOWN, reason="The flow of this run can't be read any more.")
    if not action.connection:
        return Comparison(noted, f"Tell of {action.emits}", Verdict.UNKNOWN, reason="It is an event of Bellwire's own.")
    try:
        connection, act = means.of(action)
        return await _look(connection, act, noted, noted.loaded, findings)
    except BellwireError as error:
        return Comparison(noted, action.operation_name, Verdict.UNKNOWN, reason=str(error))


async def _look(connection: Connection, act: Action, noted: Noted, loaded: Loaded, findings: _Findings) -> Comparison:
    def unknown(reason: str) -> Comparison:
        return Comparison(noted, act.operation.meaning, Verdict.UNKNOWN, reason=reason)

    given, reads = noted.attempt.result, act.operation.effect is Effect.NOTHING
    if act.look is None and not reads:
        return unknown(f"{connection.manifest.title} has nothing that this could be found by.")
    if given is None:
        return unknown("Its values have been purged.")
    if connection.environment.value != noted.event.environment and connection.name != OWN:
        return unknown(f"It came from {noted.event.environment}, and '{connection.name}' is another account by now.")
    try:
        if "‹" in given:
            wanted = findings.given(noted, loaded, act.operation)
        else:
            wanted = act.operation.given.model_validate_json(given)
    except ValidationError:
        return unknown("Its values aren't in a form that this Bellwire knows.")
    if wanted is None:
        return unknown("By what was found of the others, it wouldn't have been done.")
    part = noted.attempt.action, noted.attempt.item
    call = Call(connection, findings.means.crosswalk, findings.means.clock, _NO_KEY, since=noted.run.created_at)
    with only_looking():
        if act.look is None:
            findings.results[part] = await act(call, wanted)
            return unknown("It only reads: there is nothing to compare.")
        seen = await act.look(call, wanted)
    if seen is None:
        return Comparison(noted, act.operation.meaning, Verdict.MISSING)
    if seen.result is not None:
        findings.results[part] = seen.result
    same = all(each.same for each in seen.compared)
    return Comparison(noted, act.operation.meaning, Verdict.SAME if same else Verdict.DIFFERS, seen)
