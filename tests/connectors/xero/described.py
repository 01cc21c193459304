"""Xero's own description of its accounting API."""

from bellwire.practice import Received
from tests.openapi import described


def problems(received: Received) -> list[str]:
    """With a request and its answer; signing in is described elsewhere."""
    return described("xero_accounting").problems(received) if received.path.startswith("/api.xro/2.0/") else []
