"""What breaks first when more events come than this machine can make: a simulation with the costs measured here.

Events arrive at random times, at an average rate, and go through intakes and workers as `docs/scaling.md` describes
them: each process has one core, each ledger one place in which transactions run one after the other, and what waits in
a process shares its next commit. Measured: processor time of an ack and of a run, time of a commit and of a statement.
Assumed: vendors that take 200 ms for each of three calls, a network and a disk like this machine's, and room in memory.

    make simulation

In the table, "writing" is how much of the time the busiest ledger's one place is taken, and overhead is the time from
webhook to last action over that of the calls. A line in red breaks: so many processes are there, and work piles up.
"""

import argparse
import heapq
import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from bellwire.ledger.database import BATCH

RATES = (10, 30, 100, 300, 1_000, 3_000, 10_000)
_CALLS = 3
_VENDOR = 0.2
"""Seconds for each."""
_AT_ONCE = 64
"""Runs of a worker."""
_BUSY = 0.6
"""So much of its core a process may need, on average."""
_MOST = 50_000
"""Events of one simulation."""
_BREAKS = 1.0
"""Seconds from webhook to last action, over the calls' own time, that nobody would call working."""
_READ = 0.0002
"""Seconds for a page from an ordinary SSD."""
_ACK, _RECORD, _CHECKPOINT, _LAST = 3, 5, 1, 3
"""Statements of each write."""


@dataclass(frozen=True)
class Costs:
    """In seconds."""

    ack: float
    run: float
    commit: float
    statement: float
    read: float = 0.0
    """To fetch the page of the index where a new delivery's random id belongs, once that is larger than memory."""

    @classmethod
    def measured(cls, path: Path) -> "Costs":
        found = json.loads(path.read_text())
        names = ("intake_ms", "worker_ms", "commit_ms", "statement_ms")
        return cls(*(found[name] / 1000 for name in names))


@dataclass(frozen=True)
class Result:
    intakes: int
    workers: int
    ledgers: int
    busy: float
    """How much of the time the busiest ledger's one place is taken."""
    ack_p99: float
    overhead_p99: float


class Clock:
    """What happens when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + seconds, next(self._numbers), what))

    def run(self) -> None:
        while self._due:
            self.now, _, what = heapq.heappop(self._due)
            what()


class Server:
    """Does one thing after the other: a core, or a ledger's place for transactions."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._free_at, self.taken = clock, 0.0, 0.0

    def ask(self, seconds: float, done: Callable[[], None]) -> None:
        begins = max(self._clock.now, self._free_at)
        self._free_at = begins + seconds
        self.taken += seconds
        self._clock.after(self._free_at - self._clock.now, done)


@dataclass
class Process:
    """An intake or a worker: a core, and a writer of its ledger."""

    clock: Clock
    costs: Costs
    place: Server
    core: Server = field(init=False)
    waiting: deque[tuple[float, Callable[[], None]]] = field(default_factory=deque)
    writing: bool = False
    room: int = _AT_ONCE
    """How many more runs a worker takes."""

    def __post_init__(self) -> None:
        self.core = Server(self.clock)

    def write(self, statements: int, done: Callable[[], None], reads: float = 0.0) -> None:
        self.waiting.append((self.costs.statement * statements + reads, done))
        if not self.writing:
            self._commit()

    def _commit(self) -> None:
        batch = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
        self.writing = bool(batch)
        if batch:
            work = self.costs.commit + sum(seconds for seconds, _ in batch)
            self.place.ask(work, lambda: self._committed(batch))

    def _committed(self, batch: list[tuple[float, Callable[[], None]]]) -> None:
        for _, done in batch:
            done()
        self._commit()


