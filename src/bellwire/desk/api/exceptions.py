"""Exceptions: what needs a person, one by one and many at once."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from bellwire.desk import deeds
from bellwire.desk.api.doors import Doors, See, Work, Working, Write
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT, KEPT_WORDS, LARGEST, WHOLE, Body, Flag, Value, like
from bellwire.desk.deeds import Deed, Kind
from bellwire.desk.errands import Errand
from bellwire.desk.exceptions import colleagues, one
from bellwire.desk.remedies import unknown_of
from bellwire.engine import comment, edit, input_of, retry, still_open
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import ExceptionRow, Rows, exceptions, figures
from bellwire.ledger.exceptions import Choice

Number = Annotated[int, Path(ge=1, le=LARGEST, description="The exception's number.")]
Text = Annotated[str, Field(max_length=2_000, pattern=KEPT)]
Words = Annotated[str, Field(max_length=2_000, pattern=KEPT_WORDS)]
Person = Annotated[int, Field(ge=1, le=LARGEST), WHOLE]
Filter = Annotated[str, Query(max_length=500, pattern=KEPT)]
_MOST = 10_000
"""Numbers in one request."""


class Assignee(BaseModel):
    """A person, as they are called now."""

    id: int
    name: str


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
    assignee: Assignee | None
    """Who looks after it; null: nobody does."""
    opened_at: datetime
    closed_at: datetime | None
    reason: str
    """Why it was closed as it was."""


class UnknownOut(BaseModel):
    """A record of ours that another system doesn't know by this name."""

    connection: str
    kind: str
    """Such as `product`."""
    ours: str
    asked: str
    """What that system's people would call what is to be told."""


class CommentOut(BaseModel):
    at: datetime
    who: str
    text: str


class ExceptionRead(ExceptionOut):
    """With how it stands with its run."""

    comments: list[CommentOut]
    situation: dict[str, Any]
    """What is done, what is to come, which fields of its result are used later; empty for a delivery."""
    needed: dict[str, list[str]]
    """Which fields of its result the later actions can't do without, if a person does it: by action."""
    unknown: UnknownOut | None
    """What can be put right by saying what a record is called there (`map`)."""


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


class InputOut(BaseModel):
    operation: str
    values: dict[str, Any]
    """What the action is given: by its flow, or by an earlier edit."""


class Retry(Body):
    as_now: Flag = False
    """With the flow as it is now, not as it was when the run began."""


class Edit(Body):
    changes: dict[Text, Value] = Field(
        min_length=1, max_length=1_000, json_schema_extra={"additionalProperties": False}
    )
    """New values by field, such as `order.lines[0].sku`."""
    model_config = like({"changes": {"lines[0].sku": "TEA-250"}})


class Resolve(Body):
    model_config = like({"result": {"id": "1045"}, "reason": "booked by hand"})
    result: dict[Text, Text] = Field(default={}, max_length=100, json_schema_extra={"additionalProperties": False})
    """What the other system gave, such as `id`, for the later actions."""
    reason: Text = ""


class Dismiss(Body):
    reason: Words


class Assign(Body):
    assignee: Person | None
    """The person's number; null: nobody."""


class Called(Body):
    theirs: Annotated[str, Field(max_length=500, pattern=KEPT_WORDS)]
    """What it is called there, or its number there."""


class Say(Body):
    text: Words


class Chosen(Body):
    """All open ones that fit everything that is said."""

    cause: Text = ""
    connection: Text = ""
    flow: Text = ""
    search: Text = ""
    assignee: Annotated[int, Field(ge=0, le=LARGEST), WHOLE] | None = None
    """Whose they are, by the person's number; 0: nobody's."""


