"""What the actions give that ask no connection for anything: to wait, and to emit an event."""

from datetime import datetime

from bellwire.capabilities import Result


class Waited(Result):
    until: datetime
    """UTC."""


class Emitted(Result):
    business_key: str
    """Of the event."""
    new: bool
    """Whether it wasn't there already."""
