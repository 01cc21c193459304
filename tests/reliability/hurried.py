"""`bellwire`, but its jobs lapse after four seconds, and its vendors have no limits: so that a test of what happens
beyond needn't take minutes."""

from bellwire.cli import main
from bellwire.connectors.kit import http
from bellwire.connectors.kit.limits import Gate, Limit
from bellwire.ledger import Queue

LAPSE = 4.0


def _unlimited(_limits: tuple[Limit, ...], parallel: int) -> Gate:
    return Gate((), parallel)


if __name__ == "__main__":
    Queue.lapse = LAPSE
    http.Gate = _unlimited  # type: ignore[attr-defined,assignment]
    main()
