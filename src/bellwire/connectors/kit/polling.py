"""Listing what happened since: how what a webhook didn't bring is found all the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bellwire.events import Delivery

if TYPE_CHECKING:
    from bellwire.connectors.kit.actions import Call

POLLED = "bellwire-polled"
"""The header of a delivery that wasn't sent but listed: the poll's name. Senders can't set it."""


@dataclass(frozen=True)
class Listed:
    """One record, in the vendor's own form, for the connector's `normalise`: which gives it the same business keys as
    the webhook would have."""

    id: str
    """Changes with the record's state, e.g. `order/1001/2026-01-31T09:30:00Z`."""
    body: bytes


@dataclass(frozen=True)
class Page:
    records: tuple[Listed, ...]
    next_cursor: str = ""
    """Where the next page begins; empty: this was the last."""
    resume: str = ""
    """Of the last page: where the next poll goes on, for vendors that hand out a token for that; empty: by time."""


@dataclass(frozen=True)
class Poll:
    """One list that a vendor keeps by time of change, such as its orders."""

    name: str
    page: Callable[["Call", datetime, str], Awaitable[Page]]
    """One page of what changed at a time or later, oldest first if the vendor can. It is given that time and a cursor:
    empty for the first page, then `next_cursor` or `resume` of the page before, across restarts. Where the vendor
    doesn't know the cursor any more, it begins anew from the time."""
    event_types: tuple[str, ...]
    """What comes of it."""
    every: timedelta = timedelta(hours=1)
    """How often it is asked: rarely where webhooks come too, often where there are none."""
    overlap: timedelta = timedelta(minutes=10)
    """How far it goes back beyond the last time: vendors list some things late."""


def polled(delivery: Delivery) -> str:
    """The poll that listed it; empty: it was sent."""
    return delivery.headers.get(POLLED, "")
