"""Dead letters: what needs a person. One open row for each action of a run (or each delivery) that is stuck."""

from dataclasses import asdict, dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import ExceptionRow, ExceptionState, exception_row, stamp

_WHAT = "id, run, delivery, flow, action, item, connection, cause, sentence, remedy, detail"
_COLUMNS = f"{_WHAT}, opened_at, state, closed_at, reason"
_ABOUT = (
    "EXISTS (SELECT 1 FROM runs r JOIN events e ON e.id = r.event WHERE r.id = exceptions.run"
    " AND :about IN (e.subject, e.business_key, {number}))"
)


@dataclass(frozen=True)
class Choice:
    """Which open exceptions: all that fit everything that is said here."""

    cause: str = ""
    flow: str = ""
    connection: str = ""
    about: str = ""
    """What the event is about: its subject, its business key, or its number (of the order)."""
    run: int = 0
    before: datetime | None = None
    """Opened before this."""
    after: datetime | None = None
    """Opened then or later."""

    def sql(self, rows: Rows) -> tuple[str, dict[str, object]]:
        """A condition, and its values."""
        conditions = ["state = 'open'"]
        conditions += [f"{name} = :{name}" for name in ("cause", "flow", "connection", "run") if getattr(self, name)]
        conditions += [_ABOUT.format(number=rows.json_text("e.data", "number"))] * bool(self.about)
        conditions += ["opened_at < :before"] * (self.before is not None)
        conditions += ["opened_at >= :after"] * (self.after is not None)
        times = {"before": self.before and stamp(self.before), "after": self.after and stamp(self.after)}
        return " AND ".join(conditions), asdict(self) | times


EVERY_OPEN_ONE = Choice()


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
    return chosen(rows, Choice(cause=cause, flow=flow, run=run), limit=limit)


def chosen(rows: Rows, choice: Choice = EVERY_OPEN_ONE, *, limit: int = 1_000) -> list[ExceptionRow]:
    """Oldest first."""
    condition, values = choice.sql(rows)
    found = rows.all(
        f"SELECT {_COLUMNS} FROM exceptions WHERE {condition} ORDER BY id LIMIT :limit",  # noqa: S608
        values | {"limit": limit},
    )
    return [exception_row(row) for row in found]


def chosen_ids(rows: Rows, choice: Choice) -> list[int]:
    """All of them, oldest first."""
    condition, values = choice.sql(rows)
    return [row[0] for row in rows.all(f"SELECT id FROM exceptions WHERE {condition} ORDER BY id", values)]  # noqa: S608


def of_delivery(rows: Rows, delivery: int) -> list[ExceptionRow]:
    found = rows.all(
        f"SELECT {_COLUMNS} FROM exceptions WHERE delivery = :delivery ORDER BY id",  # noqa: S608
        {"delivery": delivery},
    )
    return [exception_row(row) for row in found]


def of_run(rows: Rows, run: int) -> list[ExceptionRow]:
    found = rows.all(f"SELECT {_COLUMNS} FROM exceptions WHERE run = :run ORDER BY id", {"run": run})  # noqa: S608
    return [exception_row(row) for row in found]
