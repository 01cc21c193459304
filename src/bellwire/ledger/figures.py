"""Counts for the desk, and the proof that nothing is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bellwire.ledger.database import Rows
from bellwire.ledger.exceptions import EVERY_OPEN_ONE, Choice
from bellwire.ledger.rows import DeliveryState, RunRow, RunState, run_row, stamp, unstamp
from bellwire.ledger.runs import A_PERSON, ITS_TIME, ITS_TURN, TOOK


@dataclass(frozen=True)
class Balance:
    """What became of the events that one connection brought for one flow (or for none: `flow` is empty).

    The books balance when received = done + waiting + dead + skipped.
    """

    connection: str
    flow: str
    received: int
    done: int = 0
    waiting: int = 0
    dead: int = 0
    skipped: int = 0

    @property
    def balanced(self) -> bool:
        return self.received == self.done + self.waiting + self.dead + self.skipped


@dataclass(frozen=True)
class Deliveries:
    """Of a period, by state; `copies` are the repeats that were recognised."""

    received: int
    done: int
    waiting: int
    dead: int
    skipped: int
    copies: int

    @property
    def balanced(self) -> bool:
        return self.received == self.done + self.waiting + self.dead + self.skipped


@dataclass(frozen=True)
class ActionCount:
    """How often an action of a flow ended how, in a period."""

    flow: str
    action: str
    done: int
    skipped: int
    failed: int
    """Attempts that failed; most were tried again."""


@dataclass(frozen=True)
class OpenGroup:
    """Open exceptions that one remedy mends. `oldest` and `newest` are exception ids; the rest is of the oldest."""

    connection: str
    cause: str
    count: int
    oldest: int
    newest: int
    since: datetime
    sentence: str
    remedy: str


@dataclass(frozen=True)
class FlowLoad:
    """What of a flow isn't finished, whenever it began. By action: tries to come, and open exceptions."""

    running: int
    waiting: int
    to_retry: Mapping[str, int]
    stuck: Mapping[str, int]


def balances(rows: Rows, since: datetime, until: datetime) -> list[Balance]:
    """Of the events recorded in a period. Replays that a person asked for don't count.

    `received` is counted from the events, the rest from their runs: a run that is lost would show.
    """
    period = {"since": stamp(since), "until": stamp(until)}
    ended = rows.all(
        "SELECT e.connection, r.flow, r.state, COUNT(*) FROM events e JOIN runs r ON r.event = e.id AND r.nonce = ''"
        " WHERE e.recorded_at >= :since AND e.recorded_at < :until GROUP BY 1, 2, 3",
        period,
    )
    unheard = rows.all(
        "SELECT e.connection, COUNT(*), COUNT(*) FILTER (WHERE e.reason <> '') FROM events e"
        " WHERE e.recorded_at >= :since AND e.recorded_at < :until"
        " AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event = e.id) GROUP BY 1",
        period,
    )
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for connection, flow, state, count in ended:
        counts.setdefault((connection, flow), {})[state] = count
    result = [
        Balance(
            connection,
            flow,
            received=sum(states.values()),
            done=states.get(RunState.DONE, 0),
            waiting=sum(states.get(state, 0) for state in (RunState.RUNNING, RunState.WAITING, RunState.HELD)),
            dead=states.get(RunState.DEAD, 0),
            skipped=states.get(RunState.SKIPPED, 0),
        )
        for (connection, flow), states in sorted(counts.items())
    ]
    return result + [Balance(connection, "", received=count, skipped=skipped) for connection, count, skipped in unheard]


def unread(rows: Rows, since: datetime, until: datetime) -> list[Balance]:
    """Of the deliveries of a period that brought no event, by connection."""
    found = rows.all(
        "SELECT connection, COUNT(*), COUNT(*) FILTER (WHERE state = 'received'),"
        " COUNT(*) FILTER (WHERE state = 'dead'), COUNT(*) FILTER (WHERE state = 'skipped')"
        " FROM deliveries WHERE received_at >= :since AND received_at < :until AND state <> 'done' GROUP BY 1",
        {"since": stamp(since), "until": stamp(until)},
    )
    return [
        Balance(connection, "", received, waiting=waiting, dead=dead, skipped=skipped)
        for connection, received, waiting, dead, skipped in found
    ]


