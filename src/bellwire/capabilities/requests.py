"""Requests to an HTTP API for which there is no connector."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bellwire.capabilities.base import Effect, Given, Operation, Result


class GetRequest(Given):
    path: str
    """Below the connection's address, e.g. `customers/7`."""
    params: Mapping[str, str] = Field(default_factory=dict)


class SendRequest(Given):
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str
    params: Mapping[str, str] = Field(default_factory=dict)
    body: Any = None
    """Sent as JSON; None: nothing."""


class HttpAnswer(Result):
    status: int
    body: Any = None
    """As JSON where it is; else as text."""


GET = Operation("requests", "get", GetRequest, HttpAnswer, Effect.NOTHING, "Ask another system")
SEND = Operation("requests", "send", SendRequest, HttpAnswer, Effect.RECORD, "Have another system do something")

OPERATIONS = (GET, SEND)
