"""Runs and their attempts.

Every change of a run's state is guarded: by the state it leaves, and by the fence of the worker that makes it. Final
states stay final; only a person's retry opens a dead run again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from bellwire.ledger import asks
from bellwire.ledger.database import Rows
from bellwire.ledger.jobs import Kind
from bellwire.ledger.rows import AttemptRow, Outcome, RunRow, RunState, attempt_row, run_row, stamp

_COLUMNS = (
    "id, event, flow, flow_hash, nonce, state, reason, fence, interrupted,"
    " created_at, received_at, due_at, retried_at, finished_at, subject, held_for, ended_by"
)
_ATTEMPT = (
    "run, action, item, number, outcome, started_at, finished_at, next_at, result, cause, sentence, remedy, detail"
)

UNFINISHED = "state IN ('running', 'waiting', 'held', 'dead')"
ITS_TURN = "turn"
"""What a run is held for until the earlier events of its subject are done with."""
ITS_TIME = "time"
"""What a run waits for whose flow says `wait`. What comes later about the same doesn't wait for it."""
TOOK = (
    "(finished_at - received_at - CAST(COALESCE((SELECT SUM(a.next_at - a.finished_at) FROM attempts a"
    " WHERE a.run = runs.id AND a.outcome = 'waiting'), 0) AS bigint))"
)
"""Microseconds from the arrival of a run's webhook to its end, without what its flow says to `wait`."""
A_PERSON = "person"
"""What a run waits for that has asked a person something."""
_IN_THE_WAY = f"{UNFINISHED} AND held_for <> '{ITS_TIME}'"


def waits_for(connection: str) -> str:
    """What a run is held for while a connection is out of order."""
    return f"connection:{connection}"


def noted(rows: Rows, flow: str, since: datetime, *, limit: int) -> list[tuple[RunRow, AttemptRow]]:
    """What would have been sent by a flow's newest runs that began `since`, each with its run."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM runs WHERE created_at >= :since AND flow = :flow ORDER BY created_at DESC, id DESC"  # noqa: S608
        " LIMIT :limit",
        {"flow": flow, "since": stamp(since), "limit": limit},
    )
    return [
        (run, each) for run in map(run_row, found) for each in attempts(rows, run.id) if each.outcome is Outcome.NOTED
    ]


def start(
    rows: Rows,
    event: int,
    flow: str,
    flow_hash: str,
    *,
    subject: str,
    received_at: datetime,
    now: datetime,
    state: RunState,
    reason: str = "",
    nonce: str = "",
    job: int | None = None,
    due_at: datetime | None = None,
) -> int | None:
    """A run of `flow` for `event`: taken at once by the caller (RUNNING, with fence 1, by the `job` that it has if
    there is a queue), left for any worker (WAITING), kept until the earlier events of its `subject` are done with
    (HELD), or over before it began (DONE). With `due_at` it waits for its time.

    None when there is one already.
    """
    run = rows.insert(
        "INSERT INTO runs"
        " (event, flow, flow_hash, nonce, state, reason, created_at, received_at, due_at, finished_at, subject,"
        " held_for, job) VALUES (:event, :flow, :flow_hash, :nonce, :state, :reason, :now, :received_at, :due_at,"
        " :finished_at, :subject, :held_for, :job)"
        " ON CONFLICT DO NOTHING",
        {
            "event": event,
            "flow": flow,
            "flow_hash": flow_hash,
            "nonce": nonce,
            "state": state.value,
            "reason": reason,
            "now": stamp(now),
            "received_at": stamp(received_at),
            "due_at": stamp(due_at or now) if state is RunState.WAITING else None,
            "finished_at": stamp(now) if state is RunState.DONE else None,
            "subject": subject,
            "held_for": ITS_TURN if state is RunState.HELD else ITS_TIME if due_at is not None else "",
            "job": job,
        },
    )
    if state is RunState.WAITING and due_at is None:
        bring_due(rows, now)
    return run


def has_earlier(rows: Rows, subject: str, event: int) -> bool:
    """Whether an earlier event of the subject has a run that isn't at its end. One that needs a person counts: what
    came later may build on it."""
    found = rows.one(
        f"SELECT 1 FROM runs WHERE subject = :subject AND {_IN_THE_WAY} AND event < :event LIMIT 1",  # noqa: S608
        {"subject": subject, "event": event},
    )
    return found is not None


def let_next_go(rows: Rows, subject: str, now: datetime) -> int:
    """After the end of a run: have those of the subject's next event carried out. Gives how many."""
    gone = rows.run(
        "UPDATE runs SET state = 'waiting', due_at = :now, held_for = '', reason = ''"  # noqa: S608
        f" WHERE subject = :subject AND {UNFINISHED} AND state = 'held' AND held_for = :turn"
        f" AND event = (SELECT MIN(event) FROM runs WHERE subject = :subject AND {_IN_THE_WAY})",
        {"subject": subject, "now": stamp(now), "turn": ITS_TURN},
    )
    if gone:
        bring_due(rows, now)
    return gone


