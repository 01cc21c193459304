"""The pilots that were brought to their end: which text of a flow was tried, where, and whether it was ready."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp

_COLUMNS = "flow, flow_hash, ran_on, ready, as_expected, records, at, who"


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


def record(rows: Rows, pilot: PilotRow) -> None:
    rows.run(
        "INSERT INTO pilots (flow, flow_hash, ran_on, ready, as_expected, records, at, who)"
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


def of_flow(rows: Rows, flow: str, *, limit: int) -> list[PilotRow]:
    """Of all its texts, the newest first."""
    found = rows.all(
        f"SELECT {_COLUMNS} FROM pilots WHERE flow = :flow ORDER BY id DESC LIMIT :limit",  # noqa: S608
        {"flow": flow, "limit": limit},
    )
    return [_row(row) for row in found]


def _row(row: tuple[Any, ...]) -> PilotRow:
    flow, flow_hash, ran_on, ready, as_expected, records, at, who = row
    return PilotRow(flow, flow_hash, ran_on, bool(ready), as_expected, records, unstamp(at), who)
