"""In which mode each flow is: what a person decided, and what holds while nobody has."""

from datetime import datetime

from bellwire.events import Environment
from bellwire.ledger.database import Rows
from bellwire.ledger.rows import FlowMode, stamp, unstamp


def undecided(environment: Environment) -> FlowMode:
    """The mode of a flow that nobody has decided about. With real accounts nothing is sent before somebody says so."""
    return FlowMode.SHADOW if environment is Environment.PRODUCTION else FlowMode.LIVE


def mode_of(rows: Rows, flow: str, environment: Environment) -> FlowMode:
    """Of a flow, for what comes from this environment."""
    row = rows.one("SELECT mode FROM flow_modes WHERE flow = :flow", {"flow": flow})
    return FlowMode(row[0]) if row else undecided(environment)


def decided(rows: Rows) -> dict[str, FlowMode]:
    """What people decided, by flow."""
    return {flow: FlowMode(mode) for flow, mode in rows.all("SELECT flow, mode FROM flow_modes")}


def decision(rows: Rows, flow: str) -> tuple[str, datetime] | None:
    """Why and when somebody switched a flow last; None: nobody has."""
    row = rows.one("SELECT reason, set_at FROM flow_modes WHERE flow = :flow", {"flow": flow})
    return (row[0], unstamp(row[1])) if row else None


def decide(rows: Rows, flow: str, mode: FlowMode, reason: str, now: datetime) -> None:
    """Switch a flow: it holds for the next event, in every process."""
    rows.run(
        "INSERT INTO flow_modes (flow, mode, reason, set_at) VALUES (:flow, :mode, :reason, :now)"
        " ON CONFLICT (flow) DO UPDATE SET mode = excluded.mode, reason = excluded.reason, set_at = excluded.set_at",
        {"flow": flow, "mode": mode.value, "reason": reason, "now": stamp(now)},
    )


def leave_open(rows: Rows, flow: str) -> None:
    """Have it as if nobody had decided about it."""
    rows.run("DELETE FROM flow_modes WHERE flow = :flow", {"flow": flow})
