"""The pilots that were brought to their end: which text of a flow was tried, where, and whether it was ready."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp

_VALUES = "flow, flow_hash, ran_on, ready, as_expected, records, at, who"
_COLUMNS = f"{_VALUES}, id"


@dataclass(frozen=True)
class PilotRow:
    flow: str
    flow_hash: str
    ran_on: str
    """`practice` or `sandbox`."""
    ready: bool
    as_expected: int
    """Of so many `records`."""
    records: int
    at: datetime
    who: str
    id: int = field(default=0, compare=False)
    """0: it isn't on record yet."""


def record(rows: Rows, pilot: PilotRow) -> None:
    rows.run(
        f"INSERT INTO pilots ({_VALUES})"  # noqa: S608
        " VALUES (:flow, :flow_hash, :ran_on, :ready, :as_expected, :records, :at, :who)",
        vars(pilot) | {"ready": int(pilot.ready), "at": stamp(pilot.at)},
    )


def newest(rows: Rows, flow: str, flow_hash: str) -> PilotRow | None:
    """The last one of this text of the flow."""
    found = rows.one(
        f"SELECT {_COLUMNS} FROM pilots WHERE flow = :flow AND flow_hash = :hash ORDER BY id DESC LIMIT 1",  # noqa: S608
        {"flow": flow, "hash": flow_hash},
    )
    return _row(found) if found else None


def of_flow(rows: Rows, flow: str, *, limit: int, before: int | None = None) -> list[PilotRow]:
    """Of all its texts, the newest first: those before the one with the number `before`."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM pilots WHERE flow = :flow AND (CAST(:before AS bigint) IS NULL OR id < :before)"  # noqa: S608
        " ORDER BY id DESC LIMIT :limit",
        {"flow": flow, "before": before, "limit": limit},
    )
    return [_row(row) for row in found]


def _row(row: tuple[Any, ...]) -> PilotRow:
    flow, flow_hash, ran_on, ready, as_expected, records, at, who, number = row
    return PilotRow(flow, flow_hash, ran_on, bool(ready), as_expected, records, unstamp(at), who, number)
