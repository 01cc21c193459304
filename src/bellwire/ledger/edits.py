"""What people put in place of the input that a flow gives an action: for one run, one action, and one of its items."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger import audit
from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp

_BETWEEN = ", "


@dataclass(frozen=True)
class Edit:
    run: int
    action: str
    item: int
    given: str
    """The whole input: JSON."""
    set_at: datetime
    who: str
    fields: tuple[str, ...]
    """What was changed, such as `order.customer.email`."""


def put(
    rows: Rows, run: int, action: str, item: int, given: str, *, fields: Sequence[str], who: str, now: datetime
) -> None:
    """Keep the whole input `given` (JSON), in place of an earlier one, and who changed which of its `fields`."""
    rows.run(
        "INSERT INTO edits (run, action, item, given, set_at) VALUES (:run, :action, :item, :given, :set_at)"
        " ON CONFLICT (run, action, item) DO UPDATE SET given = excluded.given, set_at = excluded.set_at",
        {"run": run, "action": action, "item": item, "given": given, "set_at": stamp(now)},
    )
    part = action + (f", item {item + 1}" if item else "")
    audit.record(rows, who, "edit", f"run {run}", now, f"{part}: {_BETWEEN.join(fields)}")


def of_run(rows: Rows, run: int) -> list[Edit]:
    part = "(e.action || CASE e.item WHEN 0 THEN '' ELSE ', item ' || (e.item + 1) END || ': ')"
    found = rows.all(
        "SELECT e.run, e.action, e.item, e.given, e.set_at, a.who, a.detail FROM edits e LEFT JOIN audit a"  # noqa: S608
        " ON a.target = 'run ' || e.run AND a.what = 'edit' AND a.at = e.set_at"
        f" AND substr(a.detail, 1, length({part})) = {part}"
        " WHERE e.run = :run ORDER BY e.action, e.item",
        {"run": run},
    )
    return [
        Edit(number, action, item, given, unstamp(set_at), who or "", _fields(detail or ""))
        for number, action, item, given, set_at, who, detail in found
    ]


def _fields(detail: str) -> tuple[str, ...]:
    """Those that an audit's detail names."""
    _, _, fields = detail.rpartition(": ")
    return tuple(fields.split(_BETWEEN)) if fields else ()
