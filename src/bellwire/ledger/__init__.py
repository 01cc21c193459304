"""The durable record of everything: deliveries, events, runs, attempts, exceptions. The only room that speaks SQL.

`open_ledger` gives a Database; the other modules are functions that take one of its transactions.
"""

from bellwire.ledger import (
    alerts,
    asks,
    audit,
    crosswalk,
    deliveries,
    edits,
    endings,
    events,
    exceptions,
    figures,
    health,
    polls,
    processes,
    pulse,
    runs,
)
from bellwire.ledger.database import Database, Rows, Size
from bellwire.ledger.health import HealthRow, Trouble
from bellwire.ledger.housekeeping import Housekeeping, Keep, Purged
from bellwire.ledger.jobs import Job, Kind, Queue
from bellwire.ledger.opening import move_ledger, open_ledger
from bellwire.ledger.polls import PollRow
from bellwire.ledger.presence import NO_ENGINE, UP, WORKER, Presence
from bellwire.ledger.processes import ProcessRow
from bellwire.ledger.rows import (
    AlertRow,
    AskKind,
    AskRow,
    AskState,
    AttemptRow,
    DeliveryRow,
    DeliveryState,
    EventRow,
    ExceptionRow,
    ExceptionState,
    FlowMode,
    MessageKind,
    MessageRow,
    Outcome,
    RunRow,
    RunState,
)

__all__ = [
    "NO_ENGINE",
    "UP",
    "WORKER",
    "AlertRow",
    "AskKind",
    "AskRow",
    "AskState",
    "AttemptRow",
    "Database",
    "DeliveryRow",
    "DeliveryState",
    "EventRow",
    "ExceptionRow",
    "ExceptionState",
    "FlowMode",
    "HealthRow",
    "Housekeeping",
    "Job",
    "Keep",
    "Kind",
    "MessageKind",
    "MessageRow",
    "Outcome",
    "PollRow",
    "Presence",
    "ProcessRow",
    "Purged",
    "Queue",
    "Rows",
    "RunRow",
    "RunState",
    "Size",
    "Trouble",
    "alerts",
    "asks",
    "audit",
    "crosswalk",
    "deliveries",
    "edits",
    "endings",
    "events",
    "exceptions",
    "figures",
    "health",
    "move_ledger",
    "open_ledger",
    "polls",
    "processes",
    "pulse",
    "runs",
]
