"""Sends the ten records through a running system, one after the other, and compares."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Generic, TypeVar

import orjson

from bellwire.capabilities import Effect, Operation
from bellwire.engine import retry
from bellwire.flows import Flow, FlowAction, operation_for
from bellwire.ledger import (
    AttemptRow,
    ExceptionRow,
    Outcome,
    Rows,
    RunRow,
    RunState,
    deliveries,
    events,
    exceptions,
    runs,
)
from bellwire.practice.driving import Answer
from bellwire.practice.faults import FaultKind
from bellwire.practice.pilot.kinds import Happened, Kind, Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, Retried, Stuck, Tried, equal
from bellwire.practice.roles import Purchasing
from bellwire.practice.stage import Stage

R = TypeVar("R", bound=Record)

_STEPS = 200
"""So many times and questions may a record wait for; more is a flow that goes on for ever."""
_APART = timedelta(minutes=1)
"""Between two records, as far as the simulated vendors' limits go: that many orders in a few seconds come to nobody."""


class Hurried(Random):
    """Jitter that always falls near its least: on simulated vendors nobody has to be waited for."""

    def random(self) -> float:
        return 0.01


@dataclass(frozen=True)
class _Trace:
    """What the ledger says about one record."""

    runs: Sequence[RunRow]
    attempts: Sequence[AttemptRow]
    """Of the first run."""
    stuck: Sequence[ExceptionRow]
    untried: Sequence[ExceptionRow]
    """What a real account couldn't do, because it doesn't know what was made up in its name."""
    copies: int
    """How many deliveries told of it."""
    reason: str
    """Why there is no run."""

    @property
    def took(self) -> timedelta | None:
        """From the arrival to the end, without what the flow says to wait; None: it isn't at its end."""
        run = self.runs[0] if self.runs else None
        if run is None or run.finished_at is None:
            return None
        waits = [
            (each.finished_at, min(each.next_at, run.finished_at))
            for each in self.attempts
            if each.outcome is Outcome.WAITING and each.next_at and each.finished_at
        ]
        return run.finished_at - run.received_at - _together(waits)