class Many(Body):
    """What is done to many, named by their numbers or chosen (not both)."""

    model_config = like(
        {"do": "retry", "chosen": {"cause": "unknown-sku", "connection": "stock"}},
        {"do": "dismiss", "numbers": [3, 4], "reason": "the customer cancelled"},
    )

    do: Literal["retry", "resolve", "dismiss", "assign"]
    numbers: list[Annotated[int, Field(ge=1, le=LARGEST), WHOLE]] = Field(default=[], max_length=_MOST)
    chosen: Chosen | None = None
    reason: Text = ""
    """Needed to dismiss."""
    assignee: Person | None = None
    as_now: Flag = False


class RefusedOut(BaseModel):
    number: int
    why: str


class WorkOut(BaseModel):
    """How far it is."""

    key: str
    do: str
    state: Literal["going on", "done", "stopped"]
    total: int
    done: int
    failed: int
    refused: list[RefusedOut]
    """Those that couldn't be done; at most a thousand of them."""
    stopped: str
    """Why it ended before its time."""


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
        assignee: Annotated[
            int | None, Query(ge=0, le=LARGEST, description="Whose they are, by the person's number; 0: nobody's.")
        ] = None,
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
    async def list_causes(caller: See, limit: Limit = 50) -> Listed[CauseOut]:
        """What is open, by cause, the most frequent first: so many of them, and no further page."""
        groups = await site.ledger.read(lambda rows: figures.open_groups(rows, limit=limit))
        return Listed(items=[CauseOut(**vars(group)) for group in groups])

    @routes.get("/exceptions/assignees")
    async def list_assignees(caller: See) -> Listed[Assignee]:
        """Who may be given one: everybody who has an account. There is one page."""
        found = await site.ledger.read(colleagues)
        return Listed(items=[Assignee(id=each.id, name=each.name) for each in found])

    @routes.get("/exceptions/{number:row}")
    async def read_exception(caller: See, number: Number) -> ExceptionRead:
        """One, with how it stands with its run."""

        def read(rows: Rows) -> ExceptionRead:
            found = one(rows, site, number)
            if found is None:
                raise _none(number)
            unknown = unknown_of(found.row)
            return ExceptionRead(
                **vars(_out(found.row)),
                comments=[CommentOut(at=each.at, who=each.who, text=each.text) for each in found.comments],
                situation=dict(found.situation),
                needed={action: list(fields) for action, fields in found.needed.items()},
                unknown=UnknownOut(**vars(unknown)) if unknown else None,
            )

        return await site.ledger.read(read)

    @routes.get("/exceptions/{number:row}/input")
    async def read_input(caller: Work, number: Number) -> InputOut:
        """What its action is given."""
        seen = await site.ledger.read(lambda rows: input_of(rows, site.means, still_open(rows, number)))
        return InputOut(operation=str(seen.operation), values=dict(seen.values))

    def begun(deed: Deed, errand: Errand) -> WorkOut:
        deeds.begin(site, deed, errand)
        return _work(errand)

    async def done(write: Write, number: int, deed: Deed) -> Response:
        deed.check()

        def work(rows: Rows) -> ExceptionOut:
            deeds.checked(site, deed)(rows, number)
            deeds.do(site, deed, site.clock(), write.who)(rows, number)
            return _out(_found(rows, number))

        return await write(work)

    @routes.post("/exceptions/{number:row}/retry", response_model=ExceptionOut)
    async def retry_exception(number: Number, body: Retry, write: Working) -> Response:
        """Try again from the action that failed; what is done isn't done again."""
        return await done(write, number, Deed(Kind.RETRY, as_now=body.as_now))

    @routes.post("/exceptions/{number:row}/edit", response_model=ExceptionOut)
    async def edit_exception(number: Number, body: Edit, write: Working) -> Response:
        """Try again with another input than the flow gives, for this run alone: it is checked first, and kept."""

        def work(rows: Rows) -> ExceptionOut:
            now = site.clock()
            given = input_of(rows, site.means, still_open(rows, number)).with_values(body.model_dump()["changes"])
            edit(rows, number, given, now, who=write.who)
            retry(rows, number, now, who=write.who)
            return _out(_found(rows, number))

        return await write(work)

    @routes.post("/exceptions/{number:row}/resolve", response_model=ExceptionOut)
    async def resolve_exception(number: Number, body: Resolve, write: Working) -> Response:
        """Say that it was done by hand: the run goes on with `result`."""
        return await done(write, number, Deed(Kind.RESOLVE, reason=body.reason, result=body.result))

    @routes.post("/exceptions/{number:row}/dismiss", response_model=ExceptionOut)
    async def dismiss_exception(number: Number, body: Dismiss, write: Working) -> Response:
        """Leave it: nothing more is done about it."""
        return await done(write, number, Deed(Kind.DISMISS, reason=body.reason))

    @routes.post("/exceptions/{number:row}/assign", response_model=ExceptionOut)
    async def assign_exception(number: Number, body: Assign, write: Working) -> Response:
        """Say who looks after it."""
        return await done(write, number, Deed(Kind.ASSIGN, assignee=body.assignee))

    @routes.post("/exceptions/{number:row}/comments", status_code=201, response_model=CommentOut)
    async def comment_on_exception(number: Number, body: Say, write: Working) -> Response:
        """Say something about it, open or closed."""
        now = site.clock()

        def work(rows: Rows) -> CommentOut:
            comment(rows, number, body.text, now, who=write.who)
            return CommentOut(at=now, who=write.who, text=body.text)

        return await write(work, 201)

    @routes.post("/exceptions/{number:row}/map", status_code=202, response_model=WorkOut)
    async def map_record_of_exception(number: Number, body: Called, write: Working) -> Response:
        """Say what a record of ours is called in the other system, where `unknown` asks for that; then all that wait
        for it are sent again, in the background."""

        async def work() -> WorkOut:
            choice = await site.ledger.write(lambda rows: deeds.name(rows, site, number, body.theirs, write.who))
            deed = Deed(Kind.RETRY)
            return begun(deed, await deeds.plan(site, deed, write.who, numbers=[], choice=choice))

        return await write.beyond(work, 202)

    @routes.post("/exceptions/work", status_code=202, response_model=WorkOut)
    async def begin_work(body: Many, write: Working) -> Response:
        """Do something to many, in the background, one such work after the other. How far it is can be read."""
        if (body.chosen is None) == (not body.numbers):
            raise BellwireError("Name them by their numbers, or choose them; one of the two.")
        deed = Deed(Kind(body.do), reason=body.reason, assignee=body.assignee, as_now=body.as_now)
        choice = None if body.chosen is None else Choice(**dict(body.chosen))

        async def work() -> WorkOut:
            return begun(deed, await deeds.plan(site, deed, write.who, numbers=body.numbers, choice=choice))

        return await write.beyond(work, 202)

    @routes.get("/exceptions/work/{key}")
    async def read_work(
        caller: See,
        key: Annotated[str, Path(max_length=100)],
    ) -> WorkOut:
        """How far it is; known for as long as Bellwire isn't started anew."""
        return _work(site.errands.find(key))

    return routes


def _found(rows: Rows, number: int) -> ExceptionRow:
    row = exceptions.find(rows, number)
    if row is None:
        raise _none(number)
    return row


def _none(number: int) -> NotFound:
    return NotFound(f"There is no exception {number}.", remedy="`GET /exceptions` lists them.")


def _out(row: ExceptionRow) -> ExceptionOut:
    values = {name: value for name, value in vars(row).items() if name not in ("id", "state", "assignee")}
    assignee = Assignee(id=row.assignee.id, name=row.assignee.name) if row.assignee else None
    return ExceptionOut(number=row.id, state=row.state.value, assignee=assignee, **values)


def _work(errand: Errand) -> WorkOut:
    return WorkOut(
        key=errand.key,
        do=errand.what,
        state=errand.state,
        total=errand.total,
        done=errand.done,
        failed=errand.failed,
        refused=[RefusedOut(number=number, why=str(error)) for number, error in errand.refused],
        stopped=errand.stopped,
    )
