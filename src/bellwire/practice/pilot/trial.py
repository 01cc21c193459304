"""Sends the ten records through a running system, one after the other, and compares."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import aiohttp

from bellwire.capabilities import Effect, Operation
from bellwire.clock import system_clock
from bellwire.connectors.kit import Connection
from bellwire.engine import Engine, retry
from bellwire.flows import Flow, FlowAction, operation_for
from bellwire.ledger import (
    AttemptRow,
    Database,
    ExceptionRow,
    Outcome,
    Rows,
    RunRow,
    RunState,
    crosswalk,
    deliveries,
    events,
    exceptions,
    runs,
)
from bellwire.practice.driving import Answer, post, until_quiet
from bellwire.practice.faults import FaultKind
from bellwire.practice.pilot.records import Record
from bellwire.practice.pilot.vendors import Vendors, Wanted
from bellwire.practice.pilot.verdict import Check, Retried, Stuck, Tried, equal
from bellwire.practice.roles import Shop
from bellwire.practice.simulator import Webhook

_BOOKING = ("create_invoice", "create_sales_receipt")


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
    """What a real shop couldn't do, because it doesn't know made-up orders."""
    copies: int
    """How many deliveries told of it."""
    reason: str
    """Why there is no run."""


@dataclass
class Trial:
    """The records of one pilot. `run` it once."""

    flow: Flow
    connections: Mapping[str, Connection]
    hook: str
    """The address that takes the shop's webhooks."""
    ledger: Database
    engine: Engine
    shop: Shop
    """Takes the orders and makes the webhooks."""
    vendors: Vendors | None = None
    """The simulated vendors; None when the accounts are real and can't be looked into."""
    sign: Callable[[Webhook], Webhook] = lambda webhook: webhook
    """Makes of a practice webhook one that the connection takes for its own shop's."""
    patience: float = 60.0
    """Seconds for one record."""
    _operations: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._operations = {name: str(self._operation(action)) for name, action in self.flow.actions.items()}

    async def run(self, records: Sequence[Record]) -> AsyncIterator[Tried]:
        """Each record as it ends. Raises aiohttp.ClientError when the intake can't be reached."""
        async with aiohttp.ClientSession() as session:
            for record in records:
                yield await self._try(session, record)

    async def _try(self, session: aiohttp.ClientSession, record: Record) -> Tried:
        before = self.vendors.held() if self.vendors else None
        about = record.about
        if record.in_trouble and self.vendors and (actions := self._troubled()):
            about += f", while {self.vendors.make_trouble(record.sale.number, actions)}"
        order_id = self._placed(record)
        answers = [await post(session, self.hook, each.headers, each.body) for each in self._webhooks(record, order_id)]
        if refused := [answer for answer in answers if not answer.taken]:
            return Tried(record, about, [equal("Taken in", "answered 200", str(refused[0]))], None)
        ended = await self._settled()
        trace = await self._trace(answers)
        checks = [self._end(record, trace, ended=ended), *self._repeats(record, trace)]
        tried = self._told(record, about, trace)
        if self.vendors and before is not None:
            if record.in_trouble and "while" in about:
                checks.append(self._trouble(self.vendors))
            if trace.stuck and checks[0].held:
                checks.append(await self._mend(self.vendors, record, trace.stuck[0], answers))
                trace = await self._trace(answers)
            checks += self.vendors.checks(record, order_id, self._wanted(trace), before)
        return replace(tried, checks=checks)

    def _placed(self, record: Record) -> str:
        order_id = self.shop.place(record.sale)
        if self.flow.event_type != "order.created":
            self.shop.pay(order_id)
        if self.flow.event_type == "order.updated":
            self.shop.edit(order_id, "Please gift-wrap it.")
        return order_id

    def _webhooks(self, record: Record, order_id: str) -> list[Webhook]:
        """A shop that gets no answer repeats the delivery; one that is unsure makes a new one of the same fact."""

        def new() -> Webhook:
            return self.sign(self.shop.webhook(order_id, self.flow.event_type))

        first = new()
        return [first] * max(1, record.copies - 1) + [new() for _ in range(record.copies > 1)]

    async def _settled(self) -> bool:
        try:
            await until_quiet(self.ledger, self.engine, self.patience)
        except TimeoutError:
            return False
        return True

    async def _trace(self, answers: Sequence[Answer]) -> _Trace:
        numbers = list(dict.fromkeys(answer.delivery for answer in answers))

        def query(rows: Rows) -> _Trace:
            arrived = [row for number in numbers if (row := deliveries.find(rows, number))]
            heard = [event for row in arrived for event in events.of_delivery(rows, row.id)]
            heard = [event for event in heard if event.type == self.flow.event_type]
            started = [run for event in heard for run in runs.of_event(rows, event.id)]
            open_ones = [each for run in started for each in exceptions.open_ones(rows, run=run.id)]
            real_shop = "" if self.vendors else self.flow.connection
            return _Trace(
                started,
                runs.attempts(rows, started[0].id) if started else (),
                [each for each in open_ones if each.connection != real_shop],
                [each for each in open_ones if each.connection == real_shop],
                sum(row.copies for row in arrived),
                next(filter(None, [*(each.reason for each in heard), *(each.reason for each in arrived)]), ""),
            )

        return await self.ledger.read(query)

    def _told(self, record: Record, about: str, trace: _Trace) -> Tried:
        run = trace.runs[0] if trace.runs else None
        took = run.finished_at - run.received_at if run and run.finished_at else None
        return Tried(
            record,
            about,
            (),
            took,
            [Retried(a.action, self._title(a.action), a.sentence) for a in trace.attempts if a.next_at is not None],
            [Stuck(each.action, each.sentence, each.remedy) for each in trace.stuck],
            [
                *((a.action, a.sentence) for a in trace.attempts if a.outcome is Outcome.SKIPPED),
                *((each.action, "The shop doesn't know this made-up order.") for each in trace.untried),
            ],
        )

    # How it ended

    def _end(self, record: Record, trace: _Trace, *, ended: bool) -> Check:
        if not trace.runs:
            return Check("The run", "done", f"no run: {trace.reason or 'the shop sent no such event'}", held=False)
        if not ended:
            return Check("The run", "done", f"not at its end after {self.patience:.0f} s", held=False)
        if self._asks(record, trace):
            return self._question(record.unknown, trace)
        if trace.untried and not trace.stuck:
            return Check("The run", "done, but for the shop", "done, but for the shop", held=True)
        actions = " and ".join(dict.fromkeys(each.action for each in trace.stuck))
        found = f"stuck at {actions}" if actions else trace.runs[0].state.value
        return Check("The run", "done", found, trace.runs[0].state is RunState.DONE)

    def _asks(self, record: Record, trace: _Trace) -> bool:
        """Whether a person has to be asked about an article. Real books may know it after all."""
        books = [
            name
            for name, action in self.flow.actions.items()
            if action.operation_name in _BOOKING and self._wanted(trace).times[name]
        ]
        return bool(record.unknown and books and (self.vendors is not None or trace.stuck))

    def _question(self, sku: str, trace: _Trace) -> Check:
        """One exception that names the article and what to do; and all that doesn't wait for it is done."""
        expected = f"one exception that names {sku} and what to do, all else done"
        if len(trace.stuck) != 1:
            found = f"{len(trace.stuck)} exceptions" if trace.stuck else trace.runs[0].state.value
            return Check("The run", expected, found, held=False)
        (first,) = trace.stuck
        undone = self._undone(trace) - self._waiting_for({each.action for each in (first, *trace.untried)})
        plain = sku in first.sentence and bool(first.remedy)
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

    def _repeats(self, record: Record, trace: _Trace) -> list[Check]:
        if record.copies == 1:
            return []
        expected = f"{record.copies} deliveries, one run"
        run = "one run" if len(trace.runs) == 1 else f"{len(trace.runs)} runs"
        return [equal("Repeats", expected, f"{trace.copies} deliveries, {run}")]

    def _trouble(self, vendors: Vendors) -> Check:
        met = sorted(kind.value for kind in vendors.end_trouble())
        expected = sorted((FaultKind.FAILED.value, FaultKind.LOST_ANSWER.value))
        return equal("Trouble that was made", " and ".join(expected), " and ".join(met) or "none")

    async def _mend(self, vendors: Vendors, record: Record, stuck: ExceptionRow, answers: Sequence[Answer]) -> Check:
        """What the owner would do: map the article to an item of the books, and retry."""
        item, now = vendors.books_item(stuck.connection, record.unknown), system_clock()
        what, expected = "After it is mapped and retried", "done"
        if item is None:
            return Check(what, expected, "the practice books have nothing to map it to", held=False)
        mapping = crosswalk.Mapping(stuck.connection, "product", record.unknown, item)

        def write(rows: Rows) -> None:
            crosswalk.put(rows, mapping, now)
            retry(rows, stuck.id, now, who="the pilot")

        await self.ledger.write(write)
        await self._settled()
        after = await self._trace(answers)
        return equal(what, expected, "; ".join(e.sentence for e in after.stuck) or after.runs[0].state.value)

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
        return Wanted(self._operations, times)

    def _troubled(self) -> list[tuple[FlowAction, bool]]:
        """Actions that change something and may be sent again, those that move money or goods first."""
        found = [
            (action, operation)
            for action in self.flow.actions.values()
            if (operation := self._operation(action)).effect is not Effect.NOTHING
            and action.condition is True
            and self.connections[action.connection].connector.actions[str(operation)].repeatable
        ]
        found.sort(key=lambda pair: pair[1].effect.harmless or "order" not in pair[1].given.model_fields)
        return [(action, "order" in operation.given.model_fields) for action, operation in found]

    def _operation(self, action: FlowAction) -> Operation:
        return operation_for(action, self.connections[action.connection].connector)

    def _title(self, action: str) -> str:
        return self.connections[self.flow.actions[action].connection].manifest.title