def unaccounted(rows: Rows, since: datetime, until: datetime, *, connection: str, limit: int) -> list[int]:
    """Events of a period that started no run and don't say why: there should be none."""
    found = rows.all(
        "SELECT id FROM events e WHERE recorded_at >= :since AND recorded_at < :until AND connection = :connection"
        " AND reason = '' AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.event = e.id) ORDER BY id LIMIT :limit",
        {"since": stamp(since), "until": stamp(until), "connection": connection, "limit": limit},
    )
    return [row[0] for row in found]


def beginning(rows: Rows) -> datetime | None:
    """When the first delivery or event came in; None when nothing has."""
    row = rows.one("SELECT (SELECT MIN(received_at) FROM deliveries), (SELECT MIN(recorded_at) FROM events)")
    times = [time for time in row or () if time is not None]
    return unstamp(min(times)) if times else None


def delivery_counts(rows: Rows, since: datetime, until: datetime) -> Deliveries:
    found = rows.all(
        "SELECT state, COUNT(*), SUM(copies - 1) FROM deliveries WHERE received_at >= :since AND received_at < :until"
        " GROUP BY state",
        {"since": stamp(since), "until": stamp(until)},
    )
    states = {state: count for state, count, _ in found}
    return Deliveries(
        received=sum(states.values()),
        done=states.get(DeliveryState.DONE, 0),
        waiting=states.get(DeliveryState.RECEIVED, 0),
        dead=states.get(DeliveryState.DEAD, 0),
        skipped=states.get(DeliveryState.SKIPPED, 0),
        copies=sum(copies for _, _, copies in found),
    )


def processing_times(
    rows: Rows, since: datetime, until: datetime, *, flow: str = "", limit: int = 10_000
) -> list[timedelta]:
    """From the webhook's arrival to the last action, of the newest runs that were done in a period; shortest first.
    Without what their flows say to wait, and without those that a later event ended."""
    found = rows.all(
        f"SELECT {TOOK} FROM runs WHERE state = 'done' AND ended_by IS NULL"  # noqa: S608
        " AND created_at >= :since AND created_at < :until AND (:flow = '' OR flow = :flow)"
        " ORDER BY created_at DESC LIMIT :limit",
        {"since": stamp(since), "until": stamp(until), "flow": flow, "limit": limit},
    )
    return sorted(timedelta(microseconds=max(0, row[0])) for row in found)


def times_by_flow(rows: Rows, since: datetime, until: datetime, *, limit: int = 10_000) -> dict[str, list[timedelta]]:
    """The same, by flow; in no order."""
    found = rows.all(
        f"SELECT flow, {TOOK} FROM runs WHERE state = 'done' AND ended_by IS NULL"  # noqa: S608
        " AND created_at >= :since AND created_at < :until ORDER BY created_at DESC LIMIT :limit",
        {"since": stamp(since), "until": stamp(until), "limit": limit},
    )
    result: dict[str, list[timedelta]] = {}
    for flow, took in found:
        result.setdefault(flow, []).append(timedelta(microseconds=max(0, took)))
    return result


def action_counts(rows: Rows, since: datetime, until: datetime) -> list[ActionCount]:
    found = rows.all(
        "SELECT r.flow, a.action, COUNT(*) FILTER (WHERE a.outcome IN ('done', 'by hand')),"
        " COUNT(*) FILTER (WHERE a.outcome = 'skipped'), COUNT(*) FILTER (WHERE a.outcome IN ('failed', 'unknown'))"
        " FROM runs r JOIN attempts a ON a.run = r.id"
        " WHERE r.created_at >= :since AND r.created_at < :until GROUP BY 1, 2",
        {"since": stamp(since), "until": stamp(until)},
    )
    return [ActionCount(*row) for row in found]


def finished_by_hour(rows: Rows, since: datetime, until: datetime) -> list[tuple[int, str, int]]:
    """Hour (from `since`, 0 first), state and count of the runs that began in a period."""
    found = rows.all(
        "SELECT (created_at - :since) / 3600000000, state, COUNT(*) FROM runs"
        " WHERE created_at >= :since AND created_at < :until GROUP BY 1, 2",
        {"since": stamp(since), "until": stamp(until)},
    )
    return [(row[0], row[1], row[2]) for row in found]


