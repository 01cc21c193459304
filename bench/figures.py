"""What is measured, what each figure should be, and how far apart its rounds were."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Aim:
    bound: float
    least: bool = False
    """The bound is the least; without it, what the figure has to stay under."""

    def met(self, value: float) -> bool:
        return value >= self.bound if self.least else value < self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.least else '<'} {self.bound:g}"


def at_least(bound: float) -> Aim:
    return Aim(bound, least=True)


@dataclass(frozen=True)
class Kind:
    """A figure's meaning, in words for people, and its aim if it has one."""

    means: str
    aim: Aim | None = None


KINDS = {
    "ack_ratio": Kind("durable acks a second, of the bare loop's; any signed sender", at_least(0.6)),
    "run_ratio": Kind("runs of three calls a second, of the bare loop's; any signed sender", at_least(0.6)),
    "ack_p99_ms": Kind("p99 of an ack at 300 a second, runs going on beside (ms)", Aim(25)),
    "overhead_p99_ms": Kind("p99 from webhook to last action at 10 a second, over the calls' own time (ms)", Aim(50)),
    "growth_ack": Kind("acks a second with a long history, of those with none", at_least(0.85)),
    "growth_run": Kind("runs a second with a long history, of those with none", at_least(0.85)),
    "growth_desk": Kind("time of the desk's first page with a long history, of that with one day", Aim(1.5)),
    "desk_slowest_ms": Kind("the slowest of all pages and lists with a long history, median visit (ms)", Aim(200)),
    "desk_largest_ms": Kind("the slowest visit of all to a page or list with a long history (ms)", Aim(200)),
    "growth_pages": Kind("time of all pages and lists with a long history, of that with one day", Aim(1.5)),
    "recovery_s": Kind("from process start to the first action, with many runs pending (s)", Aim(2)),
    "recovery_mb": Kind("most memory while they drain (MB)", Aim(300)),
    "recovery_ratio": Kind("runs a second while they drain, of those that come in live", at_least(0.85)),
    "timers_run": Kind("runs a second beside many timers, of those with none", at_least(0.85)),
    "timers_ms": Kind("processor time a second while they wait, over what is used with none (ms)", Aim(1)),
    "timers_mb": Kind("memory while they wait, over what is used with none (MB)", Aim(5)),
    "scaleout_4": Kind("runs a second of four workers on PostgreSQL, of one's; calls take 200 ms", at_least(3.5)),
    "vs_dbos": Kind("runs a second of one worker on PostgreSQL, of DBOS's; calls take no time", at_least(5)),
    "ready_s": Kind("`bellwire up` to ready, order to cash with six accounts (s)", Aim(1.5)),
    "idle_mb": Kind("memory when idle (MB)", Aim(150)),
    "bytes_per_event": Kind("on disk for a shop's order and its run of three actions (bytes)"),
    "bytes_without_payload": Kind("the same once the webhook as it arrived is purged (bytes)"),
    "bytes_after_purge": Kind("the same once all that can go is purged (bytes)"),
    "ack_ratio_shop": Kind("durable acks a second, of the bare loop's; a shop's webhooks"),
    "run_ratio_shop": Kind("runs of three calls a second, of the bare loop's; a shop's webhooks"),
    "acks_per_s": Kind("durable acks a second; any signed sender"),
    "bare_acks_per_s": Kind("the same, bare loop"),
    "runs_per_s": Kind("runs of three calls a second; any signed sender"),
    "bare_runs_per_s": Kind("the same, bare loop"),
    "acks_per_s_shop": Kind("durable acks a second; a shop's webhooks"),
    "bare_acks_per_s_shop": Kind("the same, bare loop"),
    "runs_per_s_shop": Kind("runs of three calls a second; a shop's webhooks"),
    "bare_runs_per_s_shop": Kind("the same, bare loop"),
    "postgres_runs_per_s": Kind("runs of three calls a second on PostgreSQL; one worker"),
    "postgres_runs_per_s_2": Kind("the same, two workers on this machine"),
    "dbos_runs_per_s": Kind("the same flow on DBOS, one process"),
    "procrastinate_runs_per_s": Kind("the same flow on Procrastinate, one worker"),
    "vs_procrastinate": Kind("runs a second of one worker on PostgreSQL, of Procrastinate's"),
    "postgres_acks_per_s": Kind("durable acks a second on PostgreSQL; one intake"),
    "intake_ms": Kind("processor time of an intake for an ack (ms)"),
    "server_ack_ms": Kind("the same of the PostgreSQL server (ms)"),
    "worker_ms": Kind("processor time of a worker for a run of three calls (ms)"),
    "server_run_ms": Kind("the same of the PostgreSQL server (ms)"),
    "commit_ms": Kind("a transaction on PostgreSQL, without its statements (ms)"),
    "statement_ms": Kind("each statement in one that many share (ms)"),
    "growth_write": Kind("a commit of 100 deliveries on PostgreSQL with a long history, of that with none"),
    "postgres_bytes_per_event": Kind("on PostgreSQL's disk for an event and its run of three actions (bytes)"),
    "written_per_event": Kind("written to its log for that (bytes)"),
    "ack_p50_ms": Kind("median of an ack at 300 a second (ms)"),
    "bare_ack_p99_ms": Kind("p99 of an ack at 300 a second, bare loop (ms)"),
    "overhead_p50_ms": Kind("median from webhook to last action at 10 a second, over the calls' own time (ms)"),
    "desk_ms": Kind("the desk's first page with a long history (ms)"),
    "history_events": Kind("events in the long history"),
    "history_mb": Kind("its ledger on disk (MB)"),
    "recovery_runs": Kind("runs pending at start"),
    "timers": Kind("runs that wait for their time"),
}
"""Every figure there is, in the order in which they are shown."""


@dataclass(frozen=True)
class Took:
    """What a page took in ms: with a day behind it, with a long history, at the most with that, and how much of that
    was time of the processor."""

    few: float
    many: float
    largest: float
    processor: float


@dataclass
class Figures:
    """The values of each figure, one for each round."""

    values: dict[str, list[float]] = field(default_factory=dict)
    pages: dict[str, list[Took]] = field(default_factory=dict)
    """By the path of a page of the desk or a list of its API."""

    def page(self, path: str, took: Took) -> None:
        self.pages.setdefault(path, []).append(took)

    def add(self, **found: float) -> None:
        for name, value in found.items():
            assert name in KINDS, f"{name} has no meaning yet"
            self.values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return (name for name in KINDS if name in self.values)

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def range(self, name: str) -> tuple[float, float]:
        return min(self.values[name]), max(self.values[name])