class Shard:
    """One ledger, its intakes and its workers."""

    def __init__(self, clock: Clock, costs: Costs, intakes: int, workers: int) -> None:
        self.place = Server(clock)
        self._clock, self._costs = clock, costs
        self._intakes = [Process(clock, costs, self.place) for _ in range(intakes)]
        self._workers = [Process(clock, costs, self.place) for _ in range(workers)]
        self._queue: deque[float] = deque()
        self.acks: list[float] = []
        self.overheads: list[float] = []

    def arrive(self, number: int) -> None:
        came = self._clock.now
        intake = self._intakes[number % len(self._intakes)]

        def durable() -> None:
            self.acks.append(self._clock.now - came)
            self._queue.append(came)
            self._bring()

        intake.core.ask(self._costs.ack, lambda: intake.write(_ACK, durable, self._costs.read))

    def _bring(self) -> None:
        while self._queue:
            worker = max(self._workers, key=lambda each: each.room)
            if not worker.room:
                return
            worker.room -= 1
            self._begin(worker, self._queue.popleft())

    def _begin(self, worker: Process, came: float) -> None:
        part = self._costs.run / (_CALLS + 1)

        def call(left: int) -> None:
            self._clock.after(_VENDOR, lambda: worker.core.ask(part, lambda: checkpoint(left)))

        def checkpoint(left: int) -> None:
            if left > 1:
                worker.write(_CHECKPOINT, lambda: call(left - 1))
            else:
                worker.write(_LAST, done)

        def done() -> None:
            self.overheads.append(self._clock.now - came - _CALLS * _VENDOR)
            worker.room += 1
            self._bring()

        worker.core.ask(part, lambda: worker.write(_RECORD, lambda: call(_CALLS)))


def simulate(costs: Costs, rate: float, ledgers: int, seed: int = 2026) -> Result:
    """As many processes as the rate needs, each with room to spare."""
    events = min(_MOST, max(2_000, round(10 * rate)))
    each = rate / ledgers
    intakes = max(2, math.ceil(each * costs.ack / _BUSY))
    waits = each * (_CALLS * _VENDOR) / (_AT_ONCE * _BUSY)
    workers = max(2, math.ceil(max(each * costs.run / _BUSY, waits)))
    clock, random = Clock(), Random(seed)  # noqa: S311 - nothing secret
    shards = [Shard(clock, costs, intakes, workers) for _ in range(ledgers)]
    at = 0.0
    for number in range(events):
        at += random.expovariate(rate)
        clock.after(at, partial(random.choice(shards).arrive, number))
    clock.run()
    return Result(
        intakes * ledgers,
        workers * ledgers,
        ledgers,
        max(shard.place.taken for shard in shards) / clock.now,
        _p99([ack for shard in shards for ack in shard.acks]),
        _p99([overhead for shard in shards for overhead in shard.overheads]),
    )


def _p99(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make simulation", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("figures", nargs="?", type=Path, default=Path(__file__).parent / "latest.json")
    given = parser.parse_args()
    if not given.figures.exists():
        raise SystemExit(f"{given.figures} isn't there: `make bench` measures and writes it.")
    costs = Costs.measured(given.figures)
    console = Console()
    console.print(_table(costs))
    console.print("\nThe same once the index of delivery ids is larger than the server's memory:\n")
    console.print(_table(replace(costs, read=_READ)))


def _table(costs: Costs) -> Table:
    """Each rate on one ledger, and where that breaks on twice as many, until it holds."""
    table = Table(box=None, pad_edge=False)
    for title in ("events/s", "ledgers", "intakes", "workers", "writing", "ack p99", "overhead p99"):
        table.add_column(title, justify="right")
    for rate in RATES:
        ledgers, holds = 1, False
        while not holds:
            found = simulate(costs, rate, ledgers)
            holds = found.overhead_p99 <= _BREAKS
            figures = (f"{found.busy:.0%}", f"{found.ack_p99 * 1000:,.0f} ms", f"{found.overhead_p99 * 1000:,.0f} ms")
            counts = (f"{rate:,}", str(ledgers), str(found.intakes), str(found.workers))
            table.add_row(*counts, *figures, style="" if holds else "red")
            ledgers *= 2
    return table


if __name__ == "__main__":
    main()
