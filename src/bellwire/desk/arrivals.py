"""What came in, in words: deliveries, the events that they became, and what was turned away."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bellwire.desk.words import pretty
from bellwire.ledger import (
    DeliveryRow,
    DeliveryState,
    EventRow,
    ExceptionRow,
    Rows,
    RunRow,
    deliveries,
    events,
    exceptions,
    runs,
)

SECRET = re.compile(r"auth|cookie|token|secret|signature|hmac|sign|key|password", re.IGNORECASE)
"""Names of headers whose values nobody is shown."""

REFUSALS = {
    "unknown-connection": "for an address that no connection has",
    "no-secret": "for a connection that has no secret yet to check them with",
    "signature-missing": "without a signature",
    "signature-malformed": "with a signature that can’t be read",
    "signature": "with a wrong signature",
    "timestamp": "signed too long ago",
    "malformed": "that couldn’t be read",
    "content-type": "of a kind that isn’t taken",
    "method": "asked for in another way than webhooks are sent",
    "too-large": "too large",
    "headers-too-large": "with headers that are too large",
    "too-slow": "sent too slowly",
    "overloaded": "too much at once; the sender was asked to come again",
    "other-account": "from another account",
    "fault": "because of a fault in Bellwire; the sender was asked to come again",
}
"""Why deliveries are refused, by the reason that is counted."""


@dataclass(frozen=True)
class Arrival:
    """A delivery, with all that is known of it. `headers` and `body` are None when they have been purged."""

    row: DeliveryRow
    headers: Mapping[str, str] | None
    body: str | None
    events: Sequence[EventRow]
    exceptions: Sequence[ExceptionRow]


def arrival(rows: Rows, number: int) -> Arrival | None:
    """None when there is no such delivery."""
    row = deliveries.find(rows, number)
    if row is None:
        return None
    headers, body = shown_payload(rows, number)
    return Arrival(row, headers, body, events.of_delivery(rows, number), exceptions.of_delivery(rows, number))


def shown_payload(rows: Rows, delivery: int) -> tuple[Mapping[str, str] | None, str | None]:
    payload = deliveries.payload(rows, delivery)
    if payload is None:
        return None, None
    headers = {name: "[hidden]" if SECRET.search(name) else value for name, value in payload[0].items()}
    return headers, pretty(payload[1].decode(errors="replace"))


@dataclass(frozen=True)
class Known:
    """An event, with where it came from and what it began."""

    event: EventRow
    delivery: DeliveryRow | None
    headers: Mapping[str, str] | None
    body: str | None
    runs: Sequence[RunRow]


def known(rows: Rows, number: int) -> Known | None:
    """None when there is no such event."""
    event = events.find(rows, number)
    if event is None:
        return None
    headers, body = shown_payload(rows, event.delivery) if event.delivery is not None else (None, None)
    delivery = deliveries.find(rows, event.delivery) if event.delivery is not None else None
    return Known(event, delivery, headers, body, runs.of_event(rows, number))


def verdict(row: DeliveryRow) -> str:
    """What became of it."""
    match row.state:
        case DeliveryState.RECEIVED:
            return "Accepted, and about to be read."
        case DeliveryState.DONE:
            return row.reason or "Accepted and read."
        case DeliveryState.SKIPPED:
            return row.reason or "It means nothing to Bellwire."
        case _:
            return row.reason or "It couldn’t be read."