def let_go(rows: Rows, held_for: str, now: datetime, limit: int) -> int:
    """Have the oldest runs that are held for something carried out. Gives how many."""
    gone = rows.run(
        "UPDATE runs SET state = 'waiting', due_at = :now, held_for = '', reason = '' WHERE id IN"
        " (SELECT id FROM runs WHERE state = 'held' AND held_for = :held_for ORDER BY id LIMIT :limit)",
        {"held_for": held_for, "now": stamp(now), "limit": limit},
    )
    if gone:
        bring_due(rows, now)
    return gone


def count_held(rows: Rows) -> dict[str, int]:
    """How many runs are held, by what for."""
    return dict(rows.all("SELECT held_for, COUNT(*) FROM runs WHERE state = 'held' GROUP BY held_for"))


def recover(rows: Rows, now: datetime) -> int:
    """After a crash: what was going on is due again. Gives how many."""
    return rows.run("UPDATE runs SET state = 'waiting', due_at = :now WHERE state = 'running'", {"now": stamp(now)})


def claim(rows: Rows, now: datetime, limit: int) -> list[RunRow]:
    """Take the runs that are due, oldest first. Each claim has a new fence."""
    found = rows.all(
        "UPDATE runs SET state = 'running', fence = fence + 1, due_at = NULL, held_for = '', reason = '' WHERE id IN"  # noqa: S608
        " (SELECT id FROM runs WHERE state = 'waiting' AND due_at <= :now ORDER BY due_at, id LIMIT :limit)"
        f" RETURNING {_COLUMNS}",
        {"now": stamp(now), "limit": limit},
    )
    return sorted(map(run_row, found), key=lambda run: run.id)


def bring_due(rows: Rows, now: datetime, limit: int = 500) -> int:
    """Where there is a queue: enqueue the runs that are due, each for its next turn. From then on they have no time
    any more at which they are due. Gives how many."""
    if not rows.queued:
        return 0
    due = rows.all(
        "UPDATE runs SET due_at = NULL, held_for = '', reason = '' WHERE id IN"
        " (SELECT id FROM runs WHERE state = 'waiting' AND due_at <= :now ORDER BY due_at, id LIMIT :limit)"
        " RETURNING id, fence",
        {"now": stamp(now), "limit": limit},
    )
    rows.enqueue(Kind.CARRY, [(row[0], row[1]) for row in sorted(due)])
    return len(due)


def take(rows: Rows, run: int, job: int, now: datetime) -> RunRow | None:
    """Take a run that a job of the queue is about, unless it isn't due, or another process has it by another job."""
    row = rows.one(
        "UPDATE runs SET state = 'running', fence = fence + 1, due_at = NULL, held_for = '', reason = '', job = :job"  # noqa: S608
        " WHERE id = :run AND state = 'waiting' AND (due_at IS NULL OR due_at <= :now)"
        f" RETURNING {_COLUMNS}",
        {"run": run, "job": job, "now": stamp(now)},
    )
    return run_row(row) if row else None


def take_over(rows: Rows, job: int) -> list[RunRow]:
    """The runs that a process had by this job, which has been brought once more: it is thought to be gone."""
    found = rows.all(
        f"UPDATE runs SET fence = fence + 1 WHERE state = 'running' AND job = :job RETURNING {_COLUMNS}",  # noqa: S608
        {"job": job},
    )
    return sorted(map(run_row, found), key=lambda run: run.id)


