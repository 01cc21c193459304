"""A flow in shadow beside the people who do its work: what it would have sent, against what is there.

Looked for by what people know a thing by, and only read. What nobody knows it by (a chat message, a note) can't be.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from bellwire.connectors.kit import Action, Call, Connection, Seen, only_looking
from bellwire.engine.loading import flow_of
from bellwire.engine.means import Means
from bellwire.errors import BellwireError
from bellwire.flows import Flow
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
    flow: Flow | None
    """As it was when the run began; None when that can't be read any more."""


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
    """What a flow's newest runs in shadow would have sent, `since` a time, the newest first."""
    found = []
    for run, attempt in runs.noted(rows, flow, since, limit=limit):
        event = events.find(rows, run.event)
        assert event is not None, f"run {run.id} has lost its event"
        found.append(Noted(run, attempt, event, _flow(rows, run)))
    return found


async def compare(means: Means, noted: list[Noted]) -> AsyncIterator[Comparison]:
    """Each as soon as its vendor has answered; one after the other, so that it is in nobody's way."""
    for each in noted:
        yield await _compare(means, each)


def _flow(rows: Rows, run: RunRow) -> Flow | None:
    try:
        return flow_of(rows, run)
    except BellwireError:
        return None


async def _compare(means: Means, noted: Noted) -> Comparison:
    action = noted.flow.actions.get(noted.attempt.action) if noted.flow else None
    if action is None:
        return Comparison(noted, "", Verdict.UNKNOWN, reason="The flow of this run can't be read any more.")
    if not action.connection:
        return Comparison(noted, f"Tell of {action.emits}", Verdict.UNKNOWN, reason="It is an event of Bellwire's own.")
    try:
        connection, act = means.of(action)
        return await _look(means, connection, act, noted)
    except BellwireError as error:
        return Comparison(noted, action.operation_name, Verdict.UNKNOWN, reason=str(error))


async def _look(means: Means, connection: Connection, act: Action, noted: Noted) -> Comparison:
    def unknown(reason: str) -> Comparison:
        return Comparison(noted, act.operation.meaning, Verdict.UNKNOWN, reason=reason)

    given = noted.attempt.result
    if act.look is None:
        return unknown(f"{connection.manifest.title} has nothing that this could be found by.")
    if given is None:
        return unknown("Its values have been purged.")
    if connection.environment.value != noted.event.environment:
        return unknown(f"It came from {noted.event.environment}, and '{connection.name}' is another account by now.")
    if "‹" in given:
        return unknown("It builds on what another action would have given.")
    try:
        wanted = act.operation.given.model_validate_json(given)
    except ValidationError:
        return unknown("Its values aren't in a form that this Bellwire knows.")
    call = Call(connection, means.crosswalk, means.clock, _NO_KEY, since=noted.run.created_at)
    with only_looking():
        seen = await act.look(call, wanted)
    if seen is None:
        return Comparison(noted, act.operation.meaning, Verdict.MISSING)
    same = all(each.same for each in seen.compared)
    return Comparison(noted, act.operation.meaning, Verdict.SAME if same else Verdict.DIFFERS, seen)
