"""Dead letters: what needs a person. One open row for each action of a run (or each delivery) that is stuck."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import Colleague, ExceptionRow, ExceptionState, exception_row, stamp

_WHAT = "id, run, delivery, flow, action, item, connection, cause, sentence, remedy, detail"
_ITS_NAME = "(SELECT p.name FROM people p WHERE p.id = exceptions.assignee)"
_COLUMNS = f"{_WHAT}, opened_at, state, closed_at, reason, assignee, {_ITS_NAME}"
_ABOUT = (
    "EXISTS (SELECT 1 FROM runs r JOIN events e ON e.id = r.event WHERE r.id = exceptions.run"
    " AND :about IN (e.subject, e.business_key, {number}))"
)
_NAMED = ("number", "order_number")
_WHO = ("customer.name", "customer.email", "email")
_LOOKED_AT = 5_000
"""Closed exceptions that are looked through for a page: the next one goes on from there."""
_READ = 1_000
"""The same where the data of their events has to be read, too."""


@dataclass(frozen=True)
class Choice:
    """Which exceptions: all that fit everything that is said here."""

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
    search: str = ""
    """As people look for it: the number of an order, or a part of the customer's name or e-mail address."""
    assignee: int | None = None
    """The person who looks after it; 0: nobody does."""
    until: int = 0
    """No newer one than that with this number."""

    def sql(self, rows: Rows, *, is_open: bool = True) -> tuple[str, dict[str, object]]:
        """A condition, and its values."""
        conditions = ["state = 'open'" if is_open else "state <> 'open'"]
        conditions += [f"{name} = :{name}" for name in ("cause", "flow", "connection", "run") if getattr(self, name)]
        conditions += [_ABOUT.format(number=rows.json_text("e.data", "number"))] * bool(self.about)
        conditions += [_like(rows)] * bool(self.search)
        conditions += ["COALESCE(assignee, 0) = :assignee"] * (self.assignee is not None)
        conditions += ["+id <= :until"] * bool(self.until)
        conditions += ["opened_at < :before"] * (self.before is not None)
        conditions += ["opened_at >= :after"] * (self.after is not None)
        times = {"before": self.before and stamp(self.before), "after": self.after and stamp(self.after)}
        part = self.search.lower()
        written = json.dumps(part, ensure_ascii=False)[1:-1]
        return " AND ".join(conditions), asdict(self) | times | {"part": _within(part), "written": _within(written)}


def _within(part: str) -> str:
    """For LIKE: whatever has this part in it."""
    return "%" + "".join(f"!{letter}" if letter in "!%_" else letter for letter in part) + "%"


def _like(rows: Rows) -> str:
    """That the event of an exception's run is what is searched for. Few events have it in them anywhere: only of those
    is the data taken apart, which takes longer than all else."""
    numbers = ", ".join(rows.json_text("e.data", name) for name in _NAMED)
    parts = [f"LOWER({rows.json_text('e.data', name)}) LIKE :part ESCAPE '!'" for name in _WHO]
    return (
        "EXISTS (SELECT 1 FROM runs r JOIN events e ON e.id = r.event WHERE r.id = exceptions.run"  # noqa: S608
        " AND (:search = e.subject OR (LOWER(e.data) LIKE :written ESCAPE '!'"
        f" AND (:search IN ({numbers}) OR {' OR '.join(parts)}))))"
    )


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


def chosen(rows: Rows, choice: Choice = EVERY_OPEN_ONE, *, limit: int = 1_000, beyond: int = 0) -> list[ExceptionRow]:
    """Open ones, oldest first; those that come after number `beyond`."""
    condition, values = choice.sql(rows)
    # The plus keeps the database from walking through all numbers, closed ones too, instead of the index of open ones.
    found = rows.all(
        f"SELECT {_COLUMNS} FROM exceptions WHERE {condition} AND +id > :beyond ORDER BY id LIMIT :limit",  # noqa: S608
        values | {"limit": limit, "beyond": beyond},
    )
    return [exception_row(row) for row in found]


def closed(
    rows: Rows, choice: Choice = EVERY_OPEN_ONE, *, limit: int, below: int = 0
) -> tuple[list[ExceptionRow], int | None]:
    """Closed ones, newest first, from below number `below`, if so asked; and from below which number it goes on (None:
    there are no more). Of a long history it looks through one part: there may be few, or none, and more further on."""
    condition, values = choice.sql(rows, is_open=False)
    looked = min(_LOOKED_AT, _READ) if choice.about or choice.search else _LOOKED_AT
    numbers = rows.all(
        "SELECT id FROM exceptions WHERE id < :below ORDER BY id DESC LIMIT :looked",
        {"below": below or 2**63 - 1, "looked": looked},
    )
    if not numbers:
        return [], None
    oldest, newest = numbers[-1][0], numbers[0][0]
    found = rows.all(
        f"SELECT {_COLUMNS} FROM exceptions WHERE id BETWEEN :oldest AND :newest AND {condition}"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        values | {"oldest": oldest, "newest": newest, "limit": limit + 1},
    )
    listed = [exception_row(row) for row in found[:limit]]
    if len(found) > limit:
        return listed, listed[-1].id
    return listed, oldest if len(numbers) == looked else None


def assign(rows: Rows, exception: int, assignee: int | None) -> None:
    """None: to nobody."""
    rows.run("UPDATE exceptions SET assignee = :assignee WHERE id = :id", {"assignee": assignee, "id": exception})


def assignees(rows: Rows) -> list[Colleague]:
    """Who looks after open ones."""
    found = rows.all(
        f"SELECT DISTINCT assignee, {_ITS_NAME} FROM exceptions WHERE state = 'open' AND assignee IS NOT NULL"  # noqa: S608
        " ORDER BY 1"
    )
    return [Colleague(*row) for row in found]


def count(rows: Rows, choice: Choice) -> int:
    """How many open ones."""
    condition, values = choice.sql(rows)
    return int((rows.one(f"SELECT COUNT(*) FROM exceptions WHERE {condition}", values) or (0,))[0])  # noqa: S608


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