def give_back(rows: Rows, job: int, now: datetime) -> int:
    """Let the runs go that this process had by a job: they are due again, for whoever has room. Gives how many."""
    given = rows.run(
        "UPDATE runs SET state = 'waiting', due_at = :now WHERE state = 'running' AND job = :job",
        {"job": job, "now": stamp(now)},
    )
    bring_due(rows, now)
    return given


def sweep(rows: Rows, now: datetime, lapse: timedelta) -> int:
    """Where there is a queue: make due again what is in nobody's hands and isn't in the queue, as after the move from
    another database, or if somebody emptied it. Whoever had it by a job has until the `lapse` to notice, and may have
    sent something until now. Gives how many runs that were going on."""
    if not rows.queued:
        return 0
    interrupted = rows.run(
        "UPDATE runs SET state = 'waiting', fence = fence + 1,"  # noqa: S608
        " due_at = CASE WHEN job IS NULL THEN CAST(:now AS bigint) ELSE :later END WHERE state = 'running'"
        f" AND NOT EXISTS ({rows.job('runs.job')})",
        {"now": stamp(now), "later": stamp(now + lapse)},
    )
    rows.run(
        "UPDATE runs SET due_at = :now WHERE state = 'waiting' AND due_at IS NULL"  # noqa: S608
        f" AND NOT EXISTS ({rows.job_for(Kind.CARRY, 'runs.id', 'runs.fence')})",
        {"now": stamp(now)},
    )
    while bring_due(rows, now):
        pass
    return interrupted


def hasten(rows: Rows, now: datetime) -> int:
    """After the machine's clock was set back: no run waits longer than its backoff is. What was computed by the clock
    as it was shows: it happened later than `now`. Gives how many runs it was."""
    later = "FROM attempts a WHERE a.run = runs.id AND a.finished_at > :now"
    wait = f"COALESCE((SELECT MAX(a.next_at - a.finished_at) {later}), 0)"
    return rows.run(
        f"UPDATE runs SET due_at = :now + {wait} WHERE state = 'waiting' AND due_at > :now + {wait}"  # noqa: S608
        f" AND (created_at > :now OR retried_at > :now OR EXISTS (SELECT 1 {later}))",
        {"now": stamp(now)},
    )


def any_due(rows: Rows, now: datetime) -> bool:
    found = rows.one("SELECT 1 FROM runs WHERE state = 'waiting' AND due_at <= :now LIMIT 1", {"now": stamp(now)})
    return found is not None


def release(rows: Rows, run: int, fence: int, now: datetime) -> bool:
    """Let a run go that its holder can't carry on: it is due again."""
    left = rows.run(
        "UPDATE runs SET state = 'waiting', due_at = :now WHERE id = :id AND state = 'running' AND fence = :fence",
        {"id": run, "fence": fence, "now": stamp(now)},
    )
    if left:
        bring_due(rows, now)
    return bool(left)


def checkpoint(rows: Rows, attempt: AttemptRow, fence: int) -> bool:
    """Write an attempt. False, and nothing written, when another worker holds the run by now."""
    return bool(
        rows.run(
            f"INSERT INTO attempts ({_ATTEMPT}) SELECT :run, :action, :item, :number, :outcome, :started_at, :finished_at,"  # noqa: S608, E501
            " :next_at, :result, :cause, :sentence, :remedy, :detail"
            " WHERE EXISTS (SELECT 1 FROM runs WHERE id = :run AND state = 'running' AND fence = :fence)"
            " ON CONFLICT (run, action, item, number) DO UPDATE SET outcome = excluded.outcome,"
            " finished_at = excluded.finished_at, next_at = excluded.next_at, result = excluded.result,"
            " cause = excluded.cause, sentence = excluded.sentence, remedy = excluded.remedy, detail = excluded.detail"
            " WHERE attempts.outcome = 'started'",
            _attempt_values(attempt) | {"fence": fence},
        )
    )


