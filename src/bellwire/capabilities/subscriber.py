"""Our own events, sent on to whoever wants to know of them."""

from typing import Any

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result


class SendEvent(Given):
    type: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
    """What happened, e.g. `order.packed`."""
    data: Any
    """What is told of it: an event, a result, or fields of your own."""


class SentEvent(Result):
    id: str
    """The subscriber knows a repetition by it."""


SEND_EVENT = Operation(
    "subscriber", "send_event", SendEvent, SentEvent, Effect.MESSAGE, "Tell a subscriber what happened"
)

OPERATIONS = (SEND_EVENT,)