@dataclass
class Trial(Generic[R]):
    """The records of one pilot. `run` it once."""

    flow: Flow
    kind: Kind[R]
    stage: Stage
    vendors: Vendors
    """The simulated ones. When the accounts are real, the only one is that which makes the webhooks."""
    simulated: bool = True
    """Whether all vendors are. Real accounts can't be looked into, and time doesn't pass for them."""
    _operations: Mapping[str, Operation] = field(init=False)
    """Of each action that does something."""
    _usual: frozenset[str] = field(default=frozenset(), init=False)
    """The actions that the first record, an ordinary one, came to."""
    _before: int = field(default=0, init=False)
    """The newest delivery of the time before the record that is tried."""

    def __post_init__(self) -> None:
        self._operations = {
            name: operation_for(action, self.stage.connections[action.connection].connector)
            for name, action in self.flow.actions.items()
            if action.connection
        }

    async def run(self, records: Sequence[R]) -> AsyncIterator[Tried]:
        """Each record as it ends. Raises aiohttp.ClientError when the intake can't be reached."""
        if self.simulated:
            for buying in self.vendors.all_as(Purchasing):  # type: ignore[type-abstract]
                buying.go_by(self.stage.clock)  # The flow gathers for a while, and then looks what was made since.
            self.kind.begin(self.stage, self.vendors)
        for record in records:
            yield await self._try(record)
            if self.simulated:
                self.stage.recover(_APART)

    async def _try(self, record: R) -> Tried:
        before, made = self.kind.state(self.vendors), self.vendors.made()
        newest = await self.stage.ledger.read(lambda rows: deliveries.newest(rows, limit=1))
        self._before = newest[0].id if newest else 0
        about, trouble = record.about, dict[FaultKind, str]()
        if record.in_trouble and self.simulated and (actions := self._troubled()):
            trouble = self.vendors.make_trouble(record.mark, actions)
        happened = self.kind.happen(self.vendors, record)
        answers = await self._sent(record, happened)
        if refused := [answer for answer in answers if not answer.taken]:
            wrong = equal("Taken in", "answered 200", str(refused[0]))
            return Tried(record.position, record.name, about, [wrong], None)
        ended = await self._ended(record, happened, answers)
        trace = await self._trace(answers)
        if record.position == 1:
            self._usual = frozenset(a.action for a in trace.attempts if a.outcome is Outcome.DONE)
        checks = [self._end(record, trace, ended=ended), *self._repeats(record, trace)]
        if trouble:
            met = self.vendors.end_trouble()
            about += "".join(f"{', while' if at == 0 else ' and'} {trouble[kind]}" for at, kind in enumerate(met))
            checks += self._trouble(met)
        tried = self._told(record, about, trace)
        if self.simulated:
            if trace.stuck and checks[0].held:
                checks.append(await self._mend(record, trace.stuck[0], answers))
                trace = await self._trace(answers)
            checks += self.kind.checks(record, happened, self.vendors, self._wanted(trace), before)
            checks += self._made(trace, made)
        return replace(tried, checks=checks)

    async def _sent(self, record: R, happened: Happened) -> list[Answer]:
        """A sender that gets no answer repeats the delivery; one that is unsure makes a new one of the same fact."""
        source, copies = self.flow.connection, record.copies
        if happened.tell is None:
            for _ in range(copies):
                await self.stage.look_at(source)
            return []
        answers = await self.stage.send_often(source, happened.tell(), max(1, copies - 1))
        return answers if copies == 1 else [*answers, await self.stage.send(source, happened.tell())]

    async def _ended(self, record: R, happened: Happened, answers: Sequence[Answer]) -> bool:
        """Whether all came to rest: questions are answered, and time passes, until nothing waits any more."""
        later = happened.later
        try:
            await self.stage.settle()
            if self.simulated and not (await self._trace(answers)).runs:
                await self.stage.look_up()  # Some webhooks say that something changed, and no more.
            for _ in range(_STEPS):
                await self.stage.settle()
                due = await self.stage.next_due()
                if questions := await self.stage.asked():
                    await self.stage.answer(questions[0], yes=record.yes, who="the pilot", reason="It is a pilot.")
                elif due is None or not self.simulated:
                    return True
                elif later is not None:
                    for connection, webhook in later():
                        await self.stage.send(connection, webhook)
                    later = None
                else:
                    self.stage.go_on_to(due)
        except TimeoutError:
            pass
        return False

    async def _trace(self, answers: Sequence[Answer]) -> _Trace:
        numbers = list(dict.fromkeys(answer.delivery for answer in answers))

        def query(rows: Rows) -> _Trace:
            arrived = [row for number in numbers if (row := deliveries.find(rows, number))]
            brought = deliveries.newest(rows, limit=_STEPS, connection=self.flow.connection)
            told = arrived + [row for row in brought if row.id > self._before and row.id not in numbers]
            heard = [event for row in told for event in events.of_delivery(rows, row.id)]
            heard = [event for event in heard if event.type == self.flow.event_type]
            started = [run for event in heard for run in runs.of_event(rows, event.id)]
            open_ones = [each for run in started for each in exceptions.open_ones(rows, run=run.id)]
            strange = "" if self.simulated else self.flow.connection
            return _Trace(
                started,
                runs.attempts(rows, started[0].id) if started else (),
                [each for each in open_ones if each.connection != strange],
                [each for each in open_ones if each.connection == strange],
                sum(row.copies for row in arrived),
                next(filter(None, [*(each.reason for each in heard), *(each.reason for each in arrived)]), ""),
            )

        return await self.stage.ledger.read(query)

    def _told(self, record: R, about: str, trace: _Trace) -> Tried:
        failed = (Outcome.FAILED, Outcome.UNKNOWN)
        return Tried(
            record.position,
            record.name,
            about,
            (),
            trace.took,
            [
                Retried(a.action, self._title(a.action), a.sentence)
                for a in trace.attempts
                if a.next_at is not None and a.outcome in failed
            ],
            [Stuck(each.action, each.sentence, each.remedy) for each in trace.stuck],
            [
                *((a.action, a.sentence) for a in trace.attempts if a.outcome is Outcome.SKIPPED),
                *((each.action, f"'{each.connection}' doesn't know this made-up record.") for each in trace.untried),
            ],
        )

    # How it ended

    def _end(self, record: R, trace: _Trace, *, ended: bool) -> Check:
        source = self.flow.connection
        if not trace.runs:
            return Check("The run", "done", f"no run: {trace.reason or f'{source} sent no such event'}", held=False)
        if not ended:
            return Check("The run", "done", f"not at its end after {self.stage.patience:.0f} s", held=False)
        if self._asks(record, trace):
            return self._question(record.unknown, trace)
        if trace.untried and not trace.stuck:
            return Check("The run", f"done, but for the {source}", f"done, but for the {source}", held=True)
        run = trace.runs[0]
        if not self.simulated and run.state is RunState.WAITING:
            return Check("The run", "done, but for what waits", "done, but for what waits", held=True)
        actions = " and ".join(dict.fromkeys(each.action for each in trace.stuck))
        found = f"stuck at {actions}" if actions else run.state.value
        return Check("The run", "done", found, run.state is RunState.DONE)

    def _asks(self, record: R, trace: _Trace) -> bool:
        """Whether a person has to be asked about what isn't known. Real accounts may know it after all."""
        return bool(record.unknown and self.kind.asks(record, self._wanted(trace)) and (self.simulated or trace.stuck))

    def _question(self, unknown: str, trace: _Trace) -> Check:
        """One exception that names what isn't known and says what to do; and all that doesn't wait for it is done."""
        expected = f"one exception that names {unknown} and what to do, all else done"
        if len(trace.stuck) != 1:
            found = f"{len(trace.stuck)} exceptions" if trace.stuck else trace.runs[0].state.value
            return Check("The run", expected, found, held=False)
        (first,) = trace.stuck
        undone = self._undone(trace) - self._waiting_for({each.action for each in (first, *trace.untried)})
        plain = unknown in first.sentence and bool(first.remedy)
        found = f"not done: {', '.join(sorted(undone))}" if undone else "an exception that names neither"
        return Check("The run", expected, "as expected" if plain and not undone else found, plain and not undone)

    def _undone(self, trace: _Trace) -> set[str]:
        return set(self.flow.actions) - {attempt.action for attempt in trace.attempts if attempt.outcome.settled}

    def _waiting_for(self, stuck: set[str]) -> set[str]:
        """The stuck actions, and all that need them."""
        waiting = set(stuck)
        for name, action in self.flow.actions.items():
            if action.needs & waiting:
                waiting.add(name)
        return waiting

    def _repeats(self, record: R, trace: _Trace) -> list[Check]:
        if record.copies == 1:
            return []
        run = "one run" if len(trace.runs) == 1 else f"{len(trace.runs)} runs"
        if not trace.copies:
            return [equal("Repeats", "one run", run)]
        return [equal("Repeats", f"{record.copies} deliveries, one run", f"{trace.copies} deliveries, {run}")]

    def _trouble(self, met: Sequence[FaultKind]) -> list[Check]:
        """All that was made has to have been met, unless the flow may have left out what would have."""
        certain = all(action.condition is True for action, _ in self._troubled()[:2])
        expected = sorted((FaultKind.FAILED.value, FaultKind.LOST_ANSWER.value)) if certain else sorted(met)
        if not expected:
            return []
        return [equal("Trouble that was made", " and ".join(expected), " and ".join(sorted(met)) or "none")]

    async def _mend(self, record: R, stuck: ExceptionRow, answers: Sequence[Answer]) -> Check:
        what, expected = "After it is mended and retried", "done"
        if wrong := await self.kind.mend(self.stage, self.vendors, record, stuck):
            return Check(what, expected, wrong, held=False)
        now = self.stage.clock()
        await self.stage.ledger.write(lambda rows: retry(rows, stuck.id, now, who="the pilot"))
        await self.stage.settle()
        after = await self._trace(answers)
        return equal(what, expected, "; ".join(e.sentence for e in after.stuck) or after.runs[0].state.value)

    def _made(self, trace: _Trace, before: Mapping[tuple[str, str], frozenset[str]]) -> Iterator[Check]:
        """What the run says it made stands there, once, and nothing else does."""
        after, done = self.vendors.made(), [a for a in trace.attempts if a.outcome is Outcome.DONE and a.result]
        makers: dict[tuple[str, str], set[str]] = {}
        for name, operation in self._operations.items():
            if str(operation) not in self.kind.covers:
                makers.setdefault((self.flow.actions[name].connection, str(operation)), set()).add(name)
        for place, names in makers.items():
            if place not in after:
                continue
            said = {str(orjson.loads(a.result or "")["id"]) for a in done if a.action in names} - before[place]
            new = after[place] - before[place]
            found = _count(len(new)) + ("" if said == new else f", where the run says {_count(len(said))}")
            yield Check(self._operations[min(names)].meaning, _count(len(said)), found, said == new)

    # What the flow does

    def _wanted(self, trace: _Trace) -> Wanted:
        done: dict[str, set[int]] = {}
        skipped: set[str] = set()
        for attempt in trace.attempts:
            if attempt.outcome is Outcome.SKIPPED:
                skipped.add(attempt.action)
            else:
                done.setdefault(attempt.action, set()).add(attempt.item)
        times = {name: 0 if name in skipped else len(done.get(name, {0})) for name in self.flow.actions}
        return Wanted({name: str(operation) for name, operation in self._operations.items()}, times)

    def _troubled(self) -> list[tuple[FlowAction, bool]]:
        """Actions that change something and may be sent again, those that move money or goods first."""
        found = [
            (action, operation)
            for name, operation in self._operations.items()
            if (action := self.flow.actions[name])
            and operation.effect is not Effect.NOTHING
            and (action.condition is True or name in self._usual)
            and self.stage.connections[action.connection].connector.actions[str(operation)].repeatable
        ]
        found.sort(key=lambda pair: pair[1].effect.harmless or "order" not in pair[1].given.model_fields)
        return [(action, "order" in operation.given.model_fields) for action, operation in found]

    def _title(self, action: str) -> str:
        return self.stage.connections[self.flow.actions[action].connection].manifest.title


def _count(count: int) -> str:
    return str(count) if count else "none"


def _together(spans: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """How long at least one of them lasted: several may go on side by side."""
    length, until = timedelta(), None
    for begin, end in sorted(spans):
        length += max(end - max(begin, until or begin), timedelta())
        until = max(end, until or end)
    return length
