"""Dead letters: what needs a person. One open row for each action of a run (or each delivery) that is stuck."""

from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import ExceptionRow, ExceptionState, exception_row, stamp

_WHAT = "id, run, delivery, flow, action, item, connection, cause, sentence, remedy, detail"
_COLUMNS = f"{_WHAT}, opened_at, state, closed_at, reason"


def open_one(
    rows: Rows,
    *,
    connection: str,
    cause: str,
    sentence: str,
    remedy: str,
    detail: str,
    now: datetime,
    run: int | None = None,
    delivery: int | None = None,
    flow: str = "",
    action: str = "",
    item: int = 0,
) -> int:
    new = rows.insert(
        "INSERT INTO exceptions"
        " (run, delivery, flow, action, item, connection, cause, sentence, remedy, detail, opened_at, state) VALUES"
        " (:run, :delivery, :flow, :action, :item, :connection, :cause, :sentence, :remedy, :detail, :now, 'open')",
        {
            "run": run,
            "delivery": delivery,
            "flow": flow,
            "action": action,
            "item": item,
            "connection": connection,
            "cause": cause,
            "sentence": sentence,
            "remedy": remedy,
            "detail": detail,
            "now": stamp(now),
        },
    )
    assert new is not None
    return new


def close(rows: Rows, exception: int, state: ExceptionState, now: datetime, reason: str = "") -> bool:
    """False when it isn't open."""
    return bool(
        rows.run(
            "UPDATE exceptions SET state = :state, closed_at = :now, reason = :reason"
            " WHERE id = :id AND state = 'open'",
            {"id": exception, "state": state.value, "now": stamp(now), "reason": reason},
        )
    )


def close_of_run(rows: Rows, run: int, state: ExceptionState, now: datetime, reason: str = "") -> int:
    """How many it closed."""
    return rows.run(
        "UPDATE exceptions SET state = :state, closed_at = :now, reason = :reason WHERE run = :run AND state = 'open'",
        {"run": run, "state": state.value, "now": stamp(now), "reason": reason},
    )


def find(rows: Rows, exception: int) -> ExceptionRow | None:
    row = rows.one(f"SELECT {_COLUMNS} FROM exceptions WHERE id = :id", {"id": exception})  # noqa: S608
    return exception_row(row) if row else None


def open_ones(rows: Rows, *, limit: int = 1_000, cause: str = "", flow: str = "", run: int = 0) -> list[ExceptionRow]:
    """Oldest first."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM exceptions WHERE state = 'open' AND (:cause = '' OR cause = :cause)"  # noqa: S608
        " AND (:flow = '' OR flow = :flow) AND (:run = 0 OR run = :run) ORDER BY id LIMIT :limit",
        {"limit": limit, "cause": cause, "flow": flow, "run": run},
    )
    return [exception_row(row) for row in found]


def of_run(rows: Rows, run: int) -> list[ExceptionRow]:
    found = rows.all(f"SELECT {_COLUMNS} FROM exceptions WHERE run = :run ORDER BY id", {"run": run})  # noqa: S608
    return [exception_row(row) for row in found]