def open_exceptions(rows: Rows) -> int:
    row = rows.one("SELECT COUNT(*) FROM exceptions WHERE state = 'open'")
    return int(row[0]) if row else 0


def opened_exceptions(rows: Rows, since: datetime, until: datetime) -> int:
    """How many began in a period, whatever became of them."""
    row = rows.one(
        "SELECT COUNT(*) FROM exceptions WHERE opened_at >= :since AND opened_at < :until",
        {"since": stamp(since), "until": stamp(until)},
    )
    return int(row[0]) if row else 0


def amounts(rows: Rows, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """Of each event of a period about which something was done: its type, and the amount that it is about, as the JSON
    of a Money. Those about none are left out."""
    total, amount = rows.json_text("e.data", "total"), rows.json_text("e.data", "amount")
    found = rows.all(
        f"SELECT e.type, COALESCE({total}, {amount}) FROM events e"  # noqa: S608
        " WHERE e.recorded_at >= :since AND e.recorded_at < :until"
        " AND EXISTS (SELECT 1 FROM runs r WHERE r.event = e.id AND r.state = 'done')",
        {"since": stamp(since), "until": stamp(until)},
    )
    return [(kind, text) for kind, text in found if text]


def unfinished(rows: Rows, now: datetime | None = None) -> int:
    """Deliveries to be normalised and runs that are neither done nor stuck, nor behind one that is, nor wait for a time
    that their flow says (with `now`: one that is still to come), or for a person."""
    row = rows.one(
        "SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'received')"
        " + (SELECT COUNT(*) FROM runs WHERE state = 'running')"
        " + (SELECT COUNT(*) FROM runs WHERE state = 'waiting' AND (held_for NOT IN (:time, :person)"
        " OR due_at <= CAST(:now AS bigint)))"
        " + (SELECT COUNT(*) FROM runs WHERE state = 'held' AND held_for NOT IN (:turn, :person))",
        {"turn": ITS_TURN, "time": ITS_TIME, "person": A_PERSON, "now": None if now is None else stamp(now)},
    )
    return int(row[0]) if row else 0


def next_due(rows: Rows) -> datetime | None:
    """When the next run goes on that waits for a time that its flow says; None: none waits so."""
    row = rows.one(
        "SELECT MIN(due_at) FROM runs WHERE state = 'waiting' AND held_for IN (:time, :person)",
        {"time": ITS_TIME, "person": A_PERSON},
    )
    return unstamp(row[0]) if row and row[0] is not None else None


def open_groups(rows: Rows, *, limit: int = 20, choice: Choice = EVERY_OPEN_ONE) -> list[OpenGroup]:
    """The largest groups first."""
    condition, values = choice.sql(rows)
    found = rows.all(
        "SELECT grouped.connection, grouped.cause, number, oldest, newest, e.opened_at, e.sentence, e.remedy FROM"  # noqa: S608
        " (SELECT connection, cause, COUNT(*) AS number, MIN(id) AS oldest, MAX(id) AS newest FROM exceptions"
        f" WHERE {condition} GROUP BY connection, cause) AS grouped JOIN exceptions e ON e.id = oldest"
        " ORDER BY number DESC, oldest LIMIT :limit",
        values | {"limit": limit},
    )
    return [
        OpenGroup(connection, cause, count, oldest, newest, unstamp(since), sentence, remedy)
        for connection, cause, count, oldest, newest, since, sentence, remedy in found
    ]


def open_assignees(rows: Rows, *, choice: Choice = EVERY_OPEN_ONE) -> dict[tuple[str, str], list[str]]:
    """Who looks after the open exceptions of a connection and cause, by name; those that nobody does are left out."""
    condition, values = choice.sql(rows)
    found = rows.all(
        "SELECT DISTINCT connection, cause, (SELECT p.name FROM people p WHERE p.id = exceptions.assignee)"  # noqa: S608
        f" FROM exceptions WHERE {condition} AND assignee IS NOT NULL ORDER BY 3",
        values,
    )
    result: dict[tuple[str, str], list[str]] = {}
    for connection, cause, name in found:
        result.setdefault((connection, cause), []).append(name)
    return result


def of_group(rows: Rows, group: OpenGroup, *, limit: int) -> list[int]:
    """The ids of a group's exceptions, oldest first."""
    found = rows.all(
        "SELECT id FROM exceptions WHERE state = 'open' AND connection = :connection AND cause = :cause"
        " AND id BETWEEN :oldest AND :newest ORDER BY id LIMIT :limit",
        {
            "connection": group.connection,
            "cause": group.cause,
            "oldest": group.oldest,
            "newest": group.newest,
            "limit": limit,
        },
    )
    return [row[0] for row in found]


def event_copies(rows: Rows, since: datetime, until: datetime) -> int:
    """How many deliveries of a period's events told of what was known already."""
    row = rows.one(
        "SELECT SUM(copies - 1) FROM events WHERE recorded_at >= :since AND recorded_at < :until",
        {"since": stamp(since), "until": stamp(until)},
    )
    return int(row[0] or 0) if row else 0


def skip_reasons(rows: Rows, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """Why deliveries, events and runs of a period were skipped, and how many; the most frequent first."""
    found = rows.all(
        "SELECT reason, COUNT(*) FROM ("
        " SELECT reason FROM deliveries WHERE received_at >= :since AND received_at < :until AND state = 'skipped'"
        " UNION ALL SELECT reason FROM events WHERE recorded_at >= :since AND recorded_at < :until AND reason <> ''"
        " UNION ALL SELECT r.reason FROM events e JOIN runs r ON r.event = e.id AND r.nonce = ''"
        " WHERE e.recorded_at >= :since AND e.recorded_at < :until AND r.state = 'skipped'"
        ") AS skipped GROUP BY reason ORDER BY 2 DESC, 1",
        {"since": stamp(since), "until": stamp(until)},
    )
    return [(row[0], row[1]) for row in found]


def flow_loads(rows: Rows, *, limit: int = 10_000) -> dict[str, FlowLoad]:
    """By flow. At most `limit` runs that wait, those that are due first, and `limit` open exceptions are looked at."""
    most = {"limit": limit}
    states = rows.all(
        "SELECT flow, state, COUNT(*) FROM ("
        " SELECT flow, state FROM (SELECT flow, state FROM runs WHERE state = 'waiting' ORDER BY due_at LIMIT :limit)"
        " AS due UNION ALL SELECT flow, state FROM runs WHERE state = 'running'"
        " UNION ALL SELECT flow, 'waiting' FROM (SELECT flow FROM runs WHERE state = 'held' LIMIT :limit) AS held"
        ") AS unfinished GROUP BY 1, 2",
        most,
    )
    to_retry = rows.all(
        "SELECT due.flow, a.action, COUNT(*) FROM"
        " (SELECT id, flow FROM runs WHERE state = 'waiting' ORDER BY due_at LIMIT :limit) AS due"
        " JOIN attempts a ON a.run = due.id WHERE a.next_at IS NOT NULL AND a.outcome <> 'waiting'"
        " AND NOT EXISTS (SELECT 1 FROM attempts later"
        " WHERE later.run = a.run AND later.action = a.action AND later.item = a.item AND later.number > a.number)"
        " GROUP BY 1, 2",
        most,
    )
    stuck = rows.all(
        "SELECT flow, action, COUNT(*) FROM (SELECT flow, action FROM exceptions WHERE state = 'open' AND flow <> ''"
        " ORDER BY id DESC LIMIT :limit) AS stuck GROUP BY 1, 2",
        most,
    )
    counts = {(flow, state): count for flow, state, count in states}
    return {
        flow: FlowLoad(
            running=counts.get((flow, RunState.RUNNING), 0),
            waiting=counts.get((flow, RunState.WAITING), 0),
            to_retry={action: count for name, action, count in to_retry if name == flow},
            stuck={action: count for name, action, count in stuck if name == flow},
        )
        for flow in {row[0] for row in (*states, *stuck)}
    }


def newest_of_flow(rows: Rows, flow: str, *, limit: int) -> list[RunRow]:
    """The runs of a flow's newest events: unlike `runs.newest`, at the same cost however rare the flow is."""
    found = rows.all(
        "SELECT id, event, flow, flow_hash, nonce, state, reason, fence, interrupted,"
        " created_at, received_at, due_at, retried_at, finished_at, subject, held_for FROM runs WHERE flow = :flow"
        " ORDER BY event DESC, nonce DESC LIMIT :limit",
        {"flow": flow, "limit": limit},
    )
    return [run_row(row) for row in found]
