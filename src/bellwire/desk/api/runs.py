"""The runs: found, read, tried again, given up."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import BaseModel, Field

from bellwire.connectors.kit.exchanges import unpacked
from bellwire.desk.api.doors import Doors, See, Working, Write
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT_WORDS, LARGEST, Body, Moment
from bellwire.engine import cancel, retry_run
from bellwire.ledger import (
    AttemptRow,
    Outcome,
    Rows,
    RunRow,
    RunState,
    Wanted,
    edits,
    events,
    exceptions,
    exchanges,
    finding,
    runs,
)

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


class Edit(BaseModel):
    """An input that a person put in place of what the flow said."""

    action: str
    item: int
    fields_: list[str] = Field(serialization_alias="fields")
    """Which were changed."""
    who: str
    at: datetime


class WholeRun(Run):
    flow_hash: str
    """Of the text of its flow that it is pinned to."""
    attempts: list[Attempt]
    exceptions: list[int]
    """Their numbers, closed ones too."""
    edits: list[Edit]


class Exchange(BaseModel):
    """A request to a vendor, and its answer."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    milliseconds: int
    status: int | None
    """Null: there was no answer."""
    answered: dict[str, str]
    """Headers of the answer, as far as they say something to people."""
    answer: str
    failed: str
    """Why there was no answer, or none that was read."""


class Exchanged(BaseModel):
    """What one attempt asked."""

    action: str
    item: int
    number: int
    exchanges: list[Exchange]
    left_out: int
    """So many in between weren't kept."""

    @classmethod
    def of(cls, row: AttemptRow, packed: bytes) -> "Exchanged":
        kept, left_out = unpacked(packed)
        shown = [
            Exchange(
                milliseconds=each.took,
                headers=dict(each.headers),
                answered=dict(each.answered),
                **{name: getattr(each, name) for name in ("method", "url", "body", "status", "answer", "failed")},
            )
            for each in kept
        ]
        return cls(action=row.action, item=row.item, number=row.number, exchanges=shown, left_out=left_out)


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

    @routes.get("/{number}/exchanges")
    async def read_exchanges(number: Number, _: See) -> Listed[Exchanged]:
        """What vendors were asked in it, and what they answered, without secrets; as far as that is kept. All on one
        page."""

        def read(rows: Rows) -> list[Exchanged]:
            _found(rows, number)
            packed = exchanges.of_run(rows, number)
            return [Exchanged.of(row, packed[_key(row)]) for row in runs.attempts(rows, number) if _key(row) in packed]

        return Listed(items=await site.ledger.read(read))

    async def done(write: Write, number: int, act: Callable[..., None], **given: object) -> Response:
        now = site.clock()

        def work(rows: Rows) -> WholeRun:
            act(rows, number, now, who=write.who, **given)
            return _whole(rows, number)

        return await write(work)

    @routes.post("/{number}/retry", response_model=WholeRun)
    async def retry(
        number: Number,
        write: Working,
        as_now: Annotated[bool, Query(description="With the flow as it is now, not as it was.")] = False,
    ) -> Response:
        """Have it go on at once from where it stopped or waits. What is done isn't done again."""
        return await done(write, number, retry_run, today=site.flows if as_now else None)

    @routes.post("/{number}/cancel", response_model=WholeRun)
    async def give_up(number: Number, given: Cancel, write: Working) -> Response:
        """Give it up. What it did stays done; what is still to come is never done."""
        return await done(write, number, cancel, reason=given.reason.strip())

    return routes


def _found(rows: Rows, number: int) -> RunRow:
    row = runs.find(rows, number)
    if row is None:
        raise HTTPException(404, f"There is no run {number}.")
    return row


def _whole(rows: Rows, number: int) -> WholeRun:
    row = _found(rows, number)
    return WholeRun(
        **_values(rows, row),
        flow_hash=row.flow_hash,
        attempts=[_attempt(each) for each in runs.attempts(rows, number)],
        exceptions=[each.id for each in exceptions.of_run(rows, number)],
        edits=[
            Edit(action=each.action, item=each.item, fields_=list(each.fields), who=each.who, at=each.set_at)
            for each in edits.of_run(rows, number)
        ],
    )


def _key(row: AttemptRow) -> tuple[str, int, int]:
    return row.action, row.item, row.number


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
