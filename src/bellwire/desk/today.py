"""The figures of a day, as they were at one instant."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil

from bellwire.desk.moved import Moved, moved
from bellwire.desk.site import Site
from bellwire.desk.speed import Speed, speed
from bellwire.engine import Standing, standings
from bellwire.events import Environment
from bellwire.flows import Flow
from bellwire.ledger import (
    NO_ENGINE,
    AlertRow,
    EventRow,
    ExceptionRow,
    HealthRow,
    ProcessRow,
    Rows,
    RunRow,
    RunState,
    Trouble,
    alerts,
    deliveries,
    events,
    exceptions,
    figures,
    health,
    processes,
    runs,
)
from bellwire.watch import CONNECTIONS, EXCEPTIONS

_SHOWN = 5
"""Of each group of exceptions."""
_SHOWN_IN_FULL = (EXCEPTIONS, CONNECTIONS)
"""Alerts of these say less than the page does anyway."""


@dataclass(frozen=True)
class Stuck:
    """`event` is None when a delivery couldn't be read."""

    exception: ExceptionRow
    event: EventRow | None


@dataclass(frozen=True)
class Group:
    """Exceptions that one remedy mends; `shown` are the oldest of them."""

    count: int
    shown: Sequence[Stuck]

    @property
    def first(self) -> ExceptionRow:
        return self.shown[0].exception


@dataclass(frozen=True)
class Entry:
    """One line of the day's account. `flow` is empty for what no flow took up."""

    connection: str
    flow: str
    received: int
    done: int = 0
    waiting: int = 0
    dead: int = 0
    skipped: int = 0

    def __add__(self, other: "Entry") -> "Entry":
        return Entry(
            "",
            "",
            self.received + other.received,
            self.done + other.done,
            self.waiting + other.waiting,
            self.dead + other.dead,
            self.skipped + other.skipped,
        )

    @property
    def missing(self) -> int:
        """What was received and never accounted for; zero when the books balance."""
        return self.received - self.done - self.waiting - self.dead - self.skipped


@dataclass(frozen=True)
class Out:
    """A connection that is out of order, and how many runs wait for it."""

    health: HealthRow
    held: int

    @property
    def needs_a_person(self) -> bool:
        return self.health.state is Trouble.SIGNED_OUT


@dataclass(frozen=True)
class Steps:
    """What became of one action of a flow: `done` and `skipped` in the day, the others now."""

    done: int = 0
    skipped: int = 0
    waiting: int = 0
    stuck: int = 0


@dataclass(frozen=True)
class Day:
    since: datetime
    now: datetime
    entries: Sequence[Entry]
    speed: Speed | None
    duplicates: int
    refusals: Sequence[tuple[str, int]]
    """Reason and count."""
    reasons: Sequence[tuple[str, int]]
    """Why things were skipped, and how many."""
    hours: Sequence[Mapping[str, int]]
    """For each hour of the day, state of a run → how many that began in it."""
    troubles: Sequence[Group]
    out: Sequence[Out]
    notices: Sequence[AlertRow]
    """What people are told of beside exceptions and connections: a full disk, runs that wait too long."""
    unheard: Sequence[tuple[str, str, int]]
    """Channels that alerts don't arrive through, why, and how many."""
    open_exceptions: int
    unfinished: int
    """Of all days."""
    loads: Mapping[str, figures.FlowLoad]
    actions: Mapping[tuple[str, str], figures.ActionCount]
    latest: Sequence[tuple[RunRow, EventRow]]
    stands: Mapping[str, Standing]
    """How it stands with each flow, by its id."""
    last: Mapping[str, RunRow]
    """The newest run of each flow, by its id; of those that have run."""
    money: Sequence[Moved]
    processes: Sequence[ProcessRow] | None
    """Those at work; None where the ledger is one process's own."""

    @property
    def nobody_runs_flows(self) -> bool:
        """Whether all that comes in only waits: what takes it in is there, or nothing is."""
        return self.processes is not None and all(each.work == NO_ENGINE for each in self.processes)

    @property
    def to_know(self) -> int:
        """How many things there are to know, beside exceptions and connections."""
        return len(self.notices) + len(self.unheard) + len(self.not_live_yet) + self.nobody_runs_flows

    @property
    def not_live_yet(self) -> list[Standing]:
        """The flows that do nothing until somebody says that they may."""
        return [each for each in self.stands.values() if each.waits]

    @property
    def total(self) -> Entry:
        return sum(self.entries, Entry("", "", 0))

    def saved(self, flow: Flow) -> timedelta:
        """How long a person would have taken for what the flow did."""
        return timedelta(minutes=float(flow.manual_minutes or 0)) * self.of_flow(flow.id).done

    @property
    def still_open(self) -> int:
        """What isn't finished although it came before today."""
        return max(0, self.unfinished - self.total.waiting)

    @property
    def need_a_person(self) -> int:
        """Exceptions, and connections that somebody has to sign in again."""
        return self.open_exceptions + sum(each.needs_a_person for each in self.out)

    @property
    def running(self) -> int:
        """Under way at this moment."""
        return sum(load.running for load in self.loads.values())

    def of_flow(self, flow: str) -> Entry:
        return sum((entry for entry in self.entries if entry.flow == flow), Entry("", "", 0))

    def load(self, flow: str) -> figures.FlowLoad:
        return self.loads.get(flow, figures.FlowLoad(0, 0, {}, {}))

    def steps(self, flow: str, action: str) -> Steps:
        count, load = self.actions.get((flow, action)), self.load(flow)
        done, skipped = (count.done, count.skipped) if count else (0, 0)
        return Steps(done, skipped, load.to_retry.get(action, 0), load.stuck.get(action, 0))


