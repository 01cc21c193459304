"""Square's own description of its API."""

from bellwire.practice import Received
from tests.openapi import described


def problems(received: Received) -> list[str]:
    """With a request and its answer."""
    return described("square").problems(received)
