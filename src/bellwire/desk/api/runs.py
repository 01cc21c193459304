"""The runs: found, read, tried again, given up."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, Key, See, Work
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT_WORDS, LARGEST, Body, Moment
from bellwire.engine import cancel, retry_run
from bellwire.ledger import AttemptRow, Outcome, Rows, RunRow, RunState, Wanted, events, finding, runs

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Text = Annotated[
    str,
    Query(
        max_length=100, description="An order's number, a customer's name or address, their beginning, or an amount."
    ),
]
Since = Annotated[Moment | None, Query(description="Not before this moment.")]
Until = Annotated[Moment | None, Query(description="Before this moment.")]


class Run(BaseModel):
    id: int
    event: int
    flow: str
    subject: str
    """What its event is about, such as `order/1001`."""
    state: RunState
    reason: str
    """Why it waits, or was set aside; empty where there is nothing to say."""
    again: bool
    """A person had it done once more."""
    received_at: datetime
    due_at: datetime | None
    finished_at: datetime | None


class Attempt(BaseModel):
    action: str
    item: int
    """Of an action that is done for each of several, from 0."""
    number: int
    outcome: Outcome
    started_at: datetime
    finished_at: datetime | None
    next_at: datetime | None
    cause: str
    sentence: str
    """Why it failed or was left out, for people."""
    remedy: str
    result: Any = None
    """What it brought; null once it has been purged."""


class WholeRun(Run):
    attempts: list[Attempt]


class Cancel(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=KEPT_WORDS)]
    """Why; it stays on record."""


def run_of(rows: Rows, row: RunRow) -> Run:
    return Run(**_values(rows, row))


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(tags=["runs"], prefix="/runs"), doors.site

    @routes.get("")
    async def list_runs(
        caller: See,
        q: Text = "",
        flow: Annotated[str, Query(max_length=100)] = "",
        state: RunState | None = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Listed[Run]:
        """The newest first. A page may have fewer than `limit`, or none, and still name a `next` one: so many are
        looked at for each, and no more."""
        wanted = Wanted(text=q, flow=flow, state=state, since=since, until=until)

        def read(rows: Rows) -> Listed[Run]:
            found = finding.find_runs(rows, wanted, before=after, limit=limit)
            return Listed(items=[run_of(rows, row) for row in found.items], next=found.next)

        return await site.ledger.read(read)

    @routes.get("/{number}")
    async def read_run(number: Number, caller: See) -> WholeRun:
        """One run, with every attempt."""
        return await site.ledger.read(lambda rows: _whole(rows, number))

    @routes.post("/{number}/retry", response_model=WholeRun)
    async def retry(
        number: Number,
        request: Request,
        caller: Work,
        as_now: Annotated[bool, Query(description="With the flow as it is now, not as it was.")] = False,
        key: Key = "",
    ) -> Response:
        """Have it go on at once from where it stopped or waits. What is done isn't done again."""
        now, today = site.clock(), site.flows if as_now else None

        def work(rows: Rows) -> BaseModel:
            retry_run(rows, number, now, who=caller.name, today=today)
            return _whole(rows, number)

        return await doors.write(request, caller, key, work)

    @routes.post("/{number}/cancel", response_model=WholeRun)
    async def give_up(
        number: Number,
        given: Cancel,
        request: Request,
        caller: Work,
        key: Key = "",
    ) -> Response:
        """Give it up. What it did stays done; what is still to come is never done."""
        now = site.clock()

        def work(rows: Rows) -> BaseModel:
            cancel(rows, number, now, who=caller.name, reason=given.reason.strip())
            return _whole(rows, number)

        return await doors.write(request, caller, key, work)

    return routes


def _whole(rows: Rows, number: int) -> WholeRun:
    row = runs.find(rows, number)
    if row is None:
        raise HTTPException(404, f"There is no run {number}.")
    return WholeRun(**_values(rows, row), attempts=[_attempt(each) for each in runs.attempts(rows, number)])


def _values(rows: Rows, row: RunRow) -> dict[str, Any]:
    event = events.find(rows, row.event)
    return {
        "id": row.id,
        "event": row.event,
        "flow": row.flow,
        "subject": event.subject if event else "",
        "state": row.state,
        "reason": row.reason,
        "again": bool(row.nonce),
        "received_at": row.received_at,
        "due_at": row.due_at,
        "finished_at": row.finished_at,
    }


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(
        action=row.action,
        item=row.item,
        number=row.number,
        outcome=row.outcome,
        started_at=row.started_at,
        finished_at=row.finished_at,
        next_at=row.next_at,
        cause=row.cause,
        sentence=row.sentence,
        remedy=row.remedy,
        result=orjson.loads(row.result) if row.result else None,
    )
