"""What people did: one row for each act, written in the transaction that does it."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp


@dataclass(frozen=True)
class Act:
    """`target` is what it was done to, such as `exception 3`; `detail` names no value that is secret or personal."""

    id: int
    at: datetime
    who: str
    what: str
    target: str
    detail: str


def record(rows: Rows, who: str, what: str, target: str, now: datetime, detail: str = "") -> None:
    rows.run(
        "INSERT INTO audit (at, who, what, target, detail) VALUES (:now, :who, :what, :target, :detail)",
        {"now": stamp(now), "who": who, "what": what, "target": target, "detail": detail},
    )


def newest(rows: Rows, *, limit: int, target: str = "", since: datetime | None = None) -> list[Act]:
    """The newest first; of one target, and not older than `since`, if so asked."""
    wanted = ["target = :target"] * bool(target) + ["at >= :since"] * (since is not None)
    found = rows.all(
        f"SELECT id, at, who, what, target, detail FROM audit WHERE {' AND '.join(wanted) or 'TRUE'}"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        {"limit": limit, "target": target, "since": None if since is None else stamp(since)},
    )
    return [Act(row[0], unstamp(row[1]), *row[2:]) for row in found]
