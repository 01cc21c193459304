"""The pilots that were brought to their end: which text of a flow was tried, where, and whether it was ready."""

from dataclasses import dataclass
from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp


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
    row = rows.one(
        "SELECT ran_on, ready, as_expected, records, at, who FROM pilots"
        " WHERE flow = :flow AND flow_hash = :hash ORDER BY id DESC LIMIT 1",
        {"flow": flow, "hash": flow_hash},
    )
    if row is None:
        return None
    ran_on, ready, as_expected, records, at, who = row
    return PilotRow(flow, flow_hash, ran_on, bool(ready), as_expected, records, unstamp(at), who)
