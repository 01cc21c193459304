"""The clock."""

from datetime import date, datetime

from bellwire.events.base import Fact


class Due(Fact):
    """A time has come at which a flow is to begin."""

    at: datetime
    """UTC."""
    day: date
    """In the schedule's time zone."""
