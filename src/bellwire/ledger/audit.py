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


@dataclass(frozen=True)
class Wanted:
    """Which acts; what is empty or None asks for nothing."""

    who: str = ""
    what: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """Not this moment itself."""


def page(rows: Rows, wanted: Wanted, *, limit: int, before: int | None = None) -> list[Act]:
    """The newest first; of those `before` the one with this number."""
    conditions = [f"{name} = :{name}" for name in ("who", "what", "target") if getattr(wanted, name)]
    # Numbers grow with time: so the way through the table ends where the time does.
    conditions += ["id >= (SELECT MIN(id) FROM audit WHERE at >= :since)"] * (wanted.since is not None)
    conditions += ["id < COALESCE((SELECT MIN(id) FROM audit WHERE at >= :until), :most)"] * (wanted.until is not None)
    conditions += ["id < :before"] * (before is not None)
    found = rows.all(
        f"SELECT id, at, who, what, target, detail FROM audit WHERE {' AND '.join(conditions) or 'TRUE'}"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        vars(wanted)
        | {
            "since": None if wanted.since is None else stamp(wanted.since),
            "until": None if wanted.until is None else stamp(wanted.until),
            "most": 2**63 - 1,
            "before": before,
            "limit": limit,
        },
    )
    return [Act(row[0], unstamp(row[1]), *row[2:]) for row in found]


def everybody(rows: Rows) -> list[str]:
    """Who has done anything, in order."""
    return _different(rows, "who")


def kinds(rows: Rows) -> list[str]:
    """What was done, in order."""
    return _different(rows, "what")


def _different(rows: Rows, column: str) -> list[str]:
    """From each to the next by the index, however often each is there."""
    found = rows.all(
        f"WITH RECURSIVE found(it) AS (SELECT MIN({column}) FROM audit UNION ALL"  # noqa: S608
        f" SELECT (SELECT MIN({column}) FROM audit WHERE {column} > found.it) FROM found WHERE found.it IS NOT NULL)"
        " SELECT it FROM found WHERE it IS NOT NULL LIMIT 200"
    )
    return [row[0] for row in found]


def newest(rows: Rows, *, limit: int, target: str = "", since: datetime | None = None) -> list[Act]:
    """The newest first; of one target, and not older than `since`, if so asked."""
    wanted = ["target = :target"] * bool(target) + ["at >= :since"] * (since is not None)
    found = rows.all(
        f"SELECT id, at, who, what, target, detail FROM audit WHERE {' AND '.join(wanted) or 'TRUE'}"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        {"limit": limit, "target": target, "since": None if since is None else stamp(since)},
    )
    return [Act(row[0], unstamp(row[1]), *row[2:]) for row in found]
