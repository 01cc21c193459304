"""Exceptions: what needs a person, one by one and many at once."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from bellwire.desk import deeds
from bellwire.desk.api.doors import Doors, Key, See, Work
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT, KEPT_WORDS, LARGEST, WHOLE, Body, Value
from bellwire.desk.deeds import Deed, Kind
from bellwire.desk.errands import found
from bellwire.engine import comment, edit, input_of, retry, situation, still_open
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import ExceptionRow, Rows, comments, errands, exceptions, figures
from bellwire.ledger.exceptions import Choice

Number = Annotated[int, Path(ge=1, le=LARGEST, description="The exception's number.")]
WorkNumber = Annotated[int, Path(ge=1, le=LARGEST, description="The work's number.")]
Text = Annotated[str, Field(max_length=2_000, pattern=KEPT)]
Words = Annotated[str, Field(max_length=2_000, pattern=KEPT_WORDS)]
Filter = Annotated[str, Query(max_length=500, pattern=KEPT)]
_MOST = 10_000
"""Numbers in one request."""


class ExceptionOut(BaseModel):
    """What needs, or needed, a person: an action of a run, a whole run, or a delivery that can't be read."""

    number: int
    state: Literal["open", "retried", "resolved", "dismissed"]
    cause: str
    """The same for all that one remedy mends."""
    sentence: str
    remedy: str
    detail: str
    """The vendor's own words."""
    connection: str
    flow: str
    run: int | None
    delivery: int | None
    action: str
    """Empty: it is about no single action."""
    item: int
    assignee: str
    """Empty: nobody looks after it."""
    opened_at: datetime
    closed_at: datetime | None
    reason: str
    """Why it was closed as it was."""


class CommentOut(BaseModel):
    at: datetime
    who: str
    text: str


class ExceptionRead(ExceptionOut):
    """With how it stands with its run."""

    comments: list[CommentOut]
    situation: dict[str, Any]
    """What is done, what is to come, which fields of its result are used later; empty for a delivery."""


class CauseOut(BaseModel):
    """Open exceptions that one remedy mends."""

    cause: str
    connection: str
    count: int
    oldest: int
    newest: int
    since: datetime
    sentence: str
    remedy: str


class CausesOut(BaseModel):
    items: list[CauseOut]


class InputOut(BaseModel):
    operation: str
    values: dict[str, Any]
    """What the action is given: by its flow, or by an earlier edit."""


class Retry(Body):
    as_now: bool = False
    """With the flow as it is now, not as it was when the run began."""


class Edit(Body):
    changes: dict[Text, Value] = Field(
        min_length=1, max_length=1_000, json_schema_extra={"additionalProperties": False}
    )
    """New values by field, such as `order.lines[0].sku`."""


class Resolve(Body):
    result: dict[Text, Text] = Field(default={}, max_length=100, json_schema_extra={"additionalProperties": False})
    """What the other system gave, such as `id`, for the later actions."""
    reason: Text = ""


class Dismiss(Body):
    reason: Words


class Assign(Body):
    assignee: Annotated[str, Field(max_length=100, pattern=KEPT)]
    """Empty: nobody."""


class Say(Body):
    text: Words


class Chosen(Body):
    """All open ones that fit everything that is said."""

    cause: Text = ""
    connection: Text = ""
    flow: Text = ""
    search: Text = ""
    assignee: Text | None = None


class Many(Body):
    """What is done to many, named by their numbers or chosen (not both)."""

    do: Literal["retry", "resolve", "dismiss", "assign"]
    numbers: list[Annotated[int, Field(ge=1, le=LARGEST), WHOLE]] = Field(default=[], max_length=_MOST)
    chosen: Chosen | None = None
    reason: Text = ""
    """Needed to dismiss."""
    assignee: Text = ""
    as_now: bool = False


class RefusedOut(BaseModel):
    number: int
    why: str


class WorkOut(BaseModel):
    """How far it is."""

    number: int
    do: Literal["retry", "resolve", "dismiss", "assign"]
    state: Literal["going on", "done", "stopped"]
    total: int
    done: int
    failed: int
    refused: list[RefusedOut]
    """Those that couldn't be done; at most a thousand of them."""
    stopped: str
    """Why it doesn't go on, until somebody has it."""


