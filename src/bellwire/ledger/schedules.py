"""When the flows that begin by the clock do so next."""

from datetime import datetime

from bellwire.ledger.database import Rows
from bellwire.ledger.rows import stamp, unstamp


def put(rows: Rows, flow: str, schedule: str, due_at: datetime) -> None:
    """For a flow that is new, or whose schedule is another by now; one that is known stays as it is."""
    rows.run(
        "INSERT INTO schedules (flow, schedule, due_at) VALUES (:flow, :schedule, :due_at)"
        " ON CONFLICT (flow) DO UPDATE SET schedule = excluded.schedule, due_at = excluded.due_at"
        " WHERE schedules.schedule <> excluded.schedule",
        {"flow": flow, "schedule": schedule, "due_at": stamp(due_at)},
    )


def all_of_them(rows: Rows) -> dict[str, datetime]:
    """By flow."""
    return {flow: unstamp(due_at) for flow, due_at in rows.all("SELECT flow, due_at FROM schedules")}


def take(rows: Rows, flow: str, due_at: datetime, next_at: datetime) -> bool:
    """Go on to the next time. False when another process has."""
    return bool(
        rows.run(
            "UPDATE schedules SET due_at = :next_at WHERE flow = :flow AND due_at = :due_at",
            {"flow": flow, "due_at": stamp(due_at), "next_at": stamp(next_at)},
        )
    )