def leave(
    rows: Rows,
    run: int,
    fence: int,
    state: RunState,
    *,
    now: datetime,
    due_at: datetime | None = None,
    held_for: str = "",
    reason: str = "",
) -> bool:
    """End the holder's turn: with a final state, WAITING until `due_at`, or HELD. False when another worker holds
    it."""
    final = state in (RunState.DONE, RunState.DEAD)
    left = rows.run(
        "UPDATE runs SET state = :state, due_at = :due_at, finished_at = :finished_at, reason = :reason,"
        " held_for = :held_for, interrupted = 0 WHERE id = :id AND state = 'running' AND fence = :fence",
        {
            "id": run,
            "fence": fence,
            "state": state.value,
            "due_at": None if due_at is None else stamp(due_at),
            "finished_at": stamp(now) if final else None,
            "held_for": held_for,
            "reason": reason,
        },
    )
    if left and due_at is not None and due_at <= now:
        bring_due(rows, now)
    return bool(left)


def settle_cut_off(rows: Rows, run: int, now: datetime) -> None:
    """At the end of a run: a crash cut some attempts off, and later ones found out; only until then they have to say
    that they had begun."""
    rows.run(
        "UPDATE attempts SET outcome = 'unknown', finished_at = :now, cause = 'interrupted', sentence = :sentence"
        " WHERE run = :id AND outcome = 'started'",
        {"id": run, "now": stamp(now), "sentence": "Bellwire was stopped before it had an answer."},
    )


def retry(rows: Rows, run: int, now: datetime, *, flow_hash: str = "", hurry: bool) -> bool:
    """Have a run that isn't going on carried out now, from the action that failed: its attempts so far count no more.
    `flow_hash`: with that flow instead of its own. To `hurry` is to let what waits for its time, or for a person's
    answer, wait no longer.

    False when it is at its end, is going on, or waits for its turn.
    """
    opened = rows.run(
        "UPDATE runs SET state = 'waiting', due_at = :now, retried_at = :now, finished_at = NULL, reason = '',"
        " held_for = '', flow_hash = CASE WHEN :hash = '' THEN flow_hash ELSE :hash END"
        " WHERE id = :id AND state IN ('dead', 'waiting', 'held') AND held_for <> :turn",
        {"id": run, "now": stamp(now), "hash": flow_hash, "turn": ITS_TURN},
    )
    if opened:
        # What may be repeated at once. Times wouldn't tell these attempts from later ones: a clock can be set back.
        rows.run(
            "UPDATE attempts SET next_at = COALESCE(finished_at, started_at)"
            " WHERE run = :id AND (outcome IN ('failed', 'unknown', 'started')"
            " OR (:hurry = 1 AND outcome IN ('waiting', 'asked')))",
            {"id": run, "hurry": int(hurry)},
        )
        if hurry:
            asks.withdraw(rows, run, now)
        bring_due(rows, now)
    return bool(opened)


def end_early(rows: Rows, run: int, event: int, now: datetime, reason: str) -> bool:
    """A later event ends a run: at once if it waits, for whatever it is; one that goes on, or that a person is asked
    about, as soon as it is neither. False when it is at its end."""
    row = rows.one(
        "UPDATE runs SET state = 'done', due_at = NULL, held_for = '', finished_at = :now, reason = :reason,"
        " ended_by = :event WHERE id = :id AND state IN ('waiting', 'held')"
        " AND NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.run = runs.id AND x.state = 'open') RETURNING subject",
        {"id": run, "event": event, "now": stamp(now), "reason": reason},
    )
    if row is not None:
        settle_cut_off(rows, run, now)
        asks.withdraw(rows, run, now)
        let_next_go(rows, row[0], now)
        return True
    return bool(
        rows.run(
            f"UPDATE runs SET ended_by = :event WHERE id = :id AND {UNFINISHED}",  # noqa: S608
            {"id": run, "event": event},
        )
    )


def ended_by(rows: Rows, run: int) -> int | None:
    """The event that ends it as soon as it isn't going on."""
    row = rows.one("SELECT ended_by FROM runs WHERE id = :id", {"id": run})
    return row[0] if row else None


def give_up(rows: Rows, run: int, now: datetime, reason: str) -> bool:
    """Skip a run that isn't going on for good; the next event of its subject has its turn. False when it is going on,
    or at its end."""
    row = rows.one(
        "UPDATE runs SET state = 'skipped', due_at = NULL, held_for = '', finished_at = :now, reason = :reason"
        " WHERE id = :id AND state IN ('dead', 'waiting', 'held') RETURNING subject",
        {"id": run, "now": stamp(now), "reason": reason},
    )
    if row is not None:
        asks.withdraw(rows, run, now)
        let_next_go(rows, row[0], now)
    return row is not None