def day(
    rows: Rows,
    since: datetime,
    now: datetime,
    *,
    hours: int,
    flows: Collection[Flow],
    environments: Mapping[str, Environment],
) -> Day:
    """The day that began at `since` and has `hours` hours, up to `now`; `environments` of the connections."""
    until = now + timedelta(seconds=1)
    received = figures.delivery_counts(rows, since, until)
    unread = Entry(
        "",
        "",
        received.waiting + received.dead + received.skipped,
        waiting=received.waiting,
        dead=received.dead,
        skipped=received.skipped,
    )
    taken_up = [
        Entry(line.connection, line.flow, line.received, line.done, line.waiting, line.dead, line.skipped)
        for line in figures.balances(rows, since, until)
    ]
    counted = figures.action_counts(rows, since, until)
    return Day(
        since=since,
        now=now,
        entries=[*taken_up, *([unread] if unread.received else [])],
        speed=speed(figures.processing_times(rows, since, until)),
        duplicates=received.copies + figures.event_copies(rows, since, until),
        refusals=_by_reason(deliveries.refusals(rows, now)),
        reasons=figures.skip_reasons(rows, since, until),
        hours=_by_hour(figures.finished_by_hour(rows, since, until), hours),
        troubles=[_trouble(rows, group) for group in figures.open_groups(rows)],
        out=_out_of_order(rows),
        notices=[alert for alert in alerts.open_ones(rows) if not alert.topic.startswith(_SHOWN_IN_FULL)],
        unheard=alerts.unheard(rows),
        open_exceptions=figures.open_exceptions(rows),
        unfinished=figures.unfinished(rows),
        loads=figures.flow_loads(rows),
        actions={(count.flow, count.action): count for count in counted},
        latest=with_events(rows, runs.newest(rows, limit=12)),
        last={flow.id: row for flow in flows for row in figures.newest_of_flow(rows, flow.id, limit=1)},
        money=moved(figures.amounts(rows, since, until)),
        stands={each.flow.id: each for each in standings(rows, flows, environments)},
        processes=processes.alive(rows, now) if rows.queued else None,
    )


def of_today(site: Site, now: datetime) -> Callable[[Rows], Day]:
    """The query for the day that it is now."""
    since = site.words.midnight(now)
    tomorrow = site.words.midnight(since + timedelta(hours=36))
    return partial(
        day,
        since=since,
        now=now,
        hours=ceil((tomorrow - since) / timedelta(hours=1)),
        flows=site.flows.values(),
        environments={name: connection.environment for name, connection in site.connections.items()},
    )


def with_events(rows: Rows, found: Sequence[RunRow]) -> list[tuple[RunRow, EventRow]]:
    """Each run with its event."""
    pairs = [(run, events.find(rows, run.event)) for run in found]
    return [(run, event) for run, event in pairs if event is not None]


def _by_reason(refused: Sequence[tuple[str, str, int]]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for _, reason, count in refused:
        if count:
            counts[reason] = counts.get(reason, 0) + count
    return sorted(counts.items(), key=lambda entry: -entry[1])


def _by_hour(found: Sequence[tuple[int, str, int]], hours: int) -> list[dict[str, int]]:
    result: list[dict[str, int]] = [{} for _ in range(hours)]
    for hour, state, count in found:
        kind = RunState.WAITING if state in (RunState.RUNNING, RunState.HELD) else state
        result[hour][kind] = result[hour].get(kind, 0) + count
    return result


def _out_of_order(rows: Rows) -> list[Out]:
    found = health.out_of_order(rows)
    held = runs.count_held(rows) if found else {}
    return [Out(row, held.get(runs.waits_for(row.connection), 0)) for row in found]


def _trouble(rows: Rows, group: figures.OpenGroup) -> Group:
    found = [exceptions.find(rows, number) for number in figures.of_group(rows, group, limit=_SHOWN)]
    return Group(group.count, [stuck(rows, row) for row in found if row is not None])


def stuck(rows: Rows, exception: ExceptionRow) -> Stuck:
    """An exception with the event of its run."""
    run = runs.find(rows, exception.run) if exception.run is not None else None
    return Stuck(exception, events.find(rows, run.event) if run else None)
