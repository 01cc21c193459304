"""What a pilot's records can be about: one module for each kind."""

from typing import Any

from bellwire.practice.pilot.kinds.contracts import Contracts
from bellwire.practice.pilot.kinds.dues import FailedPayments, Payments, Renewals
from bellwire.practice.pilot.kinds.goods import LowStocks, Receipts, Spikes
from bellwire.practice.pilot.kinds.kind import Happened, Kind, Record
from bellwire.practice.pilot.kinds.leads import Leads
from bellwire.practice.pilot.kinds.orders import Orders
from bellwire.practice.pilot.kinds.parcels import Parcels
from bellwire.practice.pilot.kinds.returns import ReturnsKind
from bellwire.practice.pilot.kinds.visits import CalledOff, Visits
from bellwire.practice.pilot.kinds.work import Work

_ALL: tuple[type[Kind[Any]], ...] = (
    Orders,
    LowStocks,
    Spikes,
    Receipts,
    Visits,
    CalledOff,
    Work,
    ReturnsKind,
    Leads,
    Contracts,
    FailedPayments,
    Renewals,
    Payments,
    Parcels,
)
_KINDS: dict[str, type[Kind[Any]]] = {event_type: kind for kind in _ALL for event_type in kind.event_types}

EVENT_TYPES = tuple(_KINDS)
"""What a flow may start with to be practised."""


def find_kind(event_type: str) -> Kind[Any] | None:
    """What the records of a flow are that starts with this; None: nothing that can be made up."""
    return _KINDS[event_type]() if event_type in _KINDS else None


__all__ = ["EVENT_TYPES", "Happened", "Kind", "Record", "find_kind"]
