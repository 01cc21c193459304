"""One run, carried as far as it goes now.

Actions start as soon as what they need is settled, side by side. Each settled action is a checkpoint in the ledger
before anything that depends on it starts. When nothing can go on, the run ends: done, dead, or waiting for its next
attempt; a waiting run keeps nothing in memory.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bellwire.capabilities import Result
from bellwire.connectors.kit.exchanges import Exchanges
from bellwire.connectors.kit.limits import backlog
from bellwire.engine.asking import changes_something, not_decided, question_about
from bellwire.engine.backoff import wait_before
from bellwire.engine.means import Means
from bellwire.engine.progress import Part, Progress
from bellwire.engine.resting import Rest, overtaken, rest_of, why_ended
from bellwire.engine.results import to_json
from bellwire.engine.sending import LostClaim, Sending
from bellwire.engine.starting import Fact, start
from bellwire.engine.telling import Told, tell
from bellwire.engine.watching import Watcher, announce
from bellwire.errors import PACED, BellwireError, FlowError, LedgerBusy, OutcomeUnknown, Transient
from bellwire.events import Event, whole_subject
from bellwire.flows import Emitted, Flow, Foreseen, Waited
from bellwire.ledger import (
    AttemptRow,
    FlowMode,
    Outcome,
    Rows,
    RunState,
    asks,
    edits,
    events,
    exceptions,
    exchanges,
    runs,
)

log = structlog.get_logger()

_STAY = timedelta(seconds=2)
"""A run whose next attempt is nearer than this stays in memory."""
_QUEUE = 64
"""So many calls of a connection wait in memory for its limits; the runs of more wait in the ledger."""


@dataclass
class Execution:
    """The state of one run while this process holds it."""

    means: Means
    run: int
    fence: int
    nonce: str
    event: Event
    flow: Flow
    mode: FlowMode = FlowMode.LIVE
    gathered: Sequence[Any] = ()
    """The data of the events that came together with its own."""
    late: bool = False
    """It is about something from long ago, and gives way to what comes in now."""
    ended_by: int | None = None
    """A later event, by which there is nothing more to do."""
    followers: int = 0
    """How many runs of the subject's next event its end let go."""
    _progress: Progress = field(init=False)
    _subject: str = field(init=False)
    _resumed: bool = False
    """It had earlier turns."""
    _retried: bool = False
    """A person had it tried again, and may have edited what an action is given."""
    _under_way: bool = False
    """Whether what began shortly ago may not have arrived yet."""
    _sending: Sending = field(init=False)
    _take_over: Callable[[], None] = lambda: None
    _shut_out: str = ""
    """A connection that is out of order, for which a part waits."""
    _ended: bool = False
    """Whether the run's end is written: it is, together with its last checkpoint."""

    def __post_init__(self) -> None:
        self._progress = Progress(self.means, self.event, self.flow, self.run, self.gathered)
        self._sending = Sending(self.means, self.event, self.flow, self.nonce)
        self._subject = whole_subject(self.event.connection, self.event.subject)

    def resume(self, past: Sequence[AttemptRow], *, interrupted: bool, retried: bool, taken_over: bool = False) -> None:
        """Have `carry` take over from an earlier turn: then what is in the way (a connection that is gone) is told.
        `taken_over`: from a process that is only thought to be gone; what it began may still be under way."""
        self._resumed, self._retried, self._under_way = True, retried, taken_over
        self._take_over = partial(self._progress.restore, past, interrupted=interrupted)

    async def carry(self, holds: Callable[[], bool] | None = None) -> RunState:
        """Go on until the run ends or has to wait; writes that, and returns the state. `holds`: where other processes
        could take the run over, whether it is certain that none has. Raises LostClaim."""
        self._sending.holds = holds
        self._take_over()
        if self.ended_by is not None:
            event = self.ended_by
            reason = await self.means.ledger.read(lambda rows: why_ended(rows, event))
            return await self._leave(Rest(RunState.DEAD, reason))
        for part in self._progress.parts():
            part.ready_at = self._ready_at(part.last)
        tasks: set[asyncio.Task[None]] = set()
        backlog.set(self.late)
        if self._retried:
            found = await self.means.ledger.read(lambda rows: edits.of_run(rows, self.run))
            self._sending.edits = {(edit.action, edit.item): edit.given for edit in found}
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

    # What can go on

    def _ready(self) -> list[Part]:
        """What can be tried now."""
        found: list[Part] = []
        now, self._shut_out = asyncio.get_running_loop().time(), ""
        for part in self._progress.open_parts():
            due = part.ready_at is None or part.ready_at <= now
            if due and self._may_call(part):
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

    def _next_wait(self) -> timedelta | None:
        parts = (part for part in self._progress.parts() if part.open and not part.shut_out)
        times = [part.ready_at for part in parts if part.ready_at is not None]
        return timedelta(seconds=min(times) - asyncio.get_running_loop().time()) if times else None

    def _ready_at(self, row: AttemptRow | None) -> float | None:
        """When what the row says comes next is due. If the machine's clock was set back since, that is now: how long
        ago it was can't be told."""
        now = self.means.clock()
        if row is not None and row.outcome in (Outcome.WAITING, Outcome.ASKED) and row.next_at is not None:
            # A time of the day is kept by the machine's clock, wherever that is set to.
            return asyncio.get_running_loop().time() + (row.next_at - now).total_seconds()
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
        part.ready_at = part.due = part.exchanges = None
        started = self.means.clock()
        attempt = AttemptRow(self.run, part.action.name, part.item, part.number, Outcome.DONE, started, started)
        try:
            if not self._wanted(part):
                await self._settle(
                    part, _changed(attempt, outcome=Outcome.SKIPPED, sentence=part.action.otherwise), None
                )
                return
            if part.action.waits and not part.waited and await self._waits(part, attempt):
                return
            if part.asked:
                raise not_decided(part.action)
            if await self._asks(part, attempt):
                return
            if part.action.emits:
                await self._emit(part, attempt)
                return
            if not part.action.connection:
                waited = Waited(until=started)
                await self._settle(part, _changed(attempt, result=to_json(waited)), waited)
                return
            result = await self._sending.send(part, self._progress.scope, partial(self._begin, attempt))
            if self.means.health.doubts(part.action.connection):
                await self.means.health.answered(part.action.connection)
            finished = _changed(attempt, finished_at=self.means.clock(), result=to_json(result))
            watcher = self.means.watcher
            if watcher is None or not watcher.heeds(result):
                await self._settle(part, finished, result)
            else:
                await self._settle(part, finished, result, partial(self._conclude, watcher, part, result, started))
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
            return bool(part.action.wanted(self._progress.scope) and part.action.items(self._progress.scope))
        return part.action.wanted(self._progress.scope)

    async def _begin(self, attempt: AttemptRow) -> None:
        """Write down that it begins: from now, not from when it began to wait for the account's turn, what is sent may
        be under way."""
        now = self.means.clock()
        await self._write(_changed(attempt, outcome=Outcome.STARTED, started_at=now, finished_at=None))

    async def _waits(self, part: Part, attempt: AttemptRow) -> bool:
        """Whether it has a time to wait for, which is to come; that is written down."""
        due = part.action.due(self._progress.scope, attempt.started_at)
        part.waited = True
        if due is None or due <= attempt.started_at:
            return False
        part.due, part.tries = due, part.tries - 1
        part.ready_at = asyncio.get_running_loop().time() + (due - attempt.started_at).total_seconds()
        await self._write(_changed(attempt, outcome=Outcome.WAITING, next_at=due))
        return True

    async def _asks(self, part: Part, attempt: AttemptRow) -> bool:
        """Whether a person is asked now, or what would be done is only noted; that is written down."""
        scope = self._progress.scope
        if self.mode is FlowMode.SHADOW and (
            changes_something(self.means, part.action) or self._sending.foresees(part, scope)
        ):
            noted = self._sending.noted(part, scope)
            await self._settle(part, _changed(attempt, outcome=Outcome.NOTED, result=noted), Foreseen(part.action.name))
            return True
        question = question_about(self.means, part, scope, self.mode, attempt.started_at)
        if question is None:
            return False
        given = self._sending.noted(part, scope)
        part.asked, part.tries = True, part.tries - 1
        if question.expires_at is not None:
            left = question.expires_at - attempt.started_at
            part.ready_at = asyncio.get_running_loop().time() + left.total_seconds()
        asked = _changed(attempt, outcome=Outcome.ASKED, next_at=question.expires_at)
        await self._write(asked, also=partial(question.ask, flow=self.flow.id, attempt=asked, given=given))
        return True

    async def _emit(self, part: Part, attempt: AttemptRow) -> None:
        """Make the event, in the transaction that settles the action: both are there, or none is."""
        event = self._sending.event_of(part, self._progress.scope, attempt.started_at)
        data = event.data.model_dump_json()
        part.settle(None)
        last = self._progress.ends_with(part.action.name)

        def write(rows: Rows) -> Emitted | None:
            number = events.record(rows, event, data, delivery=None, now=attempt.started_at)
            emitted = Emitted(business_key=event.business_key, new=number is not None)
            if not runs.checkpoint(rows, _changed(attempt, result=to_json(emitted)), self.fence):
                raise LostClaim
            if number is not None:
                fact = Fact(number, event, attempt.started_at)
                start(rows, fact, self.means.listeners, None, now=attempt.started_at, holding=False)
                if self.means.watcher is not None and self.means.watcher.heeds(event):
                    made = self.means.watcher.note(rows, event, None, attempt.started_at)
                    announce(rows, made, self.means.listeners, attempt.started_at)
            if last:
                self._finish(rows)
            return emitted

        # Of another subject than the run's own.
        part.result = await self.means.ledger.write(write)
        self.followers, self._ended = self.followers + 1, last
        self._progress.conclude(part.action)

    async def _settle(
        self, part: Part, attempt: AttemptRow, result: Any, conclude: Callable[[Rows], None] | None = None
    ) -> None:
        part.settle(result)
        await self._write(attempt, also=conclude, beyond=conclude is not None, asked=part.exchanges)
        self._progress.conclude(part.action)

    def _conclude(self, watcher: Watcher, part: Part, result: Result, started: datetime, rows: Rows) -> None:
        """Keep what a result means to who watches, in the transaction that keeps the result."""
        connection, _ = self.means.of(part.action)
        now = self.means.clock()
        made = watcher.conclude(rows, connection, result, part.since or started, now)
        announce(rows, made, self.means.listeners, now)

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
        over = partial(asks.withdraw, run=self.run, now=attempt.started_at, action=attempt.action)
        await self._write(attempt, told if part.dead else None, also=over if part.asked else None, asked=part.exchanges)
        part.asked = False

    async def _write(
        self,
        attempt: AttemptRow,
        exception: "Told | None" = None,
        also: Callable[[Rows], None] | None = None,
        *,
        beyond: bool = False,
        asked: Exchanges | None = None,
    ) -> None:
        """A checkpoint; with what was `asked` of the vendor, the exception that the attempt opens or what is `also` to
        be written (`beyond` the run's own subject, too), and the run's end if this was its last action."""
        last = attempt.outcome.settled and self._progress.ends_with(attempt.action)
        packed = asked.packed() if asked is not None else None

        def write(rows: Rows) -> bool:
            held = runs.checkpoint(rows, attempt, self.fence)
            if held and packed is not None:
                exchanges.keep(rows, attempt, packed)
            if held and exception is not None:
                self._open(rows, attempt.action, attempt.item, exception)
            if held and also is not None:
                also(rows)
            if held and last:
                self._finish(rows)
            return held

        # Exceptions are grouped over all subjects.
        if not await self.means.ledger.write(write, lane=self._subject if exception is None and not beyond else None):
            raise LostClaim
        self._ended = last

    def _finish(self, rows: Rows) -> bool:
        """Done; what came later about the same subject has its turn."""
        now = self.means.clock()
        held = runs.leave(rows, self.run, self.fence, RunState.DONE, now=now)
        if held and self._resumed:
            runs.settle_cut_off(rows, self.run, now)
        self.followers += runs.let_next_go(rows, self._subject, now) if held else 0
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
        if not self._progress.all_settled():
            return await self._leave(rest_of(self._progress, self._next_wait(), self._shut_out, self.means.clock()))
        if not await self.means.ledger.write(self._finish, lane=self._subject):
            raise LostClaim
        return RunState.DONE

    async def _leave(self, rest: Rest) -> RunState:
        """Let go of the run, unless what happened meanwhile says otherwise. Raises LostClaim."""
        now, questions = self.means.clock(), sum(part.asked for part in self._progress.parts())

        def write(rows: Rows) -> Rest:
            left = overtaken(rows, rest, self.run, questions, now)
            if not left.leave(rows, self.run, self.fence, now):
                raise LostClaim
            if left.state is RunState.DONE:
                runs.settle_cut_off(rows, self.run, now)
                asks.withdraw(rows, self.run, now)
            if left.frees_subject:
                self.followers += runs.let_next_go(rows, self._subject, now)
            return left

        left = await self.means.ledger.write(write, lane=self._subject)
        if left.held_for and left.held_for == runs.waits_for(self._shut_out):
            await self.means.health.let_go_if_well(self._shut_out)
        return left.state


def _changed(attempt: AttemptRow, **changes: Any) -> AttemptRow:
    """`dataclasses.replace`, at a third of its cost."""
    changed = AttemptRow.__new__(AttemptRow)
    vars(changed).update(vars(attempt), **changes)
    return changed
