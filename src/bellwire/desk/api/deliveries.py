"""The deliveries, as they arrived."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from bellwire.desk.api.doors import Doors, See
from bellwire.desk.api.events import EventShown, event_of
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.runs import Number, Since, Until
from bellwire.desk.api.shapes import Moment
from bellwire.desk.arrivals import REFUSALS, arrival
from bellwire.ledger import DeliveryRow, DeliveryState, Wanted, deliveries, finding

_REFUSED_SINCE = timedelta(days=6)
"""Before today."""


class DeliveryShown(BaseModel):
    id: int
    connection: str
    environment: str
    delivery_id: str
    """What its sender calls it."""
    received_at: datetime
    state: DeliveryState
    reason: str
    copies: int
    """How often it arrived."""


class WholeDelivery(DeliveryShown):
    headers: Mapping[str, str] | None
    """Without the values of those that sign it; null once they have been purged, as the body is."""
    body: str | None
    events: list[EventShown]
    exceptions: list[int]
    """Their numbers, closed ones too."""


class Refused(BaseModel):
    """Webhooks that were turned away."""

    connection: str
    reason: str
    meaning: str
    """The same in words, such as `with a wrong signature`."""
    count: int


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(tags=["deliveries"], prefix="/deliveries"), doors.site

    @routes.get("")
    async def list_deliveries(
        caller: See,
        connection: Annotated[str, Query(max_length=100)] = "",
        state: DeliveryState | None = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Listed[DeliveryShown]:
        """The newest first. A page may have fewer than `limit`, or none, and still name a `next` one."""
        wanted = Wanted(connection=connection, state=state, since=since, until=until)
        found = await site.ledger.read(lambda rows: finding.find_deliveries(rows, wanted, before=after, limit=limit))
        return Listed(items=[DeliveryShown(**_values(row)) for row in found.items], next=found.next)

    @routes.get("/refusals")
    async def list_refusals(
        caller: See, since: Annotated[Moment | None, Query(description="From its day on; otherwise of a week.")] = None
    ) -> Listed[Refused]:
        """How many webhooks weren't taken in, and why, the most frequent first. There is one page."""
        from_ = since or site.clock() - _REFUSED_SINCE
        found = await site.ledger.read(lambda rows: deliveries.refusals(rows, from_))
        return Listed(
            items=[
                Refused(connection=connection, reason=reason, meaning=REFUSALS.get(reason, ""), count=count)
                for connection, reason, count in found
                if count
            ]
        )

    @routes.get("/{number:row}")
    async def read_delivery(number: Number, caller: See) -> WholeDelivery:
        """One delivery, as it arrived, and the events that it became."""
        found = await site.ledger.read(lambda rows: arrival(rows, number))
        if found is None:
            raise HTTPException(404, f"There is no delivery {number}.")
        became, stuck = [event_of(row) for row in found.events], [row.id for row in found.exceptions]
        return WholeDelivery(
            **_values(found.row), headers=found.headers, body=found.body, events=became, exceptions=stuck
        )

    return routes


def _values(row: DeliveryRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in DeliveryShown.model_fields}
