"""The events: found, read, sent through again."""

import secrets
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, See, Working
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.runs import Number, Run, Since, Text, Until, run_of
from bellwire.desk.api.shapes import KEPT, Body
from bellwire.engine import send_again
from bellwire.ledger import EventRow, Rows, Wanted, events, finding, runs


class EventShown(BaseModel):
    id: int
    delivery: int | None
    """The delivery that told of it first; null: Bellwire made or found it by itself."""
    connection: str
    environment: str
    type: str
    subject: str
    business_key: str
    time: datetime
    """When it happened."""
    recorded_at: datetime
    reason: str
    """Why it started no run; empty when it did."""
    copies: int
    """How many deliveries told of it."""


class WholeEvent(EventShown):
    data: Any
    """In canonical form; null once it has been purged."""
    runs: list[Run]


class Replay(Body):
    flow: Annotated[str, Field(max_length=100, pattern=KEPT)] = ""
    """The flow's id; empty: all that listen to the event."""


class Replayed(BaseModel):
    runs: list[Run]


def event_of(row: EventRow) -> EventShown:
    return EventShown(**_values(row))


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(tags=["events"], prefix="/events"), doors.site

    @routes.get("")
    async def list_events(
        caller: See,
        q: Text = "",
        connection: Annotated[str, Query(max_length=100)] = "",
        type: Annotated[str, Query(max_length=100, description="Such as `order.paid`.")] = "",  # noqa: A002
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Listed[EventShown]:
        """The newest first. A page may have fewer than `limit`, or none, and still name a `next` one."""
        wanted = Wanted(text=q, connection=connection, type=type, since=since, until=until)
        found = await site.ledger.read(lambda rows: finding.find_events(rows, wanted, before=after, limit=limit))
        return Listed(items=[event_of(row) for row in found.items], next=found.next)

    @routes.get("/{number}")
    async def read_event(number: Number, caller: See) -> WholeEvent:
        """One event with its data, and the runs that it started."""

        def read(rows: Rows) -> WholeEvent:
            row = events.find(rows, number)
            if row is None:
                raise HTTPException(404, f"There is no event {number}.")
            data = orjson.loads(row.data) if row.data else None
            started = [run_of(rows, run) for run in runs.of_event(rows, number)]
            return WholeEvent(**_values(row), data=data, runs=started)

        return await site.ledger.read(read)

    @routes.post("/{number}/replay", status_code=201, response_model=Replayed)
    async def replay_event(number: Number, given: Replay, write: Working) -> Response:
        """Carry out once more, on purpose, what flows do about it: all of their actions are done again."""
        now, nonce, flows = site.clock(), secrets.token_hex(8), list(site.flows.values())

        def work(rows: Rows) -> BaseModel:
            made = send_again(rows, number, flows, now, who=write.who, nonce=nonce, flow=given.flow)
            found = [row for row in (runs.find(rows, run) for run in made) if row is not None]
            return Replayed(runs=[run_of(rows, row) for row in found])

        return await write(work, 201)

    return routes


def _values(row: EventRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in EventShown.model_fields}
