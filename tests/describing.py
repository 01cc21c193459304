"""Holds every request that reaches a practice server in a test's process, and its answer, against what the vendor
describes: what `problems` in tests/connectors/VENDOR/described.py says of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bellwire.practice import Received, server

Check = Callable[[Received], Iterable[str]]

_noted: list[tuple[str, Received]] | None = None
_vendor: ContextVar[str] = ContextVar("vendor")


def watch() -> None:
    """From now on, what reaches practice servers can be noted."""
    inside: Any = server
    record, serve = inside.Received, inside._Recorder.__call__

    async def noting_whose(self: Any, *args: Any) -> None:
        _vendor.set(self._simulator.vendor)
        await serve(self, *args)

    def noting(*values: Any, **named: Any) -> Received:
        received: Received = record(*values, **named)
        if _noted is not None:
            _noted.append((_vendor.get(), received))
        return received

    inside._Recorder.__call__ = noting_whose
    inside.Received = noting


@contextmanager
def noted() -> Iterator[list[tuple[str, Received]]]:
    """What reaches practice servers meanwhile, each with its vendor."""
    global _noted
    _noted = []
    try:
        yield _noted
    finally:
        _noted = None


@cache
def check_of(vendor: str) -> Check | None:
    """None: the vendor's API isn't described."""
    name = f"tests.connectors.{vendor}.described"
    if find_spec(f"tests.connectors.{vendor}") is None or find_spec(name) is None:
        return None
    found: Check = import_module(name).problems
    return found


def problems(noted: Iterable[tuple[str, Received]]) -> list[str]:
    """As sentences. None: all is well."""
    return [
        f"{vendor}: {problem}"
        for vendor, received in noted
        if (check := check_of(vendor))
        for problem in check(received)
    ]