def router(doors: Doors) -> APIRouter:
    site = doors.site
    routes = APIRouter(tags=["exceptions"])

    @routes.get("/exceptions")
    async def list_exceptions(
        caller: See,
        state: Literal["open", "closed"] = "open",
        cause: Filter = "",
        connection: Filter = "",
        flow: Filter = "",
        search: Filter = "",
        assignee: Annotated[str | None, Query(max_length=500, pattern=KEPT)] = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Listed[ExceptionOut]:
        """Open ones, oldest first; or closed ones, newest first. Of a long history of closed ones a page looks through
        one part: it may have few, or none, and still name a next one."""
        choice = Choice(cause=cause, connection=connection, flow=flow, search=search, assignee=assignee)
        if state == "closed":
            found, further = await site.ledger.read(
                lambda rows: exceptions.closed(rows, choice, limit=limit, below=after or 0)
            )
            return Listed(items=[_out(row) for row in found], next=further)
        found = await site.ledger.read(lambda rows: exceptions.chosen(rows, choice, limit=limit + 1, beyond=after or 0))
        return Listed(
            items=[_out(row) for row in found[:limit]], next=found[limit - 1].id if len(found) > limit else None
        )

    @routes.get("/exceptions/causes")
    async def list_causes(caller: See, limit: Limit = 50) -> CausesOut:
        """What is open, by cause, the most frequent first."""
        groups = await site.ledger.read(lambda rows: figures.open_groups(rows, limit=limit))
        return CausesOut(items=[CauseOut(**vars(group)) for group in groups])

    @routes.get("/exceptions/{number:row}")
    async def read_exception(caller: See, number: Number) -> ExceptionRead:
        """One, with how it stands with its run."""

        def read(rows: Rows) -> ExceptionRead:
            row = _found(rows, number)
            said = [
                CommentOut(at=each.at, who=each.who, text=each.text) for each in comments.of_exception(rows, number)
            ]
            told = situation(rows, row, site.flows)
            return ExceptionRead(**vars(_out(row)), comments=said, situation=told)

        return await site.ledger.read(read)

    @routes.get("/exceptions/{number:row}/input")
    async def read_input(caller: Work, number: Number) -> InputOut:
        """What its action is given."""
        seen = await site.ledger.read(lambda rows: input_of(rows, site.means, still_open(rows, number)))
        return InputOut(operation=str(seen.operation), values=dict(seen.values))

    @routes.post("/exceptions/{number:row}/retry", response_model=ExceptionOut)
    async def retry_exception(
        request: Request,
        caller: Work,
        number: Number,
        body: Retry,
        key: Key = "",
    ) -> Response:
        """Try again from the action that failed; what is done isn't done again."""
        return await _do(request, caller, number, Deed(Kind.RETRY, as_now=body.as_now), key)

    @routes.post("/exceptions/{number:row}/edit", response_model=ExceptionOut)
    async def edit_exception(
        request: Request,
        caller: Work,
        number: Number,
        body: Edit,
        key: Key = "",
    ) -> Response:
        """Try again with another input than the flow gives, for this run alone: it is checked first, and kept."""

        def work(rows: Rows) -> ExceptionOut:
            now = site.clock()
            given = input_of(rows, site.means, still_open(rows, number)).with_values(body.model_dump()["changes"])
            edit(rows, number, given, now, who=caller.name)
            retry(rows, number, now, who=caller.name)
            return _out(_found(rows, number))

        return await doors.write(request, caller, key, work)

    @routes.post("/exceptions/{number:row}/resolve", response_model=ExceptionOut)
    async def resolve_exception(
        request: Request,
        caller: Work,
        number: Number,
        body: Resolve,
        key: Key = "",
    ) -> Response:
        """Say that it was done by hand: the run goes on with `result`."""
        deed = Deed(Kind.RESOLVE, reason=body.reason, result=body.result)
        return await _do(request, caller, number, deed, key)

    @routes.post("/exceptions/{number:row}/dismiss", response_model=ExceptionOut)
    async def dismiss_exception(
        request: Request,
        caller: Work,
        number: Number,
        body: Dismiss,
        key: Key = "",
    ) -> Response:
        """Leave it: nothing more is done about it."""
        return await _do(request, caller, number, Deed(Kind.DISMISS, reason=body.reason), key)

    @routes.post("/exceptions/{number:row}/assign", response_model=ExceptionOut)
    async def assign_exception(
        request: Request,
        caller: Work,
        number: Number,
        body: Assign,
        key: Key = "",
    ) -> Response:
        """Say who looks after it."""
        return await _do(request, caller, number, Deed(Kind.ASSIGN, assignee=body.assignee), key)

    @routes.post("/exceptions/{number:row}/comments", status_code=201, response_model=CommentOut)
    async def comment_on_exception(
        request: Request,
        caller: Work,
        number: Number,
        body: Say,
        key: Key = "",
    ) -> Response:
        """Say something about it, open or closed."""
        now = site.clock()

        def work(rows: Rows) -> CommentOut:
            comment(rows, number, body.text, now, who=caller.name)
            return CommentOut(at=now, who=caller.name, text=body.text)

        return await doors.write(request, caller, key, work, 201)

    @routes.post("/exceptions/work", status_code=202, response_model=WorkOut)
    async def begin_work(
        request: Request,
        caller: Work,
        body: Many,
        key: Key = "",
    ) -> Response:
        """Do something to many, in the background, one such work after the other, over restarts. How far it is can be
        read."""
        if (body.chosen is None) == (not body.numbers):
            raise BellwireError("Name them by their numbers, or choose them; one of the two.")
        deed = Deed(Kind(body.do), reason=body.reason, assignee=body.assignee, as_now=body.as_now)
        choice = None if body.chosen is None else Choice(**dict(body.chosen))
        numbers = await deeds.meant(site, body.numbers, choice)

        def ask(rows: Rows) -> WorkOut:
            return _work(rows, deeds.ask(rows, site, deed, caller.name, numbers).id)

        answer = await doors.write(request, caller, key, ask, 202)
        site.errands.hurry()
        return answer

    @routes.get("/exceptions/work/{number:row}")
    async def read_work(caller: See, number: WorkNumber) -> WorkOut:
        """How far it is; known for as long as the details of events are kept."""
        return await site.ledger.read(lambda rows: _work(rows, number))

    @routes.post("/exceptions/work/{number:row}/go-on", status_code=202)
    async def go_on_with_work(caller: Work, number: WorkNumber) -> WorkOut:
        """Have it go on, if it was stopped."""
        await site.errands.go_on(number)
        return await site.ledger.read(lambda rows: _work(rows, number))

    async def _do(request: Request, caller: Any, number: int, deed: Deed, key: str) -> Response:
        deed.check()

        def work(rows: Rows) -> ExceptionOut:
            deeds.checked(site, deed)(rows, number)
            deeds.do(site, deed, site.clock(), caller.name)(rows, number)
            return _out(_found(rows, number))

        return await doors.write(request, caller, key, work)

    return routes


def _found(rows: Rows, number: int) -> ExceptionRow:
    row = exceptions.find(rows, number)
    if row is None:
        raise NotFound(f"There is no exception {number}.", remedy="`GET /exceptions` lists them.")
    return row


def _out(row: ExceptionRow) -> ExceptionOut:
    values = {name: value for name, value in vars(row).items() if name not in ("id", "state")}
    return ExceptionOut(number=row.id, state=row.state.value, **values)


def _work(rows: Rows, number: int) -> WorkOut:
    """Raises NotFound."""
    row = found(rows, number)
    return WorkOut.model_validate(
        {
            "number": row.id,
            "do": row.what,
            "state": row.state.value,
            "total": row.total,
            "done": row.done,
            "failed": row.failed,
            "refused": [RefusedOut(number=each, why=why) for each, why in errands.refused(rows, number)],
            "stopped": row.stopped,
        }
    )
