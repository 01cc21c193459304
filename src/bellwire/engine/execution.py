"""One run, carried as far as it goes now.

Actions start as soon as what they need is settled, side by side. Each settled action is a checkpoint in the ledger
before anything that depends on it starts. When nothing can go on, the run ends: done, dead, or waiting for its next
attempt; a waiting run keeps nothing in memory.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from pydantic import ValidationError

from bellwire.capabilities import Given, Operation
from bellwire.connectors.kit import Call, Connection
from bellwire.connectors.kit.http import before_writing, has_written
from bellwire.connectors.kit.limits import backlog
from bellwire.engine.backoff import wait_before
from bellwire.engine.keys import idempotency_key
from bellwire.engine.means import Means
from bellwire.engine.results import from_json, to_json
from bellwire.engine.telling import Told, ask_a_person, tell, wrong_input
from bellwire.errors import PACED, BellwireError, FlowError, LedgerBusy, OutcomeUnknown, Transient
from bellwire.events import Event, whole_subject
from bellwire.flows import SKIPPED, Flow, FlowAction, Scope, scope_for
from bellwire.ledger import AttemptRow, Outcome, Rows, RunState, edits, exceptions, runs

log = structlog.get_logger()

_STAY = timedelta(seconds=2)
"""A run whose next attempt is nearer than this stays in memory."""
_QUEUE = 64
"""So many calls of a connection wait in memory for its limits; the runs of more wait in the ledger."""
_LOOK_AGAIN = timedelta(minutes=5)
"""A run that waits for a retry beside a connection that is out of order looks at that again so often."""


class LostClaim(Exception):
    """Another worker holds the run by now: nothing that this one does is written any more."""


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
    running: bool = False
    shut_out: bool = False
    """Its connection is out of order."""

    def has_written(self) -> None:
        self.wrote = True


@dataclass
class Execution:
    """The state of one run while this process holds it."""

    means: Means
    run: int
    fence: int
    nonce: str
    event: Event
    flow: Flow
    late: bool = False
    """It is about something from long ago, and gives way to what comes in now."""
    holds: Callable[[], bool] | None = None
    """Where other processes could take the run over: whether it is certain that none has."""
    followers: int = 0
    """How many runs of the subject's next event its end let go."""
    parts: dict[str, list[Part]] = field(default_factory=dict)
    scope: Scope = field(init=False)
    _subject: str = field(init=False)
    _resumed: bool = False
    """It had earlier turns."""
    _interrupted: bool = False
    """Whatever isn't settled may have been sent: see `RunRow.interrupted`."""
    _retried: bool = False
    """A person had it tried again, and may have edited what an action is given."""
    _under_way: bool = False
    """Whether what began shortly ago may not have arrived yet."""
    _edits: dict[tuple[str, int], str] = field(default_factory=dict)
    """By action and item: what it is given instead of what the flow says, as JSON."""
    _take_over: Callable[[], None] = lambda: None
    _spread: set[str] = field(default_factory=set)
    """The actions whose `for_each` has been looked at."""
    _shut_out: str = ""
    """A connection that is out of order, for which a part waits."""
    _ended: bool = False
    """Whether the run's end is written: it is, together with its last checkpoint."""

    def __post_init__(self) -> None:
        self.scope = scope_for(self.event)
        self._subject = whole_subject(self.event.connection, self.event.subject)

    def resume(self, past: Sequence[AttemptRow], *, interrupted: bool, retried: bool, taken_over: bool = False) -> None:
        """Have `carry` take over from an earlier turn: then what is in the way (a connection that is gone) is told.
        `taken_over`: from a process that is only thought to be gone; what it began may still be under way."""
        self._under_way = taken_over
        self._take_over = partial(self.restore, past, interrupted=interrupted, retried=retried)

    def restore(self, past: Sequence[AttemptRow], *, interrupted: bool, retried: bool) -> None:
        """Take over from an earlier turn; `interrupted` is the run's."""
        self._resumed, self._interrupted, self._retried = True, interrupted, retried
        for row in past:
            if row.action not in self.flow.actions:
                continue  # The flow as it is now doesn't have it any more.
            part = self._part(row.action, row.item)
            part.number = max(part.number, row.number)
            part.tries += _counts(row)
            part.last = row
            part.dead = row.outcome in (Outcome.FAILED, Outcome.UNKNOWN) and row.next_at is None
            if row.outcome is Outcome.STARTED or row.outcome is Outcome.UNKNOWN:
                # Who retries what can't be looked up has looked there, and says that it isn't there.
                part.unsure = row.next_at is None or self.means.of(part.action)[1].repeatable
                part.since = part.since or row.started_at
            if row.outcome.settled:
                part.settled, part.dead = True, False
                if row.outcome is not Outcome.SKIPPED:
                    _, act = self.means.of(part.action)
                    part.result = from_json(act.operation, row.result, by_hand=row.outcome is Outcome.BY_HAND)
        for action in self.flow.actions.values():
            if action.name in self.parts:
                self._conclude(action)

    async def carry(self) -> RunState:
        """Go on until the run ends or has to wait; writes that, and returns the state. Raises LostClaim."""
        self._take_over()
        for part in (part for parts in self.parts.values() for part in parts):
            part.ready_at = self._ready_at(part.last)
        tasks: set[asyncio.Task[None]] = set()
        backlog.set(self.late)
        if self._retried:
            found = await self.means.ledger.read(lambda rows: edits.of_run(rows, self.run))
            self._edits = {(edit.action, edit.item): edit.given for edit in found}
        try:
            while True:
                ready = self._ready()
                if len(ready) == 1 and not tasks:
                    await self._try(ready[0])
                    continue
                for part in ready:
                    part.running = True
                    tasks.add(asyncio.create_task(self._try(part)))
                if not tasks:
                    wait = self._next_wait()
                    if wait is None or wait > _STAY:
                        return await self._end()
                    await asyncio.sleep(max(0.0, wait.total_seconds()))
                    continue
                wait = self._next_wait()
                timeout = None if wait is None else max(0.0, wait.total_seconds())
                done, _ = await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    tasks.discard(task)
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.gather(*tasks, return_exceptions=True)

    def inputs(self, action: str, item: int) -> dict[str, Any]:
        """What the flow gives an action of a restored run: not validated, and without what can't be worked out."""
        part = self._expanded(self.flow.actions[action])[item]
        found: dict[str, Any] = {}
        for key, value in part.action.given.items():
            with suppress(FlowError):
                found |= replace(part.action, given={key: value}).inputs(self.scope, part.value)
        return found

    def could(self, action: str, known: Scope) -> bool:
        """Whether an action of a restored run could be given what its flow says, if `known` were the results of others.
        True when that can't be told yet."""
        found, scope = self.flow.actions[action], {**self.scope, **known}
        if not found.needs <= scope.keys() or found.for_each:
            return True
        try:
            if found.wanted(scope):
                operation = self.means.of(found)[1].operation
                operation.given.model_validate(found.inputs(scope), from_attributes=True)
        except (FlowError, ValidationError):
            return False
        return True

    # What can go on

    def _ready(self) -> list[Part]:
        """What can be tried now."""
        found: list[Part] = []
        now, self._shut_out = asyncio.get_running_loop().time(), ""
        for name, action in self.flow.actions.items():
            if name in self.scope or not action.needs <= self.scope.keys():
                continue
            for part in self._expanded(action):
                if part.settled or part.dead or part.running:
                    continue
                if part.ready_at is not None and part.ready_at > now:
                    continue
                if self._may_call(part):
                    found.append(part)
        return found

    def _may_call(self, part: Part) -> bool:
        """Whether its connection can be asked now; if not, what it waits for is noted."""
        name = part.action.connection
        connection = self.means.connections.get(name)
        if connection is None:
            return True  # The attempt itself meets it, and says so.
        if connection.api.gate.waiting >= _QUEUE:
            wait = max(2 * _STAY, connection.api.gate.queue_time)
            part.ready_at = asyncio.get_running_loop().time() + wait.total_seconds()
            return False
        part.shut_out = self.means.health.shut(name) and self._would_call(part)
        if part.shut_out:
            self._shut_out = name
        return not part.shut_out

    def _would_call(self, part: Part) -> bool:
        try:
            return self._wanted(part)
        except FlowError:
            return False

    def _expanded(self, action: FlowAction) -> list[Part]:
        """The parts of an action whose needs are settled; for `for_each`, made when it is first asked for."""
        if not action.for_each:
            return self.parts.get(action.name) or [self._part(action.name, 0)]
        if action.name in self._spread:
            return self.parts[action.name]
        self._spread.add(action.name)
        try:
            values = action.items(self.scope) if action.wanted(self.scope) else []
        except FlowError:
            values = []  # The attempt itself meets it again, and says so.
        for index, value in enumerate(values):
            self._part(action.name, index).value = value
        self._part(action.name, 0)
        return self.parts[action.name]

    def _part(self, name: str, item: int) -> Part:
        parts = self.parts.setdefault(name, [])
        while len(parts) <= item:
            parts.append(Part(self.flow.actions[name], len(parts), unsure=self._interrupted))
        return parts[item]

    def _conclude(self, action: FlowAction) -> None:
        """Once all parts of an action are settled, show its result to those that need it."""
        if not action.needs <= self.scope.keys():
            return
        parts = self._expanded(action)
        if all(part.settled for part in parts):
            results = [part.result for part in parts if part.result is not None]
            self.scope[action.name] = results if action.for_each else results[0] if results else SKIPPED

    def _all_settled(self) -> bool:
        return self.flow.actions.keys() <= self.scope.keys()

    def _ends_with(self, name: str) -> bool:
        """Whether the run is done once this action's checkpoint is written."""
        left = self.flow.actions.keys() - self.scope.keys()
        return left == {name} and all(part.settled for part in self.parts[name])

    def _next_wait(self) -> timedelta | None:
        times = [
            part.ready_at
            for parts in self.parts.values()
            for part in parts
            if part.ready_at is not None and not (part.settled or part.dead or part.running or part.shut_out)
        ]
        return timedelta(seconds=min(times) - asyncio.get_running_loop().time()) if times else None

    def _ready_at(self, row: AttemptRow | None) -> float | None:
        """When what the row says comes next is due. If the machine's clock was set back since, that is now: how long
        ago it was can't be told."""
        now = self.means.clock()
        if self._under_way and row is not None and row.outcome is Outcome.STARTED:
            over = row.started_at + self.means.of(self.flow.actions[row.action])[0].api.timeout
            return asyncio.get_running_loop().time() + (over - now).total_seconds()
        if row is None or row.next_at is None or row.finished_at is None:
            return None
        left = timedelta() if row.finished_at > now else row.next_at - now
        return asyncio.get_running_loop().time() + left.total_seconds()

    # One attempt

    async def _try(self, part: Part) -> None:
        part.running = True
        part.number += 1
        part.tries += 1
        part.ready_at = None
        started = self.means.clock()
        attempt = AttemptRow(self.run, part.action.name, part.item, part.number, Outcome.DONE, started, started)
        try:
            if not self._wanted(part):
                await self._settle(
                    part, _changed(attempt, outcome=Outcome.SKIPPED, sentence=part.action.otherwise), None
                )
                return
            result = await self._perform(part, attempt)
            if self.means.health.doubts(part.action.connection):
                await self.means.health.answered(part.action.connection)
            finished = _changed(attempt, finished_at=self.means.clock(), result=to_json(result))
            await self._settle(part, finished, result)
        except (LostClaim, LedgerBusy):
            raise
        except (BellwireError, TimeoutError) as error:
            await self._fail(part, _changed(attempt, finished_at=self.means.clock()), error)
        except Exception as error:
            log.exception("an action failed unexpectedly", run=self.run, action=part.action.name)
            await self._fail(part, _changed(attempt, finished_at=self.means.clock()), error)
        finally:
            part.running = False

    def _wanted(self, part: Part) -> bool:
        if part.action.for_each:
            return bool(part.action.wanted(self.scope) and part.action.items(self.scope))
        return part.action.wanted(self.scope)

    async def _perform(self, part: Part, attempt: AttemptRow) -> Any:
        connection, act = self.means.of(part.action)
        self._keep_apart(connection)
        given = self._given(part, act.operation)
        if part.unsure and not act.repeatable:
            raise ask_a_person(act, connection)
        guarded = act.announced or self.holds is not None
        before_writing.set(self._announcement(attempt, announced=act.announced) if guarded else None)
        key = idempotency_key(
            self.flow.id, self.event.environment, self.event.business_key, part.action.name, part.item, self.nonce
        )
        call = Call(connection, self.means.crosswalk, self.means.clock, key, part.unsure, part.since)
        part.wrote = False
        has_written.set(part.has_written)
        # Without a time-out of its own: each request has one, and waiting for the account's turn may rightly be long.
        return await act(call, given)

    def _announcement(self, attempt: AttemptRow, *, announced: bool) -> Callable[[], Awaitable[None]]:
        """Writes down, once, that an attempt begins, if that has to be; and has nothing sent by a process that may
        have lost the run."""
        begun = not announced

        async def announce() -> None:
            nonlocal begun
            if not begun:
                begun = True
                # From now, not from when it began to wait for the account's turn, what is sent may be under way.
                now = self.means.clock()
                await self._write(_changed(attempt, outcome=Outcome.STARTED, started_at=now, finished_at=None))
            if self.holds is not None and not self.holds():
                raise LostClaim

        return announce

    def _given(self, part: Part, operation: Operation) -> Given:
        edited = self._edits.get((part.action.name, part.item))
        try:
            if edited is not None:
                return operation.given.model_validate_json(edited)
            return operation.given.model_validate(part.action.inputs(self.scope, part.value), from_attributes=True)
        except ValidationError as error:
            raise wrong_input(part.action, error) from error

    def _keep_apart(self, connection: Connection) -> None:
        if connection.environment is not self.event.environment:
            raise FlowError(
                f"It came from {self.event.environment}, but '{connection.name}' is a {connection.environment} account:"
                " the two never mix.",
                cause=f"environment:{connection.name}",
                remedy=f"Point '{connection.name}' at a {self.event.environment} account, then retry.",
            )

    async def _settle(self, part: Part, attempt: AttemptRow, result: Any) -> None:
        part.settled, part.result = True, result
        await self._write(attempt)
        self._conclude(part.action)

    async def _fail(self, part: Part, attempt: AttemptRow, error: Exception) -> None:
        """Write a failed attempt: to be tried again, or (with its exception for a person) for good."""
        told = tell(error, f"The action '{part.action.name}'")
        # What failed may have come after the vendor had done it: in the program, or in a later request.
        unknown = part.wrote or isinstance(error, OutcomeUnknown) or not isinstance(error, BellwireError)
        part.unsure = part.unsure or unknown
        part.since = part.since or (attempt.started_at if unknown else None)
        out = await self.means.health.failed(part.action.connection, self.run, error)
        # A vendor that asks for patience gets it, and one that is out of order too: that uses up no attempt.
        part.tries -= out or told.cause == PACED
        again = out or isinstance(error, Transient | OutcomeUnknown | TimeoutError)
        if again and part.unsure:
            again = self.means.of(part.action)[1].repeatable
        part.dead = not again or part.tries >= part.action.retry.attempts
        next_at = None
        if out and not part.dead:
            part.ready_at, next_at = asyncio.get_running_loop().time(), attempt.finished_at
        elif not part.dead:
            after = error.retry_after if isinstance(error, Transient) else None
            wait = wait_before(max(1, part.tries), part.action.retry, after, self.means.random)
            part.ready_at = asyncio.get_running_loop().time() + wait.total_seconds()
            next_at = self.means.clock() + wait
        attempt = _changed(
            attempt,
            outcome=Outcome.UNKNOWN if unknown else Outcome.FAILED,
            next_at=next_at,
            cause=told.cause,
            sentence=told.sentence,
            remedy=told.remedy,
            detail=told.detail,
        )
        await self._write(attempt, told if part.dead else None)

    async def _write(self, attempt: AttemptRow, exception: "Told | None" = None) -> None:
        """A checkpoint; with the exception that the attempt opens, and the run's end if this was its last action."""
        last = attempt.outcome.settled and self._ends_with(attempt.action)

        def write(rows: Rows) -> bool:
            held = runs.checkpoint(rows, attempt, self.fence)
            if held and exception is not None:
                self._open(rows, attempt.action, attempt.item, exception)
            if held and last:
                self._finish(rows)
            return held

        # Exceptions are grouped over all subjects.
        if not await self.means.ledger.write(write, lane=self._subject if exception is None else None):
            raise LostClaim
        self._ended = last

    def _finish(self, rows: Rows) -> bool:
        """Done; what came later about the same subject has its turn."""
        now = self.means.clock()
        held = runs.leave(rows, self.run, self.fence, RunState.DONE, now=now)
        if held and self._resumed:
            runs.settle_cut_off(rows, self.run, now)
        self.followers = runs.let_next_go(rows, self._subject, now) if held else 0
        return held

    def _open(self, rows: Rows, action: str, item: int, told: Told) -> None:
        exceptions.open_one(
            rows,
            run=self.run,
            flow=self.flow.id,
            action=action,
            item=item,
            connection=self.flow.actions[action].connection,
            cause=told.cause,
            sentence=told.sentence,
            remedy=told.remedy,
            detail=told.detail,
            now=self.means.clock(),
        )

    async def _end(self) -> RunState:
        if self._ended:
            return RunState.DONE
        if self._all_settled():
            state, held = RunState.DONE, await self.means.ledger.write(self._finish, lane=self._subject)
        else:
            state, held = await self._pause()
        if not held:
            raise LostClaim
        return state

    async def _pause(self) -> tuple[RunState, bool]:
        """Nothing can go on now: for a time, until a connection is well again, or before a person has a look."""
        wait, now = self._next_wait(), self.means.clock()
        state = RunState.HELD if self._shut_out else RunState.DEAD
        if wait is not None:
            state, wait = RunState.WAITING, min(wait, _LOOK_AGAIN) if self._shut_out else wait
        due = None if wait is None else now + wait
        held_for = runs.waits_for(self._shut_out) if state is RunState.HELD else ""
        reason = self._why(state)
        held = await self.means.ledger.write(
            lambda rows: runs.leave(
                rows, self.run, self.fence, state, now=now, due_at=due, held_for=held_for, reason=reason
            ),
            lane=self._subject,
        )
        if state is RunState.HELD:
            await self.means.health.let_go_if_well(self._shut_out)
        return state, held

    def _why(self, state: RunState) -> str:
        if state is RunState.HELD:
            return f"It waits until the connection '{self._shut_out}' is in order again."
        if state is not RunState.DEAD:
            return ""
        stuck = [name for name, parts in self.parts.items() if any(part.dead for part in parts)]
        return f"Stuck at: {', '.join(stuck)}."


def _counts(attempt: AttemptRow) -> bool:
    """Whether it used up one of the retries. One that may be repeated at once ended because its connection is out of
    order, or a person has it tried again."""
    at_once = attempt.next_at is not None and attempt.next_at == attempt.finished_at
    return attempt.cause != PACED and not at_once


def _changed(attempt: AttemptRow, **changes: Any) -> AttemptRow:
    """`dataclasses.replace`, at a third of its cost."""
    changed = AttemptRow.__new__(AttemptRow)
    vars(changed).update(vars(attempt), **changes)
    return changed
