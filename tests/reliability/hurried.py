"""`bellwire`, but its jobs lapse after four seconds, as do requests, and its vendors have no limits: so that a test of
what happens beyond needn't take minutes."""

from datetime import timedelta
from typing import Any

from bellwire.cli import main
from bellwire.connectors.kit import http
from bellwire.connectors.kit.limits import Gate, Limit
from bellwire.ledger import Queue

LAPSE = 4.0
_open = http.Api.__init__


def _impatient(api: http.Api, *given: Any, **options: Any) -> None:
    _open(api, *given, **options | {"timeout": timedelta(seconds=LAPSE)})


def _unlimited(_limits: tuple[Limit, ...], parallel: int) -> Gate:
    return Gate((), parallel)


if __name__ == "__main__":
    Queue.lapse = LAPSE
    http.Api.__init__ = _impatient  # type: ignore[assignment,method-assign]
    http.Gate = _unlimited  # type: ignore[attr-defined,assignment]
    main()