def wake(rows: Rows, run: int, now: datetime) -> None:
    """A person has answered: a run that isn't going on is due, whatever else it waits for, be it somebody who mends
    another of its actions."""
    woken = rows.run(
        "UPDATE runs SET state = 'waiting', due_at = :now, finished_at = NULL, held_for = '', reason = ''"
        " WHERE id = :id AND state IN ('waiting', 'held', 'dead')",
        {"id": run, "now": stamp(now)},
    )
    if woken:
        bring_due(rows, now)


def done_by_hand(rows: Rows, run: int, action: str, item: int, result: str, now: datetime) -> None:
    """Settle an action of a run that doesn't carry it out: a person did it, with this result (JSON)."""
    answer(rows, run, action, item, Outcome.BY_HAND, now, result=result)


def answer(
    rows: Rows,
    run: int,
    action: str,
    item: int,
    outcome: Outcome,
    now: datetime,
    *,
    result: str | None = None,
    sentence: str = "",
) -> None:
    """What a person says of an action that nobody is trying: after its last attempt."""
    last = rows.one(
        "SELECT MAX(number) FROM attempts WHERE run = :run AND action = :action AND item = :item",
        {"run": run, "action": action, "item": item},
    )
    number = (last[0] or 0) + 1 if last else 1
    row = AttemptRow(run, action, item, number, outcome, now, now, result=result, sentence=sentence)
    values = _attempt_values(row)
    rows.run(
        f"INSERT INTO attempts ({_ATTEMPT}) VALUES (:run, :action, :item, :number, :outcome, :started_at,"  # noqa: S608
        " :finished_at, :next_at, :result, :cause, :sentence, :remedy, :detail)",
        values,
    )


def find(rows: Rows, run: int) -> RunRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM runs WHERE id = :id", {"id": run})  # noqa: S608
    return run_row(row) if row else None


def of_event(rows: Rows, event: int) -> list[RunRow]:
    found = rows.all(f"SELECT {_COLUMNS} FROM runs WHERE event = :id ORDER BY id", {"id": event})  # noqa: S608
    return [run_row(row) for row in found]


def newest(rows: Rows, *, limit: int) -> list[RunRow]:
    found = rows.all(f"SELECT {_COLUMNS} FROM runs ORDER BY id DESC LIMIT :limit", {"limit": limit})  # noqa: S608
    return [run_row(row) for row in found]


def some(rows: Rows, numbers: Sequence[int]) -> list[RunRow]:
    """Those with these numbers, in the same order."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM runs WHERE id IN {rows.numbers('numbers')}",  # noqa: S608
        {"numbers": orjson.dumps(numbers).decode()},
    )
    by_number = {row[0]: run_row(row) for row in found}
    return [by_number[number] for number in numbers]


def last_before(rows: Rows, at: datetime) -> int:
    """The newest run that began before a moment; 0 when there is none."""
    row = rows.one(
        "SELECT id FROM runs WHERE created_at < :at ORDER BY created_at DESC, id DESC LIMIT 1", {"at": stamp(at)}
    )
    return row[0] if row else 0


def attempts(rows: Rows, run: int) -> list[AttemptRow]:
    """In the order they began."""
    found = rows.all(f"SELECT {_ATTEMPT} FROM attempts WHERE run = :id ORDER BY started_at, number", {"id": run})  # noqa: S608
    return [attempt_row(row) for row in found]


def attempts_of(rows: Rows, ids: Sequence[int]) -> dict[int, list[AttemptRow]]:
    """The same for several runs."""
    return {run: attempts(rows, run) for run in ids}


def _attempt_values(attempt: AttemptRow) -> dict[str, object]:
    return {
        "run": attempt.run,
        "action": attempt.action,
        "item": attempt.item,
        "number": attempt.number,
        "outcome": attempt.outcome.value,
        "started_at": stamp(attempt.started_at),
        "finished_at": None if attempt.finished_at is None else stamp(attempt.finished_at),
        "next_at": None if attempt.next_at is None else stamp(attempt.next_at),
        "result": attempt.result,
        "cause": attempt.cause,
        "sentence": attempt.sentence,
        "remedy": attempt.remedy,
        "detail": attempt.detail,
    }
